import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { assertRefused, call, createPlaylist, ISO_TIMESTAMP, secret_key, signUp, track } from './support.ts';
import type { User } from './support.ts';

describe('functions of the database', () => {
  let user: User;
  before(async () => {
    user = await signUp();
  });
  const rpc = (name: string, body: unknown) => call(`/rest/v1/rpc/${name}`, { token: user.token, body });

  test('one that answers a set of rows answers them as a list, in order', async () => {
    const playlist_id = await createPlaylist(user);
    const { status, json } = await rpc('add_tracks', { playlist_id, tracks: [track(1), track(2)] });
    assert.equal(status, 200);
    assert.deepEqual(json.map((row: { position: number; title: string }) => [row.position, row.title]), [[1, 'Title 1'], [2, 'Title 2']]);
    assert.match(json[0].added_at, ISO_TIMESTAMP);
    assert.deepEqual([json[0].duration_ms, json[0].explicit], [null, null]);
  });

  test('an argument may have the name of a keyword', async () => {
    const playlist_id = await createPlaylist(user);
    await rpc('add_tracks', { playlist_id, tracks: [track(1), track(2)] });
    const { status, json } = await rpc('remove_track', { playlist_id, position: 1 });
    assert.deepEqual([status, json.length, json[0].title, json[0].position], [200, 1, 'Title 2', 1]);
  });

  test('its rows can be chosen from, sorted and cut like a table', async () => {
    const playlist_id = await createPlaylist(user);
    const { json } = await call('/rest/v1/rpc/add_tracks?select=position&order=position.desc&limit=1', {
      token: user.token,
      body: { playlist_id, tracks: [track(1), track(2)] },
    });
    assert.deepEqual(json, [{ position: 2 }]);
  });

  test('one that answers no row answers an empty list', async () => {
    const answer = await call('/rest/v1/rpc/get_spotify_tokens', { key: secret_key, body: { p_user_id: user.id, p_secret: 'x'.repeat(32) } });
    assert.deepEqual([answer.status, answer.json], [200, []]);
  });

  test('one that answers a scalar answers it bare', async () => {
    const answer = await call('/rest/v1/rpc/delete_spotify_tokens', { key: secret_key, body: { p_user_id: user.id } });
    assert.deepEqual([answer.status, answer.text], [200, 'false']);
  });

  test('one that answers nothing answers 204', async () => {
    const expires_at = '2030-01-02T03:04:05.678Z';
    const p_secret = 's'.repeat(32);
    const stored = await call('/rest/v1/rpc/store_spotify_tokens', {
      key: secret_key,
      body: { p_user_id: user.id, p_secret, p_access_token: 'a', p_refresh_token: 'r', p_expires_at: expires_at },
    });
    assert.deepEqual([stored.status, stored.text], [204, '']);
    const { json } = await call('/rest/v1/rpc/get_spotify_tokens', { key: secret_key, body: { p_user_id: user.id, p_secret } });
    assert.deepEqual(json, [{ access_token: 'a', refresh_token: 'r', expires_at: '2030-01-02T03:04:05.678+00:00', state: 'fresh' }]);
  });

  test('one that answers jsonb answers the value itself', async () => {
    const { data } = await user.client.rpc('usage');
    assert.deepEqual(data.playlists.limit, 50);
    assert.equal(typeof data.ai.remaining, 'number');
    assert.equal(data.ai.next_free_at, null);
  });

  test('a stable one can be called with GET', async () => {
    const { status, json } = await call('/rest/v1/rpc/usage', { token: user.token });
    assert.deepEqual([status, json.plan], [200, 'free']);
  });

  test('one that writes cannot be called with GET', async () => {
    const playlist_id = await createPlaylist(user);
    const answer = await call(`/rest/v1/rpc/remove_track?playlist_id=${playlist_id}&position=1`, { token: user.token });
    assertRefused(answer, 405, '25006', /read-only transaction/);
  });

  test('a SQLSTATE of PT and a number becomes that status', async () => {
    const playlist_id = await createPlaylist(user);
    assertRefused(await rpc('add_tracks', { playlist_id: randomUUID(), tracks: [] }), 404, 'PT404', /^playlist not found$/);
    assertRefused(await rpc('add_tracks', { playlist_id, tracks: [track(1), track(1)] }), 409, 'PT409', /^duplicate track/);
    assertRefused(await rpc('add_tracks', { playlist_id, tracks: [{ track_uri: 'x' }] }), 422, 'PT422', /^tracks\[0\]/);
  });

  test('a refusal leaves nothing behind', async () => {
    const playlist_id = await createPlaylist(user);
    await rpc('add_tracks', { playlist_id, tracks: [track(1)] });
    assertRefused(await rpc('replace_tracks', { playlist_id, tracks: [track(2), track(2)] }), 409, 'PT409');
    const { data } = await user.client.from('playlist_tracks').select('title').eq('playlist_id', playlist_id);
    assert.deepEqual(data, [{ title: 'Title 1' }]);
  });

  test('an unknown name, or arguments that fit none of that name, is not found', async () => {
    assertRefused(await rpc('no_such_function', {}), 404, 'PGRST202');
    assertRefused(await rpc('add_tracks', { playlist_id: randomUUID() }), 404, 'PGRST202');
    assertRefused(await rpc('add_tracks', { playlist_id: randomUUID(), tracks: [], extra: 1 }), 404, 'PGRST202');
  });

  test('an argument that is not of its type is refused', async () => {
    assertRefused(await rpc('add_tracks', { playlist_id: 'not-a-uuid', tracks: [] }), 400, '22P02');
    const body = { p_session_id: randomUUID(), p_user_id: user.id, p_status: 'no-such-status', p_cost: 0 };
    assertRefused(await call('/rest/v1/rpc/ai_settle', { key: secret_key, body }), 400, '22P02');
  });

  test('functions of another schema are not found', async () => {
    assertRefused(await rpc('playlist_limit', {}), 404, 'PGRST202');
    const answer = await call('/rest/v1/rpc/playlist_limit', { token: user.token, body: {}, headers: { 'Content-Profile': 'private' } });
    assertRefused(answer, 406, 'PGRST106');
  });

  test('a generation is reserved and settled, and its price keeps its four decimals', async () => {
    const ids = { p_session_id: randomUUID(), p_user_id: user.id };
    const reserved = await call('/rest/v1/rpc/ai_reserve', { key: secret_key, body: { ...ids, p_prompt: 'x', p_save: false } });
    assert.equal(reserved.json.outcome, 'reserved');
    assert.equal(reserved.json.quota.used, 1);
    const settled = await call('/rest/v1/rpc/ai_settle', { key: secret_key, body: { ...ids, p_status: 'succeeded', p_cost: 0.012 } });
    assert.deepEqual([settled.json.outcome, settled.json.status], ['settled', 'succeeded']);

    const { text, json } = await call(`/rest/v1/ai_sessions?select=cost,status,created_at&id=eq.${ids.p_session_id}`, { token: user.token });
    assert.match(text, /"cost":0\.0120[,}]/);
    assert.equal(json[0].status, 'succeeded');
    assert.match(json[0].created_at, ISO_TIMESTAMP);
  });
});
