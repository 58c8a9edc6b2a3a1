// What a generation takes: node tests/bench/functions/main.ts <ready file> <the functions' log> <folder>
//
// Counts are the functions' own, out of the log line that each request leaves; processor time is the runtime's, all that
// it does included. Unscripted, the model's simulator suggests songs of the catalogue, salted with some that do not exist.

import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';

const LISTENERS = 40;
/** As many as the free plan has. */
const GENERATIONS_EACH = 3;
/** The first ones fetch keys and tokens, and the runtime compiles what is hot a second time, beside them. */
const WARM_UP = 60;
const TARGET = 20;
/** Linux counts processor time in hundredths of a second, whatever the kernel's own clock. */
const MS_PER_TICK = 10;

type Upstreams = Record<string, { calls: number; ms: number } | undefined>;
type Line = { function: string; status: number; target?: number; found?: number; duration_ms: number; subrequests: number; upstreams: Upstreams };

const [readyFile, logFile, folder] = process.argv.slice(2);
if (readyFile === undefined || logFile === undefined || folder === undefined) {
  console.error('usage: node tests/bench/functions/main.ts <ready file> <log> <folder>');
  process.exit(2);
}
const ready = JSON.parse(readFileSync(readyFile, 'utf8')) as {
  functions_url: string;
  supabase_url: string;
  publishable_key: string;
  pids: { functions: number };
};

async function signUp(): Promise<string> {
  const response = await fetch(`${ready.supabase_url}/auth/v1/signup`, {
    method: 'POST',
    headers: { apikey: ready.publishable_key, 'Content-Type': 'application/json' },
    body: JSON.stringify({ email: `${crypto.randomUUID()}@example.com`, password: 'correct horse battery' }),
  });
  return ((await response.json()) as { access_token: string }).access_token;
}

async function generate(token: string): Promise<void> {
  const response = await fetch(`${ready.functions_url}/ai-playlist`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ prompt: 'a cozy rainy evening, mellow acoustic', target_count: TARGET }),
  });
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  await response.arrayBuffer();
}

/** User and system time of the runtime, null where the system does not tell. */
function processorMs(): number | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${ready.pids.functions}/stat`, 'utf8');
  } catch {
    return null;
  }
  // The name, in brackets, may hold anything; behind it the fields are numbers, utime and stime the 12th and 13th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}

function quantile(values: number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.round(q * (sorted.length - 1))] ?? Number.NaN;
}

const tokens: string[] = [];
for (let n = 0; n < LISTENERS; n += 1) tokens.push(await signUp());
const orders = tokens.flatMap((token) => Array.from({ length: GENERATIONS_EACH }, () => token));
for (const token of orders.slice(0, WARM_UP)) await generate(token);
const before = processorMs();
for (const token of orders.slice(WARM_UP)) await generate(token);
const after = processorMs();

const measured = orders.length - WARM_UP;
const lines = readFileSync(logFile, 'utf8')
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
