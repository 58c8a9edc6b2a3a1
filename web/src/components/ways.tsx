import { useTexts } from "../i18n/texts.ts";

/** A screen that helps after a failure. */
export type Way = "account" | "forgot" | "resend" | "sign-in";

/** `then` is called when the user chooses one. */
export function Ways({ to, then }: { to: readonly Way[]; then?: () => void }) {
  const t = useTexts();
  const words: Record<Way, string> = {
    account: t.account.title,
    forgot: t.auth.forgotTitle,
    resend: t.auth.resendTitle,
    "sign-in": t.auth.signIn,
  };
  return (
    <>
      {to.map((way) => (
        <a key={way} class="button" href={`#/${way}`} onClick={then}>
          {words[way]}
        </a>
      ))}
    </>
  );
}
