// A comparison as JSON, as a Markdown table and as a chart.

import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { chart } from './chart.ts';
import type { Summary } from './statistics.ts';
import { summary } from './statistics.ts';

/** What was measured of each contender, one value a round. */
export type Samples = Record<string, number[]>;

export type Goal = { atLeast: number } | { atMost: number };

/** Of two contenders, taken in every round: what disturbed one will have disturbed the other. */
export type Ratio = Summary & { of: string; to: string; goal?: Goal };

export type Measure = { what: string; digits: number; contenders: Record<string, Summary>; ratios: Ratio[] };

export type Report = { name: string; title: string; about: string[]; measures: Measure[] };

type Wanted = { of: string; to: string; goal?: Goal };

export function measure(what: string, digits: number, samples: Samples, wanted: Wanted[] = []): Measure {
  const contenders = Object.fromEntries(Object.entries(samples).map(([name, values]) => [name, summary(values)]));
  const ratios = wanted.map(({ of, to, ...goal }) => {
    const others = samples[to] as number[];
    return { of, to, ...summary((samples[of] as number[]).map((value, round) => value / (others[round] as number))), ...goal };
  });
  return { what, digits, contenders, ratios };
}

/** Writes <name>.json, .md and .svg, and shows the table. */
export function write(report: Report, folder: string): void {
  const file = (extension: string) => path.join(folder, `${report.name}.${extension}`);
  writeFileSync(file('json'), `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(file('md'), markdown(report));
  writeFileSync(file('svg'), chart(report));
  console.log(markdown(report));
}

export function formatted(value: number, digits: number): string {
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function isMet({ median }: Summary, goal: Goal): boolean {
  return 'atLeast' in goal ? median >= goal.atLeast : median <= goal.atMost;
}

export function goalText(ratio: Ratio): string {
  const { goal } = ratio;
  if (goal === undefined) return '';
  const text = 'atLeast' in goal ? `≥ ${goal.atLeast}` : `≤ ${goal.atMost}`;
  return isMet(ratio, goal) ? text : `${text} (missed)`;
}

function markdown({ about, measures }: Report): string {
  const names = [...new Set(measures.flatMap(({ contenders }) => Object.keys(contenders)))];
  const range = ({ median, spread: [low, high] }: Summary, digits: number) =>
    formatted(median, digits) + (low === high ? '' : ` (${formatted(low, digits)}–${formatted(high, digits)})`);
  const row = ({ what, digits, contenders }: Measure) =>
    `| ${what} | ${names.map((name) => (contenders[name] === undefined ? '' : range(contenders[name], digits))).join(' | ')} |`;
  const ratios = measures.flatMap(({ what, ratios }) =>
    ratios.map((ratio) => {
      const [low, high] = ratio.spread.map((value) => value.toFixed(2));
      return `| ${what}: ${ratio.of} ÷ ${ratio.to} | ${ratio.median.toFixed(2)} | ${low}–${high} | ${goalText(ratio)} |`;
    }),
  );
  return [
    ...about.flatMap((paragraph) => [paragraph, '']),
    `| median (middle half) | ${names.join(' | ')} |`,
    `|---|${names.map(() => '---|').join('')}`,
    ...measures.map(row),
    ...(ratios.length === 0 ? [] : ['', '| ratio, taken in each round | median | middle half | goal |', '|---|---|---|---|', ...ratios]),
    '',
  ].join('\n');
}
