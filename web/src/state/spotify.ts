// Leaves for Spotify's consent page. After the return, only the address says what happened.

import { signal } from "@preact/signals";
import { spotifyLink } from "../api/functions.ts";
import { drafts } from "./drafts.ts";

const RETURN = "after-spotify";

type Return = { place: string; send: string | null };

/** The playlist to export when it is shown, because the user has just linked Spotify for it. */
export const sending = signal<string | null>(null);

/** Leaves the page. `send`: the playlist to export after the return. */
export async function linkSpotify(send?: string): Promise<void> {
  const url = await spotifyLink.start();
  drafts.write(RETURN, {
    place: location.hash.replace(/^#\/?/, ""),
    send: send ?? null,
  });
  location.assign(url);
}

/** Returns the route from which the user left for Spotify, and the playlist to export. */
export function beforeSpotify(): Return {
  const before = drafts.read<Return>(RETURN, { place: "account", send: null });
  drafts.forget(RETURN);
  return before;
}
