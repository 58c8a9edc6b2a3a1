// Races about a playlist's tracks: positions stay 1..n, and a deleted playlist gets no tracks.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import type { Ending, Step } from './interleave.ts';
import { atOnce, interleave, nothing, refusals } from './interleave.ts';
import { addTracks, asFunction, asUser, userWithPlaylists, sql, tracks, tracksOf, uri } from './users.ts';

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

const removeTracks = (playlist: string, ...numbers: number[]): Step => (tx) =>
  tx`select * from public.remove_tracks(${playlist}, ${numbers.map(uri)}::text[])`;
const moveTrack = (playlist: string, number: number, after: number): Step => (tx) =>
  tx`select * from public.move_track(${playlist}, ${uri(number)}, ${uri(after)})`;
const swapTrack = (playlist: string, old: number, by: number): Step => (tx) =>
  tx`select * from public.replace_track(${playlist}, ${uri(old)}, ${tracks(by)}::text::jsonb -> 0)`;
const softDelete = (playlist: string): Step => (tx) => tx`update public.playlists set is_deleted = true where id = ${playlist}`;
const restore = (playlist: string): Step => (tx) => tx`update public.playlists set is_deleted = false where id = ${playlist}`;

test('concurrent adds are all stored', async () => {
  const { user, playlist } = await playlistOf(10);
  const endings = await atOnce(Array.from({ length: 3 }, (_, n) => asUser(user, addTracks(playlist, 100 + n))));
  assert.deepEqual(refusals(endings), {});
  assert.equal((await assertDense(playlist)).length, 13);
});

test('a concurrent edit and refinement lose nothing', async () => {
  const { user, playlist } = await playlistOf(2);
  const session = randomUUID();
  await sql`select public.ai_reserve(${session}, ${user}, 'rain', true, ${playlist})`;
  const save = asFunction('fn_ai', (tx) => tx`
    select public.save_generated_playlist(${session}, ${user}, 0.001, 'Rain', null, ${tracks(50)}::text::jsonb, ${playlist})`);
  const endings = await interleave([[asUser(user, addTracks(playlist, 9)), nothing], [nothing, save]]);
  assert.deepEqual(refusals(endings), {});
  assert.deepEqual(await assertDense(playlist), [uri(50)]);
  const rows = await sql`select t ->> 'track_uri' as uri from public.playlist_versions v, jsonb_array_elements(v.tracks) t where v.playlist_id = ${playlist}`;
  assert.deepEqual(rows.map((row) => row.uri), [uri(1), uri(2), uri(9)]);
});

test('concurrent adds keep the limit of a hundred tracks', async () => {
  const { user, playlist } = await playlistOf(98);
  const endings = await atOnce(Array.from({ length: 3 }, (_, n) => asUser(user, addTracks(playlist, 200 + n))));
  assert.deepEqual(refusals(endings), { PT409: 1 });
  assert.equal((await assertDense(playlist)).length, 100);
});

/** The version of the list, and its tracks by their numbers. */
async function listOf(playlist: string): Promise<[version: number, numbers: number[]]> {
  const [row] = await sql`select version from public.playlists where id = ${playlist}`;
  return [row?.version as number, (await assertDense(playlist)).map((it) => Number(it.slice(-22)))];
}

test('concurrent adds of the same track add it once', async () => {
  const { user, playlist } = await playlistOf(1);
  const endings = await atOnce(Array.from({ length: 3 }, () => asUser(user, addTracks(playlist, 77))));
  assert.deepEqual(refusals(endings), {});
  assert.deepEqual(await listOf(playlist), [2, [1, 77]]);
});

test('concurrent removals each remove their track, and the version counts each', async () => {
  const { user, playlist } = await playlistOf(6);
  const endings = await atOnce([[1], [2, 3], [5, 3]].map((numbers) => asUser(user, removeTracks(playlist, ...numbers))));
  assert.deepEqual(refusals(endings), {});
  assert.deepEqual(await listOf(playlist), [4, [4, 6]]);
});

test('concurrent moves lose nothing', async () => {
  const { user, playlist } = await playlistOf(6);
  const endings = await atOnce([[1, 4], [2, 5], [3, 6]].map(([number = 0, after = 0]) => asUser(user, moveTrack(playlist, number, after))));
  assert.deepEqual(refusals(endings), {});
  assert.deepEqual(await listOf(playlist), [4, [4, 1, 5, 2, 6, 3]]);
});

test('one of two replacements of the same version is refused and writes nothing', async () => {
  const { user, playlist } = await playlistOf(3);
  const replace = (...numbers: number[]): Step => (tx) =>
    tx`select * from public.replace_tracks(${playlist}, ${tracks(...numbers)}::text::jsonb, 1)`;
  const endings = await atOnce([asUser(user, replace(7, 8)), asUser(user, replace(9))]);
  assert.deepEqual(refusals(endings), { PT409: 1 });
  const [version, numbers] = await listOf(playlist);
  assert.deepEqual([version, numbers.length === 1 ? [9] : [7, 8]], [2, numbers]);
});

test('all kinds of concurrent edits leave no gap and no duplicate, and a version that counts the changes', async () => {
  const { user, playlist } = await playlistOf(50);
  const all = [addTracks(playlist, 300), removeTracks(playlist, 5), moveTrack(playlist, 1, 20), swapTrack(playlist, 9, 400)];
  const endings: Ending[] = [];
  for (const left of all) endings.push(...(await atOnce(all.filter((step) => step !== left).map((step) => asUser(user, step)))));
  assert.deepEqual(refusals(endings), {});
  const others = Array.from({ length: 50 }, (_, n) => n + 1).filter((n) => ![1, 5, 9].includes(n));
  const expected = [...others.toSpliced(others.indexOf(20) + 1, 0, 1).toSpliced(6, 0, 400), 300];
  assert.deepEqual(await listOf(playlist), [5, expected]);
});

test('concurrent edits of two playlists all succeed', async () => {
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

test('a row that bypasses the functions is refused by a playlist that is being deleted', async () => {
  const { user, playlist } = await playlistOf(3);
  const insert: Step = (tx) => tx`
    insert into public.playlist_tracks (playlist_id, position, track_uri) values (${playlist}, 50, ${uri(50)})`;
  const [deleted, inserted] = await interleave([[asUser(user, softDelete(playlist)), nothing], [nothing, insert]]);
  assert.deepEqual([deleted?.state, inserted?.state], [null, 'PT404']);
  assert.equal((await tracksOf(playlist)).filter((track) => !track.is_deleted).length, 0);
});

test('adding a track while the playlist is restored keeps the earlier tracks', async () => {
  const { user, playlist } = await playlistOf(3);
  await sql`update public.playlists set is_deleted = true where id = ${playlist}`;
  const endings = await atOnce([asUser(user, restore(playlist)), ...[7, 8].map((n) => asUser(user, addTracks(playlist, n)))]);
  assert.deepEqual(Object.keys(refusals(endings)).filter((state) => state !== 'PT404'), []);
  await assertDense(playlist);
  assert.ok((await tracksOf(playlist)).every((track) => !track.is_deleted));
});
