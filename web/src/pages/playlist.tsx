import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Playlist, Track } from '../api/data.ts';
import { describePlaylist, readPlaylist, setDeleted } from '../api/data.ts';
import { useAction } from '../components/action.ts';
import { Cover } from '../components/cover.tsx';
import { DetailsForm } from '../components/details-form.tsx';
import { Dialog } from '../components/dialog.tsx';
import { focusSoon } from '../components/focus.ts';
import { useHeading } from '../components/heading.ts';
import { Icon } from '../components/icons.tsx';
import { Menu } from '../components/menu.tsx';
import { FailureNotice, KeepNotice } from '../components/notice.tsx';
import { Frame, Notes } from '../components/playlist-frame.tsx';
import { RefineDock } from '../components/refine.tsx';
import { SearchPanel } from '../components/search-panel.tsx';
import { SendButton, SendNotes, useSending } from '../components/send.tsx';
import { TrackList } from '../components/track-list.tsx';
import { useTexts } from '../i18n/texts.ts';
import type { Change } from '../state/edits.ts';
import { Edits, inverse, moveTo } from '../state/edits.ts';
import { generation, madeOf } from '../state/generation.ts';
import { go } from '../state/navigation.ts';
import { remembering } from '../state/offline.ts';
import { refreshUsage } from '../state/session.ts';
import { title } from '../state/title.ts';
import { announcement, dismiss, say, sayFailure } from '../state/toasts.ts';

export function PlaylistScreen({ id }: { id: string }) {
  const t = useTexts();
  // Shows the result of a generation at once, and loads the stored playlist meanwhile.
  const [playlist, setPlaylist] = useState<Playlist | null>(() => justMade(id));
  const [edits, setEdits] = useState<Edits | null>(() => (playlist ? new Edits(id, playlist.tracks) : null));
  const loading = useAction();
  const load = () =>
    loading.run(async () => {
      const fresh = await remembering(id, () => readPlaylist(id));
      setPlaylist(fresh);
      if (edits) edits.take(fresh.tracks);
      else setEdits(new Edits(id, fresh.tracks));
    });
  useEffect(() => void load(), [id]);
  if (playlist && edits) return <Loaded playlist={playlist} edits={edits} change={setPlaylist} />;
  if (!loading.failure) return <Waiting />;
  return (
    <div class="page page-narrow">
      <h1 tabIndex={-1} class="visually-hidden">
        {t.nav.playlists}
      </h1>
      <FailureNotice failure={loading.failure}>
        <button type="button" class="button" onClick={load}>
          {t.common.retry}
        </button>
        <a class="button" href="#/playlists">
          {t.nav.playlists}
        </a>
      </FailureNotice>
    </div>
  );
}

function justMade(id: string): Playlist | null {
  const { result } = generation.value;
  if (result?.playlist_id !== id) return null;
  const { name, description, tracks } = result;
  return { id, name, description, tracks, copy: null, count: tracks.length, is_deleted: false, updated_at: '' };
}

function Waiting() {
  const t = useTexts();
  const words = (
    <h1 tabIndex={-1} class="hint">
      {t.common.loading}
    </h1>
  );
  return (
    <Frame cover={<Cover seed="" lines={0} hasMoon={false} />} words={words} actions={null} notes={null}>
      <TrackList label={t.common.loading} tracks={[]} rows={6} />
    </Frame>
  );
}

type LoadedProps = { playlist: Playlist; edits: Edits; change: (next: Playlist) => void };
type Open = { kind: 'details' } | { kind: 'add' } | { kind: 'swap'; track: Track };

function Loaded({ playlist: known, edits, change }: LoadedProps) {
  const t = useTexts();
  const [open, setOpen] = useState<Open | null>(null);
  const tracks = edits.shown.value;
  const playlist = { ...known, tracks };
  const { id, name, description } = playlist;
  const made = useMemo(() => madeOf(id), [id]);
  const heading = useHeading();
  const deleting = useAction();
  const sending = useSending(playlist);
  const [isNew] = useState(() => justMade(id) !== null);
  useEffect(() => {
    title.value = name;
    return () => {
      title.value = '';
    };
  }, [name]);
  useEffect(() => {
    if (isNew) announcement.value = t.result.ready(name, tracks.length);
  }, []);
  const minutes = Math.round(tracks.reduce((sum, track) => sum + track.duration_ms, 0) / 60_000);
  const wish = made?.wish.refine?.instruction ?? made?.wish.prompt ?? '';
  const close = () => setOpen(null);
  const has = (uri: string) => tracks.some((track) => track.track_uri === uri);

  /** Makes a change and shows a toast to undo it; removes the toast if saving fails. */
  const make = async (it: Change, words: string | null) => {
    const back = inverse(edits.shown.value, it);
    const toast = words === null ? 0 : say(words, () => back && void make(back, null).then(() => announceUndone(back)));
    if (!(await edits.make(it))) dismiss(toast);
  };
  const announceUndone = (back: Change) => {
    announcement.value = t.common.undone;
    if (back.kind === 'add') focusSoon(`[data-uri="${back.track.track_uri}"] .icon-button`);
  };
  const edit = {
    swap: (track: Track) => setOpen({ kind: 'swap', track }),
    remove: (track: Track) => {
      const at = tracks.indexOf(track);
      const neighbour = tracks[at + 1] ?? tracks[at - 1];
      void make({ kind: 'remove', uri: track.track_uri }, t.track.removed(track.title));
      focusSoon(neighbour ? `[data-uri="${neighbour.track_uri}"] .icon-button` : 'h1');
    },
    move: (from: number, to: number) => {
      const it = moveTo(tracks, from, to);
      if (!it) return;
      announcement.value = t.track.moved(tracks[from]?.title ?? '', to + 1, tracks.length);
      void make(it, t.track.movedNow(tracks[from]?.title ?? ''));
    },
    failed: edits.failed.value,
    retry: (failed: (typeof edits.failed.value)[number]) => void make(failed.change, null),
    forget: (failed: (typeof edits.failed.value)[number]) => edits.forget(failed),
  };
  const choose = async (it: Change, words: string) => {
    const back = inverse(edits.shown.value, it);
    await edits.run(it);
    say(words, () => back && void make(back, null));
  };
  const remove = () =>
    deleting.run(async () => {
      await setDeleted(id, true);
      void refreshUsage();
      go('playlists');
      const undo = async () => {
        await setDeleted(id, false);
        void refreshUsage();
        go(`playlists/${id}`);
      };
      say(t.playlists.deletedNow(name), () => void undo().catch(sayFailure));
    });
  const copy = () => {
    const text = tracks.map((it) => `${it.artist} – ${it.title}`).join('\n');
    navigator.clipboard.writeText(text).then(() => say(t.playlist.copied), sayFailure);
  };
  const items = [
    { label: t.playlist.edit, run: () => setOpen({ kind: 'details' }) },
    { label: t.playlist.copy, run: copy },
    { label: t.playlist.delete, run: remove },
  ];
  const failure = deleting.failure;
  return (
    <Frame
      cover={<Cover seed={id} />}
      words={
        <>
          <h1 ref={heading} tabIndex={-1} dir="auto">
            {name}
          </h1>
          {(wish || description) && (
            <p class="wish" dir="auto">
              {wish ? `“${wish}”` : description}
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
          <SendButton playlist={playlist} sending={sending} />
          <div class="row">
            <button type="button" class="button" onClick={() => setOpen({ kind: 'add' })}>
              <Icon name="add" /> {t.playlist.add}
            </button>
            <Menu label={t.playlist.more} items={items} />
          </div>
        </>
      }
      notes={
        <>
          {failure && <FailureNotice failure={failure} />}
          <KeepNotice />
          <SendNotes sending={sending} />
          {made && <Notes leftOut={made.leftOut} made={made} />}
          {made?.from && (
            <a class="hint" href={`#/playlists/${made.from}`}>
              {t.result.before}
            </a>
          )}
        </>
      }
    >
      {tracks.length === 0 && (
        <div class="empty">
          <h2>{t.playlist.empty}</h2>
          <p>{t.playlist.emptyNext}</p>
        </div>
      )}
      <TrackList label={t.playlist.list} tracks={tracks} edit={edit} />
      {tracks.length > 0 && <RefineDock id={id} wish={made?.wish ?? null} name={name} tracks={tracks} />}
      {open?.kind === 'details' && <EditDialog playlist={playlist} change={change} close={close} />}
      {open?.kind === 'add' && (
        <Dialog title={t.search.addTitle} close={close} wide>
          <SearchPanel
            kind="add"
            has={has}
            choose={(track) => choose({ kind: 'add', track }, t.search.addedNow(track.title))}
          />
        </Dialog>
      )}
      {open?.kind === 'swap' && (
        <Dialog title={t.search.swapTitle} close={close} wide>
          <p class="hint">{t.search.swapFor(open.track.title)}</p>
          <SearchPanel
            kind="use"
            artist={open.track.artist.split(',')[0] ?? ''}
            has={has}
            choose={async (track) => {
              await choose({ kind: 'swap', uri: open.track.track_uri, track }, t.search.swapped(track.title));
              close();
              focusSoon(`[data-uri="${track.track_uri}"] .icon-button`);
            }}
          />
        </Dialog>
      )}
    </Frame>
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
    <Dialog title={t.playlist.edit} close={close}>
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
