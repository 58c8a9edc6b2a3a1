// What a generation takes.
//
// Counts are the functions' own, out of the log line that each request leaves; processor time is the runtime's, all that
// it does included. Unscripted, the model's simulator suggests songs of the catalogue, salted with some that do not exist.

import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { folder } from '../environment.ts';
import { signUp } from '../listeners.ts';
import { processorMs } from '../process.ts';
import { functionsLog, ready } from '../stack.ts';
import { quantile } from '../statistics.ts';

const LISTENERS = 40;
/** As many as the free plan has. */
const GENERATIONS_EACH = 3;
/** The first ones fetch keys and tokens, and the runtime compiles what is hot a second time, beside them. */
const WARM_UP = 60;
const TARGET = 20;

type Upstreams = Record<string, { calls: number; ms: number } | undefined>;
type Line = { function: string; status: number; target?: number; found?: number; duration_ms: number; subrequests: number; upstreams: Upstreams };

async function generate(token: string): Promise<void> {
  const response = await fetch(`${ready.functions_url}/ai-playlist`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ prompt: 'a cozy rainy evening, mellow acoustic', target_count: TARGET }),
  });
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  await response.arrayBuffer();
}

const tokens: string[] = [];
for (let n = 0; n < LISTENERS; n += 1) tokens.push(await signUp());
const orders = tokens.flatMap((token) => Array.from({ length: GENERATIONS_EACH }, () => token));
for (const token of orders.slice(0, WARM_UP)) await generate(token);
const before = processorMs(ready.pids.functions);
for (const token of orders.slice(WARM_UP)) await generate(token);
const after = processorMs(ready.pids.functions);

const measured = orders.length - WARM_UP;
const lines = readFileSync(functionsLog, 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('{'))
  .map((line) => JSON.parse(line) as Line)
  .filter((line) => line.function === 'ai-playlist' && line.target === TARGET)
  .slice(-measured);
if (lines.length !== measured) throw new Error(`${lines.length} lines in the log for ${measured} generations`);

const rows: [string, number[]][] = [
  ['tracks found', lines.map((line) => line.found ?? 0)],
  ['requests to Spotify', lines.map((line) => line.upstreams.spotify?.calls ?? 0)],
  ['requests to the database', lines.map((line) => line.upstreams.database?.calls ?? 0)],
  ['outbound requests in all', lines.map((line) => line.subrequests)],
];
const cpu = before === null || after === null ? null : (after - before) / measured;
const table = [
  `${measured} generations of ${TARGET} tracks, one after the other, on workerd and ${availableParallelism()} cores.`,
  '',
  '| a generation | median | middle half | most |',
  '|---|---|---|---|',
  ...rows.map(([what, values]) => `| ${what} | ${quantile(values, 0.5)} | ${quantile(values, 0.25)}–${quantile(values, 0.75)} | ${Math.max(...values)} |`),
  `| processor time of the runtime, ms | ${cpu === null ? 'not told by this system' : cpu.toFixed(1)} (mean) | | |`,
  '',
].join('\n');
const json = { generations: measured, target: TARGET, processor_ms: cpu, rows: Object.fromEntries(rows) };
writeFileSync(path.join(folder, 'functions.json'), `${JSON.stringify(json, null, 2)}\n`);
writeFileSync(path.join(folder, 'functions.md'), table);
console.log(table);
