// What one account can take in a day: an abuser tries everything every few minutes for a simulated day.
//
// The time goes on by dating back what the database has written down. docs/scale.md names the bounds.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import type { TransactionSql } from 'postgres';
import { connect, signUp } from './support.ts';

const sql = connect();
after(() => sql.end());

const STEP_MINUTES = 15;
const STEPS = (24 * 60) / STEP_MINUTES;
/** What the most expensive attempt costs with a model of ten times the usual price (docs/scale.md). */
const DEAREST_ATTEMPT = 0.173;

async function simulate(abuse: (tx: TransactionSql, user: string) => Promise<void>, plan: 'free' | 'pro'): Promise<void> {
  const user = await signUp(sql);
  const undone = new Error('undone');
  await assert.rejects(sql.begin(async (tx) => {
    // Days that are dated back may lie before the first month.
    await tx`select private.ensure_ai_sessions_partitions_at(now() - interval '1 month', 3)`;
    await tx`update public.profiles set plan = ${plan} where user_id = ${user}`;
    await abuse(tx, user);
    throw undone;
  }), undone);
}

async function goOn(tx: TransactionSql, user: string): Promise<void> {
  const by = `${STEP_MINUTES} minutes`;
  await tx`update public.ai_sessions set created_at = created_at - ${by}::interval where user_id = ${user}`;
  await tx`update private.request_buckets set refills_at = refills_at - ${by}::interval where user_id = ${user}`;
}

/** Attempts that all end in the same way, as many as are let through. */
async function attempts(tx: TransactionSql, user: string, status: 'failed' | 'succeeded', cost: number): Promise<{ made: number; spent: number }> {
  let made = 0;
  for (let step = 0; step < STEPS; step += 1) {
    for (;;) {
      const session = randomUUID();
      const [row] = await tx`select public.ai_reserve(${session}, ${user}, 'anything', false) ->> 'outcome' as outcome`;
      if (row?.outcome !== 'reserved') break;
      await tx`select public.ai_settle(${session}, ${user}, ${status}, ${cost})`;
      made += 1;
    }
    await goOn(tx, user);
  }
  return { made, spent: made * cost };
}

for (const plan of ['free', 'pro'] as const) {
  test(`a day of attempts that fail is thirty questions on ${plan}`, () =>
    simulate(async (tx, user) => {
      assert.equal((await attempts(tx, user, 'failed', 0.0005)).made, 30);
    }, plan));
}

for (const [plan, cap] of [['free', 0.25], ['pro', 1]] as const) {
  test(`a day of the dearest attempts costs at most the cap and what one attempt costs on ${plan}`, () =>
    simulate(async (tx, user) => {
      const failed = await attempts(tx, user, 'failed', DEAREST_ATTEMPT);
      assert.ok(failed.spent >= cap && failed.spent < cap + DEAREST_ATTEMPT, `${failed.spent}`);
    }, plan));
}

test('a day of playlists that succeed is the quota', () =>
  simulate(async (tx, user) => {
    assert.equal((await attempts(tx, user, 'succeeded', 0.0005)).made, 3);
  }, 'free'));

test('a day of requests is what the buckets hold', () =>
  simulate(async (tx, user) => {
    const taken: Record<string, number> = { search: 0, export: 0, billing: 0 };
    for (let step = 0; step < STEPS; step += 1) {
      for (const kind of Object.keys(taken)) {
        const [row] = await tx`
          select count(*)::int as taken from generate_series(1, 31) where public.take_request(${user}, ${kind}) ->> 'outcome' = 'taken'`;
        taken[kind] = (taken[kind] as number) + (row?.taken as number);
      }
      await goOn(tx, user);
    }
    assert.deepEqual(taken, { search: 300, export: 240, billing: 720 });
  }, 'free'));
