import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { assertRefused, call, createPlaylist, signUp, track } from './support.ts';
import type { User } from './support.ts';

const REPRESENTATION = { Prefer: 'return=representation' };

describe('writing tables', () => {
  let user: User;
  let other: User;
  before(async () => {
    [user, other] = await Promise.all([signUp(), signUp()]);
  });
  const insert = (body: unknown, headers: Record<string, string> = {}, query = '') =>
    call(`/rest/v1/playlists${query}`, { token: user.token, body, headers });
  const patch = (query: string, body: unknown, headers: Record<string, string> = {}) =>
    call(`/rest/v1/${query}`, { method: 'PATCH', token: user.token, body, headers });

  test('an insert answers nothing, or the row when asked', async () => {
    const minimal = await insert({ owner_id: user.id, name: 'Minimal' });
    assert.deepEqual([minimal.status, minimal.text], [201, '']);
    const asked = await insert({ owner_id: user.id, name: 'Minimal 2' }, { Prefer: 'return=minimal' });
    assert.deepEqual([asked.status, asked.text, asked.headers.get('preference-applied')], [201, '', 'return=minimal']);
    const full = await insert({ owner_id: user.id, name: '  Full ' }, REPRESENTATION);
    assert.equal(full.status, 201);
    assert.equal(full.headers.get('preference-applied'), 'return=representation');
    assert.deepEqual([full.json.length, full.json[0].name, full.json[0].description], [1, 'Full', null]);
  });

  test('an insert answers the columns asked for, as one object when asked', async () => {
    const { data, error } = await user.client.from('playlists').insert({ owner_id: user.id, name: 'Single' }).select('name, is_deleted').single();
    assert.equal(error, null);
    assert.deepEqual(data, { name: 'Single', is_deleted: false });
  });

  test('a list inserts all or nothing', async () => {
    const rows = ['One', 'Two', ''].map((name) => ({ owner_id: user.id, name }));
    assertRefused(await insert(rows), 400, '23514');
    const inserted = await insert(rows.slice(0, 2), REPRESENTATION, '?select=name');
    assert.deepEqual(inserted.json, [{ name: 'One' }, { name: 'Two' }]);
  });

  test('a broken check is 400 and names the constraint', async () => {
    const body = { owner_id: user.id, name: 'x'.repeat(101) };
    assertRefused(await insert(body), 400, '23514', /violates check constraint "playlists_name_length"$/);
  });

  test('a name that is taken is 409', async () => {
    await createPlaylist(user, 'Taken');
    const again = await insert({ owner_id: user.id, name: 'TAKEN' });
    assertRefused(again, 409, '23505', /^duplicate key value violates unique constraint "playlists_owner_name_idx"$/);
  });

  test('a missing value is 400', async () => {
    assertRefused(await insert({ owner_id: user.id }), 400, '23502', /null value in column "name"/);
  });

  test('columns without a grant cannot be written', async () => {
    const message = /^permission denied for table playlists$/;
    assertRefused(await insert({ owner_id: user.id, name: 'Chosen', id: randomUUID() }), 403, '42501', message);
    assertRefused(await patch(`playlists?owner_id=eq.${user.id}`, { created_at: '2020-01-01' }), 403, '42501', message);
    const plan = await patch(`profiles?user_id=eq.${user.id}`, { plan: 'pro' });
    assertRefused(plan, 403, '42501', /^permission denied for table profiles$/);
  });

  test('a row for somebody else is refused by the policy', async () => {
    const foreign = await insert({ owner_id: other.id, name: 'Gift' });
    assertRefused(foreign, 403, '42501', /^new row violates row-level security policy for table "playlists"$/);
  });

  test('an unknown column, or a body that is not JSON, is 400', async () => {
    assertRefused(await insert({ owner_id: user.id, name: 'x', nope: 1 }), 400, 'PGRST204', /^Could not find the 'nope' column of 'playlists'/);
    assertRefused(await insert('{'), 400, 'PGRST102');
  });

  test('an update answers nothing, or the rows when asked', async () => {
    const id = await createPlaylist(user);
    const minimal = await patch(`playlists?id=eq.${id}`, { description: 'Calm' });
    assert.deepEqual([minimal.status, minimal.text], [204, '']);
    const full = await patch(`playlists?id=eq.${id}&select=description`, { description: 'Wild' }, REPRESENTATION);
    assert.deepEqual([full.status, full.json], [200, [{ description: 'Wild' }]]);
  });

  test('an update of nothing is no error', async () => {
    const none = await patch(`playlists?id=eq.${randomUUID()}`, { description: 'x' }, REPRESENTATION);
    assert.deepEqual([none.status, none.json], [200, []]);
    assert.equal((await patch(`playlists?id=eq.${randomUUID()}`, { description: 'x' })).status, 204);
  });

  test("somebody else's rows cannot be updated", async () => {
    const id = await createPlaylist(other, 'Untouched');
    const answer = await patch(`playlists?id=eq.${id}`, { name: 'Stolen' }, REPRESENTATION);
    assert.deepEqual([answer.status, answer.json], [200, []]);
    const { data } = await other.client.from('playlists').select('name').eq('id', id).single();
    assert.equal(data?.name, 'Untouched');
  });

  test('a playlist is deleted softly and restored, its tracks with it', async () => {
    const id = await createPlaylist(user);
    await call('/rest/v1/rpc/add_tracks', { token: user.token, body: { playlist_id: id, tracks: [track(1)] } });
    const live = () => call(`/rest/v1/playlist_tracks?select=is_deleted&playlist_id=eq.${id}`, { token: user.token });
    await patch(`playlists?id=eq.${id}`, { is_deleted: true });
    assert.deepEqual((await live()).json, [{ is_deleted: true }]);
    await patch(`playlists?id=eq.${id}`, { is_deleted: false });
    assert.deepEqual((await live()).json, [{ is_deleted: false }]);
  });

  test('a delete without a grant is refused', async () => {
    const answer = await call(`/rest/v1/playlists?owner_id=eq.${user.id}`, { method: 'DELETE', token: user.token });
    assertRefused(answer, 403, '42501', /^permission denied for table playlists$/);
  });

  test('tracks are written through the functions only', async () => {
    const playlist_id = await createPlaylist(user);
    const body = { playlist_id, position: 1, track_uri: track(1).track_uri };
    const answer = await call('/rest/v1/playlist_tracks', { token: user.token, body });
    assertRefused(answer, 403, '42501', /^permission denied for table playlist_tracks$/);
  });

  test('what is checked at the end of the transaction is answered all the same', async () => {
    const collector = await signUp();
    const rows = Array.from({ length: 51 }, (_, number) => ({ owner_id: collector.id, name: `List ${number}` }));
    const add = (body: unknown) => call('/rest/v1/playlists', { token: collector.token, body });
    assertRefused(await add(rows), 409, 'PT409', /^playlist limit reached/);
    assert.equal((await add(rows.slice(0, 50))).status, 201);
    assertRefused(await add(rows.slice(50)), 409, 'PT409', /^playlist limit reached/);
  });
});
