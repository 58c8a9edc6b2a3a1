// Races about the partitions of AI sessions: created once, dropped only when empty, without blocking attempts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signUp } from '../support.ts';
import type { Step } from './interleave.ts';
import { atOnce, interleave, nothing, refusals } from './interleave.ts';
import { sql } from './users.ts';

const user = await signUp(sql);

const ensure = (moment: string, ahead = 0): Step => (tx) => tx`select private.ensure_ai_sessions_partitions_at(${moment}, ${ahead})`;
const drop = (moment: string): Step => (tx) => tx`select private.drop_empty_ai_sessions_partitions_at(${moment})`;
const insert = (moment: string): Step => (tx) => tx`
  insert into public.ai_sessions (user_id, prompt, status, cost, created_at) values (${user}, 'p', 'failed', 0, ${moment})`;

test('concurrent creations of the same months all succeed', async () => {
  const endings = await atOnce(Array.from({ length: 10 }, () => ensure('2130-02-15Z', 5)));
  assert.deepEqual(refusals(endings), {});
  const [row] = await sql`
    select count(*)::int as made from pg_inherits where inhparent = 'public.ai_sessions'::regclass and inhrelid::regclass::text ~ '2130'`;
  assert.equal(row?.made, 7);
});

test('attempts proceed while a month is being created', async () => {
  // If the parent were locked, the second would wait for the first, which waits for the second.
  const order: string[] = [];
  const endings = await interleave([[ensure('2131-02-15Z'), nothing, async () => void order.push('months made')], [nothing, insert(new Date().toISOString()), async () => void order.push('attempt made')]]);
  assert.deepEqual(refusals(endings), {});
  assert.equal(order.length, 2);
});

test('a month that is being written to is not dropped', async () => {
  await sql`select private.ensure_ai_sessions_partitions_at('2020-02-15Z', 0)`;
  const endings = await interleave([[insert('2020-01-10Z'), nothing], [nothing, drop('2020-06-15Z')]]);
  assert.deepEqual(refusals(endings), {});
  const [row] = await sql`select count(*)::int as kept from public.ai_sessions where created_at < '2021-01-01Z'`;
  assert.equal(row?.kept, 1);
});

test('readers and the drop do not wait for each other', async () => {
  await sql`select private.ensure_ai_sessions_partitions_at('2019-02-15Z', 0)`;
  const read: Step = (tx) => tx`select count(*) from public.ai_sessions`;
  const readOne: Step = (tx) => tx`select count(*) from public.ai_sessions where created_at < '2019-03-01Z'`;
  const endings = await interleave([
    [(tx) => tx`lock table only public.ai_sessions in access share mode`, read, readOne],
    [(tx) => tx`lock table only public.ai_sessions in access share mode`, readOne, read],
    [nothing, drop('2019-06-15Z')],
  ]);
  assert.deepEqual(refusals(endings), {});
});
