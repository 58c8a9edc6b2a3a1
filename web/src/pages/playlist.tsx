import { useEffect, useRef, useState } from 'preact/hooks';
import type { Playlist, Track } from '../api/data.ts';
import { describePlaylist, edits, readPlaylist, setDeleted } from '../api/data.ts';
import type { Failure } from '../api/failure.ts';
import { asFailure } from '../api/failure.ts';
import { useAction } from '../components/action.ts';
import { DetailsForm } from '../components/details-form.tsx';
import { Dialog } from '../components/dialog.tsx';
import { ExportPanel } from '../components/export-panel.tsx';
import { useHeading } from '../components/heading.ts';
import { Icon } from '../components/icons.tsx';
import { FailureNotice } from '../components/notice.tsx';
import { moved } from '../components/reorder.ts';
import { SearchPanel } from '../components/search-panel.tsx';
import { TrackList } from '../components/track-list.tsx';
import { useTexts } from '../i18n/texts.ts';
import { go } from '../state/navigation.ts';
import { refreshUsage } from '../state/session.ts';
import { announcement, say, sayFailure } from '../state/toasts.ts';

export function PlaylistScreen({ id }: { id: string }) {
  const t = useTexts();
  const [playlist, setPlaylist] = useState<Playlist | null>(null);
  const loading = useAction();
  const load = () => loading.run(async () => setPlaylist(await readPlaylist(id)));
  useEffect(() => void load(), [id]);
  return (
    <div class="page page-narrow">
      <a class="back" href="#/playlists">
        <Icon name="back" /> {t.playlist.back}
      </a>
      {loading.failure && (
        <>
          <h1 tabIndex={-1} class="visually-hidden">
            {t.nav.playlists}
          </h1>
          <FailureNotice failure={loading.failure}>
            <button type="button" class="button" onClick={load}>
              {t.common.retry}
            </button>
          </FailureNotice>
        </>
      )}
      {!playlist && !loading.failure && <Waiting />}
      {playlist && !loading.failure && <Loaded playlist={playlist} change={setPlaylist} reload={load} />}
    </div>
  );
}

function Waiting() {
  const t = useTexts();
  return (
    <>
      <h1 tabIndex={-1} class="visually-hidden">
        {t.common.loading}
      </h1>
      <TrackList label={t.common.loading} tracks={[]} rows={6} />
    </>
  );
}

type LoadedProps = { playlist: Playlist; change: (next: Playlist) => void; reload: () => Promise<void> };
type Open = { kind: 'edit' } | { kind: 'add' } | { kind: 'swap'; index: number };

function Loaded({ playlist, change, reload }: LoadedProps) {
  const t = useTexts();
  const [open, setOpen] = useState<Open | null>(null);
  const tracks = useTracks(playlist, change, reload);
  const heading = useHeading();
  const deleting = useAction();
  const minutes = Math.round(playlist.tracks.reduce((sum, track) => sum + track.duration_ms, 0) / 60_000);
  const remove = () =>
    deleting.run(async () => {
      await setDeleted(playlist.id, true);
      void refreshUsage();
      go('playlists');
      const undo = async () => {
        await setDeleted(playlist.id, false);
        void refreshUsage();
        go(`playlists/${playlist.id}`);
      };
      say(t.playlists.deletedNow(playlist.name), { label: t.common.undo, run: () => void undo().catch(sayFailure) });
    });
  const close = () => setOpen(null);
  return (
    <>
      <header class="stack-tight page-head">
        <h1 ref={heading} tabIndex={-1}>
          {playlist.name}
        </h1>
        {playlist.description && <p class="lead">{playlist.description}</p>}
        <p class="hint">
          {t.tracks(playlist.tracks.length)}
          {minutes > 0 && ` · ${t.minutes(minutes)}`} · {t.common.attribution}
        </p>
      </header>
      <ExportPanel playlist={playlist}>
        <button type="button" class="button" onClick={() => setOpen({ kind: 'add' })}>
          <Icon name="create" /> {t.playlist.add}
        </button>
        <button type="button" class="button" onClick={() => setOpen({ kind: 'edit' })}>
          {t.playlist.edit}
        </button>
        <button type="button" class="button" disabled={deleting.busy} onClick={remove}>
          {t.playlist.delete}
        </button>
      </ExportPanel>
      {(tracks.failure ?? deleting.failure) && (
        <FailureNotice failure={(tracks.failure ?? deleting.failure) as Failure} />
      )}
      {playlist.tracks.length === 0 && <Empty />}
      <TrackList
        label={t.playlist.list}
        tracks={playlist.tracks}
        move={tracks.move}
        remove={tracks.remove}
        swap={(index) => setOpen({ kind: 'swap', index })}
      />
      {open?.kind === 'edit' && <EditDialog playlist={playlist} change={change} close={close} />}
      {open?.kind === 'add' && (
        <Dialog title={t.search.addTitle} close={close} wide>
          <SearchPanel kind="add" has={tracks.has} choose={tracks.add} />
        </Dialog>
      )}
      {open?.kind === 'swap' && (
        <Dialog title={t.search.swapTitle} close={close} wide>
          <p class="hint">{t.search.swapFor(playlist.tracks[open.index]?.title ?? '')}</p>
          <SearchPanel
            kind="use"
            artist={playlist.tracks[open.index]?.artist.split(',')[0] ?? ''}
            has={tracks.has}
            choose={async (track) => {
              await tracks.swap(open.index, track);
              close();
            }}
          />
        </Dialog>
      )}
    </>
  );
}

function Empty() {
  const t = useTexts();
  return (
    <div class="card empty">
      <Icon name="search" />
      <h2>{t.playlist.empty}</h2>
      <p>{t.playlist.emptyNext}</p>
    </div>
  );
}

function EditDialog({
  playlist,
  change,
  close,
}: {
  playlist: Playlist;
  change: (next: Playlist) => void;
  close: () => void;
}) {
  const t = useTexts();
  const save = async (name: string, description: string) => {
    await describePlaylist(playlist.id, name, description);
    change({ ...playlist, name: name.trim(), description: description.trim() });
    close();
  };
  return (
    <Dialog title={t.playlist.editTitle} close={close}>
      <DetailsForm
        draft={`edit.${playlist.id}`}
        name={playlist.name}
        description={playlist.description}
        label={t.common.save}
        save={save}
        close={close}
      />
    </Dialog>
  );
}

/** Edits show at once and reach the server in the order in which they were made; where one fails, the server's list counts. */
function useTracks(playlist: Playlist, change: (next: Playlist) => void, reload: () => Promise<void>) {
  const t = useTexts();
  const [failure, setFailure] = useState<Failure | null>(null);
  const queue = useRef<Promise<unknown>>(Promise.resolve());
  const now = useRef(playlist);
  now.current = playlist;
  const show = (tracks: Track[]) => {
    now.current = { ...now.current, tracks, count: tracks.length };
    change(now.current);
  };
  const enqueue = <T,>(work: () => Promise<T>): Promise<T> => {
    setFailure(null);
    const result = queue.current.then(work);
    queue.current = result.catch(() => {});
    return result;
  };
  const inBackground = (work: () => Promise<unknown>) => {
    enqueue(work).catch(async (error: unknown) => {
      await reload();
      setFailure(asFailure(error));
    });
  };
  const { id } = playlist;
  const insert = (track: Track, index: number) => {
    show(now.current.tracks.toSpliced(index, 0, track));
    inBackground(() => edits.add(id, [track], index));
  };
  return {
    failure,
    has: (uri: string) => playlist.tracks.some((track) => track.track_uri === uri),
    add: async (track: Track) => {
      show(await enqueue(() => edits.add(id, [track])));
      say(t.search.addedNow(track.title));
    },
    swap: async (index: number, track: Track) => {
      show(await enqueue(() => edits.replace(id, now.current.tracks.with(index, track))));
      say(t.search.swapped(track.title));
    },
    move: (from: number, to: number) => {
      const { tracks } = now.current;
      announcement.value = t.track.moved(tracks[from]?.title ?? '', to + 1, tracks.length);
      show(moved(tracks, from, to));
      inBackground(() => edits.move(id, from + 1, to + 1));
    },
    remove: (index: number) => {
      const track = now.current.tracks[index];
      if (!track) return;
      show(now.current.tracks.toSpliced(index, 1));
      inBackground(() => edits.remove(id, index + 1));
      say(t.track.removed(track.title), { label: t.common.undo, run: () => insert(track, index) });
    },
  };
}
