// The cost of a generation. Counts come from the log line of each request, processor time from the runtime. Without a
// script the model's simulator suggests songs of the catalogue, and some that do not exist.

import { readFileSync } from 'node:fs';
import { askForPlaylist, inTurn, payingUsers, ready, report, variable, withProcessorTime } from './harness.ts';

const WARM_UP = 60;
const ROUNDS = 60;
const TARGET = 20;

type Line = { function: string; target?: number; found: number; subrequests: number; upstreams: Record<string, { calls: number } | undefined> };

const nextToken = await payingUsers(WARM_UP + ROUNDS);
let generations = 0;

async function generate(): Promise<void> {
  generations += 1;
  const response = await askForPlaylist(ready.functions_url, nextToken(), TARGET);
  await response.arrayBuffer();
}

/** The log line of the last generation, which may be written shortly after the response. */
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
