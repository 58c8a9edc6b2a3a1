// Races about Stripe's state: a write fails exactly when its read is older than the last write.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { signUp } from '../support.ts';
import type { Ending, Step } from './interleave.ts';
import { atOnce, interleave, nothing, refusals } from './interleave.ts';
import { asFunction, asUser, sql } from './users.ts';

type Profile = { user_id: string; plan: 'free' | 'pro'; stripe_customer_id: string | null; plan_synced_at: string | null };

const read = (user: string): Step => asFunction('fn_billing', (tx) => tx`select public.billing_profile(${user}) as answer`);
/** The time of the read stays text, because a Date has no microseconds. */
const write = (user: string, seen: string | null, customer: string, plan: Profile['plan']): Step =>
  asFunction('fn_billing', (tx) => tx`select public.set_billing_plan(${user}, ${seen}::text::timestamptz, ${customer}, ${plan}, false, null) ->> 'outcome' as answer`);
const setCustomer = (user: string, seen: string | null, customer: string): Step =>
  asFunction('fn_billing', (tx) => tx`select public.set_stripe_customer(${user}, ${seen}, ${customer}) as answer`);
const rename = (user: string, name: string): Step => asUser(user, (tx) => tx`update public.profiles set username = ${name} where user_id = ${user}`);

const answer = <T>(ending: Ending | undefined): T => (ending?.answer as { answer: T }[] | undefined)?.[0]?.answer as T;
const answers = (endings: readonly Ending[]): string[] => endings.map((ending) => answer<string>(ending));

function readsAndWrites(user: string, customer: string, plan: Profile['plan']): { reads: Step; writes: Step } {
  let seen: string | null = null;
  return {
    reads: async (tx) => {
      const rows = (await read(user)(tx)) as { answer: Profile }[];
      seen = rows[0]?.answer.plan_synced_at ?? null;
    },
    writes: (tx) => write(user, seen, customer, plan)(tx),
  };
}

async function profileOf(user: string): Promise<Profile> {
  const [row] = (await sql.begin(read(user))) as { answer: Profile }[];
  return row?.answer as Profile;
}

async function subscriber(plan: Profile['plan']): Promise<{ user: string; customer: string; seen: string }> {
  const user = await signUp(sql);
  const customer = `cus_${user}`;
  await sql.begin(write(user, null, customer, plan));
  const { plan_synced_at } = await profileOf(user);
  assert.ok(plan_synced_at);
  return { user, customer, seen: plan_synced_at };
}

async function overtaken(user: string, a: ReturnType<typeof readsAndWrites>, b: ReturnType<typeof readsAndWrites>): Promise<Profile> {
  const endings = await interleave([[a.reads, nothing, nothing, a.writes], [nothing, b.reads, b.writes]]);
  assert.deepEqual(answers(endings), ['conflict', 'written']);
  return profileOf(user);
}

for (const [what, there] of [['what was read before another write is outdated', 'pro'], ['a write of the plan that was there already counts', 'free']] as const) {
  test(what, async () => {
    const { user, customer, seen } = await subscriber(there);
    const after = await overtaken(user, readsAndWrites(user, customer, 'pro'), readsAndWrites(user, customer, 'free'));
    assert.equal(after.plan, 'free');
    assert.notEqual(after.plan_synced_at, seen);
  });
}

for (const was of ['written before', 'never written'] as const) {
  test(`one of many writes after the same read succeeds: ${was}`, async () => {
    const { user, customer, seen } = was === 'never written' ? { user: await signUp(sql), customer: `cus_${randomUUID()}`, seen: null } : await subscriber('free');
    const endings = await atOnce(Array.from({ length: 30 }, (_, n) => write(user, seen, customer, n % 2 === 0 ? 'pro' : 'free')));
    assert.deepEqual(refusals(endings), {});
    assert.deepEqual(answers(endings).sort(), [...Array.from({ length: 29 }, () => 'conflict'), 'written']);
  });
}

test('concurrent creations of a customer store one', async () => {
  const user = await signUp(sql);
  const endings = await atOnce(Array.from({ length: 30 }, (_, n) => setCustomer(user, null, `cus_${user}_${n}`)));
  assert.deepEqual(refusals(endings), {});
  assert.deepEqual(new Set(answers(endings)), new Set([(await profileOf(user)).stripe_customer_id]));
});

test('renaming does not refuse a plan', async () => {
  const { user, customer, seen } = await subscriber('pro');
  const [, written] = await interleave([[rename(user, 'Renamed meanwhile'), nothing], [nothing, write(user, seen, customer, 'free')]]);
  assert.equal(answer(written), 'written');
  const [profile] = await sql`select username, plan from public.profiles where user_id = ${user}`;
  assert.deepEqual({ ...profile }, { username: 'Renamed meanwhile', plan: 'free' });
});

test('the plan of a customer that was replaced meanwhile is outdated', async () => {
  const { user, customer, seen } = await subscriber('free');
  const [swapped, late] = await interleave([[setCustomer(user, customer, `${customer}_new`)], [nothing, write(user, seen, customer, 'pro')]]);
  assert.deepEqual([answer(swapped), answer(late)], [`${customer}_new`, 'conflict']);
  const { plan, stripe_customer_id } = await profileOf(user);
  assert.deepEqual({ plan, stripe_customer_id }, { plan: 'free', stripe_customer_id: `${customer}_new` });
});

test('a customer that another profile is taking is not taken twice', async () => {
  const [one, other] = [await subscriber('free'), await subscriber('free')];
  const taken = `${one.customer}_taken`;
  const endings = await interleave([[write(one.user, one.seen, taken, 'pro')], [nothing, write(other.user, other.seen, taken, 'pro')]]);
  assert.deepEqual(answers(endings), ['written', 'conflict']);
  const { plan, stripe_customer_id } = await profileOf(other.user);
  assert.deepEqual({ plan, stripe_customer_id }, { plan: 'free', stripe_customer_id: other.customer });
});
