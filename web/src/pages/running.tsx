import { useEffect } from 'preact/hooks';
import { useHeading } from '../components/heading.ts';
import { TrackList } from '../components/track-list.tsx';
import { useTexts } from '../i18n/texts.ts';
import type { Running } from '../state/generation.ts';
import { cancel } from '../state/generation.ts';
import { announcement } from '../state/toasts.ts';

const ANNOUNCED_EVERY = 5;

/** Has the same frame as the result, so that nothing moves when one becomes the other. */
export function RunningView({ running }: { running: Running }) {
  const t = useTexts();
  const heading = useHeading();
  useEffect(() => scrollTo(0, 0), []);
  const { found, target, stage, misses, order } = running;
  const count = found.filter(Boolean).length;
  // Each one would be too much to listen to.
  const heard = count - (count % ANNOUNCED_EVERY);
  useEffect(() => {
    if (heard > 0) announcement.value = t.run.found(heard, target);
  }, [heard]);
  const stage_text = stage ? t.run[stage] : t.run.starting;
  return (
    <div class="page page-narrow">
      <header class="frame">
        <h1 ref={heading} tabIndex={-1} class="clip">
          {t.run.title}
        </h1>
        <p class="frame-text">{order.wish.refine ? order.wish.refine.instruction : order.wish.prompt}</p>
        <div class="frame-bar">
          <div class="frame-progress">
            <div class="row row-between">
              <span role="status" class="clip">
                {stage_text}
              </span>
              <span class="value">{t.run.found(count, target)}</span>
            </div>
            <progress max={target} value={count} aria-label={t.run.progress} />
          </div>
          <button type="button" class="button" onClick={cancel}>
            {t.run.stop}
          </button>
        </div>
        <p class="hint frame-note">{misses > 0 ? t.run.misses(misses) : t.common.attribution}</p>
      </header>
      <TrackList label={t.run.list} tracks={found} rows={target} />
    </div>
  );
}
