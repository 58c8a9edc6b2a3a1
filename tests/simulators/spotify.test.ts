import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { beforeEach, describe, it } from 'node:test';
import type { Json } from './helpers.ts';
import { FORM, LOCALHOST, REDIRECT_URI, compare, control, simulated } from './helpers.ts';

const basic = (id = 'client-id', secret = 'client-secret'): string => `Basic ${btoa(`${id}:${secret}`)}`;
const has = (object: Json, members: string): void => assert.deepEqual(members.split(' ').filter((member) => !(member in object)), []);

describe('Spotify', () => {
  const spotify = simulated('spotify');
  let bearer = '';
  beforeEach(async () => {
    const [, { access_token }] = await grant({ grant_type: 'client_credentials' });
    bearer = `Bearer ${access_token}`;
  });

  const grant = async (form: Json, headers: Record<string, string> = { authorization: basic(), ...FORM }): Promise<[number, Json]> => {
    const response = await fetch(`${spotify.url}/api/token`, { method: 'POST', headers, body: new URLSearchParams(form).toString() });
    return [response.status, (await response.json()) as Json];
  };
  const call = async (path: string, authorization = bearer, method = 'GET', body?: unknown): Promise<[number, Json]> => {
    const headers: Record<string, string> = authorization === '' ? {} : { authorization };
    const response = await fetch(spotify.url + path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const text = await response.text();
    return [response.status, text.startsWith('{') ? JSON.parse(text) : { text }];
  };
  const refusal = ([status, { error }]: [number, Json]): unknown => [status, error.message];
  const find = async (query: Json): Promise<Json> => (await call(`/v1/search?${new URLSearchParams({ type: 'track', limit: '10', ...query })}`))[1].tracks;
  const names = async (q: string): Promise<string[]> => (await find({ q })).items.map((item: Json) => `${item.artists[0].name} – ${item.name}`);

  it('issues tokens only to the registered client', async () => {
    const [, granted] = await grant({ grant_type: 'client_credentials' });
    assert.deepEqual(Object.keys(granted).sort(), ['access_token', 'expires_in', 'token_type']);
    await compare<[Json, Record<string, string>]>(
      [
        [[{}, { ...FORM, authorization: basic('client-id', 'wrong') }], [400, 'invalid_client']],
        [[{}, { ...FORM, authorization: basic('wrong') }], [400, 'invalid_client']], [[{}, FORM], [400, 'invalid_client']],
        [[{ grant_type: 'password' }, { ...FORM, authorization: basic() }], [400, 'unsupported_grant_type']],
        [[{}, { authorization: basic(), 'content-type': 'application/json' }], [415, 'server_error']],
      ],
      async ([form, headers]) => {
        const [status, { error }] = await grant(form, headers);
        return [status, error];
      },
    );
  });

  it('distinguishes missing, malformed, unknown and expired tokens', async () => {
    const expired = bearer;
    await control(spotify.url, 'POST expire_tokens');
    await compare(
      [
        ['', [401, 'No token provided']], ['Basic x', [400, 'Only valid bearer authentication supported']],
        ['Bearer made-up', [401, 'Invalid access token']], [expired, [401, 'The access token expired']],
      ],
      async (authorization) => refusal(await call('/v1/search?q=a&type=track', authorization)),
    );
  });

  it('refuses bad parameters, and moved or removed routes, as the API does', async () => {
    await compare(
      [
        ['search?type=track', [400, 'No search query']],
        [`search?type=track&q=${'x'.repeat(251)}`, [400, 'Query exceeds maximum length of 250 characters']],
        ['search?q=a&type=track&limit=11', [400, 'Invalid limit']], ['search?q=a&type=track&limit=0', [400, 'Invalid limit']],
        ['search?q=a&type=track&offset=1001', [400, 'Invalid offset']], ['search?q=a&type=track&offset=-1', [400, 'Invalid offset']],
        ['search?q=a', [400, 'Missing parameter type']], ['search?q=a&type=song', [400, 'Bad search type field song']],
        ...['Poland', 'UK', 'CN', 'pl'].map((market): [string, unknown] => [`search?q=a&type=track&market=${market}`, [400, 'Invalid market code']]),
        ['me', [403, 'This requires user authentication']], ['audio-features/x', [403, 'Forbidden']], ['users/ania/playlists', [403, 'Forbidden']],
        ['playlists/x/tracks', [404, 'Service not found']], ['recommendations', [404, 'Service not found']],
        ['me/playlists', [405, 'Method not allowed']],
      ],
      async (path) => refusal(await call(`/v1/${path}`)),
    );
  });

  it('returns the fields of 2026, and `is_playable` only for a market', async () => {
    const q = 'track:"Whisky" artist:"Dżem"';
    const [item] = (await find({ q, market: 'PL' })).items;
    has(item, 'album artists disc_number duration_ms explicit external_ids external_urls href id is_local is_playable name track_number type uri');
    has(item.album, 'album_type artists external_urls href id images name release_date release_date_precision total_tracks type uri');
    for (const { url } of item.album.images) assert.equal((await fetch(url)).headers.get('content-type'), 'image/svg+xml', url);
    const player = await fetch(`${spotify.url}/embed/track/${item.id}`);
    assert.ok((await player.text()).includes(item.id));
    assert.match(item.uri, /^spotify:track:[0-9A-Za-z]{22}$/);
    assert.deepEqual(['popularity', 'available_markets', 'linked_from'].filter((gone) => gone in item), []);
    assert.ok(!('is_playable' in (await find({ q })).items[0]));
  });

  it('finds tracks without diacritics, with typing errors, in other scripts, and by field, year and ISRC', async () => {
    for (const [query, name] of [
      ['dlugosc dzwieku samotnosci', 'Myslovitz – Długość dźwięku samotności'], ['laki lan galeon', 'Łąki Łan – Galeon'],
      ['bohemain rapsody queen', 'Queen – Bohemian Rhapsody'], ['группа крови кино', 'Кино – Группа крови'], ['夜に駆ける', 'YOASOBI – 夜に駆ける'],
      ['봄날', '방탄소년단 – 봄날'], ['track:"Whisky" artist:"Dzem"', 'Dżem – Whisky'],
    ] as const) {
      assert.ok((await names(query)).some((found) => found.startsWith(name)), query);
    }
    const eighties = await find({ q: 'artist:"Maanam" year:1980-1989' });
    assert.ok(eighties.total > 0 && eighties.items.every((item: Json) => /^198\d/.test(item.album.release_date)));
    const { isrc } = eighties.items[0].external_ids;
    assert.ok((await find({ q: `isrc:${isrc}` })).items.every((item: Json) => item.external_ids.isrc === isrc));
    assert.deepEqual([await names('qzxwvutsrqponm'), await names('track:"Whisky" genre:"rock"')], [[], []]);
  });

  it('finds nothing for an apostrophe under a field filter, but finds the song without it', async () => {
    assert.deepEqual(await names('track:"Don\'t Stop Me Now" artist:"Queen"'), []);
    assert.ok((await names('track:"Dont Stop Me Now" artist:"Queen"')).length > 0);
    assert.ok((await names("Don't Stop Me Now Queen")).length > 0);
  });

  it('serves a test’s catalogue until the reset, and ranks a popular wrong version first', async () => {
    const known = { artists: [{ id: 'a', name: 'Only Artist' }], album: { name: 'Only Album', release_date: '1999' }, isrc: 'PLA019900001' };
    const track = { ...known, id: '0123456789012345678901', name: 'Only Song', duration_ms: 1000, explicit: true, is_playable: false, rank: 1 };
    const karaoke = { ...track, id: '0123456789012345678902', name: 'Only Song (Karaoke Version)', artists: [{ id: 'b', name: 'Karaoke Only Artist' }], rank: 100 };
    await control(spotify.url, 'PUT catalogue', [track, karaoke]);
    assert.deepEqual(await names('only song'), ['Karaoke Only Artist – Only Song (Karaoke Version)', 'Only Artist – Only Song']);
    assert.deepEqual(await names('only song'), await names('only song'));
    const [, item] = (await find({ q: 'only song', market: 'PL' })).items;
    assert.deepEqual([item.id, item.explicit, item.is_playable, item.album.release_date_precision], [track.id, true, false, 'year']);
    await assert.rejects(control(spotify.url, 'PUT catalogue', [{ ...track, id: 'short' }]), /22 base62/);
    await control(spotify.url, 'POST reset');
    assert.ok((await find({ q: 'queen' })).total > 0);
  });

  describe('for users', () => {
    const authorize = (parameters: Json = {}, form?: Json): Promise<Response> => {
      const query = { client_id: 'client-id', response_type: 'code', redirect_uri: REDIRECT_URI, scope: 'playlist-modify-private', state: 's', ...parameters };
      return fetch(`${spotify.url}/authorize?${new URLSearchParams(query)}`, { redirect: 'manual', ...(form && { method: 'POST', body: new URLSearchParams(form) }) });
    };
    const decide = async (decision: string, login = 'ania', parameters: Json = {}): Promise<URLSearchParams> => {
      const response = await authorize(parameters, { decision, login });
      const url = new URL(response.headers.get('location') ?? '');
      assert.deepEqual([response.status, url.origin + url.pathname], [302, REDIRECT_URI]);
      return url.searchParams;
    };
    const exchange = (code: string, redirect_uri = REDIRECT_URI): Promise<[number, Json]> => grant({ grant_type: 'authorization_code', code, redirect_uri });
    const link = async (login = 'ania'): Promise<Json> => (await exchange((await decide('agree', login)).get('code') ?? ''))[1];
    const renew = (tokens: Json): Promise<[number, Json]> => grant({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token });
    const problem = ([status, { error_description }]: [number, Json]): unknown => [status, error_description];
    const as = (tokens: Json): string => `Bearer ${tokens.access_token}`;

    it('redirects only to registered URIs', async () => {
      for (const wrong of [{ client_id: 'x' }, { redirect_uri: `${REDIRECT_URI}/` }, { redirect_uri: LOCALHOST }]) {
        const response = await authorize(wrong);
        assert.deepEqual([response.status, response.headers.get('location')], [400, null]);
      }
    });

    it('redirects with a code or an error', async () => {
      const agreed = await decide('agree');
      assert.ok(agreed.get('state') === 's' && agreed.get('code'));
      assert.equal((await decide('cancel')).get('error'), 'access_denied');
      assert.equal((await decide('agree', 'ania', { response_type: 'token' })).get('error'), 'unsupported_response_type');
      assert.equal((await decide('agree', 'ania', { scope: 'everything' })).get('error'), 'invalid_scope');
    });

    it('redeems a code once, with its redirect URI, and lists the issued tokens', async () => {
      const code = (await decide('agree')).get('code') ?? '';
      assert.deepEqual(problem(await exchange(code, 'https://elsewhere.example')), [400, 'Invalid redirect URI']);
      const [status, tokens] = await exchange(code);
      assert.deepEqual([status, Object.keys(tokens).sort()], [200, ['access_token', 'expires_in', 'refresh_token', 'scope', 'token_type']]);
      assert.deepEqual(problem(await exchange(code)), [400, 'Invalid authorization code']);
      const issued = await control(spotify.url, 'GET tokens');
      assert.ok(issued.access_tokens.includes(tokens.access_token) && issued.refresh_tokens.includes(tokens.refresh_token) && issued.codes.includes(code));
    });

    it('redeems a code with a challenge only with its verifier', async () => {
      const verifier = 'v'.repeat(43);
      const code_challenge = createHash('sha256').update(verifier).digest('base64url');
      for (const wrong of [{ code_challenge }, { code_challenge, code_challenge_method: 'plain' }, { code_challenge: 'short', code_challenge_method: 'S256' }]) {
        assert.equal((await authorize(wrong)).status, 400, JSON.stringify(wrong));
      }
      const code = (await decide('agree', 'ania', { code_challenge, code_challenge_method: 'S256' })).get('code') ?? '';
      const redeem = (form: Json): Promise<[number, Json]> => grant({ grant_type: 'authorization_code', redirect_uri: REDIRECT_URI, code, ...form });
      assert.deepEqual(problem(await redeem({})), [400, 'code_verifier required']);
      assert.deepEqual(problem(await redeem({ code_verifier: 'w'.repeat(43) })), [400, 'code_verifier was incorrect']);
      assert.equal((await redeem({ code_verifier: verifier }))[0], 200);
      const plain = (await decide('agree')).get('code') ?? '';
      assert.deepEqual(problem(await redeem({ code: plain, code_verifier: verifier })), [400, 'code_verifier was incorrect']);
    });

    it('refreshes tokens, with a new refresh token only under rotation, until the user revokes the access', async () => {
      const [ania, bob] = [await link('ania'), await link('bob')];
      assert.equal((await renew(ania))[1].refresh_token, undefined);
      await control(spotify.url, 'PUT oauth', { rotate_refresh_tokens: true });
      const [, rotated] = await renew(ania);
      assert.deepEqual(problem(await renew(ania)), [400, 'Refresh token revoked']);
      await control(spotify.url, 'POST revoke', { user: 'ania' });
      assert.deepEqual(problem(await renew(rotated)), [400, 'Refresh token revoked']);
      assert.equal((await renew(bob))[0], 200);
      assert.deepEqual(problem(await renew({ refresh_token: 'x' })), [400, 'Invalid refresh token']);
    });

    it('returns a user without the removed fields, and refuses an unlisted user in plain text', async () => {
      const [, me] = await call('/v1/me', as(await link('bob')));
      has(me, 'account_id display_name external_urls href id type uri');
      assert.deepEqual([me.display_name, me.account_id, ['country', 'email', 'product'].filter((gone) => gone in me)], ['Bob', 'acc-bob', []]);
      const [status, { text }] = await call('/v1/me', as(await link('stranger')));
      assert.equal(status, 403);
      assert.match(text, /may not be registered/);
    });

    it('creates and fills playlists within the scope and the limits', async () => {
      const user = as(await link());
      const uris: string[] = (await control(spotify.url, 'GET catalogue')).slice(0, 100).map(({ id }: Json) => `spotify:track:${id}`);
      const create = (body: Json): Promise<[number, Json]> => call('/v1/me/playlists', user, 'POST', { public: false, ...body });
      const [status, created] = await create({ name: 'Wieczór' });
      assert.deepEqual([status, created.public, created.name], [201, false, 'Wieczór']);
      has(created, 'collaborative description external_urls href id images items name owner public snapshot_id type uri');
      await compare<Json>(
        [
          [{ name: 'Listed', public: true }, 403], [{ name: 'x'.repeat(101) }, 500], [{ name: 'a\nb' }, 500],
          [{ name: 'a', description: 'x'.repeat(301) }, 500], [{}, 400],
        ],
        async (body) => (await create(body))[0],
      );
      const items = `/v1/playlists/${created.id}/items`;
      await control(spotify.url, 'PUT rejected_uris', [uris[3]]);
      const fill = async (given: unknown, authorization = user): Promise<number> => (await call(items, authorization, 'PUT', { uris: given }))[0];
      assert.equal(await fill(uris.slice(4)), 200);
      for (const wrong of [[...uris, uris[0]], [uris[0], 'spotify:track:0000000000000000000000'], uris.slice(0, 5), ['x'], 'x']) {
        assert.equal(await fill(wrong), 400, JSON.stringify(wrong));
      }
      assert.equal(await fill([], as(await link('bob'))), 403);
      assert.equal((await call(items, user, 'POST', { uris: [uris[0]] }))[0], 201);
      assert.equal((await call('/v1/playlists/x/items', user, 'PUT', { uris: [] }))[0], 404);
      const [playlist] = await control(spotify.url, 'GET playlists');
      assert.deepEqual([playlist.uris, playlist.owner], [[...uris.slice(4), uris[0]], 'ania']);
    });
  });
});
