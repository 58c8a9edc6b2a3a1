// A playlist as text and as a file.

import type { Track } from "../api/data.ts";

/** Writes one song a line. */
export function textOf(tracks: readonly Track[]): string {
  return tracks
    .map(({ artist, title }) => [artist, title].filter(Boolean).join(" – "))
    .join("\n");
}

/** Writes RFC 4180's CSV with a mark by which spreadsheets recognise UTF-8. */
export function csvOf(
  tracks: readonly Track[],
  heads: readonly string[],
  urlOf: (track_uri: string) => string,
): string {
  const rows = tracks.map(
    ({ title, artist, album, duration_ms, track_uri }) => [
      title,
      artist,
      album,
      secondsOf(duration_ms),
      urlOf(track_uri),
    ],
  );
  return `\ufeff${[heads, ...rows].map((row) => `${row.map(cellOf).join(",")}\r\n`).join("")}`;
}

function secondsOf(ms: number): string {
  return ms > 0 ? String(Math.round(ms / 1000)) : "";
}

/** Spreadsheets run a cell that begins like this as a formula; an apostrophe makes it a text. */
const FORMULA = /^(\s*[=+\-@＝＋－＠]|[\t\r\n])/;

function cellOf(text: string): string {
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Returns a file's name for a text, without what file systems do not allow and marks that turn the text's direction. */
export function fileNameOf(name: string, ending: string): string {
  const kept = name
    .replace(
      /[\s\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069\\/:*?"<>|]+/gu,
      " ",
    )
    .trim();
  const short = [...kept].slice(0, 80).join("");
  return `${short.replace(/^\.+|[. ]+$/g, "") || "playlist"}.${ending}`;
}

/** Copies a text; returns false if the browser does not let it. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Without TLS there is no clipboard, and the user may have forbidden it.
  }
  const area = document.createElement("textarea");
  area.value = text;
  const before = document.activeElement;
  // Outside the topmost dialog nothing can be selected.
  const dialogs = document.querySelectorAll("dialog[open]");
  (dialogs[dialogs.length - 1] ?? document.body).append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  if (before instanceof HTMLElement) before.focus({ preventScroll: true });
  return isCopied;
}

export function saveFile(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  Object.assign(document.createElement("a"), {
    href: url,
    download: name,
  }).click();
  URL.revokeObjectURL(url);
}
