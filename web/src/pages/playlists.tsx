import { useEffect, useState } from 'preact/hooks';
import type { Summary } from '../api/data.ts';
import { createPlaylist, listPlaylists, setDeleted } from '../api/data.ts';
import { useAction } from '../components/action.ts';
import { DetailsForm } from '../components/details-form.tsx';
import { Dialog } from '../components/dialog.tsx';
import { Field } from '../components/field.tsx';
import { Icon } from '../components/icons.tsx';
import { FailureNotice } from '../components/notice.tsx';
import { date, useTexts } from '../i18n/texts.ts';
import { useDraft } from '../state/drafts.ts';
import { go } from '../state/navigation.ts';
import { refreshUsage } from '../state/session.ts';
import { say } from '../state/toasts.ts';

export function PlaylistsScreen() {
  const t = useTexts();
  const [all, setAll] = useState<Summary[] | null>(null);
  const [words, setWords] = useDraft('playlists.search', '');
  const [creating, setCreating] = useState(false);
  const loading = useAction();
  const change = useAction();
  const load = () => loading.run(async () => setAll(await listPlaylists()));
  useEffect(() => void load(), []);

  const live = all?.filter((it) => !it.is_deleted) ?? [];
  const deleted = all?.filter((it) => it.is_deleted) ?? [];
  const shown = live.filter((it) =>
    `${it.name} ${it.description}`.toLocaleLowerCase().includes(words.trim().toLocaleLowerCase()),
  );
  const setGone = (playlist: Summary, is_deleted: boolean) =>
    change.run(async () => {
      await setDeleted(playlist.id, is_deleted);
      setAll(await listPlaylists());
      void refreshUsage();
      if (is_deleted)
        say(t.playlists.deletedNow(playlist.name), { label: t.common.undo, run: () => void setGone(playlist, false) });
      else say(t.playlists.restored(playlist.name));
    });
  return (
    <div class="page">
      <header class="row row-between page-head">
        <h1 tabIndex={-1}>{t.playlists.title}</h1>
        <button type="button" class="button button-primary" onClick={() => setCreating(true)}>
          <Icon name="create" /> {t.playlists.create}
        </button>
      </header>
      {loading.failure && (
        <FailureNotice failure={loading.failure}>
          <button type="button" class="button" onClick={load}>
            {t.common.retry}
          </button>
        </FailureNotice>
      )}
      {change.failure && <FailureNotice failure={change.failure} />}
      {!all && !loading.failure && <Waiting />}
      {all && live.length === 0 && <Empty />}
      {live.length > 0 && <Field label={t.playlists.search} type="search" value={words} change={setWords} />}
      {live.length > 0 && shown.length === 0 && (
        <p class="empty" role="status">
          {t.playlists.none(words)}
        </p>
      )}
      {shown.length > 0 && <Cards shown={shown} remove={(it) => void setGone(it, true)} />}
      {deleted.length > 0 && <Deleted deleted={deleted} restore={(it) => void setGone(it, false)} />}
      {creating && <CreateDialog close={() => setCreating(false)} />}
    </div>
  );
}

function Cards({ shown, remove }: { shown: Summary[]; remove: (playlist: Summary) => void }) {
  const t = useTexts();
  return (
    <ul class="cards" aria-label={t.playlists.list}>
      {shown.map((playlist) => (
        <li key={playlist.id} class="card card-link">
          <div class="card-words">
            <h2 class="clip">
              <a href={`#/playlists/${playlist.id}`}>{playlist.name}</a>
            </h2>
            <p class="card-text">{playlist.description}</p>
            <p class="hint">
              {t.tracks(playlist.count)} · {t.playlists.changed(date(playlist.updated_at, 'short'))}
            </p>
          </div>
          <button
            type="button"
            class="icon-button"
            aria-label={`${t.playlist.delete}: ${playlist.name}`}
            onClick={() => remove(playlist)}
          >
            <Icon name="remove" />
          </button>
        </li>
      ))}
    </ul>
  );
}

function Deleted({ deleted, restore }: { deleted: Summary[]; restore: (playlist: Summary) => void }) {
  const t = useTexts();
  return (
    <details class="options">
      <summary>
        {t.playlists.deleted} ({deleted.length})
      </summary>
      <ul class="plain-list">
        {deleted.map((playlist) => (
          <li key={playlist.id} class="row row-between">
            <span class="clip">
              {playlist.name} <span class="hint">{t.tracks(playlist.count)}</span>
            </span>
            <button
              type="button"
              class="button button-small"
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
    <div class="card empty">
      <Icon name="playlists" />
      <h2>{t.playlists.empty}</h2>
      <p>{t.playlists.emptyNext}</p>
      <a class="button button-primary" href="#/">
        {t.playlists.emptyGo}
      </a>
    </div>
  );
}

function Waiting() {
  const t = useTexts();
  return (
    <>
      <p class="visually-hidden" role="status">
        {t.common.loading}
      </p>
      <div class="cards" aria-hidden="true">
        {[1, 2, 3].map((n) => (
          <div key={n} class="card card-waiting">
            <span class="bone" />
            <span class="bone bone-short" />
          </div>
        ))}
      </div>
    </>
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
      <DetailsForm draft="create" name="" description="" label={t.playlists.createGo} save={create} close={close} />
    </Dialog>
  );
}
