/**
 * docs/openapi.yaml against the running functions: every response must be described, with its status, headers and body. One
 * file, because its tests share the simulators and must run one after the other.
 */
import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { beforeEach, test } from 'node:test';
import { control, letModelAnswer, ready, resetSimulators, signedUp } from '../compat/support.ts';
import { eventsOf, follow, operations, problems } from './document.ts';
import type { Node, Operation } from './document.ts';

/** An object is sent as JSON, a string unchanged; `method` and `path` replace the documented ones. */
type CallOptions = { token?: string; body?: object | string; query?: string; headers?: Record<string, string>; method?: string; path?: string };
/** `body` is JSON, the text of a stream, or an empty string. */
type Reply = { status: number; headers: Headers; body: any };

const { stripe_webhook_secret: SECRET, web_url: APP } = ready;
const OPERATIONS = new Map(operations().map((operation) => [operation.id, operation]));
const OWN = [...OPERATIONS.values()].filter((it) => !it.isOfHealth);
/** More bytes than any route reads. */
const TOO_LARGE = 1024 * 1024 + 1;
const NO_SUCH_ID = '8b3c2a10-5f7e-4c55-9d53-0f0e6f4b8a11';
const STREAM = { accept: 'text/event-stream' };
const RATE_LIMITED = { status: 429, headers: { 'retry-after': '60' } };
/** Headers that are sent only where they are described. */
const TELLING = ['allow', 'location', 'retry-after', 'www-authenticate'];
const succeeded = new Set<string>();

beforeEach(async () => {
  await resetSimulators();
  await letModelAnswer();
});

for (const operation of OWN) {
  test(`${operation.id}: the usual refusals`, async () => {
    const { id, path, method, isForUsers, node } = operation;
    const token = await newToken();
    const empty = method === 'GET' ? {} : { body: {} };
    await refused(id, { method: 'PATCH', token, body: {} }, 405, 'method_not_allowed');
    const allowed = OWN.filter((it) => it.path === path).map((it) => it.method);
    // A method that the function has on another path.
    const other = OWN.find((it) => it.path.split('/')[1] === path.split('/')[1] && !allowed.includes(it.method));
    if (other) {
      const { headers } = await refused(id, { method: other.method, token }, 405, 'method_not_allowed');
      assert.deepEqual(headers.get('allow')?.split(', ').sort(), allowed.sort());
    }
    await refused(id, { path: `${path}/nowhere`, token, ...(node.requestBody ? empty : {}) }, 404, 'not_found');
    if (method !== 'GET') await refused(id, { token, body: ' '.repeat(TOO_LARGE) }, 413, 'body_too_large');
    if (!isForUsers) return;
    await refused(id, empty, 401, 'missing_token');
    await refused(id, { token: 'x'.repeat(33_000), ...empty }, 431, 'token_too_large');
    await refused(id, { token: 'x.y.z', ...empty }, 401, 'invalid_token');
    if (!node.requestBody) return;
    await refused(id, { token, body: '{}', headers: { 'content-type': 'text/plain' } }, 415, 'unsupported_media_type');
    await refused(id, { token, body: '{' }, 400, 'invalid_json');
    await refused(id, { token, body: {} }, 422, 'invalid_request');
    if (JSON.stringify(node.parameters ?? []).includes('IdempotencyKey')) {
      await refused(id, { token, body: {}, headers: { 'idempotency-key': 'x' } }, 400, 'invalid_header');
    }
  });
}

test('every function is healthy', async () => {
  for (const { id, method } of [...OPERATIONS.values()].filter((it) => it.isOfHealth)) {
    const { status, body } = await call(id, {});
    assert.deepEqual([status, body], [200, method === 'HEAD' ? '' : { status: 'ok' }], id);
  }
});

test('playlists are generated as a document and as a stream until the quota is used up', async () => {
  const token = await newToken();
  const ask = (headers = {}) => ({ token, body: { prompt: 'a cozy rainy evening', target_count: 3 }, headers });
  const key = { 'idempotency-key': randomUUID() };
  const saved = { token, body: { prompt: 'evening', target_count: 3, save: true }, headers: key };
  assert.equal((await call('generatePlaylist', ask())).body.count, 3);
  const names = new Set(eventsOf((await call('generatePlaylist', ask(STREAM))).body).map(({ event }) => event));
  for (const name of ['stage', 'track', 'done']) assert(names.has(name), name);
  for (let n = 0; n < 2; n += 1) assert.equal((await call('generatePlaylist', saved)).body.playlist_id, key['idempotency-key']);
  assert.deepEqual(eventsOf((await call('generatePlaylist', { ...saved, headers: { ...key, ...STREAM } })).body).map(({ event }) => event), ['done']);
  assert.equal((await call('generatePlaylist', { ...saved, body: { ...saved.body, save: false } })).body.count, 3);
  await refused('generatePlaylist', { ...saved, body: { ...saved.body, prompt: 'something else' } }, 409, 'idempotency_key_reused');
  for (const headers of [{}, STREAM]) await refused('generatePlaylist', ask(headers), 402, 'quota_exceeded', true);
});

test('a failed generation has its code as a status and as the last event', async () => {
  const empty = { kind: 'playlist', language: 'en', name: 'x', description: '', summary: '', tracks: [] };
  for (const [simulator, path, how, status, code] of [
    ['llm', 'script', { refusal: 'No.' }, 422, 'not_about_music'],
    ['llm', 'script', { reply: empty }, 422, 'no_tracks_found'],
    ['llm', 'faults', [{ path_prefix: '/v1/', ...RATE_LIMITED }], 503, 'llm_rate_limited'],
    ['spotify', 'faults', [{ path_prefix: '/v1/search', status: 500 }], 502, 'spotify_unavailable'],
    ['spotify', 'faults', [{ path_prefix: '/v1/search', ...RATE_LIMITED }], 503, 'spotify_rate_limited'],
  ] as const) {
    await resetSimulators();
    await letModelAnswer();
    await control(simulator, 'PUT', path, how);
    const request = { token: await newToken(), body: { prompt: 'evening' } };
    await refused('generatePlaylist', request, status, code, code.endsWith('_rate_limited'));
    const last = eventsOf((await call('generatePlaylist', { ...request, headers: STREAM })).body).at(-1) as { event: string; data: { code: string } };
    assert.deepEqual([last.event, last.data.code], ['error', code]);
  }
});

test('a Spotify account is linked, exported to and unlinked', async () => {
  const token = await newToken();
  const saved = (await call('generatePlaylist', { token, body: { prompt: 'evening', target_count: 3, save: true } })).body;
  const exporting = { token, body: { playlist_id: saved.playlist_id }, headers: { 'idempotency-key': randomUUID() } };
  assert.deepEqual((await call('getSpotifyLink', { token })).body, { linked: false });
  await refused('exportPlaylist', exporting, 403, 'spotify_not_linked');
  for (const query of ['', '?code=a', '?state=forged&code=a', `?code=${'x'.repeat(3000)}`]) await call('returnFromSpotify', { query });
  const code = await agreed(token);
  await refused('completeSpotifyLink', { token: await newToken(), body: code }, 403, 'state_of_another_user');
  await refused('completeSpotifyLink', { token, body: { ...code, state: 'x' } }, 400, 'invalid_state');
  await refused('completeSpotifyLink', { token, body: { ...code, code: '' } }, 400, 'invalid_code');
  assert.equal((await call('completeSpotifyLink', { token, body: code })).body.linked, true);
  assert.equal((await call('getSpotifyLink', { token })).body.linked, true);
  await refused('exportPlaylist', { token, body: { playlist_id: NO_SUCH_ID } }, 404, 'playlist_not_found');
  await control('spotify', 'PUT', 'rejected_uris', [saved.tracks[1].track_uri]);
  const exported = await call('exportPlaylist', exporting);
  assert.deepEqual([exported.body.exported, exported.body.total], [2, 3]);
  await refused('exportPlaylist', { ...exporting, body: { ...exporting.body, name: 'Other' } }, 409, 'idempotency_key_reused');
  await control('spotify', 'PUT', 'faults', [{ path_prefix: '/v1/playlists/', ...RATE_LIMITED }]);
  await refused('exportPlaylist', { token, body: exporting.body }, 503, 'spotify_rate_limited', true);
  for (let n = 0; n < 2; n += 1) assert.equal((await call('deleteSpotifyLink', { token })).status, 204);
});

test('the catalogue is searched', async () => {
  const token = await newToken();
  assert((await call('searchTracks', { token, query: '?artist=Nirvana&title=Come+as+You+Are&limit=3&market=pl' })).body.tracks.length > 0);
  assert.deepEqual((await call('searchTracks', { token, query: '?title=qzxwvutsrqponm&limit=&market=&more=1&more=2' })).body, { tracks: [], is_partial: false });
  // No keyword of a schema expresses these, so schemathesis does not try them.
  for (const query of ['', '?artist=', '?title=a&title=b']) await refused('searchTracks', { token, query }, 422, 'invalid_request');
  await control('spotify', 'PUT', 'faults', [{ path_prefix: '/v1/search', ...RATE_LIMITED }]);
  await refused('searchTracks', { token, query: '?title=a' }, 503, 'spotify_rate_limited', true);
});

test('checkout and portal are opened, and the account is deleted', async () => {
  const { session } = await signedUp();
  const token = session.access_token;
  const checkout = { token, body: { success_url: `${APP}/paid?session={CHECKOUT_SESSION_ID}`, cancel_url: `${APP}/` } };
  const portal = { token, body: { return_url: `${APP}/` } };
  const deletion = { token, body: { confirm: String(session.user.email) } };
  await refused('openPortal', portal, 409, 'nothing_to_manage');
  assert.deepEqual((await call('readPrice', {})).body, { amount: '4.99', currency: 'USD', interval: 'month', interval_count: 1 });
  await refused('openCheckout', { token, body: { ...checkout.body, cancel_url: 'https://evil.example/' } }, 422, 'invalid_request');
  await call('openCheckout', checkout);
  await call('openPortal', portal);
  await refused('deleteAccount', { token, body: { confirm: 'ann@example.com' } }, 422, 'not_confirmed');
  for (const [fault, status, code] of [[{ status: 500 }, 502, 'stripe_unavailable'], [RATE_LIMITED, 503, 'stripe_rate_limited']] as const) {
    await control('stripe', 'PUT', 'faults', [{ path_prefix: '/v1/', ...fault }]);
    for (const [id, request] of [['openCheckout', checkout], ['openPortal', portal], ['deleteAccount', deletion]] as const) {
      await refused(id, request, status, code, status === 503);
    }
  }
  await control('stripe', 'PUT', 'faults', []);
  assert.equal((await call('exportAccount', { token })).body.account.email, deletion.body.confirm);
  for (let n = 0; n < 2; n += 1) assert.equal((await call('deleteAccount', deletion)).status, 204);
  await refused('exportAccount', { token }, 403, 'profile_not_found');
  await refused('generatePlaylist', { token, body: { prompt: 'evening' } }, 403, 'profile_not_found');
  await refused('openCheckout', checkout, 403, 'profile_not_found');
  await refused('openPortal', portal, 403, 'profile_not_found');
  await refused('exportPlaylist', { token, body: { playlist_id: NO_SUCH_ID } }, 403, 'profile_not_found');
});

test('events of Stripe are received', async () => {
  const told = (body: string, secret = SECRET) => {
    const seconds = Math.floor(Date.now() / 1000);
    const v1 = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
    return { body, headers: { 'stripe-signature': `t=${seconds},v1=${v1}` } };
  };
  const event = { id: 'evt_1', object: 'event', type: 'invoice.paid', livemode: false, data: { object: { object: 'invoice', customer: 'cus_nobodys' } } };
  const thin = { id: 'evt_2', object: 'v2.core.event', type: 'v1.charge.refunded', livemode: false, related_object: { id: 'ch_1', type: 'charge' } };
  assert.deepEqual((await call('receiveStripeEvent', told(JSON.stringify(event)))).body, { outcome: 'foreign' });
  assert.deepEqual((await call('receiveStripeEvent', told(JSON.stringify(thin)))).body, { outcome: 'ignored' });
  await refused('receiveStripeEvent', told(JSON.stringify(event), 'whsec_of_somebody_else_entirely_0000'), 400, 'invalid_signature');
  await refused('receiveStripeEvent', told('{'), 400, 'invalid_json');
  await refused('receiveStripeEvent', told('{}'), 400, 'invalid_event');
  await refused('receiveStripeEvent', told(JSON.stringify({ ...event, livemode: true })), 400, 'livemode_mismatch');
  await control('stripe', 'PUT', 'faults', [{ path_prefix: '/v1/', ...RATE_LIMITED }]);
  await refused('receiveStripeEvent', told(JSON.stringify(event)), 503, 'stripe_rate_limited', true);
});

test('every route has succeeded', () => {
  assert.deepEqual([...OPERATIONS.keys()].filter((id) => !succeeded.has(id)), []);
});

async function newToken(): Promise<string> {
  return (await signedUp()).session.access_token;
}

async function agreed(token: string): Promise<{ code: string; state: string }> {
  const { body } = await call('startSpotifyLink', { token });
  const sent = await fetch(body.authorize_url, { method: 'POST', body: new URLSearchParams({ decision: 'agree', login: 'ania' }), redirect: 'manual' });
  const { headers } = await call('returnFromSpotify', { query: new URL(String(sent.headers.get('location'))).search });
  const fragment = new URLSearchParams(new URL(String(headers.get('location'))).hash.slice(1));
  return { code: String(fragment.get('spotify_code')), state: String(fragment.get('spotify_state')) };
}

/** Calls a route, asserting that its response is described and that an accepted body is valid. */
async function call(id: string, { token, body, query = '', headers = {}, method, path }: CallOptions): Promise<Reply> {
  const operation = OPERATIONS.get(id) as Operation;
  const response = await fetch(ready.functions_url + (path ?? operation.path) + query, {
    method: method ?? operation.method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    redirect: 'manual',
  });
  const text = await response.text();
  const what = `${id} returns ${response.status} ${text.slice(0, 300)}`;
  if (response.status < 400) {
    succeeded.add(id);
    if (typeof body === 'object' && operation.node.requestBody) assert.equal(problems(`${bodyPointer(operation)}/schema`, body), '', what);
  }
  return { status: response.status, headers: response.headers, body: described(operation, response, text, what) };
}

function described({ node: { responses }, pointer: at }: Operation, { status, headers }: Response, text: string, what: string): unknown {
  assert(String(status) in (responses as Node), `${what}: not described`);
  const { node, pointer } = follow(`${at}/responses/${status}`);
  const names = Object.keys(node.headers as Node);
  for (const name of names) {
    const header = follow(`${pointer}/headers/${name}`);
    const value = headers.get(name);
    assert(value !== null || !header.node.required, `${what} without ${name}`);
    const isNumber = (header.node.schema as Node).type === 'integer';
    if (value !== null) assert.equal(problems(`${header.pointer}/schema`, isNumber ? Number(value) : value), '', `${what}: ${name}: ${value}`);
  }
  const undescribed = TELLING.filter((name) => headers.has(name) && !names.some((it) => it.toLowerCase() === name));
  assert.deepEqual(undescribed, [], what);
  if (!node.content) {
    assert.equal(text, '', what);
    return '';
  }
  const type = String(headers.get('content-type'));
  const [essence = ''] = type.split(';');
  assert(essence in (node.content as Node), `${what}: ${type}`);
  assert.equal(type, `${essence}; charset=utf-8`, what);
  const schema = `${pointer}/content/${essence.replace('/', '~1')}/schema`;
  if (essence === 'text/event-stream') {
    const events = eventsOf(text);
    assert.equal(problems(`${follow(schema).pointer}/contentSchema`, events), '', what);
    assert.deepEqual(events.map(({ event }) => event).filter((event) => ['done', 'error'].includes(event)), [events.at(-1)?.event], what);
    return text;
  }
  const body = JSON.parse(text) as Node;
  assert.equal(problems(schema, body), '', what);
  if (status >= 400) assert.equal(body.request_id, headers.get('x-request-id'), what);
  return body;
}

async function refused(id: string, request: CallOptions, status: number, code: string, retries = false): Promise<Reply> {
  const response = await call(id, request);
  assert.deepEqual([response.status, response.body.code], [status, code], JSON.stringify(response.body));
  assert(!retries || response.headers.has('retry-after'), `${code} without Retry-After`);
  return response;
}

const bodyPointer = ({ pointer }: Operation) => `${pointer}/requestBody/content/application~1json`;
