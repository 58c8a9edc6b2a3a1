import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { control, startForTests } from './helpers.ts';
import type { Simulators } from './start.ts';
import { start } from './start.ts';
import type { Json, Received, Receiver } from './stripe-helpers.ts';
import { WEBHOOK_SECRET, act, receive, subscriber } from './stripe-helpers.ts';

const OTHERS = { spotify: { clientId: 'i', clientSecret: 's' }, llm: { apiKey: 'k' } };
const STRIPE = { secretKey: 'sk_test_k', priceId: 'price_pro' };

interface Delivered {
  event_id: string;
  type: string;
  attempt: number;
  status: number | null;
  body: string;
}

describe('Stripe’s webhooks', () => {
  let simulators: Simulators;
  let base: string;
  let receiver: Receiver;

  before(async () => {
    simulators = await startForTests();
    base = simulators.urls.stripe;
  });
  beforeEach(async () => {
    await control(base, 'POST reset');
    receiver = await receive();
  });
  afterEach(() => receiver.close());
  after(() => simulators.close());

  const listen = (fields: Json = {}): Promise<unknown> => control(base, 'PUT delivery', { url: receiver.url, secrets: [WEBHOOK_SECRET], ...fields });
  const deliveries = async (): Promise<Delivered[]> => (await control(base, 'GET deliveries')) as Delivered[];
  /** What has been written down once there is so much of it: that is after the answer has come. */
  const written = async (count: number): Promise<Delivered[]> => {
    for (let found = await deliveries(); ; found = await deliveries()) {
      if (found.length >= count) return found;
    }
  };
  const deliver = (order: Json = {}): Promise<unknown> => control(base, 'POST deliver', order);
  const customers = async (count: number): Promise<unknown> => control(base, 'POST act', Array.from({ length: count }, () => ({ action: 'create_customer' })));
  const ids = (received: Received[]): string[] => received.map(({ body }) => (JSON.parse(body) as { id: string }).id);
  const eventIds = async (): Promise<string[]> => ((await control(base, 'GET events')) as { id: string }[]).map(({ id }) => id);

  it('go nowhere unless there is an endpoint', async () => {
    await customers(1);
    assert.deepEqual(await deliveries(), []);
    await assert.rejects(deliver(), /there is no webhook endpoint/);
  });

  it('come as soon as something happens, in full and well readable', async () => {
    await listen();
    await subscriber(base);
    const [first] = await receiver.until(1);
    const event = JSON.parse(first?.body ?? '') as Json;
    assert.equal(first?.body, JSON.stringify(event, null, 2));
    assert.deepEqual(Object.keys(event).sort(), ['api_version', 'created', 'data', 'id', 'livemode', 'object', 'pending_webhooks', 'request', 'type']);
    assert.deepEqual([event.livemode, event.pending_webhooks, event.request], [false, 1, { id: null, idempotency_key: null }]);
    assert.deepEqual(new Set(ids(await receiver.until(8))), new Set(await eventIds()));
  });

  it('are tried again after errors and redirects, with a new signature', async () => {
    await listen();
    const statuses = [500, 302];
    receiver.answers = () => ({ status: statuses.shift() ?? 200, headers: { location: receiver.url }, body: 'x'.repeat(5000) });
    await customers(1);
    const tried = await written(3);
    assert.deepEqual(tried.map(({ attempt, status, body }) => [attempt, status, body.length]), [[1, 500, 2048], [2, 302, 2048], [3, 200, 2048]]);
    assert.equal(new Set(ids(receiver.received)).size, 1);
    for (const { headers } of receiver.received) {
      const t = Number(/^t=(\d+),v1=[0-9a-f]{64}$/.exec(String(headers['stripe-signature']))?.[1]);
      assert.ok(Math.abs(t - Date.now() / 1000) < 60);
    }
  });

  it('carry the real time, whatever the simulated one is', async () => {
    await listen();
    await control(base, 'POST clock', { advance_seconds: 10_000_000 });
    await customers(1);
    const [one] = await receiver.until(1);
    assert.ok(Math.abs(Number(/^t=(\d+)/.exec(String(one?.headers['stripe-signature']))?.[1]) - Date.now() / 1000) < 60);
  });

  it('wait while they are paused and come when they are not', async () => {
    assert.deepEqual(await listen({ paused: true }), { url: receiver.url, secrets: [WEBHOOK_SECRET], paused: true, style: 'snapshot' });
    await customers(3);
    assert.deepEqual(await deliver({ attempts: 1 }), { events: 3, deliveries: 3, accepted: 3, failed: 0 });
    assert.equal(receiver.received.length, 3);
    await control(base, 'PUT delivery', { paused: false });
    assert.deepEqual(ids(await receiver.until(6)).sort(), [...(await eventIds()), ...(await eventIds())].sort());
  });

  it('come in the order that a seed makes, as often as is asked', async () => {
    await listen({ paused: true });
    await customers(6);
    const run = async (order: Json): Promise<string[]> => {
      receiver.received.length = 0;
      const summary = (await deliver(order)) as Json;
      assert.deepEqual([summary.events, summary.failed], [6, 0]);
      return ids(receiver.received);
    };
    assert.deepEqual(await run({}), await eventIds());
    const shuffled = await run({ shuffle: true, seed: 7, duplicate: 2 });
    assert.notDeepEqual(shuffled, (await eventIds()).flatMap((id) => [id, id]));
    assert.deepEqual([shuffled.length, new Set(shuffled).size], [12, 6]);
    assert.deepEqual(await run({ shuffle: true, seed: 7, duplicate: 2 }), shuffled);
    assert.notDeepEqual(await run({ shuffle: true, seed: 8, duplicate: 2 }), shuffled);
    assert.equal((await run({ concurrency: 4, duplicate: 3 })).length, 18);
  });

  it('can be limited to some types and to what was not accepted, and tried several times', async () => {
    await listen({ paused: true });
    await subscriber(base);
    receiver.answers = ({ body }) => ({ status: body.includes('"type": "invoice.') ? 500 : 200 });
    assert.deepEqual(await deliver({ event_types: ['customer.created', 'invoice.paid'] }), { events: 2, deliveries: 2, accepted: 1, failed: 1 });
    let calls = 0;
    receiver.answers = () => ({ status: (calls += 1) < 3 ? 500 : 200 });
    assert.deepEqual(await deliver({ event_types: ['customer.created', 'invoice.paid'], pending: true, attempts: 3 }), { events: 1, deliveries: 1, accepted: 1, failed: 0 });
    assert.equal(calls, 3);
    assert.deepEqual(await deliver({ event_types: ['customer.created', 'invoice.paid'], pending: true }), { events: 0, deliveries: 0, accepted: 0, failed: 0 });
  });

  it('come thin, full or as both', async () => {
    await listen({ paused: true, style: 'both' });
    await customers(1);
    assert.deepEqual(await deliver(), { events: 1, deliveries: 2, accepted: 2, failed: 0 });
    const [full, thin] = receiver.received.map(({ body }) => JSON.parse(body) as Json);
    assert.deepEqual([full?.type, thin?.type, thin?.object, thin?.context], ['customer.created', 'v1.customer.created', 'v2.core.event', null]);
    const { id } = (full?.data as { object: Json }).object;
    assert.deepEqual(thin?.related_object, { id, type: 'customer', url: `/v1/customers/${String(id)}` });
    assert.ok(!Number.isNaN(Date.parse(String(thin?.created))));
    assert.deepEqual(await deliver({ style: 'thin' }), { events: 1, deliveries: 1, accepted: 1, failed: 0 });
  });

  it('fail where nobody listens, and say so', async () => {
    const gone = await receive();
    await gone.close();
    await listen({ url: gone.url, paused: true });
    await customers(1);
    assert.deepEqual(await deliver(), { events: 1, deliveries: 1, accepted: 0, failed: 1 });
    const [{ status, body } = { status: 0, body: '' }] = await deliveries();
    assert.equal(status, null);
    assert.match(body, /ECONNREFUSED/);
  });

  it('keep nobody waiting, and end with the server', async () => {
    const own = await start({ ...OTHERS, stripe: { ...STRIPE, webhook: { url: receiver.url, secret: WEBHOOK_SECRET } } });
    receiver.answers = () => undefined;
    await control(own.urls.stripe, 'POST act', Array.from({ length: 100 }, () => ({ action: 'create_customer' })));
    await receiver.until(1);
    assert.equal(((await control(own.urls.stripe, 'GET events')) as Json[]).length, 100);
    assert.deepEqual(await control(own.urls.stripe, 'GET deliveries'), []);
    await own.close();
    await assert.rejects(fetch(own.urls.stripe));
  });

  it('go where they were started for after a reset, and what was under way is forgotten', async () => {
    const own = await start({ ...OTHERS, stripe: { ...STRIPE, webhook: { url: receiver.url, secret: WEBHOOK_SECRET } } });
    await control(own.urls.stripe, 'PUT delivery', { url: `${receiver.url}/other`, secrets: ['whsec_other'], paused: true, style: 'thin' });
    await act(own.urls.stripe, { action: 'create_customer' });
    await control(own.urls.stripe, 'POST reset');
    assert.deepEqual(await control(own.urls.stripe, 'PUT delivery', {}), { url: receiver.url, secrets: [WEBHOOK_SECRET], paused: false, style: 'snapshot' });
    await act(own.urls.stripe, { action: 'create_customer' });
    await receiver.until(1);
    assert.deepEqual(ids(receiver.received), ((await control(own.urls.stripe, 'GET events')) as { id: string }[]).map(({ id }) => id));
    await own.close();
  });

  it('are ordered with care', async () => {
    await listen();
    const wrong: [call: string, body: Json, message: RegExp][] = [
      ['PUT delivery', { url: 'ftp://x' }, /must be an http\(s\) URL/],
      ['PUT delivery', { secrets: [] }, /secrets must be a list/],
      ['PUT delivery', { style: 'fat' }, /style must be/],
      ['PUT delivery', { pause: true }, /has no field 'pause'/],
      ['POST deliver', { duplicate: 0 }, /duplicate must be a whole number from 1/],
      ['POST deliver', { event_types: 'invoice.paid' }, /event_types must be a list/],
      ['POST deliver', { style: 'fat' }, /style must be/],
      ['PUT idempotency_failures', { times: 1 }, /path_prefix is missing/],
    ];
    for (const [name, body, message] of wrong) await assert.rejects(control(base, name, body), message);
  });
});
