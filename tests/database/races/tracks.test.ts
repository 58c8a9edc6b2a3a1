// Races about a playlist's tracks: positions stay 1..n, and nothing gets into a playlist that is gone.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Ending, Step } from './interleave.ts';
import { atOnce, interleave, nothing, refusals } from './interleave.ts';
import { addTracks, asUser, userWithPlaylists, sql, tracks, tracksOf, uri } from './users.ts';

/** A user with one playlist of the tracks 1 to `count`. */
async function playlistOf(count: number): Promise<{ user: string; playlist: string }> {
  const { user, live } = await userWithPlaylists(1);
  const [playlist] = live as [string];
  const numbers = Array.from({ length: count }, (_, n) => n + 1);
  await sql.begin((tx) => asUser(user, addTracks(playlist, ...numbers))(tx));
  return { user, playlist };
}

async function assertDense(playlist: string): Promise<string[]> {
  const found = await tracksOf(playlist);
  assert.deepEqual(found.map((track) => track.position), found.map((_, index) => index + 1));
  const uris = found.map((track) => track.track_uri);
  assert.equal(new Set(uris).size, uris.length);
  return uris;
}

const removeTrack = (playlist: string, position: number): Step => (tx) => tx`select * from public.remove_track(${playlist}, ${position})`;
const moveTrack = (playlist: string, from: number, to: number): Step => (tx) => tx`select * from public.move_track(${playlist}, ${from}, ${to})`;
const replaceTracks = (playlist: string, ...numbers: number[]): Step => (tx) =>
  tx`select * from public.replace_tracks(${playlist}, ${tracks(...numbers)}::text::jsonb)`;
const softDelete = (playlist: string): Step => (tx) => tx`update public.playlists set is_deleted = true where id = ${playlist}`;
const restore = (playlist: string): Step => (tx) => tx`update public.playlists set is_deleted = false where id = ${playlist}`;

test('adds at once are all there', async () => {
  const { user, playlist } = await playlistOf(10);
  const endings = await atOnce(Array.from({ length: 3 }, (_, n) => asUser(user, addTracks(playlist, 100 + n))));
  assert.deepEqual(refusals(endings), {});
  assert.equal((await assertDense(playlist)).length, 13);
});

test('a hundred is the limit also for many at once', async () => {
  const { user, playlist } = await playlistOf(98);
  const endings = await atOnce(Array.from({ length: 3 }, (_, n) => asUser(user, addTracks(playlist, 200 + n))));
  assert.deepEqual(refusals(endings), { PT409: 1 });
  assert.equal((await assertDense(playlist)).length, 100);
});

test('the same track is added once', async () => {
  const { user, playlist } = await playlistOf(1);
  const endings = await atOnce(Array.from({ length: 3 }, () => asUser(user, addTracks(playlist, 77))));
  assert.deepEqual(refusals(endings), { PT409: 2 });
  assert.equal((await assertDense(playlist)).length, 2);
});

test('removes at once remove as many', async () => {
  const { user, playlist } = await playlistOf(40);
  const endings = await atOnce(Array.from({ length: 3 }, () => asUser(user, removeTrack(playlist, 1))));
  assert.deepEqual(refusals(endings), {});
  assert.equal((await assertDense(playlist)).length, 37);
});

test('moves at once lose nothing', async () => {
  const { user, playlist } = await playlistOf(30);
  const before = await assertDense(playlist);
  const endings = await atOnce(Array.from({ length: 3 }, () => asUser(user, moveTrack(playlist, 1, 30))));
  assert.deepEqual(refusals(endings), {});
  assert.deepEqual(await assertDense(playlist), [...before.slice(3), ...before.slice(0, 3)]);
});

test('everything at once leaves a playlist without gap or duplicate', async () => {
  const { user, playlist } = await playlistOf(50);
  const all = [addTracks(playlist, 300), removeTrack(playlist, 5), moveTrack(playlist, 1, 20), replaceTracks(playlist, ...Array.from({ length: 40 }, (_, k) => k + 1))];
  const endings: Ending[] = [];
  for (const left of all) endings.push(...(await atOnce(all.filter((step) => step !== left).map((step) => asUser(user, step)))));
  // A track that came back with a replacement may be the one that is added.
  assert.deepEqual(Object.keys(refusals(endings)).filter((state) => state !== 'PT409'), []);
  await assertDense(playlist);
});

test('two playlists changed in opposite orders: one waits, and a deadlock would be seen', async () => {
  const one = await playlistOf(3);
  const [row] = await sql`insert into public.playlists (owner_id, name) values (${one.user}, 'Two') returning id`;
  const two = row?.id as string;
  const endings = await interleave([
    [asUser(one.user, addTracks(one.playlist, 11)), asUser(one.user, addTracks(one.playlist, 12))],
    [asUser(one.user, addTracks(two, 21)), asUser(one.user, addTracks(two, 22))],
    [asUser(one.user, addTracks(two, 31)), asUser(one.user, addTracks(two, 32))],
  ]);
  assert.deepEqual(refusals(endings), {});
  assert.deepEqual((await assertDense(two)).toSorted(), [21, 22, 31, 32].map(uri));
});

test('a track that is added while the playlist is deleted is refused', async () => {
  const { user, playlist } = await playlistOf(3);
  const [deleted, added] = await interleave([[asUser(user, softDelete(playlist)), nothing], [nothing, asUser(user, addTracks(playlist, 9))]]);
  assert.deepEqual([deleted?.state, added?.state], [null, 'PT404']);
  assert.deepEqual((await tracksOf(playlist)).map((track) => track.is_deleted), [true, true, true]);
});

test('a track that was added before the playlist is deleted is deleted with it', async () => {
  const { user, playlist } = await playlistOf(3);
  const endings = await interleave([[asUser(user, addTracks(playlist, 9)), nothing], [nothing, asUser(user, softDelete(playlist))]]);
  assert.deepEqual(refusals(endings), {});
  assert.deepEqual((await tracksOf(playlist)).map((track) => track.is_deleted), [true, true, true, true]);
});

test('a row that bypasses the functions does not get into a playlist that is being deleted', async () => {
  const { user, playlist } = await playlistOf(3);
  const insert: Step = (tx) => tx`
    insert into public.playlist_tracks (playlist_id, position, track_uri) values (${playlist}, 50, ${uri(50)})`;
  const [deleted, inserted] = await interleave([[asUser(user, softDelete(playlist)), nothing], [nothing, insert]]);
  assert.deepEqual([deleted?.state, inserted?.state], [null, 'PT404']);
  assert.equal((await tracksOf(playlist)).filter((track) => !track.is_deleted).length, 0);
});

test('adding and restoring at once keeps the earlier tracks', async () => {
  const { user, playlist } = await playlistOf(3);
  await sql`update public.playlists set is_deleted = true where id = ${playlist}`;
  const endings = await atOnce([asUser(user, restore(playlist)), ...[7, 8].map((n) => asUser(user, addTracks(playlist, n)))]);
  assert.deepEqual(Object.keys(refusals(endings)).filter((state) => state !== 'PT404'), []);
  await assertDense(playlist);
  assert.ok((await tracksOf(playlist)).every((track) => !track.is_deleted));
});
