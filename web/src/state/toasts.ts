// Short news that need no answer, with at most one thing to do about them.

import { signal } from '@preact/signals';
import { asFailure } from '../api/failure.ts';
import { failureText } from '../i18n/texts.ts';

export type Toast = { id: number; text: string; action?: { label: string; run: () => void } };

/** Long enough to read it twice and to reach the button by keyboard. */
const SHOWN_MS = 12_000;

export const toast = signal<Toast | null>(null);

/** For who cannot see it happen; shown to nobody. */
export const announcement = signal('');
let last = 0;
let timer: ReturnType<typeof setTimeout> | undefined;

export function say(text: string, action?: Toast['action']): void {
  last += 1;
  toast.value = { id: last, text, action };
  clearTimeout(timer);
  timer = setTimeout(dismiss, SHOWN_MS);
}

export function dismiss(): void {
  clearTimeout(timer);
  toast.value = null;
}

/** While somebody is at it, it stays. */
export function hold(): void {
  clearTimeout(timer);
}

/** Where what has failed is not on the screen any more. */
export function sayFailure(error: unknown): void {
  const { what, next } = failureText(asFailure(error).code);
  say(`${what} ${next}`);
}
