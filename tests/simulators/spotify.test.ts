import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { basic, control, requestToken, startForTests, token } from './helpers.ts';
import type { Simulators } from './start.ts';

interface Found {
  id: string;
  name: string;
  uri: string;
  explicit: boolean;
  is_playable?: boolean;
  artists: { name: string }[];
  album: { name: string; release_date: string; release_date_precision: string };
  external_ids: { isrc: string };
}
interface Page {
  total: number;
  limit: number;
  offset: number;
  next: string | null;
  previous: string | null;
  items: Found[];
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

describe('Spotify', () => {
  let simulators: Simulators;
  let base: string;
  let bearer: string;

  before(async () => {
    simulators = await startForTests();
    base = simulators.urls.spotify;
    bearer = `Bearer ${await token(base)}`;
  });
  beforeEach(async () => {
    await control(base, 'POST reset');
    await control(base, 'PUT latency', { search_ms: 0, token_ms: 0, jitter_ms: 0 });
  });
  after(() => simulators.close());

  const get = (params: Record<string, string>, authorization = bearer): Promise<Response> =>
    fetch(`${base}/v1/search?${new URLSearchParams(params)}`, { headers: { authorization } });
  const search = async (q: string, params: Record<string, string> = {}): Promise<Page> => {
    const response = await get({ q, type: 'track', limit: '10', ...params });
    assert.equal(response.status, 200);
    return ((await response.json()) as { tracks: Page }).tracks;
  };
  const names = async (q: string): Promise<string[]> => (await search(q)).items.map((item) => `${item.artists[0]?.name} – ${item.name}`);

  it('issues tokens to the right client only', async () => {
    const granted = (await (await requestToken(base)).json()) as Record<string, unknown>;
    assert.deepEqual(Object.keys(granted).sort(), ['access_token', 'expires_in', 'token_type']);
    assert.equal(granted.expires_in, 3600);
    const refused = async (init: RequestInit): Promise<unknown[]> => {
      const response = await requestToken(base, init);
      return [response.status, ((await response.json()) as { error: string }).error];
    };
    assert.deepEqual(await refused({ headers: { ...FORM, authorization: basic('client-id', 'wrong') } }), [400, 'invalid_client']);
    assert.deepEqual(await refused({ headers: { ...FORM, authorization: basic('wrong') } }), [400, 'invalid_client']);
    assert.deepEqual(await refused({ headers: FORM }), [400, 'invalid_client']);
    assert.deepEqual(await refused({ body: 'grant_type=password' }), [400, 'unsupported_grant_type']);
    assert.deepEqual(await refused({ body: '' }), [400, 'unsupported_grant_type']);
    assert.deepEqual(await refused({ headers: { authorization: basic(), 'content-type': 'application/json' } }), [415, 'server_error']);
  });

  it('refuses missing, foreign and expired tokens differently', async () => {
    const message = async (headers: Record<string, string>): Promise<unknown> => (await fetch(`${base}/v1/search?q=a&type=track`, { headers })).json();
    assert.deepEqual(await message({}), { error: { status: 401, message: 'No token provided' } });
    assert.deepEqual(await message({ authorization: 'Bearer made-up' }), { error: { status: 401, message: 'Invalid access token' } });
    const old = await token(base);
    await control(base, 'POST expire_tokens');
    assert.deepEqual(await message({ authorization: `Bearer ${old}` }), { error: { status: 401, message: 'The access token expired' } });
    bearer = `Bearer ${await token(base)}`;
    assert.equal((await search('queen')).items.length, 10);
  });

  it('refuses bad parameters as the API does', async () => {
    const problem = async (params: Record<string, string>): Promise<unknown> => {
      const response = await get(params);
      return [response.status, ((await response.json()) as { error: { message: string } }).error.message];
    };
    assert.deepEqual(await problem({ type: 'track' }), [400, 'No search query']);
    assert.deepEqual(await problem({ q: 'a', type: 'track', limit: '11' }), [400, 'Invalid limit']);
    assert.deepEqual(await problem({ q: 'a', type: 'track', limit: '0' }), [400, 'Invalid limit']);
    assert.deepEqual(await problem({ q: 'a', type: 'track', offset: '1001' }), [400, 'Invalid offset']);
    assert.deepEqual(await problem({ q: 'a' }), [400, 'Missing parameter type']);
    assert.deepEqual(await problem({ q: 'a', type: 'song' }), [400, 'Bad search type field song']);
    for (const market of ['Poland', 'UK', 'CN', 'pl']) {
      assert.deepEqual(await problem({ q: 'a', type: 'track', market }), [400, 'Invalid market code']);
    }
    assert.equal((await fetch(`${base}/v1/recommendations`, { headers: { authorization: bearer } })).status, 404);
    assert.equal((await fetch(`${base}/v1/search?q=a&type=track`, { method: 'POST', headers: { authorization: bearer } })).status, 405);
  });

  it('answers the fields of 2026 and tells what is playable only for a market', async () => {
    const [item] = (await search('track:"Whisky" artist:"Dżem"', { market: 'PL' })).items as [Found & Record<string, unknown>];
    assert.equal(item.name, 'Whisky');
    assert.match(item.uri, /^spotify:track:[0-9A-Za-z]{22}$/);
    assert.match(item.external_ids.isrc, /^[A-Z]{2}[A-Z0-9]{3}\d{7}$/);
    assert.equal(item.is_playable, true);
    for (const gone of ['popularity', 'available_markets', 'linked_from']) {
      assert.ok(!(gone in item));
    }
    assert.ok(['day', 'month', 'year'].includes(item.album.release_date_precision));
    const [withoutMarket] = (await search('track:"Whisky" artist:"Dżem"')).items;
    assert.ok(withoutMarket && !('is_playable' in withoutMarket));
  });

  it('pages with a default limit of five', async () => {
    const first = ((await (await get({ q: 'love', type: 'track' })).json()) as { tracks: Page }).tracks;
    assert.deepEqual([first.limit, first.offset, first.items.length, first.previous], [5, 0, 5, null]);
    const second = ((await (await fetch(String(first.next), { headers: { authorization: bearer } })).json()) as { tracks: Page }).tracks;
    assert.equal(second.offset, 5);
    assert.equal(new Set([...first.items, ...second.items].map((item) => item.id)).size, 10);
  });

  it('finds without diacritics, with typing errors, and by year and ISRC', async () => {
    assert.ok((await names('dlugosc dzwieku samotnosci')).includes('Myslovitz – Długość dźwięku samotności'));
    assert.ok((await names('laki lan galeon')).includes('Łąki Łan – Galeon'));
    assert.ok((await names('bohemain rapsody queen')).some((name) => name.startsWith('Queen – Bohemian Rhapsody')));
    const eighties = await search('artist:"Maanam" year:1980-1989');
    assert.ok(eighties.total > 0 && eighties.items.every((item) => /^198\d/.test(item.album.release_date)));
    const [original] = (await search('track:"Whisky" artist:"Dżem"')).items;
    const byIsrc = await search(`isrc:${original?.external_ids.isrc}`);
    assert.ok(byIsrc.items.every((item) => item.external_ids.isrc === original?.external_ids.isrc) && byIsrc.total > 0);
  });

  it('finds nothing for an apostrophe under a field filter, but finds the song without it', async () => {
    assert.deepEqual(await names('track:"Don\'t Stop Me Now" artist:"Queen"'), []);
    assert.ok((await names('track:"Dont Stop Me Now" artist:"Queen"')).length > 0);
    assert.ok((await names("Don't Stop Me Now Queen")).length > 0);
  });

  it('ranks karaoke and covers high enough to mislead, and always alike', async () => {
    const first = await names('dlugosc dzwieku samotnosci');
    assert.match(first[0] ?? '', /Karaoke/);
    assert.deepEqual(await names('dlugosc dzwieku samotnosci'), first);
    const artists = new Set((await search('track:"Hallelujah"')).items.map((item) => item.artists[0]?.name));
    assert.ok(artists.has('Jeff Buckley') && artists.has('Leonard Cohen') && artists.has('Pentatonix'));
  });

  it('finds other scripts', async () => {
    assert.ok((await names('группа крови кино')).some((name) => name.startsWith('Кино – Группа крови')));
    assert.ok((await names('夜に駆ける')).some((name) => name === 'YOASOBI – 夜に駆ける'));
    assert.ok((await names('봄날')).some((name) => name === '방탄소년단 – 봄날'));
  });

  it('serves a catalogue of the test’s own until the reset', async () => {
    const track = {
      id: '0123456789012345678901',
      name: 'Only Song',
      artists: [{ id: 'abcdefghijklmnopqrstuv', name: 'Only Artist' }],
      album: { name: 'Only Album', release_date: '1999' },
      duration_ms: 1000,
      explicit: true,
      is_playable: false,
      isrc: 'PLA019900001',
      rank: 50,
    };
    await control(base, 'PUT catalogue', [track]);
    const [item] = (await search('only song', { market: 'PL' })).items;
    assert.deepEqual([item?.id, item?.explicit, item?.is_playable, item?.album.release_date_precision], [track.id, true, false, 'year']);
    assert.equal((await search('queen')).total, 0);
    await assert.rejects(control(base, 'PUT catalogue', [{ ...track, id: 'short' }]), /22 base62/);
    await control(base, 'POST reset');
    assert.ok((await search('queen')).total > 0);
  });

  it('limits the rate of requests when told to', async () => {
    await control(base, 'PUT limits', { requests_per_30s: 2 });
    await search('a');
    await search('a');
    const refused = await get({ q: 'a', type: 'track' });
    assert.equal(refused.status, 429);
    assert.ok(Number(refused.headers.get('retry-after')) >= 1);
  });
});
