// Races about rate limits: of many concurrent requests exactly as many pass as the bucket holds.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signUp } from '../support.ts';
import type { Ending, Step } from './interleave.ts';
import { atOnce, interleave, nothing, untilNoneWaits } from './interleave.ts';
import { addTracks, asFunction, asUser, insertPlaylist, userWithPlaylists, sql } from './users.ts';

const take = (user: string, kind: string): Step =>
  asFunction('fn_spotify', (tx) => tx`select public.take_request(${user}, ${kind}) ->> 'outcome' as outcome`);
const outcomes = (endings: Awaited<ReturnType<typeof atOnce>>) =>
  Object.groupBy(endings.map(({ answer }) => (answer as { outcome: string }[] | null)?.[0]?.outcome ?? 'none'), (outcome) => outcome);

for (const [kind, capacity] of Object.entries({ search: 30, export: 10, link: 10, billing: 30 })) {
  test(`of a hundred concurrent requests ${capacity} pass: ${kind}`, async () => {
    const user = await signUp(sql);
    const found = outcomes(await atOnce(Array.from({ length: 100 }, () => take(user, kind))));
    assert.deepEqual([found.taken?.length, found.too_many_attempts?.length], [capacity, 100 - capacity]);
  });
}

const fill = (user: string, kind: string, taken: number) => sql`
  insert into private.request_buckets (user_id, kind, period, taken, refills_at)
  values (${user}, ${kind}, '1 minute', ${taken}, clock_timestamp() + interval '1 hour')`;
const inFull = async (endings: Ending[] | Promise<Ending[]>) =>
  (await endings).map((ending) => (ending.state === 'PGRST' ? JSON.parse(ending.message).code : (ending.state ?? 'done')));

test('beside two edits one of a hundred runs, and the others are refused without waiting', async () => {
  const { user, live } = await userWithPlaylists(1);
  const enter: Step = (tx) => tx`select private.enter_edit(${user})`;
  const edits = Array.from({ length: 100 }, (_, n) => [nothing, asUser(user, addTracks(live[0] as string, n))]);
  const found = await inFull(interleave([[enter], [enter], ...edits]));
  assert.deepEqual([found.filter((it) => it === 'done').length, found.filter((it) => it === 'too_many_at_once').length], [3, 99]);
});

test('of a hundred concurrent writes of playlists as many succeed as the limit per minute allows', async () => {
  const { user, live } = await userWithPlaylists(1);
  await fill(user, 'playlist', 90);
  const rename = (n: number) => asUser(user, (tx) => tx`update public.playlists set name = ${`Name ${n}`} where id = ${live[0] as string}`);
  const writes = Array.from({ length: 100 }, (_, n) => (n % 4 === 0 ? asUser(user, insertPlaylist(user, `New ${n}`)) : rename(n)));
  const found = Object.groupBy(await inFull(atOnce(writes)), (code) => code);
  assert.deepEqual([found.done?.length, found.too_many_attempts?.length], [30, 70]);
});

test('an edit that waits too long for a lock is refused with 503', async () => {
  await sql`alter function public.add_tracks set lock_timeout = '1ms'`;
  const { user, live } = await userWithPlaylists(1);
  const [playlist] = live as [string];
  const held: Step = async (tx) => tx`select from public.playlists where id = ${playlist} for update`;
  const edit = asUser(user, addTracks(playlist, 1));
  const rename = asUser(user, (tx) => tx`update public.playlists set name = 'Other' where id = ${playlist}`);
  const [, refused] = await inFull(interleave([[held, nothing, untilNoneWaits], [nothing, edit, nothing]]));
  assert.equal(refused, 'too_many_at_once');
  for (const step of [edit, rename]) await sql.begin(step);
});

test('a refused write of a playlist waits for no lock', async () => {
  const { user, live } = await userWithPlaylists(1);
  await fill(user, 'playlist', 120);
  const held: Step = async (tx) => tx`select from public.profiles where user_id = ${user} for update`;
  const duplicate: Step = (tx) => tx`select public.duplicate_playlist(${live[0] as string})`;
  for (const write of [insertPlaylist(user, 'New'), duplicate]) {
    const endings = await interleave([[held], [nothing, asUser(user, write)]]);
    assert.deepEqual([endings[1]?.waited, (await inFull(endings))[1]], [false, 'too_many_attempts']);
  }
});

test('a request that is counted while the account is deleted waits and finds no profile', async () => {
  const user = await signUp(sql);
  await sql.begin((tx) => take(user, 'search')(tx));
  const [deleted, taken] = await interleave([[async (tx) => tx`delete from auth.users where id = ${user}`, nothing], [nothing, take(user, 'search')]]);
  assert.deepEqual([deleted?.state, (taken?.answer as { outcome: string }[] | undefined)?.[0]?.outcome], [null, 'no_profile']);
});
