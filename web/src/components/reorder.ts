// Computes positions of moved rows, from 0.

/** Returns the position at which a row dragged by some pixels lands. */
export function landing(
  from: number,
  pixels: number,
  row_height: number,
  count: number,
): number {
  return clamp(from + Math.round(pixels / row_height), count);
}

/** Returns the position to which a key moves a row; null for other keys. */
export function keyTarget(
  key: string,
  from: number,
  count: number,
): number | null {
  const target = {
    ArrowUp: from - 1,
    ArrowDown: from + 1,
    Home: 0,
    End: count - 1,
  }[key];
  return target === undefined ? null : clamp(target, count);
}

export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const item = list[from];
  if (item === undefined) return [...list];
  const others = list.toSpliced(from, 1);
  return others.toSpliced(to, 0, item);
}

/** Returns the rows by which a row is shifted while another one is dragged. */
export function shift(index: number, from: number, to: number): -1 | 0 | 1 {
  if (index > from && index <= to) return -1;
  return index < from && index >= to ? 1 : 0;
}

/** The height in pixels of the scrolling zones, which cover the bars at the top and, on phones, at the bottom. */
const EDGE = 96;
const EDGE_STEP = 10;

/** Returns the pixels to scroll while a row is held at an edge of the window. */
export function edgePush(pointer: number, window_height: number): number {
  if (pointer < EDGE) return -EDGE_STEP;
  return pointer > window_height - EDGE ? EDGE_STEP : 0;
}

function clamp(position: number, count: number): number {
  return Math.min(Math.max(position, 0), count - 1);
}
