// Where things end up when they are moved; positions are from 0.

/** Where a row that is dragged by so many pixels would land. */
export function landing(from: number, pixels: number, row_height: number, count: number): number {
  return clamp(from + Math.round(pixels / row_height), count);
}

/** Where a key takes a row; null for a key that moves nothing. */
export function keyTarget(key: string, from: number, count: number): number | null {
  const target = { ArrowUp: from - 1, ArrowDown: from + 1, Home: 0, End: count - 1 }[key];
  return target === undefined ? null : clamp(target, count);
}

export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const item = list[from];
  if (item === undefined) return [...list];
  const others = list.toSpliced(from, 1);
  return others.toSpliced(to, 0, item);
}

/** How far a row makes room, in rows, while another one is dragged. */
export function shift(index: number, from: number, to: number): -1 | 0 | 1 {
  if (index > from && index <= to) return -1;
  return index < from && index >= to ? 1 : 0;
}

/** The bars at the top and, on a phone, at the bottom of the window lie within these. */
const EDGE = 96;
const EDGE_STEP = 10;

/** How far the window scrolls under a row that is held at its edge. */
export function edgePush(pointer: number, window_height: number): number {
  if (pointer < EDGE) return -EDGE_STEP;
  return pointer > window_height - EDGE ? EDGE_STEP : 0;
}

function clamp(position: number, count: number): number {
  return Math.min(Math.max(position, 0), count - 1);
}
