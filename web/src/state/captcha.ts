// Cloudflare's Turnstile, if a site key is configured. Auth then requires a token to sign in and to send mails.

import { signal } from "@preact/signals";
import { turnstileSiteKey } from "../api/supabase.ts";

const SCRIPT =
  "https://challenges.cloudflare.com/turnstile/v0/api.js?render=explicit";

type Options = {
  sitekey: string;
  language: string;
  size: "flexible";
  callback: (token: string) => void;
  "expired-callback": () => void;
  "error-callback": () => boolean;
};
type Turnstile = {
  render: (place: HTMLElement, options: Options) => string;
  reset: (id: string) => void;
  remove: (id: string) => void;
};

export type Captcha = { token: string; hasFailed: boolean };
const NONE: Captcha = { token: "", hasFailed: false };

/** A token is valid once, for five minutes. */
export const captcha = signal(NONE);
let renew: (() => void) | null = null;
let loading: Promise<Turnstile> | null = null;

function load(): Promise<Turnstile> {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = SCRIPT;
    script.onload = () =>
      resolve((globalThis as unknown as { turnstile: Turnstile }).turnstile);
    script.onerror = () => {
      loading = null;
      script.remove();
      reject(new Error("Turnstile could not be loaded"));
    };
    document.head.append(script);
  });
  return loading;
}

/** Renders the widget; returns a function that removes it. */
export function showCaptcha(place: HTMLElement, language: string): () => void {
  const sitekey = turnstileSiteKey();
  if (!sitekey) return () => {};
  let isGone = false;
  let remove = () => {};
  const failed = () => {
    if (!isGone) captcha.value = { token: "", hasFailed: true };
    return true;
  };
  const show = (turnstile: Turnstile) => {
    if (isGone) return;
    const id = turnstile.render(place, {
      sitekey,
      language,
      size: "flexible",
      callback: (token) => {
        captcha.value = { token, hasFailed: false };
      },
      "expired-callback": () => {
        captcha.value = NONE;
        turnstile.reset(id);
      },
      "error-callback": failed,
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

/** Takes the token for the next request. */
export function takeCaptchaToken(): string | undefined {
  const { token } = captcha.value;
  captcha.value = NONE;
  renew?.();
  return token || undefined;
}
