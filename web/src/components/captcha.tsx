import { useEffect, useRef } from "preact/hooks";
import { Failure } from "../api/failure.ts";
import { turnstileSiteKey } from "../api/supabase.ts";
import { language } from "../i18n/texts.ts";
import { captcha, showCaptcha } from "../state/captcha.ts";
import { FailureNotice } from "./notice.tsx";

/** Turnstile's widget; renders nothing if Turnstile is disabled. */
export function CaptchaWidget() {
  const place = useRef<HTMLDivElement>(null);
  const words = language.value;
  const { hasFailed } = captcha.value;
  useEffect(
    () => (place.current ? showCaptcha(place.current, words) : undefined),
    [words],
  );
  if (!turnstileSiteKey()) return null;
  return (
    <>
      <div ref={place} class="captcha" />
      {hasFailed && (
        <FailureNotice failure={new Failure("captcha_failed")} isBackground />
      )}
    </>
  );
}

/** Returns whether a form with the widget may be sent. */
export function useCaptcha(): boolean {
  const { token } = captcha.value;
  return token !== "" || !turnstileSiteKey();
}
