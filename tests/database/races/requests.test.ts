// Races about requests: of many at once exactly as many pass as the bucket holds.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { signUp } from '../support.ts';
import type { Step } from './interleave.ts';
import { atOnce, interleave, racesRun, refusals } from './interleave.ts';
import { addTracks, asFunction, asUser, listener, sql } from './people.ts';

after(async () => {
  await sql.end();
  console.log(`races: ${racesRun()}`);
});

const take = (user: string, kind: string): Step =>
  asFunction('fn_spotify', (tx) => tx`select public.take_request(${user}, ${kind}) ->> 'outcome' as outcome`);
const outcomes = (endings: Awaited<ReturnType<typeof atOnce>>) =>
  Object.groupBy(endings.map(({ answer }) => (answer as { outcome: string }[] | null)?.[0]?.outcome ?? 'none'), (outcome) => outcome);

for (const [kind, capacity] of Object.entries({ search: 30, export: 10, link: 10, billing: 30 })) {
  test(`of a hundred requests at once ${capacity} pass: ${kind}`, async () => {
    const user = await signUp(sql);
    const found = outcomes(await atOnce(Array.from({ length: 100 }, () => take(user, kind))));
    assert.deepEqual([found.taken?.length, found.too_many_attempts?.length], [capacity, 100 - capacity]);
  });
}

test('of a hundred edits at once the last twenty of the minute pass, in all playlists together', async () => {
  const { user, live } = await listener(2);
  await sql`
    insert into private.request_buckets (user_id, kind, period, taken, refills_at)
    values (${user}, 'edit', '1 minute', 100, clock_timestamp() + interval '1 hour')`;
  const edits = Array.from({ length: 100 }, (_, n) => asUser(user, addTracks(live[n % 2] as string, n)));
  assert.deepEqual(refusals(await atOnce(edits)), { PGRST: 80 });
});

test('a request that is counted while the account is deleted waits, and finds nobody', async () => {
  const user = await signUp(sql);
  await sql.begin((tx) => take(user, 'search')(tx));
  const [deleted, taken] = await interleave([
    [async (tx) => tx`delete from auth.users where id = ${user}`, async () => {}],
    [async () => {}, take(user, 'search')],
  ]);
  assert.deepEqual([deleted?.state, (taken?.answer as { outcome: string }[])[0]?.outcome], [null, 'no_profile']);
});
