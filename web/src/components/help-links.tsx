import { useTexts } from "../i18n/texts.ts";

/** A screen that helps after a failure. */
export type HelpScreen = "account" | "forgot" | "resend" | "sign-in";

/** `then` is called when the user chooses one. */
export function HelpLinks({
  to,
  then,
}: {
  to: readonly HelpScreen[];
  then?: () => void;
}) {
  const t = useTexts();
  const words: Record<HelpScreen, string> = {
    account: t.account.title,
    forgot: t.auth.forgotTitle,
    resend: t.auth.resendTitle,
    "sign-in": t.auth.signIn,
  };
  return (
    <>
      {to.map((screen) => (
        <a key={screen} class="button" href={`#/${screen}`} onClick={then}>
          {words[screen]}
        </a>
      ))}
    </>
  );
}
