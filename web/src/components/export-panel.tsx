import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Playlist } from '../api/data.ts';
import { Failure } from '../api/failure.ts';
import type { Exported } from '../api/functions.ts';
import { exportPlaylist } from '../api/functions.ts';
import { useTexts } from '../i18n/texts.ts';
import { drafts } from '../state/drafts.ts';
import { useAction } from './action.ts';
import { Icon } from './icons.tsx';
import { FailureNotice, Notice } from './notice.tsx';
import { LinkDialog } from './own-dialog.tsx';

const NEEDS_LINK = new Set(['spotify_not_linked', 'spotify_link_expired']);

/** `children`: what else can be done with the playlist, beside it. */
export function ExportPanel({ playlist, children }: { playlist: Playlist; children: ComponentChildren }) {
  const t = useTexts();
  const [done, setDone] = useState<Exported | null>(null);
  const action = useAction();
  const [linking, setLinking] = useState(false);
  const start = () =>
    action.run(async () => {
      setDone(null);
      setDone(await exportOnce(playlist.id));
    });
  return (
    <div class="stack-tight">
      <div class="row actions">
        <button
          type="button"
          class="button button-primary"
          disabled={action.busy || playlist.tracks.length === 0}
          onClick={start}
        >
          <Icon name="out" /> {action.busy ? t.playlist.exporting : t.playlist.exportGo}
        </button>
        {children}
      </div>
      {action.failure && (
        <FailureNotice failure={action.failure}>
          {NEEDS_LINK.has(action.failure.code) ? (
            <button type="button" class="button button-primary" onClick={() => setLinking(true)}>
              {t.playlist.link}
            </button>
          ) : (
            <button type="button" class="button" onClick={start}>
              {t.common.retry}
            </button>
          )}
        </FailureNotice>
      )}
      {linking && <LinkDialog close={() => setLinking(false)} />}
      {done && (
        <Notice tone="good" title={t.playlist.exported(done.exported, done.total)}>
          {done.rejected.length > 0 && (
            <p>{t.playlist.rejected(done.rejected.map(({ position }) => position).join(', '))}</p>
          )}
          <a class="button" href={done.url} target="_blank" rel="noopener noreferrer">
            {t.playlist.openSpotify}
          </a>
        </Notice>
      )}
    </div>
  );
}

/** The key outlives a failure, a lost answer and a reload: until one has succeeded, it is one and the same copy. */
async function exportOnce(playlist_id: string): Promise<Exported> {
  const name = `export.${playlist_id}`;
  const key = drafts.read<string | null>(name, null) ?? crypto.randomUUID();
  drafts.write(name, key);
  try {
    const exported = await exportPlaylist(playlist_id, key);
    drafts.forget(name);
    return exported;
  } catch (error) {
    if (error instanceof Failure && error.code === 'idempotency_key_reused') drafts.forget(name);
    throw error;
  }
}
