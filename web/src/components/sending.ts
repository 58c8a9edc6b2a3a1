// Exports a playlist to Spotify.

import { useEffect, useRef, useState } from "preact/hooks";
import type { Playlist } from "../api/data.ts";
import { Failure } from "../api/failure.ts";
import type { Exported } from "../api/functions.ts";
import { exportPlaylist } from "../api/functions.ts";
import { newUuid } from "../api/uuid.ts";
import type { ToSend } from "../state/spotify.ts";
import { sending } from "../state/spotify.ts";
import type { Action } from "./action.ts";
import { useAction } from "./action.ts";

const NEEDS_LINK = new Set(["spotify_not_linked", "spotify_link_expired"]);

export type Sending = {
  /** The id of the copy on Spotify. */
  copy: string | null;
  done: Exported | null;
  /** What is to be said about the copy. */
  about: "replaced" | "another" | "kept" | null;
  /** What is sent once Spotify is linked. */
  linking: ToSend | null;
  action: Action;
  send: () => void;
  /** Makes another copy. */
  sendNewCopy: () => void;
  retry: () => void;
  stop: () => void;
};

/** Exports a playlist to Spotify, again into the copy that it has there, once its edits are `saved`. */
export function useSending(
  { id, copy: known }: Playlist,
  saved: () => Promise<unknown>,
): Sending {
  const [done, setDone] = useState<Exported | null>(null);
  const [about, setAbout] = useState<Sending["about"]>(null);
  /** The key of the last attempt. */
  const last = useRef<string | undefined>(undefined);
  const copy = done?.spotify_playlist_id ?? known;
  const [linking, setLinking] = useState<ToSend | null>(null);
  const action = useAction();
  const sendAs = (key?: string) =>
    void action.run(async () => {
      last.current = key;
      await saved();
      try {
        const exported = await exportPlaylist(id, key);
        const isSame = copy === exported.spotify_playlist_id;
        const isOther = key ? "another" : "replaced";
        setAbout(copy ? (isSame ? "kept" : isOther) : null);
        setDone(exported);
      } catch (error) {
        // Not a failure: linking Spotify is a step of the export.
        if (!(error instanceof Failure && NEEDS_LINK.has(error.code)))
          throw error;
        setLinking({ id, key });
      }
    });
  const wanted = sending.value?.id === id;
  useEffect(() => {
    if (!wanted) return;
    const key = sending.value?.key;
    sending.value = null;
    sendAs(key);
  }, [wanted]);
  return {
    copy,
    done,
    about,
    linking,
    action,
    send: () => sendAs(),
    sendNewCopy: () => sendAs(newUuid()),
    retry: () => sendAs(last.current),
    stop: () => setLinking(null),
  };
}
