// Draws a playlist's cover from its id: a sky, a moon, and whiskers that appear as tracks arrive.

import { useId } from "preact/hooks";

const LINES = 8;

type Props = { seed: string; lines?: number; hasMoon?: boolean };

export function Cover({ seed, lines = LINES, hasMoon = true }: Props) {
  const random = randomOf(seed);
  // The hues range from green-blue to wine, with enough contrast for moon and whiskers.
  const hue = 190 + Math.floor(random() * 150);
  const [x, y, r] = [25 + random() * 50, 20 + random() * 14, 12 + random() * 6];
  const [bend, lean] = [8 + random() * 12, random() * 10 - 5];
  const id = useId();
  return (
    <svg
      class="cover"
      viewBox="0 0 100 100"
      aria-hidden="true"
      focusable="false"
    >
      <defs>
        <linearGradient id={id} x1="0" y1="0" x2="1" y2="1">
          <stop stop-color={`hsl(${hue} 58% 30%)`} />
          <stop offset="1" stop-color={`hsl(${(hue + 50) % 360} 60% 14%)`} />
        </linearGradient>
      </defs>
      <rect width="100" height="100" fill={`url(#${id})`} />
      {hasMoon && <circle cx={x} cy={y} r={r} fill="#ffb454" opacity="0.9" />}
      {Array.from({ length: LINES }, (_, n) => {
        const at = 42 + n * 8;
        const d = `M-5 ${at + lean}C25 ${at - bend + n},55 ${at + bend - n},105 ${at - lean}`;
        return (
          <path
            class="cover-line"
            key={d}
            d={d}
            stroke-opacity={n < lines ? 0.9 - n * 0.1 : 0.06}
          />
        );
      })}
    </svg>
  );
}

/** Returns the number of whiskers for the share of tracks found. */
export function linesFor(found: number, target: number): number {
  return Math.round((LINES * Math.min(found, target)) / Math.max(target, 1));
}

/** Returns a generator of numbers from 0 to 1, seeded by a text (FNV-1a, then xorshift). */
function randomOf(seed: string): () => number {
  let state = 2_166_136_261;
  for (const character of seed)
    state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 16_777_619);
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 4_294_967_296;
  };
}
