// Bars, one group a measure, with the middle half of the rounds as a line over each; what stands beside them is the ratio.

import type { Measure, Report } from './report.ts';
import { formatted, goalText } from './report.ts';

const WIDTH = 720;
const LABELS = 150;
const BARS = 250;
const ROW = 22;
const BAR = 14;
const HEAD = 34;
const GAP = 18;

/** Readable on light and on dark. */
const STYLE = `text { font: 13px system-ui, sans-serif; fill: #1f2328; } .what { font-weight: 600; } .note { fill: #59636e; }
.ours { fill: #1a7f5a; } .other { fill: #8c959f; } .spread { stroke: #1f2328; stroke-width: 1.5; }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3; } .note { fill: #9198a1; } .ours { fill: #3fb68b; } .other { fill: #6e7681; }
.spread { stroke: #e6edf3; } }`;

export function chart({ title, measures }: Report): string {
  let y = 28;
  const groups = measures.map((measure) => {
    const lines = group(measure, y);
    y += HEAD + ROW * Object.keys(measure.contenders).length + GAP;
    return lines;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" role="img" aria-label="${escaped(title)}">`,
    `<style>${STYLE}</style>`,
    `<text class="what" x="0" y="16">${escaped(title)}</text>`,
    ...groups.flat(),
    '</svg>',
    '',
  ].join('\n');
}

function group({ what, digits, contenders, ratios }: Measure, top: number): string[] {
  const most = Math.max(...Object.values(contenders).flatMap(({ median, spread }) => [median, ...spread]));
  const x = (value: number) => (LABELS + (value / most) * BARS).toFixed(1);
  const lines = [`<text class="note" x="0" y="${top + 20}">${escaped(what)}</text>`];
  Object.entries(contenders).forEach(([name, { median, spread }], index) => {
    const y = top + HEAD + index * ROW;
    const middle = y + BAR / 2;
    const ratio = ratios.find(({ to }) => to === name);
    const goal = ratio && goalText(ratio);
    const note = ratio === undefined ? '' : ` · ${ratio.of} ÷ this: ${ratio.median.toFixed(2)}${goal ? `, goal ${goal}` : ''}`;
    lines.push(
      `<text x="0" y="${middle + 5}">${escaped(name)}</text>`,
      `<rect class="${name === 'ours' ? 'ours' : 'other'}" x="${LABELS}" y="${y}" width="${((median / most) * BARS).toFixed(1)}" height="${BAR}" rx="2"/>`,
      `<line class="spread" x1="${x(spread[0])}" x2="${x(spread[1])}" y1="${middle}" y2="${middle}"/>`,
      `<text x="${LABELS + BARS + 8}" y="${middle + 5}">${formatted(median, digits)}<tspan class="note">${escaped(note)}</tspan></text>`,
    );
  });
  return lines;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
