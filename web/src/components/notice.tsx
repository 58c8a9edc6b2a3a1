import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Failure } from "../api/failure.ts";
import { links } from "../api/supabase.ts";
import { failureText, fromNow, useTexts } from "../i18n/texts.ts";
import { user } from "../state/session.ts";
import { Icon } from "./icons.tsx";

type NoticeProps = {
  /** `step`: what the user asked for needs something else first. */
  tone: "bad" | "step" | "good" | "plain";
  title: string;
  /** Whether the user has just caused it, so that it must be seen: it scrolls into view. */
  isResult?: boolean;
  children?: ComponentChildren;
};

export function Notice({
  tone,
  title,
  isResult = false,
  children,
}: NoticeProps) {
  const notice = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (isResult) notice.current?.scrollIntoView({ block: "nearest" });
  }, []);
  return (
    <div
      ref={notice}
      class={`notice notice-${tone}`}
      role={tone === "bad" || tone === "step" ? "alert" : "status"}
    >
      {tone === "good" && <Icon name="check" />}
      {tone === "bad" && <Icon name="alert" />}
      <div class="notice-body">
        <p class="notice-title">{title}</p>
        {children}
      </div>
    </div>
  );
}

/** The codes that signing in resolves. */
const NEEDS_SESSION = new Set([
  "missing_token",
  "invalid_token",
  "token_expired",
]);
/** The codes of what is no fault of anything, and needs no support. */
const STEPS = new Set([
  ...NEEDS_SESSION,
  "account_required",
  "quota_exceeded",
  "playlist_limit_reached",
  "not_about_music",
  "spotify_refused",
]);
/** The codes that only the service's owner can resolve. */
const TELL_US = new Set([
  "livemode_mismatch",
  "misconfigured",
  "internal_error",
  "unknown",
  "token_too_large",
  "currency_conflict",
]);

/** Tells an anonymous user how to keep what they made. */
export function KeepNotice() {
  const t = useTexts();
  if (!user.value?.isAnonymous) return null;
  return (
    <p class="notice notice-small">
      <span>
        {t.auth.onlyHere} <a href="#/sign-up">{t.auth.keepGo}</a>
      </span>
    </p>
  );
}

type FailureProps = {
  failure: Failure;
  children?: ComponentChildren;
  pick?: (example: string) => void;
  /** Whether the user did not cause it, as when something is read. */
  isBackground?: boolean;
};

/** Shows what happened, what to do, and collapsed details for support. */
export function FailureNotice({
  failure,
  children,
  pick,
  isBackground = false,
}: FailureProps) {
  const t = useTexts();
  const { what, next } = failureText(failure.code);
  const isSignedOut = NEEDS_SESSION.has(failure.code);
  const isStep = STEPS.has(failure.code);
  const needsAccount = failure.code === "account_required";
  const { contact_url } = links();
  const { retry_after_seconds: seconds, examples } = failure;
  return (
    <Notice
      tone={isStep ? "step" : "bad"}
      title={what}
      isResult={!isBackground}
    >
      <p>
        {next}{" "}
        {seconds !== undefined &&
          seconds > 0 &&
          t.common.again(fromNow(seconds))}
      </p>
      {examples.length > 0 && (
        <ul class="chips">
          {examples.map((example) => (
            <li key={example}>
              {pick ? (
                <button
                  type="button"
                  class="chip"
                  onClick={() => pick(example)}
                >
                  {example}
                </button>
              ) : (
                example
              )}
            </li>
          ))}
        </ul>
      )}
      {isSignedOut || needsAccount ? (
        <a class="button" href={needsAccount ? "#/sign-up" : "#/sign-in"}>
          {needsAccount ? t.auth.signUp : t.nav.signIn}
        </a>
      ) : (
        children && <div class="row">{children}</div>
      )}
      {contact_url && TELL_US.has(failure.code) && (
        <a href={contact_url}>{t.foot.contact}</a>
      )}
      {!isStep && (
        <details class="support">
          <summary>{t.common.details}</summary>
          <dl>
            <dt>{t.common.code}</dt>
            <dd>{failure.code}</dd>
            <dt>{t.common.said}</dt>
            <dd>{failure.message}</dd>
            {failure.request_id && <dt>{t.common.request}</dt>}
            {failure.request_id && <dd>{failure.request_id}</dd>}
          </dl>
        </details>
      )}
    </Notice>
  );
}
