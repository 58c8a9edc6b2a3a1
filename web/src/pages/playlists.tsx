import { useState } from "preact/hooks";
import type { Summary } from "../api/data.ts";
import { createPlaylist, setDeleted } from "../api/data.ts";
import { useAction } from "../components/action.ts";
import { Cover, linesFor } from "../components/cover.tsx";
import { DetailsForm } from "../components/details-form.tsx";
import { Dialog } from "../components/dialog.tsx";
import { Icon } from "../components/icons.tsx";
import { Menu } from "../components/menu.tsx";
import { FailureNotice } from "../components/notice.tsx";
import { ProblemNotice } from "../components/problem.tsx";
import { useLibrary } from "../components/reading.ts";
import { date, language, useTexts } from "../i18n/texts.ts";
import { useDraft } from "../state/drafts.ts";
import { countOf, generation, MAKING, refinedId } from "../state/generation.ts";
import { go } from "../state/navigation.ts";
import { openEdits } from "../state/open-edits.ts";
import { refreshUsage } from "../state/session.ts";
import { say, sayFailure } from "../state/toasts.ts";

const SORTS = ["changed", "name"] as const;
type Sort = (typeof SORTS)[number];

export function PlaylistsScreen() {
  const t = useTexts();
  const { all, failure, load, reload } = useLibrary();
  const [words, setWords] = useDraft("playlists.search", "");
  const [sort, setSort] = useDraft<Sort>("playlists.sort", "changed");
  const [isCreating, setCreating] = useState(false);
  const change = useAction();
  const { running, result, problem } = generation.value;

  const live = all?.filter((it) => !it.is_deleted) ?? [];
  const deleted = all?.filter((it) => it.is_deleted) ?? [];
  const found = live.filter((it) =>
    `${it.name} ${it.description}`
      .toLocaleLowerCase()
      .includes(words.trim().toLocaleLowerCase()),
  );
  const shown =
    sort === "name"
      ? found.sort((a, b) => a.name.localeCompare(b.name, language.value))
      : found;
  const changing = running ? refinedId(running.order) : undefined;
  // A playlist that is being changed has a tile, unless it was deleted meanwhile.
  const isWaiting = running
    ? !changing || (all !== null && !live.some(({ id }) => id === changing))
    : result !== null && result.playlist_id === null;
  const setGone = async (playlist: Summary, is_deleted: boolean) => {
    await openEdits.get(playlist.id)?.saved();
    await setDeleted(playlist.id, is_deleted);
    await reload();
    void refreshUsage();
    if (is_deleted)
      say(
        t.playlists.deletedNow(playlist.name),
        () => void setGone(playlist, false).catch(sayFailure),
      );
    else say(t.playlists.restored(playlist.name));
  };
  const remove = (it: Summary) => void change.run(() => setGone(it, true));
  const restore = (it: Summary) => void change.run(() => setGone(it, false));
  return (
    <div class="page">
      <header class="row row-between">
        <h1 tabIndex={-1}>{t.playlists.title}</h1>
        <button type="button" class="button" onClick={() => setCreating(true)}>
          <Icon name="add" /> {t.playlists.create}
        </button>
      </header>
      {failure && (
        <FailureNotice failure={failure} isBackground>
          <button type="button" class="button" onClick={load}>
            {t.common.retry}
          </button>
        </FailureNotice>
      )}
      {change.failure && <FailureNotice failure={change.failure} />}
      {problem?.kind === "lost" && (
        <ProblemNotice problem={problem} isBackground />
      )}
      {!all && !failure && (
        <p class="hint" role="status">
          {t.common.loading}
        </p>
      )}
      {live.length > 0 && (
        <div class="library-tools">
          <input
            type="search"
            aria-label={t.playlists.search}
            placeholder={t.playlists.search}
            value={words}
            onInput={(event) => setWords(event.currentTarget.value)}
          />
          <select
            class="chip chip-opens"
            aria-label={t.playlists.sort}
            value={sort}
            onChange={(event) => setSort(event.currentTarget.value as Sort)}
          >
            {SORTS.map((it) => (
              <option key={it} value={it}>
                {t.playlists.sortOf[it]}
              </option>
            ))}
          </select>
        </div>
      )}
      {live.length > 0 && shown.length === 0 && (
        <p class="empty" role="status">
          {t.playlists.none(words)}
        </p>
      )}
      {all && live.length === 0 && !isWaiting && <Empty />}
      {(shown.length > 0 || isWaiting) && (
        <ul class="library" aria-label={t.playlists.list}>
          {isWaiting && <Making />}
          {shown.map((playlist) => (
            <Tile
              key={playlist.id}
              playlist={playlist}
              isChanging={playlist.id === changing}
              remove={() => remove(playlist)}
            />
          ))}
        </ul>
      )}
      {deleted.length > 0 && <Deleted deleted={deleted} restore={restore} />}
      {isCreating && <CreateDialog close={() => setCreating(false)} />}
    </div>
  );
}

/** The playlist that has no id yet. */
function Making() {
  const t = useTexts();
  const { running, result } = generation.value;
  const count = running ? countOf(running) : 0;
  const seed = running?.order.key ?? result?.order.key ?? "";
  return (
    <li class="tile">
      <Cover
        seed={seed}
        lines={running ? linesFor(count, running.target) : undefined}
        hasMoon={!running}
      />
      <div class="tile-words">
        <h2>
          <a href={`#/${MAKING}`}>
            {running ? t.playlists.making : result?.name}
          </a>
        </h2>
        <p class="hint">
          {running ? t.run.found(count, running.target) : t.result.notSaved}
        </p>
      </div>
    </li>
  );
}

function Tile({
  playlist,
  isChanging,
  remove,
}: {
  playlist: Summary;
  isChanging: boolean;
  remove: () => void;
}) {
  const t = useTexts();
  const open = {
    label: t.playlists.open,
    run: () => go(`playlists/${playlist.id}`),
  };
  return (
    <li class="tile">
      <Cover seed={playlist.id} />
      <div class="tile-words">
        <h2 dir="auto">
          <a href={`#/playlists/${playlist.id}`}>{playlist.name}</a>
        </h2>
        <p class="hint">
          {isChanging
            ? t.playlists.changing
            : `${t.songs(playlist.count)} · ${date(playlist.updated_at, "short")}`}
        </p>
      </div>
      <Menu
        label={t.playlists.more(playlist.name)}
        items={[open, { label: t.playlist.delete, run: remove }]}
      />
    </li>
  );
}

function Deleted({
  deleted,
  restore,
}: {
  deleted: Summary[];
  restore: (playlist: Summary) => void;
}) {
  const t = useTexts();
  return (
    <details class="deleted">
      <summary>
        {t.playlists.deleted} ({deleted.length})
      </summary>
      <ul class="plain-list">
        {deleted.map((playlist) => (
          <li key={playlist.id} class="row row-between">
            <span class="break">
              <bdi>{playlist.name}</bdi>{" "}
              <span class="hint">{t.songs(playlist.count)}</span>
            </span>
            <button
              type="button"
              class="button"
              aria-label={t.playlists.restoreLabel(playlist.name)}
              onClick={() => restore(playlist)}
            >
              {t.playlists.restore}
            </button>
          </li>
        ))}
      </ul>
    </details>
  );
}

function Empty() {
  const t = useTexts();
  return (
    <div class="empty">
      <Cover seed="no playlist" lines={2} hasMoon={false} />
      <h2>{t.playlists.empty}</h2>
      <p>{t.playlists.emptyNext}</p>
      <a class="button button-primary" href="#/">
        {t.playlists.emptyGo}
      </a>
    </div>
  );
}

function CreateDialog({ close }: { close: () => void }) {
  const t = useTexts();
  const create = async (name: string, description: string) => {
    const id = await createPlaylist(name, description);
    void refreshUsage();
    close();
    go(`playlists/${id}`);
  };
  return (
    <Dialog title={t.playlists.createTitle} close={close}>
      <DetailsForm
        draft="create"
        name=""
        description=""
        label={t.playlists.createGo}
        save={create}
        close={close}
      />
    </Dialog>
  );
}
