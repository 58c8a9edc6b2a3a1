// The language that the page speaks: chosen here, else the browser's.

import { signal } from "@preact/signals";
import type { FailureCode } from "../api/failure.ts";
import type { PriceResponse } from "../api/generated.ts";
import { en } from "./en.ts";
import { failuresEn } from "./failures-en.ts";

export type Language = "en" | "pl";
export type Texts = typeof en;
/** What happened, and what to do. */
export type FailureText = {
  what: string;
  next: string;
};

const CHOICE = "sound-whiskers.language";
type Pack = {
  texts: Texts;
  failures: Record<FailureCode, FailureText>;
};

const packs: Partial<Record<Language, Pack>> & {
  en: Pack;
} = {
  en: {
    texts: en,
    failures: failuresEn,
  },
};

/** English is there from the start; another language is fetched when it is chosen. */
async function load(language: Language): Promise<void> {
  if (packs[language]) return;
  const { failuresPl, pl } = await import("./polish.ts");
  packs.pl = {
    texts: pl,
    failures: failuresPl,
  };
}

export const language = signal<Language>("en");

export async function chooseLanguage(
  next: Language,
  keep = true,
): Promise<void> {
  await load(next);
  language.value = next;
  document.documentElement.lang = next;
  try {
    // Not a draft: it stays when the user signs out.
    if (keep) localStorage.setItem(CHOICE, next);
  } catch {
    // The choice lasts until the page is closed.
  }
}

/** Speaks the language that `boot.ts` has found; English if its texts cannot be fetched. */
export async function startLanguage(): Promise<void> {
  const found = document.documentElement.lang === "pl" ? "pl" : "en";
  await chooseLanguage(found, false).catch(() => {
    document.documentElement.lang = "en";
  });
}

const pack = () => packs[language.value] ?? packs.en;

export function useTexts(): Texts {
  return pack().texts;
}

export function textsNow(): Texts {
  return pack().texts;
}

export function failureText(code: FailureCode): FailureText {
  return pack().failures[code];
}

export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** Day before month, as most of the world that reads English has it. */
const LOCALE: Record<Language, string> = {
  en: "en-GB",
  pl: "pl",
};

export function date(iso: string, month: "long" | "short" = "long"): string {
  return new Date(iso).toLocaleDateString(LOCALE[language.value], {
    day: "numeric",
    month,
    year: "numeric",
  });
}

/** "US$4.99 a month", "19,99 zł co 3 miesiące". */
export function priceText({
  amount,
  currency,
  interval,
  interval_count,
}: PriceResponse): string {
  const locale = LOCALE[language.value];
  const money = new Intl.NumberFormat(locale, {
    style: "currency",
    currency,
  }).format(Number(amount));
  const span = new Intl.NumberFormat(locale, {
    style: "unit",
    unit: interval,
    unitDisplay: "long",
  });
  const { per, every } = textsNow().price;
  return `${money} ${interval_count === 1 ? per[interval] : every(span.format(interval_count))}`;
}

/** "in 3 minutes", "za 2 dni". */
export function fromNow(seconds: number): string {
  const [amount, unit] =
    seconds < 90
      ? [
          seconds,
          "second" as const,
        ]
      : seconds < 5400
        ? [
            seconds / 60,
            "minute" as const,
          ]
        : seconds < 129_600
          ? [
              seconds / 3600,
              "hour" as const,
            ]
          : [
              seconds / 86_400,
              "day" as const,
            ];
  return new Intl.RelativeTimeFormat(language.value).format(
    Math.ceil(amount),
    unit,
  );
}
