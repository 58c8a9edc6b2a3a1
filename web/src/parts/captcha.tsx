import { useEffect, useRef } from 'preact/hooks';
import { captcha, showCaptcha } from '../captcha.ts';
import { Failure } from '../failure.ts';
import { useStore } from '../store.ts';
import { turnstileSiteKey } from '../supabase.ts';
import { language } from '../texts/texts.ts';
import { FailureNotice } from './notice.tsx';

/** Nothing where the page is configured without. */
export function CaptchaWidget() {
  const place = useRef<HTMLDivElement>(null);
  const words = useStore(language);
  const { hasFailed } = useStore(captcha);
  useEffect(() => (place.current ? showCaptcha(place.current, words) : undefined), [words]);
  if (!turnstileSiteKey()) return null;
  return (
    <>
      <div ref={place} class="captcha" />
      {hasFailed && <FailureNotice failure={new Failure('captcha_failed')} />}
    </>
  );
}

/** Whether a form with the widget may be sent. */
export function useCaptcha(): boolean {
  const { token } = useStore(captcha);
  return token !== '' || !turnstileSiteKey();
}
