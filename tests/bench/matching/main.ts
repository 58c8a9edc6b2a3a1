// How many suggestions are judged in a second, natively and in wasm: the same code, in the profile that the functions
// are built in.

import { spawnSync } from 'node:child_process';
import { folder, variable } from '../environment.ts';
import type { Samples } from '../report.ts';
import { measure, write } from '../report.ts';

type Judge = { suggestions(): number; candidates(): number; judge(times: number): number };

const ROUNDS = 9;
const ROUND_MS = 500;
/** The runtime compiles what is hot a second time. */
const WARM_UP_TIMES = 50;

const program = variable('BENCH_MATCHING_PROGRAM');
const wasm = (await import(variable('BENCH_MATCHING_MODULE'))) as Judge;
const suggestions = wasm.suggestions();

function seconds(work: () => void): number {
  const begun = performance.now();
  work();
  return (performance.now() - begun) / 1000;
}

function natively(times: number): void {
  const { status } = spawnSync(program, [String(times)]);
  if (status !== 0) throw new Error(`${program} fails (${status})`);
}

wasm.judge(WARM_UP_TIMES);
const times = Math.max(1, Math.ceil((ROUND_MS * WARM_UP_TIMES) / (1000 * seconds(() => wasm.judge(WARM_UP_TIMES)))));
const samples: Samples = { ours: [], natively: [] };
for (let round = 0; round < ROUNDS; round += 1) {
  const [inWasm, outside] = [seconds(() => wasm.judge(times)), seconds(() => natively(times))];
  samples.ours?.push((times * suggestions) / inWasm);
  samples.natively?.push((times * suggestions) / outside);
}
write(
  {
    name: 'matching',
    title: 'Matching suggestions with candidates',
    about: [
      `The ${suggestions} real cases of shared/tests/real_cases.tsv, with ${(wasm.candidates() / suggestions).toFixed(1)} candidates each; ours is the wasm, in Node. ` +
        `${ROUNDS} rounds in turn.`,
    ],
    measures: [measure('suggestions a second', 0, samples, [{ of: 'ours', to: 'natively' }])],
  },
  folder,
);
