// The language that the page speaks: chosen here, else the browser's.

import type { FailureCode } from '../failure.ts';
import { Store, useStore } from '../store.ts';
import { en } from './en.ts';
import { failuresEn } from './failures-en.ts';
import { failuresPl } from './failures-pl.ts';
import { pl } from './pl.ts';

export type Language = 'en' | 'pl';
export type Texts = typeof en;
/** What happened, and what to do. */
export type FailureText = { what: string; next: string };

const CHOICE = 'sound-whiskers.language';
const ALL: Record<Language, { texts: Texts; failures: Record<FailureCode, FailureText> }> = {
  en: { texts: en, failures: failuresEn },
  pl: { texts: pl, failures: failuresPl },
};

export const language = new Store<Language>('en');

export function chooseLanguage(next: Language, keep = true): void {
  language.value = next;
  document.documentElement.lang = next;
  try {
    // Not a draft: who sits here next speaks it, too, as a rule.
    if (keep) localStorage.setItem(CHOICE, next);
  } catch {
    // It lasts until the page is left.
  }
}

export function startLanguage(): void {
  let chosen: string | null = null;
  try {
    chosen = localStorage.getItem(CHOICE);
  } catch {
    // As if nobody had chosen.
  }
  const wanted = chosen ?? navigator.languages.find((it) => /^(en|pl)\b/i.test(it)) ?? 'en';
  chooseLanguage(wanted.toLowerCase().startsWith('pl') ? 'pl' : 'en', false);
}

export function useTexts(): Texts {
  return ALL[useStore(language)].texts;
}

export function textsNow(): Texts {
  return ALL[language.value].texts;
}

export function failureText(code: FailureCode): FailureText {
  return ALL[language.value].failures[code];
}

export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** Day before month, as most of the world that reads English has it. */
const LOCALE: Record<Language, string> = { en: 'en-GB', pl: 'pl' };

export function date(iso: string, month: 'long' | 'short' = 'long'): string {
  return new Date(iso).toLocaleDateString(LOCALE[language.value], { day: 'numeric', month, year: 'numeric' });
}

/** "in 3 minutes", "za 2 dni". */
export function fromNow(seconds: number): string {
  const [amount, unit] = seconds < 90 ? [seconds, 'second' as const] : seconds < 5400 ? [seconds / 60, 'minute' as const] : seconds < 129_600 ? [seconds / 3600, 'hour' as const] : [seconds / 86_400, 'day' as const];
  return new Intl.RelativeTimeFormat(language.value).format(Math.ceil(amount), unit);
}
