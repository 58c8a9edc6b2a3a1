import { useEffect, useState } from "preact/hooks";
import type { Shared } from "../api/shares.ts";
import { duplicateShared, readShared } from "../api/shares.ts";
import { useAction } from "../components/action.ts";
import { Cover } from "../components/cover.tsx";
import { useHeading } from "../components/heading.ts";
import { FailureNotice } from "../components/notice.tsx";
import { Frame, sizeOf, WaitingFrame } from "../components/playlist-frame.tsx";
import { TrackList } from "../components/track-list.tsx";
import { useTexts } from "../i18n/texts.ts";
import { go } from "../state/navigation.ts";
import { refreshUsage, user } from "../state/session.ts";
import { title } from "../state/title.ts";
import { say } from "../state/toasts.ts";

/** A playlist that its owner has shared by a link, for everyone to read. */
export function SharedScreen({ id }: { id: string }) {
  const t = useTexts();
  const [shared, setShared] = useState<Shared | null>(null);
  const loading = useAction();
  const load = () => loading.run(async () => setShared(await readShared(id)));
  useEffect(() => void load(), []);
  if (shared) return <Loaded id={id} shared={shared} />;
  if (!loading.failure) return <WaitingFrame isShared />;
  return (
    <div class="page page-narrow">
      <h1 tabIndex={-1} class="visually-hidden">
        {t.shared.title}
      </h1>
      <FailureNotice failure={loading.failure}>
        {loading.failure.code !== "shared_playlist_not_found" && (
          <button type="button" class="button" onClick={load}>
            {t.common.retry}
          </button>
        )}
        <a class="button" href="#/">
          {t.shared.makeOwn}
        </a>
      </FailureNotice>
    </div>
  );
}

function Loaded({
  id,
  shared: { name, description, tracks },
}: {
  id: string;
  shared: Shared;
}) {
  const t = useTexts();
  const heading = useHeading();
  const copying = useAction();
  useEffect(() => {
    title.value = name;
    return () => {
      title.value = "";
    };
  }, [name]);
  const keep = () =>
    copying.run(async () => {
      const copy = await duplicateShared(id);
      void refreshUsage();
      go(`playlists/${copy}`);
      say(t.shared.kept(name));
    });
  const minutes = Math.round(
    tracks.reduce((sum, track) => sum + track.duration_ms, 0) / 60_000,
  );
  return (
    <Frame
      isShared
      cover={<Cover seed={id} />}
      words={
        <>
          <h1 ref={heading} tabIndex={-1} dir="auto" class={sizeOf(name)}>
            {name}
          </h1>
          {description && (
            <p class="wish" dir="auto">
              {description}
            </p>
          )}
          <p class="hint">
            {t.songs(tracks.length)}
            {minutes > 0 && ` · ${t.minutes(minutes)}`}
          </p>
        </>
      }
      actions={
        <>
          <a class="button button-primary button-big" href="#/">
            {t.shared.makeOwn}
          </a>
          {user.value && (
            <button
              type="button"
              class="button"
              aria-disabled={copying.busy}
              onClick={keep}
            >
              {t.shared.keep}
            </button>
          )}
        </>
      }
      notes={
        <>
          {copying.failure && <FailureNotice failure={copying.failure} />}
          <p class="hint">{t.shared.lead}</p>
        </>
      }
    >
      {tracks.length === 0 && (
        <div class="empty">
          <h2>{t.playlist.empty}</h2>
        </div>
      )}
      <TrackList label={t.playlist.list} tracks={tracks} />
    </Frame>
  );
}
