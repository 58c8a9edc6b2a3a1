// Races about the number and the names of playlists.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import type { Step } from './interleave.ts';
import { atOnce, interleave, nothing, refusals } from './interleave.ts';
import { asFunction, asUser, insertPlaylist, userWithPlaylists, livePlaylists, sql, tracks } from './users.ts';

const update = (id: string, values: { name: string } | { is_deleted: boolean }): Step => (tx) => tx`update public.playlists set ${tx(values)} where id = ${id}`;
const restore = (id: string) => update(id, { is_deleted: false });
const remove = (id: string) => update(id, { is_deleted: true });
const rename = (id: string, name: string) => update(id, { name });

test('of 40 concurrent playlists beyond 40 ten are created, and the others are refused', async () => {
  const { user } = await userWithPlaylists(40);
  const countBeforeCommit: Step = (tx) => tx`set constraints all immediate`;
  const endings = await interleave(Array.from({ length: 40 }, (_, n) => [asUser(user, insertPlaylist(user, `New ${n}`)), countBeforeCommit]));
  assert.deepEqual(refusals(endings), { PT409: 30 });
  assert.equal(await livePlaylists(user), 50);
});

test('restoring a playlist counts as creating one', async () => {
  const { user, deleted } = await userWithPlaylists(45, 20);
  const restored = deleted.map((id) => asUser(user, restore(id)));
  const made = Array.from({ length: 10 }, (_, n) => asUser(user, insertPlaylist(user, `New ${n}`)));
  assert.deepEqual(refusals(await atOnce([...restored, ...made])), { PT409: 25 });
  assert.equal(await livePlaylists(user), 50);
});

test('a bulk insert succeeds or fails as a whole', async () => {
  const { user } = await userWithPlaylists(30);
  const bulk = (name: string): Step => (tx) =>
    tx`insert into public.playlists (owner_id, name) select ${user}, ${name} || n from generate_series(1, 8) n`;
  const endings = await atOnce(['a', 'b', 'c', 'd'].map((name) => asUser(user, bulk(name))));
  assert.deepEqual(refusals(endings), { PT409: 2 });
  assert.equal(await livePlaylists(user), 46);
});

test('concurrent transactions at the limit can each delete one playlist and create one', async () => {
  const { user, live } = await userWithPlaylists(50);
  const endings = await interleave(
    live.slice(0, 20).map((id, n) => [asUser(user, insertPlaylist(user, `Instead ${n}`)), remove(id)]),
  );
  assert.deepEqual(refusals(endings), {});
  assert.equal(await livePlaylists(user), 50);
});

test('one of many concurrent playlists gets a name, in whatever case', async () => {
  const { user } = await userWithPlaylists(0);
  const names = ['Zażółć gęślą jaźń', 'ZAŻÓŁĆ GĘŚLĄ JAŹŃ', 'zażółć gęślą jaźń', 'Zażółć Gęślą Jaźń'];
  const spaced = names.map((name) => `  ${name}\u00a0`);
  const endings = await atOnce([...names, ...spaced].map((name) => asUser(user, insertPlaylist(user, name))));
  assert.deepEqual(refusals(endings), { 23505: 7 });
  assert.equal(await livePlaylists(user), 1);
});

test('restoring two playlists and renaming the second do not deadlock', async () => {
  const { user, deleted } = await userWithPlaylists(0, 2);
  const [one, two] = deleted as [string, string];
  const endings = await interleave([[asUser(user, restore(one)), restore(two)], [asUser(user, rename(two, 'Second')), rename(one, 'First')]]);
  assert.deepEqual(refusals(endings), {});
  assert.equal(await livePlaylists(user), 2);
});

test('two transactions that swap names in opposite orders do not deadlock', async () => {
  const { user, live } = await userWithPlaylists(2);
  const [one, two] = live as [string, string];
  const endings = await interleave([[asUser(user, rename(one, 'A')), rename(two, 'B')], [asUser(user, rename(two, 'A')), rename(one, 'B')]]);
  assert.deepEqual(Object.keys(refusals(endings)).filter((state) => state !== '23505'), []);
});

test('creating a playlist and saving a generated one of the same name both succeed', async () => {
  const { user } = await userWithPlaylists(0);
  const session = randomUUID();
  await sql`select public.ai_reserve(${session}, ${user}, 'rain', true)`;
  const save = asFunction('fn_ai', (tx) => tx`
    select public.save_generated_playlist(${session}, ${user}, 0.001, 'Rain', null, ${tracks(1)}::text::jsonb)`);
    const endings = await interleave([[asUser(user, insertPlaylist(user, 'Rain')), nothing], [nothing, save]]);
  assert.deepEqual(refusals(endings), {});
  const rows = await sql`select name from public.playlists where owner_id = ${user} order by name`;
  assert.deepEqual(rows.map((row) => row.name), ['Rain', 'Rain (2)']);
});

test('deleting and restoring two playlists in opposite orders does not deadlock', async () => {
  const { user, live } = await userWithPlaylists(2);
  const [one, two] = live as [string, string];
  await sql`select set_config('request.jwt.claims', ${JSON.stringify({ role: 'authenticated', sub: user })}, false)`;
  for (const id of live) await sql`select * from public.add_tracks(${id}, ${tracks(1, 2, 3)}::text::jsonb)`;
  const endings = await interleave([
    [asUser(user, remove(one)), restore(one)],
    [asUser(user, remove(two)), restore(two)],
    [asUser(user, remove(two)), remove(one)],
  ]);
  assert.deepEqual(refusals(endings), {});
  const [row] = await sql`
    select bool_and(t.is_deleted = p.is_deleted) as mirrored
    from public.playlists p join public.playlist_tracks t on t.playlist_id = p.id where p.owner_id = ${user}`;
  assert.equal(row?.mirrored, true);
});

test('concurrent copies get different names, and concurrent sharing creates one link', async () => {
  const { user, live } = await userWithPlaylists(1);
  const [playlist] = live as [string];
  const share: Step = (tx) => tx`select public.share_playlist(${playlist})`;
  const duplicate: Step = (tx) => tx`select public.duplicate_playlist(${playlist})`;
  assert.deepEqual(refusals(await atOnce([share, share, share].map((step) => asUser(user, step)))), {});
  assert.equal((await sql`select from public.shared_playlists where playlist_id = ${playlist}`).length, 1);
  assert.deepEqual(refusals(await atOnce(Array.from({ length: 10 }, () => asUser(user, duplicate)))), {});
  const names = await sql<{ name: string }[]>`select name from public.playlists where owner_id = ${user} order by length(name), name`;
  assert.deepEqual(names.map(({ name }) => name), ['Live 1', ...Array.from({ length: 10 }, (_, n) => `Live 1 (${n + 2})`)]);
});
