import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { assertRefused, call, createPlaylist, ISO_TIMESTAMP, signUp, track } from './support.ts';
import type { Answer, User } from './support.ts';

const OBJECT = 'application/vnd.pgrst.object+json';

describe('reading tables', () => {
  let user: User;
  let other: User;
  let first_id: string;
  before(async () => {
    [user, other] = await Promise.all([signUp(), signUp()]);
    first_id = await createPlaylist(user, 'Alpha');
    await createPlaylist(user, 'Beta');
    await createPlaylist(user, 'Gamma, and "more"');
    await createPlaylist(other, 'Foreign');
    const tracks = [track(3), track(1), track(2)];
    assert.equal((await call('/rest/v1/rpc/add_tracks', { token: user.token, body: { playlist_id: first_id, tracks } })).status, 200);
  });
  const get = (query: string, headers: Record<string, string> = {}): Promise<Answer> =>
    call(`/rest/v1/${query}`, { token: user.token, headers });
  const names = async (query: string) => (await get(`playlists?select=name&order=name&${query}`)).json.map((row: { name: string }) => row.name);

  test('a user sees their own rows only', async () => {
    assert.deepEqual(await names(''), ['Alpha', 'Beta', 'Gamma, and "more"']);
    assert.deepEqual(await names(`owner_id=eq.${other.id}`), []);
  });

  test('values come as PostgreSQL makes JSON of them', async () => {
    const { json } = await get(`playlists?id=eq.${first_id}`);
    assert.equal(json.length, 1);
    const { created_at, updated_at, ...rest } = json[0];
    assert.match(created_at, ISO_TIMESTAMP);
    assert.match(updated_at, ISO_TIMESTAMP);
    assert.deepEqual(rest, { id: first_id, owner_id: user.id, name: 'Alpha', description: null, is_deleted: false, deleted_at: null });
  });

  test('filters choose rows', async () => {
    assert.deepEqual(await names('name=eq.Beta'), ['Beta']);
    assert.deepEqual(await names('name=neq.Beta'), ['Alpha', 'Gamma, and "more"']);
    assert.deepEqual(await names('name=in.(Alpha,"Gamma, and \\"more\\"")'), ['Alpha', 'Gamma, and "more"']);
    assert.deepEqual(await names('name=ilike.*ET*'), ['Beta']);
    assert.deepEqual(await names('name=gte.Beta'), ['Beta', 'Gamma, and "more"']);
    assert.deepEqual(await names('description=not.is.null'), []);
    assert.deepEqual(await names('is_deleted=is.false&name=lt.Beta'), ['Alpha']);
    assert.deepEqual(await names('or=(name.eq.Alpha,name.like.Gamma*)'), ['Alpha', 'Gamma, and "more"']);
  });

  test('order, limit and offset shape the list', async () => {
    const { json } = await get('playlists?select=title:name&order=name.desc&limit=1&offset=1');
    assert.deepEqual(json, [{ title: 'Beta' }]);
  });

  test('an exact count is told, for the whole and for a page', async () => {
    const whole = await get('playlists?select=id', { Prefer: 'count=exact' });
    assert.deepEqual([whole.status, whole.headers.get('content-range')], [200, '0-2/3']);
    const page = await get('playlists?select=id&limit=1&offset=1', { Prefer: 'count=exact' });
    assert.deepEqual([page.status, page.headers.get('content-range')], [206, '1-1/3']);
    const { count, data } = await user.client.from('playlists').select('*', { count: 'exact', head: true });
    assert.deepEqual([count, data], [3, null]);
  });

  test('without a count the range is told without a total', async () => {
    const { status, headers } = await get('playlists?select=id');
    assert.deepEqual([status, headers.get('content-range')], [200, '0-2/*']);
  });

  test('the Range header asks for a page', async () => {
    const page = await get('playlists?select=name&order=name', { Range: '1-2', 'Range-Unit': 'items', Prefer: 'count=exact' });
    assert.deepEqual([page.status, page.headers.get('content-range'), page.json.length], [206, '1-2/3', 2]);
    assertRefused(await get('playlists?select=name', { Range: '10-11', Prefer: 'count=exact' }), 416, 'PGRST103');
  });

  test('one row can be asked for as an object', async () => {
    const found = await get(`playlists?select=name&id=eq.${first_id}`, { Accept: OBJECT });
    assert.deepEqual([found.status, found.json], [200, { name: 'Alpha' }]);
    assert.match(found.headers.get('content-type') ?? '', /^application\/vnd\.pgrst\.object\+json/);
    assertRefused(await get('playlists?select=name&name=eq.None', { Accept: OBJECT }), 406, 'PGRST116');
    assertRefused(await get('playlists?select=name', { Accept: OBJECT }), 406, 'PGRST116');
  });

  test('supabase-js answers one row, or null, or an error', async () => {
    const { data } = await user.client.from('playlists').select('name').eq('id', first_id).single();
    assert.deepEqual(data, { name: 'Alpha' });
    const none = await user.client.from('playlists').select('name').eq('name', 'None').maybeSingle();
    assert.deepEqual([none.data, none.error], [null, null]);
    const { error, status } = await user.client.from('playlists').select('name').eq('name', 'None').single();
    assert.deepEqual([status, error?.code], [406, 'PGRST116']);
  });

  test('playlists come with the count of their tracks', async () => {
    const { json } = await get('playlists?select=*,playlist_tracks(count)&order=name');
    assert.deepEqual(json.map((row: any) => [row.name, row.playlist_tracks]), [
      ['Alpha', [{ count: 3 }]],
      ['Beta', [{ count: 0 }]],
      ['Gamma, and "more"', [{ count: 0 }]],
    ]);
  });

  test('a playlist comes with its tracks in order, their values as in a table', async () => {
    const { json } = await get(
      `playlists?select=name,playlist_tracks(position,title,added_at,explicit)&id=eq.${first_id}&playlist_tracks.order=position.desc`,
    );
    const tracks = json[0].playlist_tracks;
    assert.deepEqual(tracks.map((row: any) => [row.position, row.title]), [[3, 'Title 2'], [2, 'Title 1'], [1, 'Title 3']]);
    assert.match(tracks[0].added_at, ISO_TIMESTAMP);
    assert.equal(tracks[0].explicit, null);
  });

  test('a track comes with its playlist, which can be filtered by', async () => {
    const { json } = await get('playlist_tracks?select=title,playlists!inner(name)&playlists.name=eq.Alpha&order=position');
    assert.deepEqual(json[0], { title: 'Title 3', playlists: { name: 'Alpha' } });
    assert.equal(json.length, 3);
    assert.deepEqual((await get('playlist_tracks?select=title,playlists!inner(name)&playlists.name=eq.Beta')).json, []);
  });

  test('what is not there is named', async () => {
    assertRefused(await get('no_such_table'), 404, 'PGRST205', /^Could not find the table 'public.no_such_table' in the schema cache$/);
    assertRefused(await get('playlists?select=nope'), 400, '42703', /^column playlists.nope does not exist$/);
    assertRefused(await get('playlists?nope=eq.1'), 400, '42703', /^column playlists.nope does not exist$/);
    assertRefused(await get('playlists?select=name,profiles_nope(*)'), 400, 'PGRST200');
  });

  test('a query that cannot be read is refused', async () => {
    assertRefused(await get('playlists?name=zzz.1'), 400, 'PGRST100');
    assertRefused(await get('playlists?id=eq.not-a-uuid'), 400, '22P02', /^invalid input syntax for type uuid: "not-a-uuid"$/);
  });

  test('a table that a user has no grant on is refused', async () => {
    assertRefused(await get('spotify_tokens'), 403, '42501', /^permission denied for table spotify_tokens$/);
    const { headers, status } = await call('/rest/v1/spotify_tokens', { method: 'HEAD', token: user.token });
    assert.equal(status, 403);
    assert.equal(headers.get('content-range'), null);
  });

  test('partitions cannot be reached by name', async () => {
    const month = new Date().toISOString().slice(0, 7).replace('-', '_');
    assertRefused(await get(`ai_sessions_${month}`), 404, 'PGRST205');
  });
});
