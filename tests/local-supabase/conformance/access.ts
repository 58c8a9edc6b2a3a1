import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { assertRefused, call, secret_key, signUp } from './support.ts';
import type { User } from './support.ts';

describe('who asks', () => {
  let user: User;
  before(async () => {
    user = await signUp();
  });

  test('a request without an API key is refused', async () => {
    for (const path of ['/rest/v1/playlists', '/auth/v1/user']) {
      const { status, json } = await call(path, { key: null, token: user.token });
      assert.equal(status, 401);
      assert.equal(json.message, 'No API key found in request');
    }
  });

  test('an API key of another project is refused', async () => {
    const { status, json } = await call('/rest/v1/playlists', { key: `${secret_key}x` });
    assert.equal(status, 401);
    assert.equal(json.message, 'Invalid API key');
  });

  test('the publishable key alone is anon, which may read nothing', async () => {
    assertRefused(await call('/rest/v1/playlists'), 401, '42501', /^permission denied for table playlists$/);
  });

  test('a publishable key in the place of the token is nobody, as supabase-js sends it', async () => {
    assertRefused(await call('/rest/v1/playlists', { token: process.env.SUPABASE_PUBLISHABLE_KEY }), 401, '42501');
  });

  test('the secret key is service_role: it calls what it was granted and reads no table', async () => {
    const reserve = { p_session_id: crypto.randomUUID(), p_user_id: crypto.randomUUID(), p_prompt: 'x', p_save: false };
    const answer = await call('/rest/v1/rpc/ai_reserve', { key: secret_key, body: reserve });
    assert.deepEqual([answer.status, answer.json], [200, { outcome: 'no_profile' }]);
    assertRefused(await call('/rest/v1/playlists', { key: secret_key }), 403, '42501', /^permission denied for table playlists$/);
  });

  test('a function of the server is refused to users and to anon', async () => {
    const body = { p_user_id: user.id };
    const message = /^permission denied for function delete_spotify_tokens$/;
    assertRefused(await call('/rest/v1/rpc/delete_spotify_tokens', { token: user.token, body }), 403, '42501', message);
    assertRefused(await call('/rest/v1/rpc/delete_spotify_tokens', { body }), 401, '42501', message);
  });

  test('a token whose signature, payload or form is not right is refused', async () => {
    const [header = '', payload = '', signature = ''] = user.token.split('.');
    const other_payload = Buffer.from(JSON.stringify({ ...decoded(payload), role: 'service_role' })).toString('base64url');
    const unsigned = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT' })).toString('base64url');
    const forged = [
      `${header}.${payload}.${signature.slice(0, -8)}AAAAAAAA`,
      `${header}.${other_payload}.${signature}`,
      `${unsigned}.${payload}.x`,
    ];
    for (const token of forged) {
      assertRefused(await call('/rest/v1/playlists', { token }), 401, 'PGRST301');
    }
    assertRefused(await call('/rest/v1/playlists', { token: 'a.b' }), 401, 'PGRST301', /^Expected 3 parts in JWT; got 2$/);
  });

  test('Auth refuses a forged token', async () => {
    const { status, json } = await call('/auth/v1/user', { token: `${user.token.slice(0, -8)}AAAAAAAA` });
    assert.deepEqual({ status, error_code: json.error_code }, { status: 403, error_code: 'bad_jwt' });
  });

  test('a browser on another origin may call the data API and Auth', async () => {
    for (const path of ['/rest/v1/playlists', '/auth/v1/user']) {
      const origin = 'http://app.example.com';
      const preflight = await call(path, {
        method: 'OPTIONS',
        key: null,
        headers: { Origin: origin, 'Access-Control-Request-Method': 'PATCH', 'Access-Control-Request-Headers': 'apikey,authorization' },
      });
      assert.ok([200, 204].includes(preflight.status));
      assert.match(preflight.headers.get('access-control-allow-methods') ?? '', /PATCH/);
      assert.match(preflight.headers.get('access-control-allow-headers') ?? '', /apikey/i);

      const answer = await call(path, { token: user.token, headers: { Origin: origin } });
      assert.equal(answer.status, 200);
      assert.ok(['*', origin].includes(answer.headers.get('access-control-allow-origin') ?? ''));
    }
  });
});

function decoded(part: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(part, 'base64url').toString());
}
