import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import Stripe from 'stripe';
import type { Json, Receiver } from './helpers.ts';
import { PRICE_ID, STRIPE_KEY, WEBHOOK_SECRET, control, eventually, receive, simulated, subscriber } from './helpers.ts';

const isNow = (header: unknown): boolean => Math.abs(Number(/^t=(\d+),v1=/.exec(String(header))?.[1]) - Date.now() / 1000) < 60;

describe('Stripe’s webhooks', () => {
  const simulator = simulated('stripe');
  let receiver: Receiver;
  beforeEach(async () => {
    receiver = await receive();
  });
  afterEach(() => receiver.close());

  const listen = (given: Json = {}): Promise<Json> => control(simulator.url, 'PUT delivery', { url: receiver.url, secrets: [WEBHOOK_SECRET], ...given });
  const deliver = (order: Json = {}): Promise<Json> => control(simulator.url, 'POST deliver', order);
  const deliveries = (): Promise<Json[]> => control(simulator.url, 'GET deliveries');
  const customers = (count: number): Promise<unknown> => control(simulator.url, 'POST act', Array(count).fill({ action: 'create_customer' }));
  const eventIds = async (): Promise<string[]> => (await control(simulator.url, 'GET events')).map(({ id }: Json) => id);
  const ids = (): string[] => receiver.received.map(({ body }) => JSON.parse(body).id);

  it('are sent at once, in full, and signed with the real time instead of the simulated one', async () => {
    await listen();
    await control(simulator.url, 'POST clock', { advance_seconds: 10_000_000 });
    await subscriber(simulator.url);
    await receiver.until(7);
    assert.deepEqual(new Set(ids()), new Set(await eventIds()));
    const [{ body, headers } = { body: '', headers: {} }] = receiver.received;
    const event = JSON.parse(body) as Json;
    assert.equal(body, JSON.stringify(event, null, 2));
    assert.deepEqual(Object.keys(event).sort(), ['api_version', 'created', 'data', 'id', 'livemode', 'object', 'pending_webhooks', 'request', 'type']);
    assert.deepEqual([event.livemode, event.request, isNow(headers['stripe-signature'])], [false, { id: null, idempotency_key: null }, true]);
  });

  it('are repeated after errors and redirects, with a new signature', async () => {
    await listen();
    const statuses = [500, 302];
    receiver.responds = () => ({ status: statuses.shift() ?? 200, headers: { location: receiver.url }, body: 'x'.repeat(5000) });
    await customers(1);
    const tried = await eventually(deliveries, (found) => found.length === 3);
    assert.deepEqual(tried.map(({ attempt, status, body }) => [attempt, status, body.length]), [[1, 500, 2048], [2, 302, 2048], [3, 200, 2048]]);
    assert.deepEqual([new Set(ids()).size, receiver.received.every(({ headers }) => isNow(headers['stripe-signature']))], [1, true]);
  });

  it('wait while the delivery is paused', async () => {
    assert.deepEqual(await listen({ paused: true }), { url: receiver.url, secrets: [WEBHOOK_SECRET], paused: true, style: 'snapshot' });
    await customers(3);
    assert.deepEqual(await deliver(), { events: 3, deliveries: 3, accepted: 3, failed: 0 });
    assert.equal(receiver.received.length, 3);
    await listen({ paused: false });
    await receiver.until(6);
    assert.deepEqual(ids().sort(), [...(await eventIds()), ...(await eventIds())].sort());
  });

  it('are delivered in the order of a seed, as often as requested', async () => {
    await listen({ paused: true });
    await customers(6);
    const run = async (order: Json): Promise<string[]> => {
      receiver.received.length = 0;
      assert.equal((await deliver(order)).failed, 0);
      return ids();
    };
    assert.deepEqual(await run({}), await eventIds());
    const shuffled = await run({ shuffle: true, seed: 7, duplicate: 2 });
    assert.deepEqual([shuffled.length, new Set(shuffled).size], [12, 6]);
    assert.notDeepEqual(shuffled, (await eventIds()).flatMap((id) => [id, id]));
    assert.deepEqual(await run({ shuffle: true, seed: 7, duplicate: 2 }), shuffled);
    assert.notDeepEqual(await run({ shuffle: true, seed: 8, duplicate: 2 }), shuffled);
    assert.equal((await run({ concurrency: 4, duplicate: 3 })).length, 18);
  });

  it('are limited to some types and to events that were not accepted', async () => {
    await listen({ paused: true });
    await subscriber(simulator.url);
    const event_types = ['customer.created', 'invoice.paid'];
    receiver.responds = ({ body }) => ({ status: body.includes('"type": "invoice.') ? 500 : 200 });
    assert.deepEqual(await deliver({ event_types }), { events: 2, deliveries: 2, accepted: 1, failed: 1 });
    receiver.responds = () => ({ status: 200 });
    assert.deepEqual(await deliver({ event_types, pending: true }), { events: 1, deliveries: 1, accepted: 1, failed: 0 });
    assert.deepEqual(await deliver({ event_types, pending: true }), { events: 0, deliveries: 0, accepted: 0, failed: 0 });
  });

  it('are thin, full or both', async () => {
    await listen({ paused: true, style: 'both' });
    await customers(1);
    assert.deepEqual(await deliver(), { events: 1, deliveries: 2, accepted: 2, failed: 0 });
    const [full, thin] = receiver.received.map(({ body }) => JSON.parse(body) as Json);
    assert.deepEqual([full?.type, thin?.type, thin?.object, thin?.context], ['customer.created', 'v1.customer.created', 'v2.core.event', null]);
    const { id } = full?.data.object;
    assert.deepEqual(thin?.related_object, { id, type: 'customer', url: `/v1/customers/${id}` });
    assert.equal((await deliver({ style: 'thin' })).deliveries, 1);
  });

  it('do not delay the response, are dropped with their endpoint at a reset, and are not sent without one', async () => {
    receiver.responds = () => undefined;
    await listen({ style: 'thin' });
    await customers(100);
    await receiver.until(1);
    assert.deepEqual([(await eventIds()).length, await deliveries()], [100, []]);
    await control(simulator.url, 'POST reset');
    assert.deepEqual(await control(simulator.url, 'PUT delivery', {}), { url: '', secrets: [], paused: false, style: 'snapshot' });
    await assert.rejects(deliver(), /there is no webhook endpoint/);
  });

  describe('and API, for Stripe’s own client', () => {
    const client = (key = STRIPE_KEY): Stripe => {
      const { hostname: host, port } = new URL(simulator.url);
      return new Stripe(key, { host, port: Number(port), protocol: 'http', maxNetworkRetries: 0, telemetry: false });
    };
    const checkout = (customer: string): Stripe.Checkout.SessionCreateParams => ({
      mode: 'subscription',
      customer,
      line_items: [{ price: PRICE_ID, quantity: 1 }],
      subscription_data: { metadata: { user_id: 'u1' } },
      success_url: 'https://app.example/paid',
    });

    it('have signatures that the client accepts', async () => {
      await listen({ secrets: ['whsec_old', WEBHOOK_SECRET] });
      await client().customers.create({ name: 'Żółć' });
      const [{ body, headers } = { body: '', headers: {} }] = await receiver.until(1);
      const { webhooks, errors } = { webhooks: client().webhooks, errors: Stripe.errors };
      const header = String(headers['stripe-signature']);
      for (const secret of ['whsec_old', WEBHOOK_SECRET]) assert.equal(webhooks.constructEvent(body, header, secret).type, 'customer.created');
      assert.throws(() => webhooks.constructEvent(body, header, 'whsec_other'), errors.StripeSignatureVerificationError);
      assert.throws(() => webhooks.constructEvent(body.replace('Ż', 'Z'), header, WEBHOOK_SECRET), errors.StripeSignatureVerificationError);
      await listen({ style: 'thin' });
      const { id } = await client().customers.create();
      const thin = (await receiver.until(2))[1];
      const notification = client().parseEventNotification(thin?.body ?? '', String(thin?.headers['stripe-signature']), WEBHOOK_SECRET);
      const related = (await (notification as Stripe.V2.Core.Events.UnknownEventNotification).fetchRelatedObject()) as unknown as Stripe.Customer;
      assert.deepEqual([notification.type, related.id], ['v1.customer.created', id]);
    });

    it('refuse to expire a session twice, and to cancel a subscription twice', async () => {
      const stripe = client();
      const { customer, subscription } = await subscriber(simulator.url);
      const session = await stripe.checkout.sessions.create(checkout(customer));
      assert.deepEqual([session.expires_at, session.url], [session.created + 86_400, `${simulator.url}/c/pay/${session.id}`]);
      assert.deepEqual([(await stripe.checkout.sessions.expire(session.id)).status, (await stripe.checkout.sessions.retrieve(session.id)).url], ['expired', null]);
      await assert.rejects(stripe.checkout.sessions.expire(session.id), /Only Checkout Sessions with a status in \["open"\] can be expired/);
      assert.equal((await stripe.subscriptions.cancel(subscription)).status, 'canceled');
      await assert.rejects(stripe.subscriptions.cancel(subscription), { statusCode: 404 });
    });

    it('list all subscriptions, newest first, although all are from one second', async () => {
      const { customer } = await control(simulator.url, 'POST act', { action: 'create_customer' });
      const made: string[] = [];
      for (let i = 0; i < 7; i += 1) made.push((await control(simulator.url, 'POST act', { action: 'subscribe', customer: customer.id })).subscription.id);
      await control(simulator.url, 'POST act', { action: 'cancel', subscription: made[3] });
      const newest = made.toReversed();
      for (const [params, expected] of [[{ status: 'all' }, newest], [{}, newest.filter((id) => id !== made[3])], [{ status: 'ended' }, [made[3]]]] as const) {
        const found: string[] = [];
        for await (const subscription of client().subscriptions.list({ customer: customer.id, limit: 2, ...params })) found.push(subscription.id);
        assert.deepEqual(found, expected);
      }
      const back = await client().subscriptions.list({ status: 'all', limit: 2, ending_before: made[2] ?? '' });
      assert.deepEqual([back.data.map(({ id }) => id), back.has_more], [[made[4], made[3]], true]);
    });

    it('have moved members in their new places, and errors that the client understands', async () => {
      const stripe = client();
      const { subscription: id } = await subscriber(simulator.url);
      const subscription = await stripe.subscriptions.retrieve(id);
      const invoice = await stripe.invoices.retrieve(String(subscription.latest_invoice));
      assert.deepEqual(['current_period_end', 'plan', 'quantity'].filter((moved) => Object.hasOwn(subscription, moved)), []);
      assert.deepEqual(invoice.parent?.subscription_details, { metadata: { user_id: 'u1' }, subscription: id });
      await assert.rejects(client('sk_test_wrong').customers.list(), Stripe.errors.StripeAuthenticationError);
      await assert.rejects(stripe.customers.retrieve('cus_none'), { statusCode: 404, code: 'resource_missing', message: "No such customer: 'cus_none'" });
    });
  });
});
