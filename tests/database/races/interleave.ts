// Deterministic races: transactions run step by step, and none continues before all have arrived.
//
// A transaction has arrived when its step is done or waits for a lock of another one of them. So a missing lock always shows.

import type { TransactionSql } from 'postgres';
import postgres from 'postgres';
import { connect } from '../support.ts';
import { url } from './users.ts';

export type Step = (tx: TransactionSql) => Promise<unknown>;
export const nothing: Step = async () => {};

/** How a transaction ended: with the result of its last step, or with PostgreSQL's error; and whether it waited for another. */
export type Ending = { waited: boolean } & ({ answer: unknown; state: null } | { answer: null; state: string; message: string });
type Runner = { pid: number; arrived: number; ended: boolean; waited: boolean };

/** Runs the transactions side by side, each with its steps, and commits after the last one. */
export async function interleave(transactions: readonly (readonly Step[])[]): Promise<Ending[]> {
  const sql = connect(transactions.length, url);
  const watch = connect(1, url);
  const steps = Math.max(...transactions.map((transaction) => transaction.length));
  const gates = Array.from({ length: steps + 1 }, () => Promise.withResolvers<void>());
  const runners = transactions.map((): Runner => ({ pid: 0, arrived: -1, ended: false, waited: false }));
  try {
    const endings = transactions.map(async (transaction, index): Promise<Ending> => {
      const runner = runners[index] as Runner;
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
        return { answer, state: null, waited: runner.waited };
      } catch (error) {
        if (!(error instanceof postgres.PostgresError)) throw error;
        return { answer: null, state: error.code, message: error.message, waited: runner.waited };
      } finally {
        runner.ended = true;
      }
    });
    const all = Promise.all(endings);
    // If a step fails here, the other transactions must not wait for the gates forever.
    all.catch(() => {
      for (const gate of gates) gate.resolve();
    });
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

async function allArrivedOrWait(watch: ReturnType<typeof connect>, runners: readonly Runner[], step: number): Promise<void> {
  for (;;) {
    const open = runners.filter((runner) => !runner.ended && runner.arrived < step);
    if (open.length === 0) return;
    const [row] = await watch`
      select bool_and(b.pids <> '{}' and b.pids <@ ${runners.map(({ pid }) => pid)}::int[]) as wait
      from unnest(${open.map(({ pid }) => pid)}::int[]) o(pid), pg_blocking_pids(o.pid) b(pids)`;
    if (!row?.wait) continue;
    for (const runner of open) runner.waited = true;
    return;
  }
}

/** Keeps the transaction's locks until no other transaction waits for them. */
export const untilNoneWaits: Step = async (tx) => {
  while ((await tx`select from pg_locks where not granted and pg_backend_pid() = any (pg_blocking_pids(pid))`).length > 0);
};

/** The SQLSTATEs of the refused transactions, with their counts. */
export function refusals(endings: readonly Ending[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { state } of endings) if (state !== null) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}
