// The tracks that a user wants to keep when the rest of a playlist changes.
//
// They are an intention for the next refinement and no part of the playlist, so they stay in this browser: a press needs no
// request, works offline and does not use up the edits of a minute.

import { signal } from "@preact/signals";
import { drafts } from "./drafts.ts";

const changes = signal(0);
const name = (playlist_id: string) => `kept.${playlist_id}`;

/** Returns the URIs of the kept tracks; also those that the playlist no longer has. */
export function keptOf(playlist_id: string): ReadonlySet<string> {
  changes.value;
  return new Set(drafts.read<string[]>(name(playlist_id), []));
}

export function toggleKept(playlist_id: string, uri: string): void {
  const kept = new Set(keptOf(playlist_id));
  if (!kept.delete(uri)) kept.add(uri);
  if (kept.size > 0) drafts.write(name(playlist_id), [...kept]);
  else drafts.forget(name(playlist_id));
  changes.value += 1;
}
