// What a generation takes. Counts are the functions' own, from the log line of each request; processor time is the
// runtime's. Unscripted, the model's simulator suggests songs of the catalogue, salted with some that do not exist.

import { readFileSync } from 'node:fs';
import { askForPlaylist, inTurn, listeners, ready, report, variable, withProcessorTime } from './harness.ts';

const WARM_UP = 60;
const ROUNDS = 60;
const TARGET = 20;

type Line = { function: string; target?: number; found: number; subrequests: number; upstreams: Record<string, { calls: number } | undefined> };

const nextListener = await listeners(WARM_UP + ROUNDS);
let generations = 0;

async function generate(): Promise<void> {
  generations += 1;
  const response = await askForPlaylist(ready.functions_url, nextListener(), TARGET);
  await response.arrayBuffer();
}

/** What the last generation has logged; the line may come a moment after the answer. */
async function lastLine(): Promise<Line> {
  for (;;) {
    const lines = readFileSync(variable('BENCH_LOG'), 'utf8').split('\n').filter((line) => line.startsWith('{'));
    const ours = lines.map((line) => JSON.parse(line) as Line).filter((line) => line.function === 'ai-playlist' && line.target === TARGET);
    if (ours.length >= generations) return ours.at(-1) as Line;
    await new Promise(setImmediate);
  }
}

for (let n = 0; n < WARM_UP; n += 1) await generate();
const samples = await inTurn(ROUNDS, {
  ours: () =>
    withProcessorTime(ready.pids.functions, async () => {
      await generate();
      const { found, subrequests, upstreams } = await lastLine();
      const calls = { 'requests to Spotify': upstreams.spotify?.calls ?? 0, 'requests to the database': upstreams.database?.calls ?? 0 };
      return { 'tracks found': found, ...calls, 'outbound requests in all': subrequests };
    }),
});
report('functions', `${ROUNDS} generations of ${TARGET} tracks, one after the other, on workerd.`, samples);
