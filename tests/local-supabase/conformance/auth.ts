import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose';
import { call, newClient, secret_key, signUp, supabase_url } from './support.ts';
import type { User } from './support.ts';

describe('keys, origins and Auth', () => {
  let user: User;
  before(async () => {
    user = await signUp({ name: 'Ann Example' });
  });

  test('a request without an API key, or with one of another project, is refused', async () => {
    for (const [path, key, message] of [
      ['/rest/v1/playlists', null, 'No API key found in request'], ['/auth/v1/user', null, 'No API key found in request'],
      ['/rest/v1/playlists', `${secret_key}x`, 'Invalid API key'],
    ] as const) {
      const { status, json } = await call(path, { key, token: user.token });
      assert.deepEqual([status, json.message], [401, message]);
    }
  });

  test('a browser on another origin may call the data API and Auth', async () => {
    const origin = 'http://app.example.com';
    const preflight = { Origin: origin, 'Access-Control-Request-Method': 'PATCH', 'Access-Control-Request-Headers': 'apikey,authorization' };
    for (const path of ['/rest/v1/playlists', '/auth/v1/user']) {
      const { status, headers } = await call(path, { method: 'OPTIONS', key: null, headers: preflight });
      assert.ok([200, 204].includes(status));
      assert.match(`${headers.get('access-control-allow-methods')} ${headers.get('access-control-allow-headers')}`, /PATCH.*apikey/i);
      const reply = await call(path, { token: user.token, headers: { Origin: origin } });
      assert.ok(reply.status === 200 && ['*', origin].includes(reply.headers.get('access-control-allow-origin') ?? ''));
    }
  });

  test('a token carries the claims that the functions check, and those that apps read', () => {
    const claims = decodeJwt(user.token) as Record<string, any>;
    const fixed = { aud: 'authenticated', role: 'authenticated', phone: '', aal: 'aal1', is_anonymous: false };
    const expected = { ...fixed, iss: `${supabase_url}/auth/v1`, sub: user.id, email: user.email, app_metadata: { provider: 'email', providers: ['email'] } };
    assert.deepEqual(Object.fromEntries(Object.keys(expected).map((name) => [name, claims[name]])), expected);
    assert.match(claims.session_id, /^[0-9a-f-]{36}$/);
    const { user_metadata, amr, exp, iat } = claims;
    assert.deepEqual([user_metadata.name, amr[0].method, exp - iat], ['Ann Example', 'password', user.session.expires_in]);
  });

  test('the published key verifies the token, and may be cached', async () => {
    const { json, headers } = await call('/auth/v1/.well-known/jwks.json', { key: null });
    for (const key of json.keys) assert.equal(key.d, undefined, 'a private key is published');
    await jwtVerify(user.token, createLocalJWKSet(json), { issuer: `${supabase_url}/auth/v1`, audience: 'authenticated' });
    assert.match(headers.get('cache-control') ?? '', /max-age=\d+/);
  });

  test('a sign-up creates a profile named after the user, who can sign in and read their account', async () => {
    const { data } = await user.client.from('profiles').select('user_id, username, plan').single();
    assert.deepEqual(data, { user_id: user.id, username: 'Ann Example', plan: 'free' });
    const signedIn = await newClient().auth.signInWithPassword(user);
    const { json } = await call('/auth/v1/user', { token: signedIn.data.session?.access_token });
    assert.deepEqual([json.id, json.email, json.role], [user.id, user.email, 'authenticated']);
  });

  test('a wrong password, an address that is taken, a short password and unknown or forged tokens are refused', async () => {
    const { auth } = newClient();
    // Versions name the error of a malformed refresh token differently, so this one is well-formed.
    const refresh_token = user.session.refresh_token.replace(/[0-9a-f]/g, '0');
    const renewed = await call('/auth/v1/token?grant_type=refresh_token', { body: { refresh_token } });
    const forged = await call('/auth/v1/user', { token: `${user.token.slice(0, -8)}AAAAAAAA` });
    const refused = [
      (await auth.signInWithPassword({ email: user.email, password: 'wrong' })).error,
      (await auth.signUp(user)).error,
      (await auth.signUp({ email: `short-${user.email}`, password: 'abc' })).error,
      { status: renewed.status, code: renewed.json.error_code },
      { status: forged.status, code: forged.json.error_code },
    ];
    assert.deepEqual(
      refused.map((error) => [error?.status, error?.code]),
      [[400, 'invalid_credentials'], [422, 'user_already_exists'], [422, 'weak_password'], [400, 'refresh_token_not_found'], [403, 'bad_jwt']],
    );
  });

  test('a refresh token continues the session with new tokens', async () => {
    const { client, session } = await signUp();
    const { data } = await client.auth.refreshSession(session);
    assert.notEqual(data.session?.refresh_token, session.refresh_token);
    const claims = decodeJwt(data.session?.access_token ?? '');
    assert.deepEqual([claims.session_id, claims.iss], [decodeJwt(session.access_token).session_id, `${supabase_url}/auth/v1`]);
    // A refresh renews the token, not the proof of the user's identity.
    assert.deepEqual(claims.amr, decodeJwt(session.access_token).amr);
    assert.equal((await call('/rest/v1/rpc/usage', { token: data.session?.access_token, body: {} })).status, 200);
  });

  test('a recovery does not reveal whether the account exists', async () => {
    const { status, json } = await call('/auth/v1/recover', { body: { email: `nobody-${user.email}` } });
    assert.deepEqual([status, json], [200, {}]);
  });
});
