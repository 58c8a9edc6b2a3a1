// Two ways of doing the same, side by side: each round does one and then the other, so that whatever else the machine
// is doing meets both. What counts is the ratio; milliseconds are only there to tell what it is a ratio of.

import { quantile } from '../statistics.ts';

export type Work = () => Promise<unknown>;

export type Comparison = {
  what: string;
  /** Medians, in milliseconds. */
  ours_ms: number;
  other_ms: number;
  /** The median of the rounds' ratios, and where the middle half of them lies. */
  ratio: number;
  spread: [number, number];
  goal?: number;
};

/** A round is repeated until it is long enough for the clock. */
const ROUND_MS = 50;

export async function compare(what: string, ours: Work, other: Work, options: { rounds: number; goal?: number }): Promise<Comparison> {
  const repeats = Math.max(1, Math.ceil(ROUND_MS / Math.max(await time(ours, 1), await time(other, 1))));
  const rounds: { ours: number; other: number }[] = [];
  for (let round = 0; round < options.rounds; round += 1) {
    const first = round % 2 === 0;
    const one = await time(first ? ours : other, repeats);
    const two = await time(first ? other : ours, repeats);
    rounds.push(first ? { ours: one, other: two } : { ours: two, other: one });
  }
  const ratios = rounds.map((round) => round.ours / round.other);
  return {
    what,
    ours_ms: quantile(rounds.map((round) => round.ours), 0.5),
    other_ms: quantile(rounds.map((round) => round.other), 0.5),
    ratio: quantile(ratios, 0.5),
    spread: [quantile(ratios, 0.25), quantile(ratios, 0.75)],
    ...(options.goal === undefined ? {} : { goal: options.goal }),
  };
}

async function time(work: Work, repeats: number): Promise<number> {
  const begun = performance.now();
  for (let n = 0; n < repeats; n += 1) await work();
  return (performance.now() - begun) / repeats;
}
