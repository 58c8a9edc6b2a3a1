import type { Size } from './fill.ts';
import type { Comparison } from './measure.ts';

export type Storage = { table: string; rows: number; bytes_per_row: number };

export type Report = {
  postgres: string;
  scale: string;
  size: Size;
  sections: { title: string; results: Comparison[] }[];
  storage: Storage[];
};

/** The report as Markdown. */
export function table({ postgres, size, sections, storage }: Report): string {
  const { users, playlists, tracks, sessions, months } = size;
  const n = (count: number) => count.toLocaleString('en');
  const lines = [
    `PostgreSQL ${postgres}; ${n(users)} users, ${n(playlists)} playlists, ${n(tracks)} tracks, ${n(sessions)} AI sessions over ${months} months.`,
  ];
  for (const { title, results } of sections) {
    lines.push('', `**${title}**`, '', '| | ratio | middle half | goal | ms |', '|---|---|---|---|---|');
    for (const { what, ratio, spread, goal, ours_ms, other_ms } of results) {
      const two = (value: number) => value.toFixed(2);
      const met = goal === undefined ? '' : `≤ ${goal}${ratio <= goal ? '' : ' (missed)'}`;
      lines.push(`| ${what} | ${two(ratio)} | ${two(spread[0])}–${two(spread[1])} | ${met} | ${two(ours_ms)} ÷ ${two(other_ms)} |`);
    }
  }
  lines.push('', '**Storage, indexes included**', '', '| | rows | bytes a row |', '|---|---|---|');
  for (const { table, rows, bytes_per_row } of storage) lines.push(`| ${table} | ${n(rows)} | ${bytes_per_row.toFixed(0)} |`);
  return `${lines.join('\n')}\n`;
}
