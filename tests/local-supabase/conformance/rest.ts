import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { assertRefused, call, createPlaylist, ISO_TIMESTAMP, secret_key, signUp, track } from './support.ts';
import type { Reply, User } from './support.ts';

const OBJECT = 'application/vnd.pgrst.object+json';
const REPRESENTATION = { Prefer: 'return=representation' };

describe('the data API', () => {
  let user: User;
  let other: User;
  let alpha: string;
  let foreign: string;
  before(async () => {
    [user, other] = await Promise.all([signUp(), signUp()]);
    alpha = await createPlaylist(user, 'Alpha');
    await createPlaylist(user, 'Beta');
    await createPlaylist(user, 'Gamma, and "more"');
    foreign = await createPlaylist(other, 'Foreign');
    assert.equal((await rpc('add_tracks', { playlist_id: alpha, tracks: [track(3), track(1), track(2)] })).status, 200);
  });
  const get = (query: string, headers: Record<string, string> = {}): Promise<Reply> => call(`/rest/v1/${query}`, { token: user.token, headers });
  const postTo = (table: string, body: unknown): Promise<Reply> => call(`/rest/v1/${table}`, { token: user.token, body });
  const insert = (body: unknown): Promise<Reply> => postTo('playlists', body);
  const patch = (query: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply> =>
    call(`/rest/v1/${query}`, { method: 'PATCH', token: user.token, body, headers });
  const rpc = (name: string, body: unknown): Promise<Reply> => call(`/rest/v1/rpc/${name}`, { token: user.token, body });
  const asService = (name: string, body: unknown): Promise<Reply> => call(`/rest/v1/rpc/${name}`, { key: secret_key, body });
  const mine = (name: string): object => ({ owner_id: user.id, name });

  /** The refused requests, each with the status, the code and the message of the response. */
  const REFUSALS: Record<string, [ask: () => Promise<Reply>, status: number, code: string, message?: RegExp]> = {
    'the publishable key alone is anon, which reads nothing': [() => call('/rest/v1/playlists'), 401, '42501', /^permission denied for table playlists$/],
    'a publishable key in the place of the token is anon': [() => call('/rest/v1/playlists', { token: process.env.SUPABASE_PUBLISHABLE_KEY }), 401, '42501'],
    'the secret key reads no table': [() => call('/rest/v1/playlists', { key: secret_key }), 403, '42501', /^permission denied for table playlists$/],
    'a user calls no function of the server': [() => rpc('delete_spotify_tokens', { p_user_id: user.id }), 403, '42501', /^permission denied for function delete_/],
    'anon calls no function of the server': [() => call('/rest/v1/rpc/delete_spotify_tokens', { body: { p_user_id: user.id } }), 401, '42501'],
    'a token of two parts': [() => call('/rest/v1/playlists', { token: 'a.b' }), 401, 'PGRST301', /^Expected 3 parts in JWT; got 2$/],
    'a table without a grant': [() => get('spotify_tokens'), 403, '42501', /^permission denied for table spotify_tokens$/],
    'one object of none': [() => get('playlists?select=name&name=eq.None', { Accept: OBJECT }), 406, 'PGRST116'],
    'an unknown table': [() => get('no_such_table'), 404, 'PGRST205', /^Could not find the table 'public.no_such_table' in the schema cache$/],
    'a partition by its name': [() => get(`ai_sessions_${new Date().toISOString().slice(0, 7).replace('-', '_')}`), 404, 'PGRST205'],
    'an unknown column that is selected': [() => get('playlists?select=nope'), 400, '42703', /^column playlists.nope does not exist$/],
    'an unknown column that is filtered by': [() => get('playlists?nope=eq.1'), 400, '42703', /^column playlists.nope does not exist$/],
    'an unknown operator': [() => get('playlists?name=zzz.1'), 400, 'PGRST100'],
    'a filter of the wrong type': [() => get('playlists?id=eq.not-a-uuid'), 400, '22P02', /^invalid input syntax for type uuid: "not-a-uuid"$/],
    'a list of which one row is wrong': [() => insert(['One', 'Two', ''].map(mine)), 400, '23514'],
    'a broken check': [() => insert(mine('x'.repeat(101))), 400, '23514', /violates check constraint "playlists_name_length"$/],
    'a name that is taken': [() => insert(mine('ALPHA')), 409, '23505', /^duplicate key value violates unique constraint "playlists_owner_name_idx"$/],
    'a missing value': [() => insert({ owner_id: user.id }), 400, '23502', /null value in column "name"/],
    'a column without a grant, inserted': [() => insert({ ...mine('Chosen'), id: randomUUID() }), 403, '42501', /^permission denied for table playlists$/],
    'a column without a grant, updated': [() => patch(`playlists?owner_id=eq.${user.id}`, { created_at: '2020-01-01' }), 403, '42501'],
    'the plan, by its owner': [() => patch(`profiles?user_id=eq.${user.id}`, { plan: 'pro' }), 403, '42501', /^permission denied for table profiles$/],
    'a row for another user': [() => insert({ ...mine('Gift'), owner_id: other.id }), 403, '42501', /^new row violates row-level security policy for table "playlists"$/],
    'an unknown column that is inserted': [() => insert({ ...mine('x'), nope: 1 }), 400, 'PGRST204', /^Could not find the 'nope' column of 'playlists'/],
    'a body that is not JSON': [() => insert('{'), 400, 'PGRST102'],
    'a delete without a grant': [() => call(`/rest/v1/playlists?owner_id=eq.${user.id}`, { method: 'DELETE', token: user.token }), 403, '42501'],
    'a track that is not written by its function': [() => postTo('playlist_tracks', { playlist_id: alpha, position: 9, track_uri: track(1).track_uri }), 403, '42501'],
    'a writing function by GET': [() => get(`rpc/move_track?playlist_id=${alpha}&track_uri=${track(1).track_uri}`), 405, '25006', /read-only transaction/],
    'a SQLSTATE that names 404': [() => rpc('add_tracks', { playlist_id: randomUUID(), tracks: [] }), 404, 'PT404', /^playlist not found$/],
    'a SQLSTATE that names 409': [() => rpc('add_tracks', { playlist_id: alpha, tracks: [track(8), track(8)] }), 409, 'PT409', /^duplicate track/],
    'a SQLSTATE that names 422': [() => rpc('add_tracks', { playlist_id: alpha, tracks: [{ track_uri: 'x' }] }), 422, 'PT422', /^tracks\[0\]/],
    'an unknown function': [() => rpc('no_such_function', {}), 404, 'PGRST202'],
    'a missing argument': [() => rpc('add_tracks', { playlist_id: randomUUID() }), 404, 'PGRST202'],
    'an argument of the wrong type': [() => rpc('add_tracks', { playlist_id: 'not-a-uuid', tracks: [] }), 400, '22P02'],
    'an argument outside of its enum': [() => asService('ai_settle', { p_session_id: alpha, p_user_id: user.id, p_status: 'none', p_cost: 0 }), 400, '22P02'],
    'a function of another schema': [() => rpc('playlist_limit', {}), 404, 'PGRST202'],
    'another schema': [() => call('/rest/v1/rpc/playlist_limit', { token: user.token, body: {}, headers: { 'Content-Profile': 'private' } }), 406, 'PGRST106'],
  };
  for (const [what, [ask, status, code, message]] of Object.entries(REFUSALS)) {
    test(`refuses: ${what}`, async () => assertRefused(await ask(), status, code, message));
  }

  test('refuses a token with a wrong signature, payload or algorithm', async () => {
    const [header = '', payload = '', signature = ''] = user.token.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
    const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
    const forged = `${header}.${encoded({ ...claims, role: 'service_role' })}.${signature}`;
    const unsigned = `${encoded({ alg: 'none', typ: 'JWT' })}.${payload}.x`;
    for (const token of [`${header}.${payload}.${signature.slice(0, -8)}AAAAAAAA`, forged, unsigned]) {
      assertRefused(await call('/rest/v1/playlists', { token }), 401, 'PGRST301');
    }
  });

  test('filters select among the user’s own rows', async () => {
    const [a, b, c] = ['Alpha', 'Beta', 'Gamma, and "more"'];
    for (const [query, expected] of [
      ['', [a, b, c]], [`owner_id=eq.${other.id}`, []], ['name=eq.Beta', [b]], ['name=neq.Beta', [a, c]],
      ['name=in.(Alpha,"Gamma, and \\"more\\"")', [a, c]], ['name=ilike.*ET*', [b]], ['name=gte.Beta', [b, c]], ['description=not.is.null', []],
      ['is_deleted=is.false&name=lt.Beta', [a]], ['or=(name.eq.Alpha,name.like.Gamma*)', [a, c]],
    ] as const) {
      const { json } = await get(`playlists?select=name&order=name&${query}`);
      assert.deepEqual(json.map((row: { name: string }) => row.name), expected, query);
    }
    assert.deepEqual((await get('playlists?select=title:name&order=name.desc&limit=1&offset=1')).json, [{ title: 'Beta' }]);
  });

  test('one row can be read as an object, also by supabase-js', async () => {
    const found = await get(`playlists?select=name&id=eq.${alpha}`, { Accept: OBJECT });
    assert.deepEqual([found.status, found.json], [200, { name: 'Alpha' }]);
    assert.match(found.headers.get('content-type') ?? '', /^application\/vnd\.pgrst\.object\+json/);
    const none = await user.client.from('playlists').select('name').eq('name', 'None').maybeSingle();
    assert.deepEqual([none.data, none.error], [null, null]);
  });

  test('playlists embed their tracks or their number, tracks embed their playlist', async () => {
    const counted = await get('playlists?select=name,playlist_tracks(count)&order=name&limit=2');
    assert.deepEqual(counted.json.map((row: any) => [row.name, row.playlist_tracks]), [['Alpha', [{ count: 3 }]], ['Beta', [{ count: 0 }]]]);
    const columns = 'playlist_tracks(position,title,added_at,explicit)';
    const [{ playlist_tracks: tracks, ...rest }] = (await get(`playlists?select=*,${columns}&id=eq.${alpha}&playlist_tracks.order=position.desc`)).json;
    const { created_at, updated_at, ...plain } = rest;
    assert.ok(ISO_TIMESTAMP.test(created_at) && ISO_TIMESTAMP.test(updated_at));
    assert.deepEqual(plain, { id: alpha, owner_id: user.id, name: 'Alpha', description: null, is_deleted: false, deleted_at: null, version: 1 });
    assert.deepEqual(tracks.map((row: any) => [row.position, row.title, row.explicit]), [[3, 'Title 2', null], [2, 'Title 1', null], [1, 'Title 3', null]]);
    assert.match(tracks[0].added_at, ISO_TIMESTAMP);
    const of = (name: string): Promise<Reply> => get(`playlist_tracks?select=title,playlists!inner(name)&playlists.name=eq.${name}&order=position`);
    const [first, ...more] = (await of('Alpha')).json;
    assert.deepEqual([first, more.length, (await of('Beta')).json], [{ title: 'Title 3', playlists: { name: 'Alpha' } }, 2, []]);
  });

  test('an insert returns nothing, or the requested columns', async () => {
    const writer = await signUp();
    const add = (name: string, headers = {}): Promise<Reply> => call('/rest/v1/playlists', { token: writer.token, body: { owner_id: writer.id, name }, headers });
    const told = ({ status, text, headers }: Reply): unknown[] => [status, text, headers.get('preference-applied')];
    assert.deepEqual(told(await add('Minimal')), [201, '', null]);
    assert.deepEqual(told(await add('Minimal 2', { Prefer: 'return=minimal' })), [201, '', 'return=minimal']);
    const rows = ['One', 'Two'].map((name) => ({ owner_id: writer.id, name }));
    const listed = await call('/rest/v1/playlists?select=name', { token: writer.token, body: rows, headers: REPRESENTATION });
    assert.deepEqual(listed.json, [{ name: 'One' }, { name: 'Two' }]);
  });

  test('an update returns nothing, or the rows on request, and changes only the user’s own rows', async () => {
    const update = async (id: string, headers = {}): Promise<unknown[]> => {
      const { status, text } = await patch(`playlists?id=eq.${id}&select=description`, { description: 'Calm' }, headers);
      return [status, text === '' ? text : JSON.parse(text)];
    };
    assert.deepEqual([await update(alpha), await update(alpha, REPRESENTATION)], [[204, ''], [200, [{ description: 'Calm' }]]]);
    for (const id of [randomUUID(), foreign]) assert.deepEqual([await update(id), await update(id, REPRESENTATION)], [[204, ''], [200, []]]);
    await patch(`playlists?id=eq.${alpha}`, { description: null });
  });

  test('an error at the end of the transaction is returned like any other', async () => {
    const collector = await signUp();
    const rows = Array.from({ length: 51 }, (_, number) => ({ owner_id: collector.id, name: `List ${number}` }));
    const add = (body: unknown) => call('/rest/v1/playlists', { token: collector.token, body });
    assertRefused(await add(rows), 409, 'PT409', /^playlist limit reached/);
    assert.equal((await add(rows.slice(0, 50))).status, 201);
    assertRefused(await add(rows.slice(50)), 409, 'PT409', /^playlist limit reached/);
  });

  test('functions return objects, lists, scalars, nothing or JSON', async () => {
    const writer = await signUp();
    const playlist_id = await createPlaylist(writer);
    const added = await call('/rest/v1/rpc/add_tracks', { token: writer.token, body: { playlist_id, tracks: [track(1), track(2)] } });
    assert.equal(added.json.version, 1);
    assert.deepEqual(added.json.tracks.map((row: any) => [row.position, row.title, row.duration_ms]), [[1, 'Title 1', null], [2, 'Title 2', null]]);
    assert.match(added.json.tracks[0].added_at, ISO_TIMESTAMP);
    const track_uris = [track(1).track_uri];
    const removed = await call('/rest/v1/rpc/remove_tracks', { token: writer.token, body: { playlist_id, track_uris } });
    assert.deepEqual([removed.status, removed.json.version, removed.json.tracks[0].title], [200, 2, 'Title 2']);
    const ids = { p_user_id: writer.id, p_secret: 's'.repeat(32) };
    assert.deepEqual((await asService('get_spotify_tokens', ids)).json, []);
    assert.equal((await asService('delete_spotify_tokens', { p_user_id: writer.id })).text, 'false');
    const stored = await asService('store_spotify_tokens', { ...ids, p_access_token: 'a', p_refresh_token: 'r', p_expires_at: '2130-01-02T03:04:05.678Z' });
    assert.deepEqual([stored.status, stored.text], [204, '']);
    assert.equal((await asService('get_spotify_tokens', ids)).json[0].expires_at, '2130-01-02T03:04:05.678+00:00');
    assert.equal((await call('/rest/v1/rpc/usage', { token: writer.token })).json.plan, 'free', 'a stable one can be called with GET');
  });

  test('a generation is reserved and settled, and its cost keeps its four decimals', async () => {
    const ids = { p_session_id: randomUUID(), p_user_id: user.id };
    const { json: reserved } = await asService('ai_reserve', { ...ids, p_prompt: 'x', p_save: false });
    assert.deepEqual([reserved.outcome, reserved.quota.used], ['reserved', 1]);
    const { json: settled } = await asService('ai_settle', { ...ids, p_status: 'succeeded', p_cost: 0.012 });
    assert.deepEqual([settled.outcome, settled.status], ['settled', 'succeeded']);
    const { text, json } = await get(`ai_sessions?select=cost,status,created_at&id=eq.${ids.p_session_id}`);
    assert.match(text, /"cost":0\.0120[,}]/);
    assert.ok(json[0].status === 'succeeded' && ISO_TIMESTAMP.test(json[0].created_at));
  });
});
