import { useEffect, useRef, useState } from "preact/hooks";
import type { Playlist } from "../api/data.ts";
import { Failure } from "../api/failure.ts";
import type { Exported } from "../api/functions.ts";
import { exportPlaylist } from "../api/functions.ts";
import { newUuid } from "../api/uuid.ts";
import { useTexts } from "../i18n/texts.ts";
import { sending } from "../state/spotify.ts";
import type { Action } from "./action.ts";
import { useAction } from "./action.ts";
import { Icon } from "./icons.tsx";
import { FailureNotice } from "./notice.tsx";
import { LinkDialog } from "./own-dialog.tsx";

const NEEDS_LINK = new Set(["spotify_not_linked", "spotify_link_expired"]);

export type Sending = {
  /** The id of the copy on Spotify. */
  copy: string | null;
  done: Exported | null;
  /** What the page says about the copy. */
  about: "replaced" | "another" | "kept" | null;
  isLinking: boolean;
  action: Action;
  send: () => void;
  /** Makes another copy. */
  sendAnew: () => void;
  retry: () => void;
  stop: () => void;
};

/** Exports a playlist to Spotify, again into the copy that it has there. */
export function useSending({ id, copy: known }: Playlist): Sending {
  const [done, setDone] = useState<Exported | null>(null);
  const [about, setAbout] = useState<Sending["about"]>(null);
  const key = useRef<string | undefined>(undefined);
  const copy = done?.spotify_playlist_id ?? known;
  const [isLinking, setLinking] = useState(false);
  const action = useAction();
  const retry = () =>
    void action.run(async () => {
      try {
        const exported = await exportPlaylist(id, key.current);
        const isSame = copy === exported.spotify_playlist_id;
        const isOther = key.current ? "another" : "replaced";
        setAbout(copy ? (isSame ? "kept" : isOther) : null);
        setDone(exported);
      } catch (error) {
        // Not a failure: linking Spotify is a step of the export.
        if (!(error instanceof Failure && NEEDS_LINK.has(error.code)))
          throw error;
        setLinking(true);
      }
    });
  const sendAs = (it?: string) => {
    key.current = it;
    retry();
  };
  const send = () => sendAs();
  const wanted = sending.value === id;
  useEffect(() => {
    if (!wanted) return;
    sending.value = null;
    send();
  }, [wanted]);
  return {
    copy,
    done,
    about,
    isLinking,
    action,
    send,
    sendAnew: () => sendAs(newUuid()),
    retry,
    stop: () => setLinking(false),
  };
}

export function SendButton({
  playlist,
  sending: { copy, isLinking, action, send, stop },
}: {
  playlist: Playlist;
  sending: Sending;
}) {
  const t = useTexts();
  const isEmpty = playlist.tracks.length === 0;
  return (
    <>
      {copy && (
        <a
          class="button button-primary button-big"
          href={`https://open.spotify.com/playlist/${copy}`}
          target="_blank"
          rel="noopener noreferrer"
        >
          <Icon name="check" /> {t.playlist.openSpotify}
        </a>
      )}
      <button
        type="button"
        class={copy ? "button" : "button button-primary button-big"}
        aria-disabled={action.busy || isEmpty}
        onClick={() => !isEmpty && send()}
      >
        {action.busy
          ? t.playlist.exporting
          : copy
            ? t.playlist.update
            : t.playlist.exportGo}
      </button>
      {isLinking && <LinkDialog close={stop} send={playlist.id} />}
    </>
  );
}

/** Shows the outcome. */
export function SendNotes({
  sending: { done, about, action, sendAnew, retry },
}: {
  sending: Sending;
}) {
  const t = useTexts();
  if (action.failure) {
    return (
      <FailureNotice failure={action.failure}>
        <button type="button" class="button" onClick={retry}>
          {t.common.retry}
        </button>
      </FailureNotice>
    );
  }
  if (!done) return null;
  const missing = done.rejected.map(({ position }) => position).join(", ");
  return (
    <>
      <p class="hint good" role="status">
        {t.playlist.exported(done.exported, done.total)}{" "}
        {missing && t.playlist.rejected(missing)}{" "}
        {about && t.playlist.about[about]}
      </p>
      {about === "kept" && (
        <button
          type="button"
          class="button"
          aria-disabled={action.busy}
          onClick={sendAnew}
        >
          {t.playlist.another}
        </button>
      )}
    </>
  );
}
