import type { JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Track } from "../api/data.ts";
import { duration, failureText, useTexts } from "../i18n/texts.ts";
import type { Failed } from "../state/edits.ts";
import { urisOf } from "../state/edits.ts";
import { listenTo } from "../state/listening.ts";
import { Artwork, ArtworkLink } from "./artwork.tsx";
import { Icon } from "./icons.tsx";
import type { Item } from "./menu.tsx";
import { Menu } from "./menu.tsx";
import { Player } from "./player.tsx";
import { edgePush, keyTarget, landing, shift } from "./reorder.ts";
import { spotifyUrl } from "./spotify-link.tsx";
import { TrackWords } from "./track-words.tsx";

export type Editing = {
  swap: (track: Track) => void;
  remove: (track: Track) => void;
  move: (from: number, to: number) => void;
  kept: ReadonlySet<string>;
  keep: (track: Track) => void;
  failed: readonly Failed[];
  retry: (failed: Failed) => void;
  forget: (failed: Failed) => void;
};

type Props = {
  label: string;
  tracks: readonly (Track | undefined)[];
  /** The number of rows to reserve, so that nothing moves when tracks arrive. */
  rows?: number;
  edit?: Editing;
};

export function TrackList({ label, tracks, rows = 0, edit }: Props) {
  const t = useTexts();
  const list = useRef<HTMLOListElement>(null);
  const { drag, begin } = useDragging(list, tracks.length, edit?.move);
  const [focused, setFocused] = useState<string | null>(null);
  // A moved row loses the focus, which keyboard users need to move it further.
  useLayoutEffect(() => {
    if (focused)
      list.current
        ?.querySelector<HTMLElement>(`[data-uri="${focused}"] .grip`)
        ?.focus();
  }, [tracks, focused]);

  const onKey = (event: KeyboardEvent, index: number, uri: string) => {
    const target = keyTarget(event.key, index, tracks.length);
    if (target === null || !edit) return;
    event.preventDefault();
    setFocused(uri);
    edit.move(index, target);
  };
  const row = (track: Track, index: number) => (
    <li
      key={track.track_uri}
      data-uri={track.track_uri}
      class={drag?.from === index ? "track-item track-dragged" : "track-item"}
      style={shiftOf(index, drag)}
    >
      <div class="track">
        {edit ? (
          <button
            type="button"
            class="art grip"
            aria-label={t.track.move(track.title, index + 1, tracks.length)}
            aria-describedby="move-hint"
            onPointerDown={(event) => begin(event, index)}
            onKeyDown={(event) => onKey(event, index, track.track_uri)}
            onBlur={() => setFocused(null)}
          >
            <Artwork url={track.image_url} />
          </button>
        ) : (
          <ArtworkLink track={track} />
        )}
        <TrackWords track={track} />
        <span class="track-time">
          {track.duration_ms > 0 && duration(track.duration_ms)}
        </span>
        {edit && (
          <button
            type="button"
            class="icon-button keep"
            aria-label={t.track.keep(track.title)}
            aria-pressed={edit.kept.has(track.track_uri)}
            title={t.track.keepHint}
            onClick={() => edit.keep(track)}
          >
            <Icon name="keep" />
          </button>
        )}
        <RowMenu
          track={track}
          index={index}
          count={tracks.length}
          edit={edit}
        />
      </div>
      {edit?.failed
        .filter((it) => rowOf(it, tracks) === track.track_uri)
        .map((it) => (
          <FailedEdit failed={it} edit={edit} />
        ))}
    </li>
  );
  const count = Math.max(rows, tracks.length);
  const homeless =
    edit?.failed.filter(
      (it) => it.change.kind !== "restore" && rowOf(it, tracks) === undefined,
    ) ?? [];
  return (
    <>
      {edit && (
        <p id="move-hint" class="visually-hidden">
          {t.track.moveHint}
        </p>
      )}
      <ol
        ref={list}
        class={rows > 0 ? "tracks tracks-live" : "tracks"}
        aria-label={label}
      >
        {Array.from({ length: count }, (_, index) => {
          const track = tracks[index];
          return track ? (
            row(track, index)
          ) : (
            <Waiting key={`waiting-${index}`} />
          );
        })}
      </ol>
      {edit &&
        homeless.map((it) => (
          <FailedEdit key={urisOf(it.change)[0]} failed={it} edit={edit} />
        ))}
      <Player />
    </>
  );
}

/** The row that shows a failure: that of the first of its tracks that is in the list. */
function rowOf(
  { change }: Failed,
  tracks: Props["tracks"],
): string | undefined {
  return urisOf(change).find((uri) =>
    tracks.some((it) => it?.track_uri === uri),
  );
}

function RowMenu({
  track,
  index,
  count,
  edit,
}: {
  track: Track;
  index: number;
  count: number;
  edit?: Editing;
}) {
  const t = useTexts();
  const listen = [
    { label: t.listen.here, run: () => listenTo(track.track_uri, track.title) },
    { label: t.track.play, href: spotifyUrl(track.track_uri) },
  ];
  const moves = [
    index > 0 && { label: t.track.up, run: () => edit?.move(index, index - 1) },
    index < count - 1 && {
      label: t.track.down,
      run: () => edit?.move(index, index + 1),
    },
  ].filter((it): it is Item & { run: () => void } => it !== false);
  const items = edit
    ? [
        { label: t.track.swap, run: () => edit.swap(track) },
        { label: t.track.remove, run: () => edit.remove(track) },
        ...moves,
        ...listen,
      ]
    : listen;
  return (
    <Menu label={t.track.more(track.title)} items={items}>
      <strong dir="auto">{track.title}</strong>
      <p class="hint" dir="auto">
        {[track.artist, track.album].filter(Boolean).join(" · ")}
      </p>
      {track.why && (
        <p dir="auto">
          <span class="hint">{t.track.why}</span> {track.why}
        </p>
      )}
    </Menu>
  );
}

export function FailedEdit({
  failed,
  edit,
}: {
  failed: Failed;
  edit: Pick<Editing, "retry" | "forget">;
}) {
  const t = useTexts();
  const { what, next } = failureText(failed.failure.code);
  return (
    <div class="track-failed" role="alert">
      <span>
        {t.track.notSaved} {what} {next}
      </span>
      <button type="button" class="button" onClick={() => edit.retry(failed)}>
        {t.common.retry}
      </button>
      <button
        type="button"
        class="icon-button"
        aria-label={t.common.close}
        onClick={() => edit.forget(failed)}
      >
        <Icon name="close" />
      </button>
    </div>
  );
}

function Waiting() {
  return (
    <li class="track-item track-waiting" aria-hidden="true">
      <div class="track">
        <span class="art">
          <span class="artwork artwork-none" />
        </span>
        <span class="track-words">
          <span class="bone" />
          <span class="bone bone-short" />
        </span>
      </div>
    </li>
  );
}

const SCROLL_EVERY_MS = 16;

type Drag = { from: number; to: number; pixels: number; height: number };

/** Moves rows with the pointer by CSS transforms; the list changes once, at the end. */
function useDragging(
  list: { current: HTMLElement | null },
  count: number,
  move: Editing["move"] | undefined,
) {
  const [drag, setDrag] = useState<Drag | null>(null);
  const begin = (
    event: JSX.TargetedPointerEvent<HTMLElement>,
    from: number,
  ) => {
    if (event.button !== 0 || !move) return;
    const height =
      list.current?.children[0]?.getBoundingClientRect().height ?? 1;
    const start = event.pageY;
    let to = from;
    // Until the pointer moves, it counts as far from the edges.
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
      removeEventListener("pointermove", follow);
      removeEventListener("pointerup", end);
      removeEventListener("pointercancel", end);
      setDrag(null);
      if (at.type === "pointerup" && to !== from) move(from, to);
    };
    addEventListener("pointermove", follow);
    addEventListener("pointerup", end);
    addEventListener("pointercancel", end);
  };
  return { drag, begin };
}

function shiftOf(
  index: number,
  drag: Drag | null,
): JSX.CSSProperties | undefined {
  if (!drag) return undefined;
  const pixels =
    index === drag.from
      ? drag.pixels
      : shift(index, drag.from, drag.to) * drag.height;
  return { transform: `translateY(${pixels}px)` };
}
