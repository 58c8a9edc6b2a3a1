import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { FailureCode } from "../api/failure.ts";
import type { Action } from "../components/action.ts";
import { useAction } from "../components/action.ts";
import { CaptchaWidget, useCaptcha } from "../components/captcha.tsx";
import { Field } from "../components/field.tsx";
import { FailureNotice, Notice } from "../components/notice.tsx";
import { WaitingNotice } from "../components/problem.tsx";
import { useTexts } from "../i18n/texts.ts";
import { drafts, useDraft } from "../state/drafts.ts";
import { generation, runWanted } from "../state/generation.ts";
import { go, goInstead, route } from "../state/navigation.ts";
import { needsSession } from "../state/route.ts";
import {
  changePassword,
  keepAccount,
  sendConfirmation,
  sendRecovery,
  signIn,
  signUp,
  user,
} from "../state/session.ts";
import { say } from "../state/toasts.ts";
import { wanted, wantFor } from "../state/wanted.ts";
import type { Form } from "../state/wish.ts";
import { EMPTY } from "../state/wish.ts";

type FrameProps = {
  title: string;
  lead?: string;
  action: Action;
  go: string;
  submit: () => Promise<void>;
  isKnown?: boolean;
  /** What to do about a failure. */
  help?: (code: FailureCode) => ComponentChildren;
  children: ComponentChildren;
  below?: ComponentChildren;
};

/** `isKnown`: the user is signed in. */
function Frame({
  title,
  lead,
  action,
  go: label,
  submit,
  isKnown = false,
  help,
  children,
  below,
}: FrameProps) {
  const isHuman = useCaptcha() || isKnown;
  const onSubmit = (event: Event) => {
    event.preventDefault();
    if (isHuman) void action.run(submit);
  };
  return (
    <div class="page page-tiny">
      <form class="card stack" onSubmit={onSubmit}>
        <h1 tabIndex={-1}>{title}</h1>
        {lead && <p class="hint">{lead}</p>}
        {!isKnown && <WaitingNotice />}
        {children}
        {!isKnown && <CaptchaWidget />}
        {action.failure && (
          <FailureNotice failure={action.failure}>
            {help?.(action.failure.code)}
          </FailureNotice>
        )}
        <button
          type="submit"
          class="button button-primary button-big"
          aria-disabled={action.busy || !isHuman}
        >
          {label}
        </button>
        {below}
      </form>
    </div>
  );
}

/** Opens the playlist that is being generated or was wanted, otherwise the start. */
export function enter(): void {
  if (!runWanted() && !generation.value.running) goInstead("");
}

/** Returns the note that the draft is kept, if there is a draft. */
function useKept(): string | undefined {
  const t = useTexts();
  return !wanted() && drafts.read<Form>("wish", EMPTY).prompt
    ? t.auth.kept
    : undefined;
}

/** Passwords are the only input that is not kept as a draft. */
function useEmail() {
  return useDraft("email", "");
}

type InputProps = {
  value: string;
  change: (value: string) => void;
  autofocus?: boolean;
};

function Email(props: InputProps) {
  const t = useTexts();
  return (
    <Field
      label={t.auth.email}
      type="email"
      autocomplete="username"
      required
      {...props}
    />
  );
}

function NewPassword(props: InputProps & { label: string }) {
  const t = useTexts();
  return (
    <Field
      type="password"
      autocomplete="new-password"
      hint={t.auth.passwordHint}
      minLength={8}
      required
      {...props}
    />
  );
}

export function SignInScreen() {
  const t = useTexts();
  const [email, setEmail] = useEmail();
  const [password, setPassword] = useState("");
  const action = useAction();
  const isGate = needsSession(route.value);
  const kept = useKept();
  const submit = async () => {
    await signIn(email.trim(), password);
    // A user who asked for another screen is already there.
    if (isGate) runWanted();
    else enter();
  };
  const resend = async () => {
    await sendConfirmation(email.trim());
    say(t.auth.resent);
  };
  const below = (
    <div class="row row-between">
      <a href="#/forgot">{t.auth.forgot}</a>
      <span>
        {t.auth.noAccount} <a href="#/sign-up">{t.auth.signUp}</a>
      </span>
    </div>
  );
  return (
    <Frame
      title={t.auth.signIn}
      lead={
        user.value?.isAnonymous ? t.auth.leaves : isGate ? t.auth.wanted : kept
      }
      help={(code) =>
        code === "email_not_confirmed" && (
          <button
            type="button"
            class="button"
            onClick={() => void action.run(resend)}
          >
            {t.auth.resend}
          </button>
        )
      }
      action={action}
      go={t.auth.signIn}
      submit={submit}
      below={below}
    >
      <Email value={email} change={setEmail} />
      <Field
        label={t.auth.password}
        type="password"
        value={password}
        change={setPassword}
        autocomplete="current-password"
        required
      />
    </Frame>
  );
}

/** Signs up, or keeps what an anonymous user has made: the account and its id stay the same. */
export function SignUpScreen() {
  const t = useTexts();
  const isAnonymous = user.value?.isAnonymous === true;
  const [wasAnonymous] = useState(isAnonymous);
  const [email, setEmail] = useEmail();
  const [password, setPassword] = useState("");
  const [sent, setSent] = useState(false);
  const kept = useKept();
  const action = useAction();
  const submit = async () => {
    if (isAnonymous) {
      if (!(await keepAccount(email.trim(), password))) return setSent(true);
      say(t.auth.keptNow);
      return goInstead("playlists");
    }
    const id = await signUp(email.trim(), password);
    if (user.value?.id === id) return enter();
    wantFor(id);
    setSent(true);
  };
  if (sent)
    return (
      <CheckMail
        email={email}
        type={wasAnonymous ? "email_change" : "signup"}
      />
    );
  const below = (
    <p>
      {t.auth.haveAccount} <a href="#/sign-in">{t.auth.signIn}</a> ·{" "}
      <a href="#/privacy">{t.foot.privacy}</a>
    </p>
  );
  return (
    <Frame
      title={isAnonymous ? t.auth.keepTitle : t.auth.signUp}
      lead={isAnonymous ? t.auth.keepLead : kept}
      action={action}
      go={t.auth.signUpGo}
      submit={submit}
      isKnown={isAnonymous}
      below={below}
    >
      <Email value={email} change={setEmail} />
      <NewPassword
        label={t.auth.password}
        value={password}
        change={setPassword}
      />
    </Frame>
  );
}

function CheckMail({
  email,
  type,
}: {
  email: string;
  type: "signup" | "email_change";
}) {
  const t = useTexts();
  const action = useAction();
  const submit = async () => {
    await sendConfirmation(email.trim(), type);
    say(t.auth.resent);
  };
  return (
    <Frame
      title={t.auth.checkTitle}
      action={action}
      go={t.auth.resend}
      submit={submit}
      below={<a href="#/sign-in">{t.auth.back}</a>}
    >
      <Notice tone="good" title={t.auth.check(email)} />
    </Frame>
  );
}

/** Sends a link once more: to choose a new password, or to confirm the address. */
export function MailScreen({ kind }: { kind: "forgot" | "resend" }) {
  const t = useTexts();
  const [email, setEmail] = useEmail();
  const [sent, setSent] = useState(false);
  const action = useAction();
  const submit = async () => {
    await (kind === "forgot" ? sendRecovery : sendConfirmation)(email.trim());
    setSent(true);
  };
  return (
    <Frame
      title={kind === "forgot" ? t.auth.forgotTitle : t.auth.resendTitle}
      lead={kind === "forgot" ? t.auth.forgotLead : undefined}
      action={action}
      go={t.auth.forgotGo}
      submit={submit}
      below={<a href="#/sign-in">{t.auth.back}</a>}
    >
      <Email value={email} change={setEmail} />
      {sent && <Notice tone="good" title={t.auth.forgotSent(email)} />}
    </Frame>
  );
}

export function NewPasswordScreen() {
  const t = useTexts();
  const [password, setPassword] = useState("");
  const action = useAction();
  const submit = async () => {
    await changePassword(password);
    say(t.auth.changed);
    go("");
  };
  return (
    <Frame
      title={t.auth.newTitle}
      action={action}
      go={t.auth.newGo}
      submit={submit}
      isKnown
    >
      <NewPassword
        label={t.auth.newPassword}
        value={password}
        change={setPassword}
        autofocus
      />
    </Frame>
  );
}
