/**
 * docs/openapi.yaml against the running functions: whatever they answer here has to be described, with its status, its headers
 * and its body. One file, because its tests share the simulators and so must not run beside each other.
 */
import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { beforeEach, test } from 'node:test';
import { letModelAnswer, ready, resetSimulators, signedUp } from '../supabase-js/support.ts';
import { codesOf, eventsOf, follow, operations, problems, responseOf } from './document.ts';
import type { Node, Operation } from './document.ts';

interface Asked {
  /** The user's token, or none. */
  token?: string;
  /** An object is sent as JSON, a text as it is. */
  body?: object | string;
  query?: string;
  headers?: Record<string, string>;
  /** In place of the documented ones, for what is not there. */
  method?: string;
  path?: string;
}

interface Answer {
  status: number;
  headers: Headers;
  /** JSON, or the text of a stream, or an empty text. */
  body: any;
}

const { stripe_webhook_secret: SECRET, web_url: APP } = ready as typeof ready & { stripe_webhook_secret: string; web_url: string };
const OPERATIONS = new Map(operations().map((operation) => [operation.id, operation]));
const NO_SUCH_ID = '8b3c2a10-5f7e-4c55-9d53-0f0e6f4b8a11';
/** Headers that are answered only where they are described. */
const TELLING = ['allow', 'location', 'retry-after', 'www-authenticate'];

const succeeded = new Set<string>();
const seen = new Set<string>();

beforeEach(async () => {
  await resetSimulators();
  await letModelAnswer();
});

for (const operation of [...OPERATIONS.values()].filter((it) => !it.isOfHealth)) {
  test(`${operation.id}: the usual refusals`, async () => {
    const { session } = await signedUp();
    const token = session.access_token;
    const ask = (asked: Asked) => call(operation.id, asked);
    const path = `${operation.path}/nowhere`;
    refused(await ask({ method: 'PATCH', token, body: {} }), 405, 'method_not_allowed');
    refused(await ask({ path, token, ...(operation.node.requestBody ? { body: {} } : {}) }), 404, 'not_found');
    const takesBodies = operation.method !== 'GET';
    if (takesBodies) refused(await ask({ token, body: ' '.repeat(limitOf(operation) + 1) }), 413, 'body_too_large');
    if (operation.isForUsers) {
      refused(await ask({ ...(takesBodies ? { body: {} } : {}) }), 401, 'missing_token');
      const large = await ask({ token: 'x'.repeat(33_000), ...(takesBodies ? { body: {} } : {}) });
      refused(large, 431, 'token_too_large');
      refused(await ask({ token: 'x.y.z', ...(takesBodies ? { body: {} } : {}) }), 401, 'invalid_token');
    }
    if (operation.isForUsers && operation.node.requestBody) {
      const headers = { 'content-type': 'text/plain' };
      refused(await ask({ token, body: '{}', headers }), 415, 'unsupported_media_type');
      refused(await ask({ token, body: '{' }), 400, 'invalid_json');
      refused(await ask({ token, body: {} }), 422, 'invalid_request');
      const [example = {}] = examplesOf(operation);
      refused(await ask({ token, body: { ...example, more: 1 } }), 422, 'invalid_request');
    }
    if (JSON.stringify(operation.node.parameters ?? []).includes('IdempotencyKey')) {
      for (const key of ['x', '00000000-0000-0000-0000-000000000000']) {
        refused(await ask({ token, body: {}, headers: { 'idempotency-key': key } }), 400, 'invalid_header');
      }
    }
    const preflight = await fetch(ready.functions_url + operation.path, { method: 'OPTIONS' });
    assert.equal(preflight.status, 204);
    assert.equal(problems('/components/headers/RequestId/schema', preflight.headers.get('x-request-id')), '');
  });
}

test('every function is well', async () => {
  for (const { id, method } of [...OPERATIONS.values()].filter((it) => it.isOfHealth)) {
    const { status, body } = await call(id, {});
    assert.deepEqual([status, body], [200, method === 'HEAD' ? '' : { status: 'ok' }], id);
    if (method === 'GET') refused(await call(id, { method: 'PATCH', body: {} }), 405, 'method_not_allowed');
  }
});

test('a playlist, as a document and as a stream, until the plan is used up', async () => {
  const token = await newToken();
  const document = await generate(token, { prompt: 'a cozy rainy evening', target_count: 3 });
  assert.equal(document.body.count, 3);
  const stream = await generate(token, { prompt: 'a cozy rainy evening', target_count: 20 }, STREAM);
  const events = eventsOf(stream.body);
  const names = new Set(events.map(({ event }) => event));
  for (const name of ['stage', 'track', 'done']) assert(names.has(name), name);
  await generate(token, { prompt: 'evening', target_count: 3 });
  refused(await generate(token, { prompt: 'evening' }), 402, 'quota_exceeded', { retries: true });
  refused(await generate(token, { prompt: 'evening' }, STREAM), 402, 'quota_exceeded', { retries: true });
});

test('a saved playlist, and its Idempotency-Key again', async () => {
  const token = await newToken();
  const headers = { 'idempotency-key': randomUUID() };
  const wish = { prompt: 'a cozy rainy evening', target_count: 3, save: true };
  const saved = await generate(token, wish, headers);
  assert.equal(saved.body.playlist_id, headers['idempotency-key']);
  assert.deepEqual((await generate(token, wish, headers)).body.tracks.length, 3);
  const again = await generate(token, wish, { ...headers, ...STREAM });
  assert.deepEqual(eventsOf(again.body).map(({ event }) => event), ['done']);
  refused(await generate(token, { ...wish, save: false }, headers), 409, 'already_generated');
  refused(await generate(token, { ...wish, prompt: 'something else' }, headers), 409, 'idempotency_key_reused');
  refused(await generate(await newToken(), wish, headers), 409, 'idempotency_key_reused');
});

test('two requests under one Idempotency-Key', async () => {
  const token = await newToken();
  const headers = { 'idempotency-key': randomUUID() };
  const answers = await Promise.all([1, 2].map(() => generate(token, { prompt: 'evening', target_count: 3 }, headers)));
  const [late] = answers.filter(({ status }) => status !== 200);
  if (late?.body.code === 'generation_in_progress') refused(late, 409, 'generation_in_progress', { retries: true });
});

test('why there is no playlist, as a status and as the last event', async () => {
  for (const [simulator, path, how, status, code] of [
    ['llm', 'script', { refusal: 'No.' }, 422, 'not_about_music'],
    ['llm', 'script', { text: 'Sure!' }, 502, 'llm_invalid_answer'],
    ['llm', 'script', { reply: { kind: 'playlist', language: 'en', name: 'x', description: '', summary: '', tracks: [] } }, 422, 'no_tracks_found'],
    ['llm', 'faults', [{ path_prefix: '/v1/', status: 500 }], 502, 'llm_unavailable'],
    ['llm', 'faults', [{ path_prefix: '/v1/', status: 401 }], 503, 'misconfigured'],
    ['llm', 'faults', [{ path_prefix: '/v1/', status: 429, headers: { 'retry-after': '60' } }], 503, 'llm_rate_limited'],
    ['spotify', 'faults', [{ path_prefix: '/v1/search', status: 500 }], 502, 'spotify_unavailable'],
    ['spotify', 'faults', [{ path_prefix: '/v1/search', status: 429, headers: { 'retry-after': '60' } }], 503, 'spotify_rate_limited'],
  ] as const) {
    await resetSimulators();
    await letModelAnswer();
    await control(simulator, path, how);
    const token = await newToken();
    const retries = code.endsWith('_rate_limited');
    refused(await generate(token, { prompt: 'evening' }), status, code, { retries });
    const stream = await generate(token, { prompt: 'evening' }, STREAM);
    const last = eventsOf(stream.body).at(-1) as { event: string; data: { code: string } };
    assert.deepEqual([last.event, last.data.code], ['error', code]);
  }
});

test('after several failures it is too soon to try again', async () => {
  await control('llm', 'script', { text: 'Sure!' });
  const token = await newToken();
  for (let n = 0; n < 5; n += 1) refused(await generate(token, { prompt: 'evening' }), 502, 'llm_invalid_answer');
  refused(await generate(token, { prompt: 'evening' }), 429, 'too_many_attempts', { retries: true });
});

test('requests are refused where the schemas refuse them, and nowhere else', async () => {
  await control('llm', 'script', { refusal: 'No.' });
  const song = { artist: 'Nirvana', title: 'Lithium' };
  const many = <T>(count: number, item: T): T[] => Array.from({ length: count }, () => item);
  const longUrl = (length: number) => `${APP}/`.padEnd(length, 'x');
  const wishes = [
    { prompt: '𝄞'.repeat(1000) }, { prompt: 'x'.repeat(1001) }, { prompt: ' \t ' }, { prompt: '\u0001\u0083' }, { prompt: '\u0083x' }, { prompt: 5 }, { prompt: null },
    { target_count: 1 }, { target_count: 50 }, { target_count: 51 }, { target_count: 0 }, { target_count: 1.5 }, { target_count: '5' },
    { target_count: null, seeds: null, mood: null, tempo: null, era: null, allow_explicit: null, allow_versions: null, exclude_artists: null, market: null, refine: null, save: null },
    { seeds: many(5, song) }, { seeds: many(6, song) }, { seeds: [{ artist: 'Nirvana' }] }, { seeds: [{ ...song, year: 1991 }] },
    { mood: 'x'.repeat(100), tempo: 'x'.repeat(100) }, { mood: 'x'.repeat(101) }, { tempo: '' },
    { era: {} }, { era: { from: 1900, to: 2100 } }, { era: { from: 1899 } }, { era: { to: 2101 } }, { era: { from: null } }, { era: { at: 1990 } },
    { exclude_artists: many(20, 'x') }, { exclude_artists: many(21, 'x') }, { exclude_artists: [''] }, { exclude_artists: ['x'.repeat(201)] },
    { market: 'pl' }, { market: 'POL' }, { market: '12' }, { save: 'yes' }, { allow_explicit: 0 }, { allow_versions: true }, { allow_versions: 'yes' },
    { refine: { previous: [], instruction: 'calmer' } }, { refine: { previous: many(100, song), instruction: 'x'.repeat(500) } },
    { refine: { previous: many(101, song), instruction: 'calmer' } }, { refine: { previous: [], instruction: ' ' } }, { refine: { instruction: 'calmer' } },
  ].map((wish) => ({ prompt: 'evening', ...wish }));
  const exports = [
    {}, { name: null, description: null }, { name: 'x'.repeat(200), description: '' }, { name: 'x'.repeat(201) }, { name: '  ' },
    { description: 'x'.repeat(1000) }, { description: 'x'.repeat(1001) }, { playlist_id: 'x' }, { playlist_id: null }, { public: true },
  ].map((more) => ({ playlist_id: NO_SUCH_ID, ...more }));
  const portals = [APP, `${APP}/plan?a={B}#c`, longUrl(2048), longUrl(2049), `${APP}/a b`, `${APP}/\\x`, `${APP}/ż`, 'javascript:alert(1)', '', null, 7];
  const addresses = ['a@b.example', 'x'.repeat(254), 'x'.repeat(255), '', ' ', null, true];
  for (const [id, bodies] of [
    ['generatePlaylist', wishes],
    ['exportPlaylist', exports],
    ['openPortal', portals.map((return_url) => ({ return_url }))],
    ['deleteAccount', addresses.map((confirm) => ({ confirm }))],
  ] as const) {
    for (const body of bodies) {
      const answer = await call(id, { token: await newToken(), body });
      const wrong = problems(bodySchemaOf(OPERATIONS.get(id) as Operation), body);
      const text = `${id} ${JSON.stringify(body).slice(0, 200)}: ${answer.status} ${answer.body.code}, ${wrong || 'valid'}`;
      assert.equal(answer.body.code === 'invalid_request', wrong !== '', text);
    }
  }
});

test('an account is linked and unlinked', async () => {
  const token = await newToken();
  assert.deepEqual((await call('getSpotifyLink', { token })).body, { linked: false });
  const code = await agreed(token);
  refused(await call('completeSpotifyLink', { token: await newToken(), body: code }), 403, 'state_of_another_user');
  refused(await call('completeSpotifyLink', { token, body: { ...code, state: 'x' } }), 400, 'invalid_state');
  refused(await call('completeSpotifyLink', { token, body: { ...code, state: 'x'.repeat(513) } }), 400, 'invalid_state');
  refused(await call('completeSpotifyLink', { token, body: { ...code, code: '' } }), 400, 'invalid_code');
  assert.equal((await call('completeSpotifyLink', { token, body: code })).body.linked, true);
  refused(await call('completeSpotifyLink', { token, body: code }), 400, 'invalid_code');
  assert.equal((await call('getSpotifyLink', { token })).body.linked, true);
  const stranger = await newToken();
  refused(await call('completeSpotifyLink', { token: stranger, body: await agreed(stranger, 'stranger') }), 403, 'spotify_access_denied');
  for (let n = 0; n < 2; n += 1) assert.equal((await call('deleteSpotifyLink', { token })).status, 204);
});

test('whatever comes to the callback, the browser is sent on', async () => {
  for (const query of ['', '?code=a', '?state=forged&code=a', '?error=access_denied&state=x', `?code=${'x'.repeat(3000)}`]) {
    const { status, headers } = await call('returnFromSpotify', { query });
    assert.deepEqual([status, headers.get('location')], [302, `${APP}/#spotify_error=invalid_state`], query);
  }
});

test('while Spotify fails there is no link', async () => {
  const token = await newToken();
  for (const [fault, status, code] of [
    [{ status: 500 }, 502, 'spotify_unavailable'],
    [{ status: 429, headers: { 'retry-after': '60' } }, 503, 'spotify_rate_limited'],
    [{ status: 400, body: { error: 'invalid_client' } }, 503, 'misconfigured'],
  ] as const) {
    await control('spotify', 'faults', []);
    const body = await agreed(token);
    await control('spotify', 'faults', [{ path_prefix: '/api/token', ...fault }]);
    refused(await call('completeSpotifyLink', { token, body }), status, code, { retries: status === 503 && code !== 'misconfigured' });
  }
});

test('the catalogue is searched', async () => {
  const token = await newToken();
  const search = (query: string) => call('searchTracks', { token, query });
  assert((await search('?artist=Nirvana&title=Come+as+You+Are&limit=3&market=pl')).body.tracks.length > 0);
  assert.deepEqual((await search('?title=qzxwvutsrqponm&limit=&market=&more=1&more=2')).body, { tracks: [] });
  for (const query of ['', '?artist=', '?title=a&limit=0', '?title=a&limit=11', '?title=a&market=POL', '?title=a&title=b', `?title=${'x'.repeat(201)}`]) {
    refused(await search(query), 422, 'invalid_request');
  }
  await control('spotify', 'faults', [{ path_prefix: '/v1/search', status: 503 }]);
  refused(await search('?title=a'), 502, 'spotify_unavailable');
  await control('spotify', 'faults', [{ path_prefix: '/v1/search', status: 429, headers: { 'retry-after': '60' } }]);
  refused(await search('?title=a'), 503, 'spotify_rate_limited', { retries: true });
});

test('a playlist is exported', async () => {
  const { supabase, session } = await signedUp();
  const token = session.access_token;
  const { body: saved } = await generate(token, { prompt: 'evening', target_count: 3, save: true });
  const wish = { playlist_id: saved.playlist_id };
  refused(await call('exportPlaylist', { token, body: wish }), 403, 'spotify_not_linked');
  await call('completeSpotifyLink', { token, body: await agreed(token) });
  refused(await call('exportPlaylist', { token, body: { playlist_id: NO_SUCH_ID } }), 404, 'playlist_not_found');
  const { data, error } = await supabase.from('playlists').insert({ owner_id: session.user.id, name: 'Empty' }).select('id').single();
  assert.equal(error, null);
  refused(await call('exportPlaylist', { token, body: { playlist_id: data?.id } }), 409, 'playlist_empty');
  const headers = { 'idempotency-key': randomUUID() };
  await control('spotify', 'rejected_uris', [saved.tracks[1].track_uri]);
  const exported = await call('exportPlaylist', { token, body: wish, headers });
  assert.deepEqual([exported.body.exported, exported.body.total], [2, 3]);
  assert.deepEqual((await call('exportPlaylist', { token, body: wish, headers })).body, exported.body);
  refused(await call('exportPlaylist', { token, body: { ...wish, name: 'Other' }, headers }), 409, 'idempotency_key_reused');
  await control('spotify', 'faults', [{ path_prefix: '/v1/me/playlists', status: 403, body: 'no' }]);
  refused(await call('exportPlaylist', { token, body: wish }), 403, 'spotify_access_denied');
  await control('spotify', 'faults', [{ path_prefix: '/v1/me/playlists', status: 429, headers: { 'retry-after': '60' } }]);
  refused(await call('exportPlaylist', { token, body: wish }), 503, 'spotify_rate_limited', { retries: true });
});

test('a page to pay on, and one to manage', async () => {
  const token = await newToken();
  const urls = { success_url: `${APP}/paid?session={CHECKOUT_SESSION_ID}`, cancel_url: `${APP}/` };
  const portal = { return_url: `${APP}/` };
  refused(await call('openPortal', { token, body: portal }), 409, 'nothing_to_manage');
  refused(await call('openCheckout', { token, body: { ...urls, cancel_url: 'https://evil.example/' } }), 422, 'invalid_request');
  await call('openCheckout', { token, body: urls });
  await call('openPortal', { token, body: portal });
  for (const id of ['openCheckout', 'openPortal']) {
    const body = id === 'openPortal' ? portal : urls;
    await control('stripe', 'faults', [{ path_prefix: '/v1/', status: 500 }]);
    refused(await call(id, { token, body }), 502, 'stripe_unavailable');
    await control('stripe', 'faults', [{ path_prefix: '/v1/', status: 429, headers: { 'retry-after': '60' } }]);
    refused(await call(id, { token, body }), 503, 'stripe_rate_limited', { retries: true });
    await control('stripe', 'faults', [{ path_prefix: '/v1/', status: 401, body: { error: {} } }]);
    refused(await call(id, { token, body }), 503, 'misconfigured');
  }
});

test('Stripe tells', async () => {
  const tell = (body: string, secret = SECRET) => {
    const seconds = Math.floor(Date.now() / 1000);
    const signature = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
    return call('receiveStripeEvent', { body, headers: { 'stripe-signature': `t=${seconds},v1=${signature}` } });
  };
  const event = { id: 'evt_1', object: 'event', type: 'invoice.paid', livemode: false, data: { object: { object: 'invoice', customer: 'cus_nobodys' } } };
  const thin = { id: 'evt_2', object: 'v2.core.event', type: 'v1.charge.refunded', livemode: false, related_object: { id: 'ch_1', type: 'charge' } };
  for (const valid of [event, thin]) assert.equal(problems(bodySchemaOf(OPERATIONS.get('receiveStripeEvent') as Operation), valid), '');
  assert.deepEqual((await tell(JSON.stringify(event))).body, { outcome: 'foreign' });
  assert.deepEqual((await tell(JSON.stringify(thin))).body, { outcome: 'ignored' });
  refused(await tell(JSON.stringify(event), 'whsec_of_somebody_else_entirely_0000'), 400, 'invalid_signature');
  refused(await call('receiveStripeEvent', { body: event }), 400, 'invalid_signature');
  refused(await tell('{'), 400, 'invalid_json');
  refused(await tell('{}'), 400, 'invalid_event');
  refused(await tell(JSON.stringify({ ...event, livemode: true })), 400, 'livemode_mismatch');
  await control('stripe', 'faults', [{ path_prefix: '/v1/', status: 429, headers: { 'retry-after': '60' } }]);
  refused(await tell(JSON.stringify(event)), 503, 'stripe_rate_limited', { retries: true });
  await control('stripe', 'faults', [{ path_prefix: '/v1/', status: 500 }]);
  refused(await tell(JSON.stringify(event)), 502, 'stripe_unavailable');
});

test('an account is deleted, and what its token opens then', async () => {
  const { session } = await signedUp();
  const token = session.access_token;
  const body = { confirm: String(session.user.email) };
  await call('openCheckout', { token, body: { success_url: `${APP}/`, cancel_url: `${APP}/` } });
  refused(await call('deleteAccount', { token, body: { confirm: 'ann@example.com' } }), 422, 'not_confirmed');
  assert.equal((await call('exportAccount', { token })).body.account.email, session.user.email);
  await control('stripe', 'faults', [{ path_prefix: '/v1/', status: 500 }]);
  refused(await call('deleteAccount', { token, body }), 502, 'stripe_unavailable');
  await control('stripe', 'faults', []);
  for (let n = 0; n < 2; n += 1) assert.equal((await call('deleteAccount', { token, body })).status, 204);
  refused(await generate(token, { prompt: 'evening' }), 403, 'profile_not_found');
  refused(await call('openCheckout', { token, body: { success_url: `${APP}/`, cancel_url: `${APP}/` } }), 403, 'profile_not_found');
  refused(await call('openPortal', { token, body: { return_url: `${APP}/` } }), 403, 'profile_not_found');
  refused(await call('exportAccount', { token }), 403, 'profile_not_found');
  for (const headers of [{}, { 'idempotency-key': randomUUID() }] as Record<string, string>[]) {
    refused(await call('exportPlaylist', { token, body: { playlist_id: NO_SUCH_ID }, headers }), 403, 'profile_not_found');
  }
  assert.deepEqual((await call('getSpotifyLink', { token })).body, { linked: false });
  assert.equal((await call('deleteSpotifyLink', { token })).status, 204);
});

test('every route was seen to succeed', (context) => {
  assert.deepEqual([...OPERATIONS.keys()].filter((id) => !succeeded.has(id)), []);
  const described = [...OPERATIONS.values()].flatMap((it) => [...codesOf(it).keys()].map((code) => `${it.id} ${code}`));
  context.diagnostic(`${seen.size} of ${described.length} described refusals were seen`);
});

const STREAM = { accept: 'text/event-stream' };

function generate(token: string, body: object, headers: Record<string, string> = {}): Promise<Answer> {
  return call('generatePlaylist', { token, body, headers });
}

async function newToken(): Promise<string> {
  return (await signedUp()).session.access_token;
}

/** Agrees on Spotify's page; answers what the callback passes on. */
async function agreed(token: string, login = 'ania'): Promise<{ code: string; state: string }> {
  const { body } = await call('startSpotifyLink', { token });
  const form = new URLSearchParams({ decision: 'agree', login });
  const sent = await fetch(body.authorize_url, { method: 'POST', body: form, redirect: 'manual' });
  const { headers } = await call('returnFromSpotify', { query: new URL(String(sent.headers.get('location'))).search });
  const fragment = new URLSearchParams(new URL(String(headers.get('location'))).hash.slice(1));
  return { code: String(fragment.get('spotify_code')), state: String(fragment.get('spotify_state')) };
}

async function control(simulator: keyof typeof ready.simulators, name: string, body: unknown): Promise<void> {
  const response = await fetch(`${ready.simulators[simulator]}/__control/${name}`, { method: 'PUT', body: JSON.stringify(body) });
  assert.equal(response.ok, true, await response.text());
}

/** Calls a route; whatever it answers has to be described. */
async function call(id: string, asked: Asked): Promise<Answer> {
  const operation = OPERATIONS.get(id);
  assert(operation, id);
  const { token, body, query = '', method = operation.method, path = operation.path } = asked;
  const isJson = body !== undefined;
  const response = await fetch(ready.functions_url + path + query, {
    method,
    headers: {
      ...(isJson ? { 'content-type': 'application/json' } : {}),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...asked.headers,
    },
    ...(isJson ? { body: typeof body === 'string' ? body : JSON.stringify(body) } : {}),
    redirect: 'manual',
  });
  const text = await response.text();
  const what = `${method} ${path} answers ${response.status} ${text.slice(0, 300)}`;
  const answer: Answer = { status: response.status, headers: response.headers, body: described(operation, response, text, what) };
  if (response.status < 400) {
    succeeded.add(id);
    if (typeof body === 'object' && operation.node.requestBody) assert.equal(problems(bodySchemaOf(operation), body), '', what);
  } else {
    seen.add(`${id} ${answer.body.code}`);
  }
  return answer;
}

/** Checks an answer against its description; answers its body. */
function described(operation: Operation, response: Response, text: string, what: string): unknown {
  const description = responseOf(operation, response.status);
  assert(description, `${what}: not described`);
  const { node, pointer } = description;
  const headers = Object.keys(node.headers as Node);
  for (const name of headers) {
    const header = follow(`${pointer}/headers/${name}`);
    const value = response.headers.get(name);
    assert(value !== null || !header.node.required, `${what} without ${name}`);
    const isNumber = (header.node.schema as Node).type === 'integer';
    if (value !== null) assert.equal(problems(`${header.pointer}/schema`, isNumber ? Number(value) : value), '', `${what}: ${name}: ${value}`);
  }
  for (const name of TELLING) {
    assert(!response.headers.has(name) || headers.some((it) => it.toLowerCase() === name), `${what}: ${name} is not described`);
  }
  if (!node.content) {
    assert.equal(text, '', what);
    return '';
  }
  const type = String(response.headers.get('content-type'));
  const [essence = ''] = type.split(';');
  assert(essence in (node.content as Node), `${what}: ${type}`);
  const schema = `${pointer}/content/${essence.replace('/', '~1')}/schema`;
  assert.equal(type, `${essence}; charset=utf-8`, what);
  if (essence === 'text/event-stream') {
    assert.equal(response.headers.get('cache-control'), 'no-cache, no-transform', what);
    assert.equal(response.headers.get('x-accel-buffering'), 'no', what);
    const events = eventsOf(text);
    assert.equal(problems(`${follow(schema).pointer}/contentSchema`, events), '', what);
    assert.deepEqual(events.map(({ event }) => event).filter((event) => ['done', 'error'].includes(event)), [events.at(-1)?.event], what);
    return text;
  }
  const body = JSON.parse(text) as Node;
  assert.equal(problems(schema, body), '', what);
  assert.equal(response.headers.get('cache-control'), 'no-store', what);
  if (response.status >= 400) assert.equal(body.request_id, response.headers.get('x-request-id'), what);
  return body;
}

function refused(answer: Answer, status: number, code: string, { retries = false } = {}): void {
  assert.deepEqual([answer.status, answer.body.code], [status, code], JSON.stringify(answer.body));
  if (retries) assert(answer.headers.has('retry-after'), `${code} without Retry-After`);
}

function bodySchemaOf(operation: Operation): string {
  return `${operation.pointer}/requestBody/content/application~1json/schema`;
}

function examplesOf(operation: Operation): object[] {
  const body = follow(`${operation.pointer}/requestBody/content/application~1json`).node;
  const examples = Object.values((body.examples as { [name: string]: Node } | undefined) ?? {}).map(({ value }) => value);
  return [...('example' in body ? [body.example] : []), ...examples] as object[];
}

/** How many bytes a route reads, as its description says. */
function limitOf(operation: Operation): number {
  const text = JSON.stringify([operation.node.requestBody, operation.node.description]);
  const [, size = '', unit] = /(?:At most|it may have) (\d+) (KB|MB)/.exec(text) ?? [];
  return Number(size) * (unit === 'MB' ? 1024 * 1024 : 1024);
}
