// Deterministic races: transactions run step by step, and none continues before all have arrived.
//
// A transaction has arrived when its step is done or waits for another transaction's lock. So a missing lock always shows.

import type { TransactionSql } from 'postgres';
import postgres from 'postgres';
import { connect } from '../support.ts';

export type Step = (tx: TransactionSql) => Promise<unknown>;
export const nothing: Step = async () => {};

/** How a transaction ended: with the result of its last step, or with PostgreSQL's error. */
export type Ending = { answer: unknown; state: null } | { answer: null; state: string; message: string };

/** Runs the transactions side by side, each with its steps, and commits after the last one. */
export async function interleave(transactions: readonly (readonly Step[])[]): Promise<Ending[]> {
  const sql = connect(transactions.length);
  const watch = connect();
  const steps = Math.max(...transactions.map((transaction) => transaction.length));
  const gates = Array.from({ length: steps + 1 }, () => Promise.withResolvers<void>());
  const runners = transactions.map(() => ({ pid: 0, arrived: -1, ended: false }));
  try {
    const endings = transactions.map(async (transaction, index): Promise<Ending> => {
      const runner = runners[index] as (typeof runners)[number];
      try {
        const answer = await sql.begin(async (tx) => {
          runner.pid = Number((await tx`select pg_backend_pid() as pid`)[0]?.pid);
          let last: unknown = null;
          for (const [number, step] of transaction.entries()) {
            runner.arrived = number;
            await gates[number]?.promise;
            last = await step(tx);
          }
          runner.arrived = steps;
          await gates[steps]?.promise;
          return last;
        });
        return { answer, state: null };
      } catch (error) {
        if (!(error instanceof postgres.PostgresError)) throw error;
        return { answer: null, state: error.code, message: error.message };
      } finally {
        runner.ended = true;
      }
    });
    const all = Promise.all(endings);
    // If a step fails here, the other transactions must not wait for the gates forever.
    all.catch(() => gates.forEach((gate) => gate.resolve()));
    for (const [number, gate] of gates.entries()) {
      await allArrivedOrWait(watch, runners, number);
      gate.resolve();
    }
    return await all;
  } finally {
    await Promise.all([sql.end(), watch.end()]);
  }
}

export const atOnce = (steps: readonly Step[]) => interleave(steps.map((step) => [step]));

async function allArrivedOrWait(
  watch: ReturnType<typeof connect>,
  runners: readonly { pid: number; arrived: number; ended: boolean }[],
  step: number,
): Promise<void> {
  for (;;) {
    const open = runners.filter((runner) => !runner.ended && runner.arrived < step);
    if (open.length === 0) return;
    const pids = open.map((runner) => runner.pid).filter((pid) => pid !== 0);
    const rows = await watch<{ pid: number }[]>`
      select pid from pg_stat_activity where pid = any(${pids}) and wait_event_type = 'Lock'`;
    const waiting = new Set(rows.map((row) => row.pid));
    if (open.every((runner) => waiting.has(runner.pid))) return;
  }
}

/** The SQLSTATEs of the refused transactions, with their counts. */
export function refusals(endings: readonly Ending[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { state } of endings) if (state !== null) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}
