// What Spotify's player plays. The page loads nothing of the player before the user asks for it.

import { signal } from "@preact/signals";

export type Listening = {
  kind: "track" | "playlist";
  id: string;
  title: string;
};

export const listening = signal<Listening | null>(null);

export function listenTo(track_uri: string, title: string): void {
  listening.value = {
    kind: "track",
    id: track_uri.split(":").at(-1) ?? "",
    title,
  };
}

/** Opens the player with a playlist's copy on Spotify, by its URL. */
export function listenToCopy(id: string, title: string): void {
  listening.value = { kind: "playlist", id, title };
}
