// Cloudflare's Turnstile, where the page is configured with a site key: Auth then takes no sign-in and sends no mail without a token.

import { signal } from '@preact/signals';
import { turnstileSiteKey } from '../api/supabase.ts';

const SCRIPT = 'https://challenges.cloudflare.com/turnstile/v0/api.js?render=explicit';

type Options = {
  sitekey: string;
  language: string;
  size: 'flexible';
  callback: (token: string) => void;
  'expired-callback': () => void;
  'error-callback': () => boolean;
};
type Turnstile = {
  render: (place: HTMLElement, options: Options) => string;
  reset: (id: string) => void;
  remove: (id: string) => void;
};

export type Captcha = { token: string; hasFailed: boolean };
const NONE: Captcha = { token: '', hasFailed: false };

/** A token is good once, for five minutes. */
export const captcha = signal(NONE);
let renew: (() => void) | null = null;
let loading: Promise<Turnstile> | null = null;

function load(): Promise<Turnstile> {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = SCRIPT;
    script.onload = () => resolve((globalThis as unknown as { turnstile: Turnstile }).turnstile);
    script.onerror = () => {
      loading = null;
      script.remove();
      reject(new Error('Turnstile could not be loaded'));
    };
    document.head.append(script);
  });
  return loading;
}

/** Shows the widget; returns what takes it away again. */
export function showCaptcha(place: HTMLElement, language: string): () => void {
  const sitekey = turnstileSiteKey();
  if (!sitekey) return () => {};
  let isGone = false;
  let remove = () => {};
  const failed = () => {
    if (!isGone) captcha.value = { token: '', hasFailed: true };
    return true;
  };
  const show = (turnstile: Turnstile) => {
    if (isGone) return;
    const id = turnstile.render(place, {
      sitekey,
      language,
      size: 'flexible',
      callback: (token) => {
        captcha.value = { token, hasFailed: false };
      },
      'expired-callback': () => {
        captcha.value = NONE;
        turnstile.reset(id);
      },
      'error-callback': failed,
    });
    renew = () => turnstile.reset(id);
    remove = () => turnstile.remove(id);
  };
  load().then(show).catch(failed);
  return () => {
    isGone = true;
    renew = null;
    captcha.value = NONE;
    remove();
  };
}

/** For the one call that is sent next. */
export function takeCaptchaToken(): string | undefined {
  const { token } = captcha.value;
  captcha.value = NONE;
  renew?.();
  return token || undefined;
}
