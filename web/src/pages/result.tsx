import { useEffect, useState } from 'preact/hooks';
import type { Track } from '../api/data.ts';
import { createPlaylist, edits } from '../api/data.ts';
import { useAction } from '../components/action.ts';
import { Dialog } from '../components/dialog.tsx';
import { Field } from '../components/field.tsx';
import { useHeading } from '../components/heading.ts';
import { Icon } from '../components/icons.tsx';
import { FailureNotice, Notice } from '../components/notice.tsx';
import { ProblemNotice } from '../components/problem.tsx';
import { SearchPanel } from '../components/search-panel.tsx';
import { TrackList } from '../components/track-list.tsx';
import { useTexts } from '../i18n/texts.ts';
import { useDraft } from '../state/drafts.ts';
import type { Result } from '../state/generation.ts';
import { generation, keepResult, newOrder, run } from '../state/generation.ts';
import { refreshUsage } from '../state/session.ts';
import { announcement, say } from '../state/toasts.ts';

type Props = { result: Result; leave: () => void };

export function ResultView({ result, leave }: Props) {
  const t = useTexts();
  const { problem } = generation.value;
  const [swapping, setSwapping] = useState<number | null>(null);
  const [leaving, setLeaving] = useState(false);
  const heading = useHeading();
  useEffect(() => {
    announcement.value = t.result.ready(result.name, result.tracks.length);
  }, []);
  const swapped = swapping === null ? undefined : result.tracks[swapping];
  const short = result.tracks.length < result.target && result.stop_reason !== 'completed';
  const another = () => (result.playlist_id ? leave() : setLeaving(true));
  return (
    <div class="page page-narrow">
      <header class="frame">
        <h1 ref={heading} tabIndex={-1} class="clip">
          {result.name}
        </h1>
        <p class="frame-text">{result.description}</p>
        <div class="frame-bar">
          <Keep result={result} />
          <button type="button" class="button" onClick={another}>
            {t.result.another}
          </button>
        </div>
        <p class="hint frame-note">
          {short
            ? `${t.result.fewer(result.tracks.length, result.target)}: ${t.result.why[result.stop_reason]}`
            : t.common.attribution}
        </p>
      </header>
      {problem && <ProblemNotice problem={problem} />}
      {result.not_saved && !result.playlist_id && <Notice tone="plain" title={t.result.noRoom} />}
      <TrackList label={t.result.list} tracks={result.tracks} swap={setSwapping} />
      <Refine result={result} />
      {swapped && swapping !== null && (
        <Swap result={result} index={swapping} track={swapped} close={() => setSwapping(null)} />
      )}
      {leaving && (
        <Dialog title={t.result.discardTitle} close={() => setLeaving(false)}>
          <p>{t.result.discard}</p>
          <div class="row row-end">
            <button type="button" class="button" onClick={() => setLeaving(false)}>
              {t.result.keep}
            </button>
            <button type="button" class="button button-bad" onClick={leave}>
              {t.result.discardGo}
            </button>
          </div>
        </Dialog>
      )}
    </div>
  );
}

/** Saved already, with the way there; or not yet, with the way to do it. */
function Keep({ result }: { result: Result }) {
  const t = useTexts();
  const [open, setOpen] = useState(false);
  if (result.playlist_id) {
    return (
      <>
        <span class="saved">
          <Icon name="check" /> <span class="clip">{t.result.saved}</span>
        </span>
        <a class="button button-primary" href={`#/playlists/${result.playlist_id}`}>
          {t.result.open}
        </a>
      </>
    );
  }
  return (
    <>
      <span class="saved saved-not">{t.result.notSaved}</span>
      <button type="button" class="button button-primary" onClick={() => setOpen(true)}>
        {t.result.save}
      </button>
      {open && <SaveDialog result={result} close={() => setOpen(false)} />}
    </>
  );
}

function SaveDialog({ result, close }: { result: Result; close: () => void }) {
  const t = useTexts();
  const [name, setName, forgetName] = useDraft(`name.${result.order.key}`, result.name);
  // Where the tracks could not be added, the next attempt fills the playlist that is there.
  const [created, setCreated] = useDraft<string | null>(`saved.${result.order.key}`, null);
  const action = useAction();
  const submit = (event: Event) => {
    event.preventDefault();
    void action.run(async () => {
      const id = created ?? (await createPlaylist(name, result.description));
      setCreated(id);
      await edits.replace(id, result.tracks);
      forgetName();
      keepResult({ ...result, name: name.trim(), playlist_id: id });
      void refreshUsage();
    });
  };
  return (
    <Dialog title={t.result.save} close={close}>
      <form class="stack" onSubmit={submit}>
        <Field label={t.result.name} value={name} change={setName} maxLength={100} required autofocus />
        {action.failure && <FailureNotice failure={action.failure} />}
        <div class="row row-end">
          <button type="button" class="button" onClick={close}>
            {t.common.cancel}
          </button>
          <button type="submit" class="button button-primary" disabled={action.busy}>
            {t.common.save}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** By hand, from the catalogue: another generation would cost one, and change more than was asked. */
function Swap({ result, index, track, close }: { result: Result; index: number; track: Track; close: () => void }) {
  const t = useTexts();
  const choose = async (found: Track) => {
    const tracks = result.tracks.with(index, found);
    if (result.playlist_id) await edits.replace(result.playlist_id, tracks);
    keepResult({ ...result, tracks });
    say(t.search.swapped(found.title));
    close();
  };
  return (
    <Dialog title={t.search.swapTitle} close={close} wide>
      <p class="hint">
        {t.search.swapFor(track.title)} {t.search.free}
      </p>
      <SearchPanel
        kind="use"
        artist={track.artist.split(',')[0] ?? ''}
        has={(uri) => result.tracks.some((it) => it.track_uri === uri)}
        choose={choose}
      />
    </Dialog>
  );
}

/** Enough to know a song by; the texts of a wish have a limit in all. */
const MAX_NAME = 100;

function Refine({ result }: { result: Result }) {
  const t = useTexts();
  const [words, setWords, forget] = useDraft(`refine.${result.order.key}`, '');
  const submit = (event: Event) => {
    event.preventDefault();
    const instruction = words.trim();
    if (!instruction) return;
    const previous = result.tracks.map(({ artist, title }) => ({
      artist: artist.slice(0, MAX_NAME),
      title: title.slice(0, MAX_NAME),
    }));
    void run(newOrder({ ...result.order.wish, refine: { previous, instruction } })).then(() => {
      if (!generation.value.problem) forget();
    });
  };
  return (
    <form class="card stack" onSubmit={submit}>
      <h2>{t.result.refine}</h2>
      <ul class="chips">
        {t.result.chips.map((chip) => (
          <li key={chip}>
            <button type="button" class="chip" onClick={() => setWords(chip)}>
              {chip}
            </button>
          </li>
        ))}
      </ul>
      <Field
        label={t.result.refineLabel}
        value={words}
        change={setWords}
        maxLength={500}
        placeholder={t.result.refinePlaceholder}
      />
      <div class="row row-between">
        <p class="hint">{t.result.refineCost}</p>
        <button type="submit" class="button button-primary">
          {t.result.refineGo}
        </button>
      </div>
    </form>
  );
}
