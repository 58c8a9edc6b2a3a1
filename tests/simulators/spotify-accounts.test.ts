import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';
import { CLIENT_ID, REDIRECT_URI, basic, control, startForTests, token } from './helpers.ts';
import type { Simulators } from './start.ts';

type Json = Record<string, unknown>;

describe('Spotify, for listeners', () => {
  let simulators: Simulators;
  let base: string;

  before(async () => {
    simulators = await startForTests();
    base = simulators.urls.spotify;
  });
  beforeEach(async () => {
    await control(base, 'POST reset');
    await control(base, 'PUT latency', { search_ms: 0, token_ms: 0, jitter_ms: 0 });
  });
  after(() => simulators.close());

  const authorize = (parameters: Record<string, string> = {}, init: RequestInit = {}): Promise<Response> => {
    const query = { client_id: CLIENT_ID, response_type: 'code', redirect_uri: REDIRECT_URI, scope: 'playlist-modify-private', state: 's', ...parameters };
    return fetch(`${base}/authorize?${new URLSearchParams(query)}`, { redirect: 'manual', ...init });
  };
  const decide = async (decision: string, login = 'ania', parameters: Record<string, string> = {}): Promise<URLSearchParams> => {
    const response = await authorize(parameters, { method: 'POST', body: new URLSearchParams({ decision, login }) });
    assert.equal(response.status, 302);
    const url = new URL(response.headers.get('location') ?? '');
    assert.equal(url.origin + url.pathname, REDIRECT_URI);
    return url.searchParams;
  };
  const grant = async (form: Record<string, string>): Promise<[number, Json]> => {
    const response = await fetch(`${base}/api/token`, {
      method: 'POST',
      headers: { authorization: basic() },
      body: new URLSearchParams(form),
    });
    return [response.status, (await response.json()) as Json];
  };
  const exchange = (code: string, redirect_uri = REDIRECT_URI): Promise<[number, Json]> => grant({ grant_type: 'authorization_code', code, redirect_uri });
  const link = async (login = 'ania', scope = 'playlist-modify-private'): Promise<Json> => {
    const [status, tokens] = await exchange((await decide('agree', login, { scope })).get('code') ?? '');
    assert.equal(status, 200);
    return tokens;
  };
  const call = async (tokens: Json, method: string, path: string, body?: unknown): Promise<[number, Json]> => {
    const response = await fetch(`${base}${path}`, {
      method,
      headers: { authorization: `Bearer ${String(tokens.access_token)}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return [response.status, (text.startsWith('{') ? JSON.parse(text) : { text }) as Json];
  };
  const refusal = (answer: [number, Json]): unknown[] => [answer[0], (answer[1].error as Json | undefined)?.message ?? answer[1].error_description];
  const someTracks = async (count: number): Promise<string[]> =>
    ((await control(base, 'GET catalogue')) as { id: string }[]).slice(0, count).map((track) => `spotify:track:${track.id}`);

  it('asks with two buttons, and tells nobody but the registered address', async () => {
    const page = await (await authorize()).text();
    assert.match(page, /<button name="decision" value="agree">Agree<\/button>/);
    assert.match(page, /<button name="decision" value="cancel">Cancel<\/button>/);
    const wrongs: Record<string, string>[] = [{ client_id: 'x' }, { redirect_uri: `${REDIRECT_URI}/` }, { redirect_uri: 'http://localhost:8787/functions/v1/spotify-oauth/callback' }];
    for (const wrong of wrongs) {
      const response = await authorize(wrong);
      assert.equal(response.status, 400);
      assert.equal(response.headers.get('location'), null);
    }
  });

  it('sends back a code, or why there is none', async () => {
    const agreed = await decide('agree');
    assert.equal(agreed.get('state'), 's');
    assert.ok(agreed.get('code'));
    assert.equal((await decide('cancel')).get('error'), 'access_denied');
    assert.equal((await decide('agree', 'ania', { response_type: 'token' })).get('error'), 'unsupported_response_type');
    assert.equal((await decide('agree', 'ania', { scope: 'everything' })).get('error'), 'invalid_scope');
  });

  it('takes a code once, for ten minutes, with its address', async () => {
    const code = (await decide('agree')).get('code') ?? '';
    assert.deepEqual(refusal(await exchange(code, 'https://elsewhere.example')), [400, 'Invalid redirect URI']);
    const [status, tokens] = await exchange(code);
    assert.equal(status, 200);
    assert.deepEqual(Object.keys(tokens).sort(), ['access_token', 'expires_in', 'refresh_token', 'scope', 'token_type']);
    assert.deepEqual(refusal(await exchange(code)), [400, 'Invalid authorization code']);
    const late = (await decide('agree')).get('code') ?? '';
    await control(base, 'POST clock', { advance_seconds: 601 });
    assert.deepEqual(refusal(await exchange(late)), [400, 'Authorization code expired']);
  });

  it('takes a code that was asked for with a challenge only with its verifier', async () => {
    const verifier = 'v'.repeat(43);
    const code_challenge = createHash('sha256').update(verifier).digest('base64url');
    const wrongs: Record<string, string>[] = [{ code_challenge }, { code_challenge, code_challenge_method: 'plain' }, { code_challenge: 'short', code_challenge_method: 'S256' }];
    for (const wrong of wrongs) {
      assert.equal((await authorize(wrong)).status, 400, JSON.stringify(wrong));
    }
    const code = (await decide('agree', 'ania', { code_challenge, code_challenge_method: 'S256' })).get('code') ?? '';
    const redeem = (form: Record<string, string>): Promise<[number, Json]> => grant({ grant_type: 'authorization_code', redirect_uri: REDIRECT_URI, code, ...form });
    assert.deepEqual(refusal(await redeem({})), [400, 'code_verifier required']);
    assert.deepEqual(refusal(await redeem({ code_verifier: 'w'.repeat(43) })), [400, 'code_verifier was incorrect']);
    assert.equal((await redeem({ code_verifier: verifier }))[0], 200);
    const plain = (await decide('agree')).get('code') ?? '';
    assert.deepEqual(refusal(await redeem({ code: plain, code_verifier: verifier })), [400, 'code_verifier was incorrect']);
  });

  it('renews without another refresh token, unless they are rotated', async () => {
    const first = await link();
    const renew = (tokens: Json): Promise<[number, Json]> => grant({ grant_type: 'refresh_token', refresh_token: String(tokens.refresh_token) });
    const [, second] = await renew(first);
    assert.equal(second.refresh_token, undefined);
    assert.notEqual(second.access_token, first.access_token);
    await control(base, 'PUT oauth', { rotate_refresh_tokens: true });
    const [, third] = await renew(first);
    assert.ok(third.refresh_token);
    assert.deepEqual(refusal(await renew(first)), [400, 'Refresh token revoked']);
    assert.equal((await renew(third))[0], 200);
  });

  it('ends a link by the listener\'s will, and after six months', async () => {
    const [one, other] = [await link('ania'), await link('bob')];
    const renew = (tokens: Json): Promise<[number, Json]> => grant({ grant_type: 'refresh_token', refresh_token: String(tokens.refresh_token) });
    await control(base, 'POST revoke', { user: 'ania' });
    assert.deepEqual(refusal(await renew(one)), [400, 'Refresh token revoked']);
    assert.equal((await renew(other))[0], 200);
    await control(base, 'POST clock', { advance_seconds: 185 * 86_400 });
    assert.deepEqual(refusal(await renew(other)), [400, 'Refresh token expired']);
    assert.deepEqual(refusal(await grant({ grant_type: 'refresh_token', refresh_token: 'x' })), [400, 'Invalid refresh token']);
  });

  it('says who somebody is, without what it no longer says', async () => {
    const [status, me] = await call(await link('bob'), 'GET', '/v1/me');
    assert.deepEqual([status, me.display_name, me.account_id], [200, 'Bob', 'acc-bob']);
    for (const gone of ['country', 'email', 'product']) assert.equal(me[gone], undefined);
    assert.equal((await call({ access_token: await token(base) }, 'GET', '/v1/me'))[0], 403);
  });

  it('creates and fills playlists within the scope and the limits', async () => {
    const tokens = await link();
    const uris = await someTracks(100);
    const [status, created] = await call(tokens, 'POST', '/v1/me/playlists', { name: 'Wieczór', public: false });
    assert.deepEqual([status, created.public, created.name], [201, false, 'Wieczór']);
    assert.deepEqual(refusal(await call(tokens, 'POST', '/v1/me/playlists', { name: 'Listed' })), [403, 'Insufficient client scope']);
    const items = `/v1/playlists/${String(created.id)}/items`;
    assert.equal((await call(tokens, 'PUT', items, { uris }))[0], 200);
    assert.deepEqual(refusal(await call(tokens, 'PUT', items, { uris: [...uris, uris[0]] }))[0], 400);
    assert.deepEqual(refusal(await call(tokens, 'PUT', items, { uris: [uris[0], 'spotify:track:0000000000000000000000'] }))[0], 400);
    await control(base, 'PUT rejected_uris', [uris[3]]);
    assert.equal((await call(tokens, 'PUT', items, { uris: uris.slice(0, 5) }))[0], 400);
    const [playlist] = (await control(base, 'GET playlists')) as { uris: string[]; owner: string }[];
    assert.deepEqual([playlist?.uris, playlist?.owner], [uris, 'ania']);
    assert.equal((await call(await link('bob'), 'PUT', items, { uris: [] }))[0], 403);
    for (const bad of [{ name: 'x'.repeat(101) }, { name: 'a\nb' }, { name: 'a', description: 'x'.repeat(301) }]) {
      assert.equal((await call(tokens, 'POST', '/v1/me/playlists', { public: false, ...bad }))[0], 500);
    }
    assert.equal((await call(tokens, 'POST', '/v1/me/playlists', { public: false }))[0], 400);
  });

  // The members that Spotify's own description of its API demands, but for those that are gone since 2026.
  it('answers with every member that a client may rely on', async () => {
    const tokens = await link();
    const has = (object: unknown, members: string): void => {
      for (const member of members.split(' ')) assert.ok(member in (object as Json), member);
    };
    const user = 'display_name external_urls href id type uri';
    has((await call(tokens, 'GET', '/v1/me'))[1], `${user} account_id`);
    const [, created] = await call(tokens, 'POST', '/v1/me/playlists', { name: 'x', public: false });
    const playlist = 'collaborative description external_urls href id images items name owner public snapshot_id type uri';
    has(created, playlist);
    has(created.owner, user);
    const path = `/v1/playlists/${String(created.id)}`;
    await call(tokens, 'PUT', `${path}/items`, { uris: await someTracks(1) });
    const [, shown] = await call(tokens, 'GET', path);
    has(shown, playlist);
    const paging = 'href items limit next offset previous total';
    has(shown.items, paging);
    const [item] = (shown.items as { items: Json[] }).items;
    has(item, 'added_at added_by is_local item');
    const track = 'album artists disc_number duration_ms explicit external_ids external_urls href id is_local name track_number type uri';
    has(item?.item, track);
    const [, found] = await call(tokens, 'GET', '/v1/search?q=whisky&type=track&limit=1');
    has(found.tracks, paging);
    has((found.tracks as { items: Json[] }).items[0], track);
    has((found.tracks as { items: { album: Json }[] }).items[0]?.album, 'album_type artists external_urls href id images name release_date release_date_precision total_tracks type uri');
    const [, refused] = await call({ access_token: 'x' }, 'GET', '/v1/me');
    has(refused.error, 'status message');
  });

  it('has listed whom an app in development may act for, and says so in plain text', async () => {
    const [status, { text }] = await call(await link('stranger'), 'GET', '/v1/me');
    assert.equal(status, 403);
    assert.match(String(text), /may not be registered/);
  });

  it('answers what has moved or gone as the real one does', async () => {
    const tokens = await link();
    assert.equal((await call(tokens, 'POST', '/v1/users/ania/playlists', { name: 'x' }))[0], 403);
    assert.equal((await call(tokens, 'GET', '/v1/audio-features/x'))[0], 403);
    assert.equal((await call(tokens, 'PUT', '/v1/playlists/x/tracks', { uris: [] }))[0], 404);
    assert.equal((await call(tokens, 'GET', '/v1/recommendations'))[0], 404);
  });

  it('names the quota of a day where that is used up', async () => {
    await control(base, 'PUT limits', { requests_per_30s: 0, retry_after_seconds: 48925, quota_exceeded: true });
    const response = await fetch(`${base}/v1/me`, { headers: { authorization: `Bearer ${String((await link()).access_token)}` } });
    assert.deepEqual([response.status, response.headers.get('retry-after')], [429, '48925']);
    assert.equal(((await response.json()) as { error: Json }).error.reason, 'QUOTA_EXCEEDED');
  });

  it('tells which tokens it has issued to listeners', async () => {
    const tokens = await link();
    const issued = (await control(base, 'GET tokens')) as Record<string, string[]>;
    assert.ok(issued.access_tokens?.includes(String(tokens.access_token)));
    assert.ok(issued.refresh_tokens?.includes(String(tokens.refresh_token)));
  });
});
