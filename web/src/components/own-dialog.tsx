import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { pageUrl } from "../api/config.ts";
import { asFailure } from "../api/failure.ts";
import { billing } from "../api/functions.ts";
import { useTexts } from "../i18n/texts.ts";
import { nameOf, signIn, user } from "../state/session.ts";
import type { ToSend } from "../state/spotify.ts";
import { linkSpotify } from "../state/spotify.ts";
import { useAction } from "./action.ts";
import { CaptchaWidget, useCaptcha } from "./captcha.tsx";
import { Dialog } from "./dialog.tsx";
import { Field } from "./field.tsx";
import { FailureNotice } from "./notice.tsx";
import { usePrice } from "./price.ts";

type Props = {
  title: string;
  go: string;
  bad?: boolean;
  close: () => void;
  work: () => Promise<void>;
  children?: ComponentChildren;
};

/**
 * Confirms an action on the account. It names the account, because the browser may be signed in to another one than the
 * user expects. If the function requires a recent sign-in, the dialog asks for the password and then continues.
 */
export function OwnDialog({
  title,
  go,
  bad = false,
  close,
  work,
  children,
}: Props) {
  const t = useTexts();
  const who = user.value;
  const action = useAction();
  const [isOld, setOld] = useState(false);
  const [password, setPassword] = useState("");
  const isHuman = useCaptcha();
  const submit = (event: Event) => {
    event.preventDefault();
    void action.run(async () => {
      if (isOld && who) await signIn(who.email, password);
      setOld(false);
      await work().catch((error: unknown) => {
        // A user without an e-mail address has no password to sign in with.
        setOld(
          asFailure(error).code === "sign_in_again" && Boolean(who?.email),
        );
        throw error;
      });
    });
  };
  return (
    <Dialog title={title} close={close}>
      <form class="stack" onSubmit={submit}>
        {!who?.isAnonymous && (
          <p>
            {t.account.signedInAs}{" "}
            <strong class="break">{who && nameOf(who)}</strong>
          </p>
        )}
        {children}
        {action.failure && <FailureNotice failure={action.failure} />}
        {isOld && (
          <>
            <Field
              label={t.auth.password}
              type="password"
              value={password}
              change={setPassword}
              autocomplete="current-password"
              required
              autofocus
            />
            <CaptchaWidget />
            <a href="#/forgot">{t.auth.forgot}</a>
          </>
        )}
        <div class="row row-end">
          <button type="button" class="button" onClick={close}>
            {t.common.cancel}
          </button>
          <button
            type="submit"
            class={bad ? "button button-bad" : "button button-primary"}
            aria-disabled={action.busy || (isOld && !isHuman)}
          >
            {go}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** Starts linking Spotify. `send`: what to export after the return. */
export function LinkDialog({
  close,
  send,
}: {
  close: () => void;
  send?: ToSend;
}) {
  const t = useTexts();
  return (
    <OwnDialog
      title={t.account.link}
      go={t.account.linkGo}
      close={close}
      work={() => linkSpotify(send)}
    >
      <p>{send ? t.playlist.linkFirst : t.account.linkText}</p>
    </OwnDialog>
  );
}

/** Opens Stripe's checkout. */
export function UpgradeDialog({ close }: { close: () => void }) {
  const t = useTexts();
  const price = usePrice();
  const account = `${pageUrl()}#/account`;
  const work = async () =>
    location.assign(await billing.checkout(`${account}?paid`, account));
  return (
    <OwnDialog
      title={t.account.upgrade}
      go={t.account.payGo}
      close={close}
      work={work}
    >
      <p>
        {t.account.proOffer} {price && t.account.costs(price)}
      </p>
    </OwnDialog>
  );
}
