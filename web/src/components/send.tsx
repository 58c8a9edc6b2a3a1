import type { Playlist } from "../api/data.ts";
import { useTexts } from "../i18n/texts.ts";
import { listenToCopy } from "../state/listening.ts";
import { Icon } from "./icons.tsx";
import { FailureNotice } from "./notice.tsx";
import { LinkDialog } from "./own-dialog.tsx";
import type { Sending } from "./sending.ts";

export function SendButton({
  playlist,
  sending: { copy, linking, action, send, stop },
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
      <div class={copy ? "row" : undefined}>
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
        {copy && (
          <button
            type="button"
            class="button"
            onClick={() => listenToCopy(copy, playlist.name)}
          >
            <Icon name="play" /> {t.listen.all}
          </button>
        )}
      </div>
      {linking && <LinkDialog close={stop} send={linking} />}
    </>
  );
}

/** Shows the outcome. */
export function SendNotes({
  sending: { done, about, action, sendNewCopy, retry },
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
          onClick={sendNewCopy}
        >
          {t.playlist.another}
        </button>
      )}
    </>
  );
}
