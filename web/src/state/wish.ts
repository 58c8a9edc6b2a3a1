// The composer's input, and the request made from it.

import type { Discovery, Song, Wish } from "./generation.ts";

export type Form = {
  prompt: string;
  count: number;
  from: string;
  to: string;
  explicit: boolean;
  versions: boolean;
  exclude: string;
  discovery: Discovery;
  seeds: string;
};
export const EMPTY: Form = {
  prompt: "",
  count: 20,
  from: "",
  to: "",
  explicit: true,
  versions: false,
  exclude: "",
  discovery: "balanced",
  seeds: "",
};

/** The songs of a playlist. */
export const LENGTHS = [10, 20, 30, 50];

export const MAX_PROMPT = 1000;
const MAX_ARTISTS = 20;
const YEARS = { first: 1900, last: 2100 };

export type FormProblem =
  | "needPrompt"
  | "tooLong"
  | "eraRange"
  | "eraOrder"
  | "tooManyArtists"
  | "seedForm";

/** Counts characters like the function, not UTF-16 units. */
export function lengthOf(text: string): number {
  return [...text.trim()].length;
}

export function problemOf(form: Form): FormProblem | null {
  if (lengthOf(form.prompt) === 0) return "needPrompt";
  if (lengthOf(form.prompt) > MAX_PROMPT) return "tooLong";
  const years = [form.from, form.to]
    .filter((it) => it.trim() !== "")
    .map(Number);
  if (
    years.some(
      (year) =>
        !Number.isInteger(year) || year < YEARS.first || year > YEARS.last,
    )
  )
    return "eraRange";
  if (years.length === 2 && Number(form.from) > Number(form.to))
    return "eraOrder";
  if (artistsOf(form).length > MAX_ARTISTS) return "tooManyArtists";
  return isSeedList(form) ? null : "seedForm";
}

export function wishOf(form: Form): Wish {
  const artists = artistsOf(form);
  const from = form.from.trim() ? { from: Number(form.from) } : {};
  const to = form.to.trim() ? { to: Number(form.to) } : {};
  const era = { ...from, ...to };
  return {
    prompt: form.prompt.trim(),
    target_count: form.count,
    ...(Object.keys(era).length > 0 ? { era } : {}),
    allow_explicit: form.explicit,
    ...(form.versions ? { allow_versions: true } : {}),
    ...(artists.length > 0 ? { exclude_artists: artists } : {}),
    ...(form.discovery !== "balanced" ? { discovery: form.discovery } : {}),
    ...(seedsOf(form).length > 0 ? { seeds: seedsOf(form) } : {}),
    // A saved playlist cannot get lost.
    save: true,
  };
}

/** Returns the input that a wish was made from. */
export function formOf(wish: Wish): Form {
  return {
    ...EMPTY,
    prompt: wish.prompt,
    count: wish.target_count,
    from: String(wish.era?.from ?? ""),
    to: String(wish.era?.to ?? ""),
    explicit: wish.allow_explicit,
    versions: wish.allow_versions ?? false,
    exclude: (wish.exclude_artists ?? []).join(", "),
    discovery: wish.discovery ?? EMPTY.discovery,
    seeds: (wish.seeds ?? [])
      .map(({ artist, title }) => `${artist} – ${title}`)
      .join("\n"),
  };
}

function artistsOf(form: Form): string[] {
  return form.exclude
    .split(/[,;\n]/)
    .map((it) => it.trim())
    .filter((it) => it !== "");
}

const MAX_SEEDS = 5;
const SEED = /^(.+?)\s+[-–—]\s+(.+)$/;
const linesOf = (text: string) =>
  text.split("\n").filter((line) => line.trim() !== "");

/** Parses "Artist – Title", one per line. */
function seedsOf({ seeds }: Form): Song[] {
  return linesOf(seeds).map((line) => {
    const [, artist = "", title = ""] = SEED.exec(line.trim()) ?? [];
    return { artist, title };
  });
}

function isSeedList({ seeds }: Form): boolean {
  const lines = linesOf(seeds);
  return (
    lines.length <= MAX_SEEDS && lines.every((line) => SEED.test(line.trim()))
  );
}
