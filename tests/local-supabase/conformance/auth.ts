import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose';
import { call, newClient, signUp, supabase_url } from './support.ts';
import type { User } from './support.ts';

describe('Auth', () => {
  let user: User;
  before(async () => {
    user = await signUp({ name: 'Ann Example' });
  });

  test('a token carries the claims that the functions check, and those that apps read', () => {
    const claims = decodeJwt(user.token);
    assert.equal(claims.iss, `${supabase_url}/auth/v1`);
    assert.equal(claims.aud, 'authenticated');
    assert.equal(claims.sub, user.id);
    assert.equal(claims.role, 'authenticated');
    assert.equal(claims.email, user.email);
    assert.equal(claims.phone, '');
    assert.equal(claims.aal, 'aal1');
    assert.equal(claims.is_anonymous, false);
    assert.match(String(claims.session_id), /^[0-9a-f-]{36}$/);
    assert.deepEqual(claims.app_metadata, { provider: 'email', providers: ['email'] });
    assert.equal((claims.user_metadata as { name?: string }).name, 'Ann Example');
    assert.equal((claims.amr as { method: string }[])[0]?.method, 'password');
    assert.equal(Number(claims.exp) - Number(claims.iat), user.session.expires_in);
  });

  test('the published key verifies the token, and may be cached', async (context) => {
    const { json, headers } = await call('/auth/v1/.well-known/jwks.json', { key: null });
    if (json.keys.length === 0) return context.skip('the project signs with the legacy secret');
    for (const key of json.keys) assert.equal(key.d, undefined, 'a private key is published');
    await jwtVerify(user.token, createLocalJWKSet(json), { issuer: `${supabase_url}/auth/v1`, audience: 'authenticated' });
    assert.match(headers.get('cache-control') ?? '', /max-age=\d+/);
  });

  test('a sign-up makes a profile named after the user', async () => {
    const { data } = await user.client.from('profiles').select('user_id, username, plan').single();
    assert.deepEqual(data, { user_id: user.id, username: 'Ann Example', plan: 'free' });
  });

  test('a user signs in and reads their account', async () => {
    const client = newClient();
    const { data, error } = await client.auth.signInWithPassword(user);
    assert.equal(error, null);
    const { json } = await call('/auth/v1/user', { token: data.session?.access_token });
    assert.deepEqual([json.id, json.email, json.role], [user.id, user.email, 'authenticated']);
  });

  test('a wrong password is refused', async () => {
    const { error } = await newClient().auth.signInWithPassword({ email: user.email, password: 'wrong' });
    assert.deepEqual([error?.status, error?.code], [400, 'invalid_credentials']);
  });

  test('an address signs up once', async () => {
    const { error } = await newClient().auth.signUp(user);
    assert.deepEqual([error?.status, error?.code], [422, 'user_already_exists']);
  });

  test('a short password is refused', async () => {
    const { error } = await newClient().auth.signUp({ email: `short-${user.email}`, password: 'abc' });
    assert.deepEqual([error?.status, error?.code], [422, 'weak_password']);
  });

  test('a refresh token continues the session with new tokens', async () => {
    const { client, session } = await signUp();
    const { data, error } = await client.auth.refreshSession(session);
    assert.equal(error, null);
    assert.notEqual(data.session?.refresh_token, session.refresh_token);
    const claims = decodeJwt(data.session?.access_token ?? '');
    assert.equal(claims.session_id, decodeJwt(session.access_token).session_id);
    assert.equal(claims.iss, `${supabase_url}/auth/v1`);
    // What is renewed is the token, not the proof of who the user is.
    assert.deepEqual(claims.amr, decodeJwt(session.access_token).amr);
    const { status } = await call('/rest/v1/rpc/usage', { token: data.session?.access_token, body: {} });
    assert.equal(status, 200);
  });

  test('an unknown refresh token is refused', async () => {
    // What a malformed one is called differs between versions, so this one has the form of the user's own.
    const refresh_token = user.session.refresh_token.replace(/[0-9a-f]/g, '0');
    const { status, json } = await call('/auth/v1/token?grant_type=refresh_token', { body: { refresh_token } });
    assert.deepEqual([status, json.error_code], [400, 'refresh_token_not_found']);
  });

  test('signing out ends the session', async () => {
    const { client, token } = await signUp();
    assert.equal((await client.auth.signOut()).error, null);
    const { status, json } = await call('/auth/v1/user', { token });
    assert.deepEqual([status, json.error_code], [403, 'session_not_found']);
  });

  test('a user changes their metadata', async () => {
    const { client } = await signUp({ name: 'Before' });
    const { data, error } = await client.auth.updateUser({ data: { name: 'After' } });
    assert.equal(error, null);
    assert.equal(data.user?.user_metadata.name, 'After');
  });

  test('a recovery does not tell whether there is such an account', async () => {
    const { status, json } = await call('/auth/v1/recover', { body: { email: `nobody-${user.email}` } });
    assert.deepEqual([status, json], [200, {}]);
  });
});
