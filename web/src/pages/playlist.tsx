import { useEffect, useMemo, useState } from "preact/hooks";
import type { Playlist, Track } from "../api/data.ts";
import { describePlaylist, setDeleted } from "../api/data.ts";
import { duplicate } from "../api/shares.ts";
import { useAction } from "../components/action.ts";
import { useChanges } from "../components/changes.ts";
import { Cover } from "../components/cover.tsx";
import { DetailsForm } from "../components/details-form.tsx";
import { Dialog } from "../components/dialog.tsx";
import { useEditing } from "../components/editing.ts";
import { focusSoon } from "../components/focus.ts";
import { useHeading } from "../components/heading.ts";
import { Icon } from "../components/icons.tsx";
import { Menu } from "../components/menu.tsx";
import { FailureNotice, KeepNotice } from "../components/notice.tsx";
import {
  Frame,
  Notes,
  sizeOf,
  WaitingFrame,
} from "../components/playlist-frame.tsx";
import { justMade, usePlaylist } from "../components/reading.ts";
import { RefineDock } from "../components/refine.tsx";
import { SearchPanel } from "../components/search-panel.tsx";
import { SendButton, SendNotes } from "../components/send.tsx";
import { useSending } from "../components/sending.ts";
import { ShareDialog } from "../components/share.tsx";
import { spotifyUrl } from "../components/spotify-link.tsx";
import { TrackList } from "../components/track-list.tsx";
import { Versions } from "../components/versions.tsx";
import { useTexts } from "../i18n/texts.ts";
import type { Edits } from "../state/edits.ts";
import { END } from "../state/edits.ts";
import {
  copyText,
  csvOf,
  fileNameOf,
  saveFile,
  textOf,
} from "../state/files.ts";
import { madeOf } from "../state/generation.ts";
import { toggleKept } from "../state/kept.ts";
import { go, isAt } from "../state/navigation.ts";
import { refreshUsage } from "../state/session.ts";
import { title } from "../state/title.ts";
import { announcement, say, sayFailure } from "../state/toasts.ts";

export function PlaylistScreen({ id }: { id: string }) {
  const t = useTexts();
  const { playlist, edits, failure, load, change } = usePlaylist(id);
  if (playlist && edits)
    return <Loaded playlist={playlist} edits={edits} change={change} />;
  if (!failure) return <WaitingFrame />;
  return (
    <div class="page page-narrow">
      <h1 tabIndex={-1} class="visually-hidden">
        {t.nav.playlists}
      </h1>
      <FailureNotice failure={failure}>
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

type LoadedProps = {
  playlist: Playlist;
  edits: Edits;
  change: (next: Playlist) => void;
};
type Open =
  | { kind: "details" }
  | { kind: "add" }
  | { kind: "share" }
  | { kind: "swap"; track: Track };

function Loaded({ playlist: known, edits, change }: LoadedProps) {
  const t = useTexts();
  const [open, setOpen] = useState<Open | null>(null);
  const tracks = edits.shown.value;
  const playlist = { ...known, tracks };
  const { id, name, description } = playlist;
  const made = useMemo(() => madeOf(id), [id]);
  const heading = useHeading();
  const deleting = useAction();
  const copying = useAction();
  const sending = useSending(playlist, () => edits.saved());
  const [isNew] = useState(() => justMade(id) !== null);
  useEffect(() => {
    title.value = name;
    return () => {
      title.value = "";
    };
  }, [name]);
  useEffect(() => {
    if (isNew) announcement.value = t.result.ready(name, tracks.length);
  }, []);
  const minutes = Math.round(
    tracks.reduce((sum, track) => sum + track.duration_ms, 0) / 60_000,
  );
  const close = () => setOpen(null);
  const has = (uri: string) => tracks.some((track) => track.track_uri === uri);

  const { edit, removeAll, choose, settle } = useEditing(edits);
  const pending = edits.pending.value;
  const { refining, versions, restore, makeOthers, wishAgain, prompt } =
    useChanges(edits, name, made, settle);
  const remove = () =>
    deleting.run(async () => {
      await edits.saved();
      await setDeleted(id, true);
      void refreshUsage();
      if (isAt(`playlists/${id}`)) go("playlists");
      const undo = async () => {
        await setDeleted(id, false);
        void refreshUsage();
        go(`playlists/${id}`);
      };
      say(t.playlists.deletedNow(name), () => void undo().catch(sayFailure));
    });
  const double = () =>
    copying.run(async () => {
      await edits.saved();
      const copy = await duplicate(id);
      void refreshUsage();
      go(`playlists/${copy}`);
      say(t.playlist.duplicated(name));
    });
  const copy = async () => {
    const isCopied = await copyText(textOf(tracks));
    say(isCopied ? t.playlist.copied : t.playlist.notCopied);
  };
  const download = () =>
    saveFile(
      fileNameOf(name, "csv"),
      new Blob([csvOf(tracks, t.playlist.csvHeads, spotifyUrl)], {
        type: "text/csv;charset=utf-8",
      }),
    );
  const others = tracks.filter((it) => !refining.kept.has(it.track_uri));
  const items = [
    { label: t.playlist.edit, run: () => setOpen({ kind: "details" }) },
    ...(tracks.length > 0 ? [{ label: t.result.others, run: makeOthers }] : []),
    ...(prompt ? [{ label: t.result.again, run: wishAgain }] : []),
    ...(others.length > 0 && others.length < tracks.length
      ? [
          {
            label: t.playlist.removeOthers(others.length),
            run: () => removeAll(others),
          },
        ]
      : []),
    { label: t.playlist.duplicate, run: double },
    { label: t.playlist.copy, run: copy },
    { label: t.playlist.csv, run: download },
    { label: t.playlist.delete, run: remove },
  ];
  const failure = deleting.failure ?? copying.failure;
  return (
    <Frame
      cover={<Cover seed={id} />}
      words={
        <>
          <h1 ref={heading} tabIndex={-1} dir="auto" class={sizeOf(name)}>
            {name}
          </h1>
          {(prompt || description) && (
            <p class="wish" dir="auto">
              {prompt ? <q>{prompt}</q> : description}
            </p>
          )}
          <p class="hint">
            {t.songs(tracks.length)}
            {minutes > 0 && ` · ${t.minutes(minutes)}`}
            {pending.length > 0 && ` · ${t.common.saving}`}
          </p>
        </>
      }
      actions={
        <>
          <SendButton playlist={playlist} sending={sending} />
          <div class="row">
            <button
              type="button"
              class="button"
              onClick={() => setOpen({ kind: "add" })}
            >
              <Icon name="add" /> {t.playlist.add}
            </button>
            <button
              type="button"
              class="button"
              onClick={() => setOpen({ kind: "share" })}
            >
              <Icon name="share" /> {t.share.go}
            </button>
            <Menu label={t.playlist.more} items={items} />
          </div>
          <KeepNotice />
        </>
      }
      notes={
        <>
          {failure && <FailureNotice failure={failure} />}
          <SendNotes sending={sending} />
          {made && <Notes leftOut={made.leftOut} made={made} />}
        </>
      }
    >
      {tracks.length === 0 && (
        <div class="empty">
          <h2>{t.playlist.empty}</h2>
          <p>{t.playlist.emptyNext}</p>
        </div>
      )}
      <TrackList
        label={t.playlist.list}
        tracks={tracks}
        edit={{
          ...edit,
          kept: refining.kept,
          keep: (track) => toggleKept(id, track.track_uri),
          swap: (track) => setOpen({ kind: "swap", track }),
        }}
      />
      {(tracks.length > 0 || versions.length > 1) && (
        <RefineDock {...refining}>
          <Versions
            versions={versions}
            restore={restore}
            isBusy={pending.some(({ kind }) => kind === "restore")}
            edit={edit}
          />
        </RefineDock>
      )}
      {open?.kind === "share" && (
        <ShareDialog id={id} name={name} close={close} />
      )}
      {open?.kind === "details" && (
        <EditDialog playlist={playlist} change={change} close={close} />
      )}
      {open?.kind === "add" && (
        <Dialog title={t.search.addTitle} close={close} wide>
          <SearchPanel
            kind="add"
            has={has}
            choose={(track) =>
              choose(
                { kind: "add", tracks: [track], ...END },
                t.search.addedNow(track.title),
              )
            }
          />
        </Dialog>
      )}
      {open?.kind === "swap" && (
        <Dialog title={t.search.swapTitle} close={close} wide>
          <p class="hint">{t.search.swapFor(open.track.title)}</p>
          <SearchPanel
            kind="use"
            artist={open.track.artist.split(",")[0] ?? ""}
            has={has}
            choose={async (track) => {
              await choose(
                { kind: "swap", uri: open.track.track_uri, track },
                t.search.swapped(track.title),
              );
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
