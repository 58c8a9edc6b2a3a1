import { useEffect } from "preact/hooks";
import { createPlaylist, fill } from "../api/data.ts";
import { useAction } from "../components/action.ts";
import { Cover, linesFor } from "../components/cover.tsx";
import { useHeading } from "../components/heading.ts";
import { FailureNotice, KeepNotice } from "../components/notice.tsx";
import { Frame, Notes, sizeOf } from "../components/playlist-frame.tsx";
import { TrackList } from "../components/track-list.tsx";
import { useTexts } from "../i18n/texts.ts";
import { useDraft } from "../state/drafts.ts";
import type { Result, Running } from "../state/generation.ts";
import {
  cancel,
  countOf,
  generation,
  keepResult,
  refinedId,
} from "../state/generation.ts";
import { goInstead } from "../state/navigation.ts";
import { refreshUsage } from "../state/session.ts";
import { announcement } from "../state/toasts.ts";

const ANNOUNCED_EVERY = 5;

/** A playlist without an id: it is being generated, or the account was full. */
export function MakingScreen() {
  const { running, result } = generation.value;
  const isNowhere = !running && (!result || result.playlist_id !== null);
  useEffect(() => {
    if (isNowhere)
      goInstead(result?.playlist_id ? `playlists/${result.playlist_id}` : "");
  }, [isNowhere]);
  if (running) return <Live running={running} />;
  return result && !isNowhere ? <Unsaved result={result} /> : null;
}

function Live({ running }: { running: Running }) {
  const t = useTexts();
  const heading = useHeading();
  useEffect(() => scrollTo(0, 0), []);
  const { found, target, stage, leftOut, order } = running;
  const count = countOf(running);
  // Announcing each track would be too much.
  const heard = count - (count % ANNOUNCED_EVERY);
  useEffect(() => {
    if (heard > 0) announcement.value = t.run.found(heard, target);
  }, [heard]);
  return (
    <Frame
      cover={
        <Cover
          seed={refinedId(order) ?? order.key}
          lines={linesFor(count, target)}
          hasMoon={false}
        />
      }
      words={
        <>
          <h1 ref={heading} tabIndex={-1}>
            {t.run.title}
          </h1>
          <p class="wish" dir="auto">
            <q>{order.wish.refine?.instruction ?? order.wish.prompt}</q>
          </p>
        </>
      }
      actions={
        <>
          <div class="row row-between">
            <span role="status" class="clip">
              {stage ? t.run[stage] : t.run.starting}
            </span>
            <span class="value">{t.run.found(count, target)}</span>
          </div>
          <progress max={target} value={count} aria-label={t.run.progress} />
          <button type="button" class="button" onClick={cancel}>
            {t.run.stop}
          </button>
          <KeepNotice />
        </>
      }
      notes={<Notes leftOut={leftOut} />}
    >
      <TrackList label={t.run.list} tracks={found} rows={target} />
    </Frame>
  );
}

function Unsaved({ result }: { result: Result }) {
  const t = useTexts();
  const heading = useHeading();
  // If adding the tracks failed, the next attempt fills the same playlist.
  const [created, setCreated] = useDraft<string | null>(
    `saved.${result.order.key}`,
    null,
  );
  const action = useAction();
  const save = () =>
    action.run(async () => {
      const id =
        created ?? (await createPlaylist(result.name, result.description));
      setCreated(id);
      await fill(id, result.tracks);
      keepResult({ ...result, playlist_id: id });
      void refreshUsage();
      goInstead(`playlists/${id}`);
    });
  return (
    <Frame
      cover={<Cover seed={result.order.key} />}
      words={
        <>
          <h1
            ref={heading}
            tabIndex={-1}
            dir="auto"
            class={sizeOf(result.name)}
          >
            {result.name}
          </h1>
          <p class="wish" dir="auto">
            <q>{result.order.wish.prompt}</q>
          </p>
        </>
      }
      actions={
        <button
          type="button"
          class="button button-primary button-big"
          aria-disabled={action.busy}
          onClick={save}
        >
          {t.common.save}
        </button>
      }
      notes={
        <>
          {action.failure && <FailureNotice failure={action.failure} />}
          <p class="hint" role="status">
            {t.result.noRoom} <a href="#/playlists">{t.nav.playlists}</a>
          </p>
          <Notes leftOut={result.leftOut} />
        </>
      }
    >
      <TrackList label={t.playlist.list} tracks={result.tracks} />
    </Frame>
  );
}
