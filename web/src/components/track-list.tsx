import type { JSX } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Track } from '../api/data.ts';
import { duration, useTexts } from '../i18n/texts.ts';
import { Icon } from './icons.tsx';
import { edgePush, keyTarget, landing, shift } from './reorder.ts';

type Props = {
  label: string;
  tracks: readonly (Track | undefined)[];
  /** Rows that are drawn whether or not there is a track yet: nothing moves when one comes. */
  rows?: number;
  swap?: (index: number) => void;
  remove?: (index: number) => void;
  move?: (from: number, to: number) => void;
};

export function TrackList({ label, tracks, rows = 0, swap, remove, move }: Props) {
  const t = useTexts();
  const list = useRef<HTMLOListElement>(null);
  const { drag, begin } = useDragging(list, tracks.length, move);
  const [focused, setFocused] = useState<string | null>(null);
  // A row that is moved in the document loses the focus, and its owner the key that moves it further.
  useLayoutEffect(() => {
    if (focused) list.current?.querySelector<HTMLElement>(`[data-uri="${focused}"] .grip`)?.focus();
  }, [tracks, focused]);

  const onKey = (event: KeyboardEvent, index: number, uri: string) => {
    const target = keyTarget(event.key, index, tracks.length);
    if (target === null || !move) return;
    event.preventDefault();
    setFocused(uri);
    if (target !== index) move(index, target);
  };
  const row = (track: Track, index: number) => (
    <li
      key={track.track_uri}
      data-uri={track.track_uri}
      class={drag?.from === index ? 'track track-dragged' : 'track'}
      style={shiftOf(index, drag)}
    >
      {move && (
        <button
          type="button"
          class="icon-button grip"
          aria-label={t.track.move(track.title, index + 1, tracks.length)}
          aria-describedby="move-hint"
          onPointerDown={(event) => begin(event, index)}
          onKeyDown={(event) => onKey(event, index, track.track_uri)}
          onBlur={() => setFocused(null)}
        >
          <Icon name="grip" />
        </button>
      )}
      <TrackRow track={track} index={index} />
      <a
        class="icon-button"
        href={spotifyUrl(track.track_uri)}
        target="_blank"
        rel="noopener noreferrer"
        aria-label={t.track.play(track.title)}
      >
        <Icon name="play" />
      </a>
      {swap && <RowButton icon="swap" label={t.track.swap(track.title)} run={() => swap(index)} />}
      {remove && <RowButton icon="remove" label={t.track.remove(track.title)} run={() => remove(index)} />}
    </li>
  );
  const count = Math.max(rows, tracks.length);
  return (
    <>
      {move && (
        <p id="move-hint" class="visually-hidden">
          {t.track.moveHint}
        </p>
      )}
      <ol ref={list} class={rows > 0 ? 'tracks tracks-live' : 'tracks'} aria-label={label}>
        {Array.from({ length: count }, (_, index) => {
          const track = tracks[index];
          return track ? row(track, index) : <Waiting key={`waiting-${index}`} />;
        })}
      </ol>
    </>
  );
}

function TrackRow({ track, index }: { track: Track; index: number }) {
  const t = useTexts();
  return (
    <>
      <span class={`tile tile-${hue(track.artist)}`} aria-hidden="true">
        {index + 1}
      </span>
      <span class="track-words">
        <span class="track-title">
          <span class="clip">{track.title || t.track.unknown}</span>
          {track.explicit && (
            <abbr class="explicit" title={t.track.explicit}>
              E
            </abbr>
          )}
          {track.version && (
            <span class="version">{t.track.versionOf[track.version] ?? t.track.versionOf['other']}</span>
          )}
        </span>
        <span class="track-artist clip">{track.artist}</span>
      </span>
      <span class="track-album clip">{track.album}</span>
      <span class="track-time">{track.duration_ms > 0 && duration(track.duration_ms)}</span>
    </>
  );
}

function RowButton({ icon, label, run }: { icon: 'swap' | 'remove'; label: string; run: () => void }) {
  return (
    <button type="button" class="icon-button" aria-label={label} onClick={run}>
      <Icon name={icon} />
    </button>
  );
}

function Waiting() {
  return (
    <li class="track track-waiting" aria-hidden="true">
      <span class="tile" />
      <span class="track-words">
        <span class="bone" />
        <span class="bone bone-short" />
      </span>
    </li>
  );
}

const SCROLL_EVERY_MS = 16;

type Drag = { from: number; to: number; pixels: number; height: number };

/** Rows follow the pointer by transforms alone; the list changes once, at the end. */
function useDragging(list: { current: HTMLElement | null }, count: number, move: Props['move']) {
  const [drag, setDrag] = useState<Drag | null>(null);
  const begin = (event: JSX.TargetedPointerEvent<HTMLElement>, from: number) => {
    if (event.button !== 0 || !move) return;
    const height = list.current?.children[0]?.getBoundingClientRect().height ?? 1;
    const start = event.pageY;
    let to = from;
    // Nowhere near an edge, until it has moved.
    let pointer = innerHeight / 2;
    const show = () => {
      const pixels = pointer + scrollY - start;
      to = landing(from, pixels, height, count);
      setDrag({ from, to, pixels, height });
    };
    const follow = (at: PointerEvent) => {
      pointer = at.clientY;
      show();
    };
    const timer = setInterval(() => {
      const push = edgePush(pointer, innerHeight);
      if (push === 0) return;
      scrollBy(0, push);
      show();
    }, SCROLL_EVERY_MS);
    const end = (at: PointerEvent) => {
      clearInterval(timer);
      removeEventListener('pointermove', follow);
      removeEventListener('pointerup', end);
      removeEventListener('pointercancel', end);
      setDrag(null);
      if (at.type === 'pointerup' && to !== from) move(from, to);
    };
    addEventListener('pointermove', follow);
    addEventListener('pointerup', end);
    addEventListener('pointercancel', end);
  };
  return { drag, begin };
}

function shiftOf(index: number, drag: Drag | null): JSX.CSSProperties | undefined {
  if (!drag) return undefined;
  const pixels = index === drag.from ? drag.pixels : shift(index, drag.from, drag.to) * drag.height;
  return { transform: `translateY(${pixels}px)` };
}

export function spotifyUrl(track_uri: string): string {
  return `https://open.spotify.com/track/${track_uri.split(':').at(-1)}`;
}

/** One of a few colours, the same for the same artist. */
function hue(artist: string): number {
  let sum = 0;
  for (const character of artist) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 9973;
  return sum % 8;
}
