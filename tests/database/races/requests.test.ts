// Races about rate limits: of many concurrent requests exactly as many pass as the bucket holds.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signUp } from '../support.ts';
import type { Ending, Step } from './interleave.ts';
import { atOnce, interleave, nothing } from './interleave.ts';
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
/** Keeps the transaction's locks until no statement like this waits for them. A wait event disappears while PostgreSQL
 * looks for deadlocks, but the lock that is not granted stays. */
const untilNoneWaits =
  (statement: string): Step =>
  async (tx) => {
    const waiting = async () =>
      (await tx`
        select count(*)::int as n from pg_locks l join pg_stat_activity a using (pid)
        where not l.granted and a.query like ${`%${statement}%`}`)[0]?.n;
    while ((await waiting()) > 0);
  };
const inFull = async (endings: Promise<Ending[]>) =>
  (await endings).map((ending) => (ending.state === 'PGRST' ? JSON.parse(ending.message).code : (ending.state ?? 'done')));

test('of a hundred concurrent edits three run, and the others are refused without waiting', async () => {
  const { user, live } = await userWithPlaylists(2);
  const found = await inFull(atOnce(Array.from({ length: 100 }, (_, n) => asUser(user, addTracks(live[n % 2] as string, n)))));
  assert.deepEqual(Object.entries(Object.groupBy(found, (code) => code)).map(([code, all]) => [code, all?.length]).sort(), [['done', 3], ['too_many_at_once', 97]]);
});

test('of a hundred concurrent writes of playlists as many succeed as the limit per minute allows', async () => {
  const { user, live } = await userWithPlaylists(1);
  await fill(user, 'playlist', 90);
  const rename = (n: number) => asUser(user, (tx) => tx`update public.playlists set name = ${`Name ${n}`} where id = ${live[0] as string}`);
  const writes = Array.from({ length: 100 }, (_, n) => (n % 4 === 0 ? asUser(user, insertPlaylist(user, `New ${n}`)) : rename(n)));
  const found = Object.groupBy(await inFull(atOnce(writes)), (code) => code);
  assert.deepEqual([found.done?.length, found.too_many_attempts?.length], [30, 70]);
});

test('an edit that waits two seconds for a lock is refused with 503', async () => {
  const { user, live } = await userWithPlaylists(1);
  const [playlist] = live as [string];
  const held: Step = async (tx) => tx`select from public.playlists where id = ${playlist} for update`;
  const edit = asUser(user, addTracks(playlist, 1));
  const rename = asUser(user, (tx) => tx`update public.playlists set name = 'Other' where id = ${playlist}`);
  const [, refused] = await inFull(interleave([[held, nothing, untilNoneWaits('add_tracks')], [nothing, edit, nothing]]));
  assert.equal(refused, 'too_many_at_once');
  assert.deepEqual(await inFull(atOnce([edit, rename])), ['done', 'done']);
});

test('a refused write of a playlist waits for no lock', async () => {
  const { user, live } = await userWithPlaylists(1);
  await fill(user, 'playlist', 120);
  const held: Step = async (tx) => tx`select from public.profiles where user_id = ${user} for update`;
  const duplicate: Step = (tx) => tx`select public.duplicate_playlist(${live[0] as string})`;
  for (const [write, statement] of [[insertPlaylist(user, 'New'), 'insert into public.playlists'], [duplicate, 'duplicate_playlist']] as const) {
    const [, refused] = await inFull(interleave([[held, nothing, untilNoneWaits(statement)], [nothing, asUser(user, write), nothing]]));
    assert.equal(refused, 'too_many_attempts', statement);
  }
});

test('a request that is counted while the account is deleted waits and finds no profile', async () => {
  const user = await signUp(sql);
  await sql.begin((tx) => take(user, 'search')(tx));
  const [deleted, taken] = await interleave([[async (tx) => tx`delete from auth.users where id = ${user}`, nothing], [nothing, take(user, 'search')]]);
  assert.deepEqual([deleted?.state, (taken?.answer as { outcome: string }[] | undefined)?.[0]?.outcome], [null, 'no_profile']);
});
