// Leaves for Spotify's consent page. After the return, only the address says what happened.

import { signal } from "@preact/signals";
import { spotifyLink } from "../api/functions.ts";
import { drafts } from "./drafts.ts";

const RETURN = "after-spotify";

/** A playlist to export; under a key, into a new copy. */
export type ToSend = { id: string; key?: string };
type Return = { place: string; send: ToSend | null };

/** What to export when it is shown, because the user has just linked Spotify for it. */
export const sending = signal<ToSend | null>(null);

/** Leaves the page. `send`: what to export after the return. */
export async function linkSpotify(send?: ToSend): Promise<void> {
  const url = await spotifyLink.start();
  drafts.write(RETURN, {
    place: location.hash.replace(/^#\/?/, ""),
    send: send ?? null,
  });
  location.assign(url);
}

/** Returns the route from which the user left for Spotify, and what to export. */
export function beforeSpotify(): Return {
  const before = drafts.read<Return>(RETURN, { place: "account", send: null });
  drafts.forget(RETURN);
  return before;
}
