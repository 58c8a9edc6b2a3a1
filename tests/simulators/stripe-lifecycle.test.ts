import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { control, startForTests } from './helpers.ts';
import type { Simulators } from './start.ts';
import { nextPeriodEnd, periodEnd } from './stripe/clock.ts';
import type { Json } from './stripe-helpers.ts';
import { SESSION, act, call, eventTypes, refusal, subscriber } from './stripe-helpers.ts';

const DAY = 86_400;

interface Event {
  type: string;
  created: number;
  data: { object: Json; previous_attributes?: Json };
}

describe('subscriptions at Stripe', () => {
  let simulators: Simulators;
  let base: string;

  before(async () => {
    simulators = await startForTests();
    base = simulators.urls.stripe;
  });
  beforeEach(() => control(base, 'POST reset'));
  after(() => simulators.close());

  const fetched = async (id: string): Promise<Json> => (await call(base, 'GET', `/v1/subscriptions/${id}`)).json;
  const period = (subscription: Json): [number, number] => {
    const [item] = (subscription.items as { data: Json[] }).data;
    return [Number(item?.current_period_start), Number(item?.current_period_end)];
  };
  const advance = (advance_seconds: number): Promise<unknown> => control(base, 'POST clock', { advance_seconds });
  const events = async (type?: string): Promise<Event[]> => ((await control(base, 'GET events')) as Event[]).filter((event) => type === undefined || event.type === type);
  const since = async (count: number): Promise<string[]> => (await eventTypes(base)).slice(count);
  const toPeriodEnd = async (id: string): Promise<void> => {
    await advance(period(await fetched(id))[1] - Math.floor(Date.now() / 1000) + 1);
  };

  it('keep the rhythm of the month, however long months are', () => {
    const at = (text: string): number => Date.parse(`${text}T10:00:00Z`) / 1000;
    const ends = [1, 2, 3].map((count) => periodEnd(at('2027-01-31'), 'month', count));
    assert.deepEqual(ends, [at('2027-02-28'), at('2027-03-31'), at('2027-04-30')]);
    assert.equal(nextPeriodEnd(at('2027-01-31'), 'month', 1, at('2027-02-28')), at('2027-03-31'));
    assert.equal(nextPeriodEnd(at('2024-02-29'), 'year', 1, at('2039-03-01')), at('2040-02-29'));
    assert.equal(nextPeriodEnd(at('2027-01-01'), 'week', 2, at('2027-01-01')), at('2027-01-15'));
  });

  it('renew at their periods’ ends, each as of its own time', async () => {
    const { subscription } = await subscriber(base);
    const [, firstEnd] = period(await fetched(subscription));
    const before = (await eventTypes(base)).length;
    await advance(65 * DAY);
    const renewed = await fetched(subscription);
    assert.equal(renewed.status, 'active');
    assert.ok(period(renewed)[0] > firstEnd && period(renewed)[1] - period(renewed)[0] >= 28 * DAY);
    const once = ['customer.subscription.updated', 'invoice.created', 'invoice.finalized', 'invoice.paid', 'invoice.payment_succeeded'];
    assert.deepEqual(await since(before), [...once, ...once]);
    const [first] = await events('customer.subscription.updated');
    assert.equal(first?.created, firstEnd);
    assert.deepEqual(Object.keys(first?.data.previous_attributes ?? {}).sort(), ['items', 'latest_invoice']);
    const [created, , paid] = (await events()).slice(before + 1);
    assert.deepEqual([created?.data.object.status, paid?.data.object.status, paid?.data.object.billing_reason], ['draft', 'paid', 'subscription_cycle']);
    assert.deepEqual(paid?.data.object.parent, { quote_details: null, subscription_details: { metadata: { user_id: 'u1' }, subscription }, type: 'subscription_details' });
  });

  it('become past due when a card fails, are retried for two weeks and end', async () => {
    const { customer, subscription } = await subscriber(base);
    await act(base, { action: 'set_card', customer, works: false });
    await toPeriodEnd(subscription);
    assert.equal((await fetched(subscription)).status, 'past_due');
    const start = (await events('invoice.payment_failed'))[0]?.created ?? 0;
    for (const days of [3, 5]) {
      await advance(days * DAY);
      assert.equal((await fetched(subscription)).status, 'past_due');
    }
    await advance(7 * DAY);
    const ended = await fetched(subscription);
    assert.deepEqual([ended.status, (ended.cancellation_details as Json).reason], ['canceled', 'payment_failed']);
    const failures = await events('invoice.payment_failed');
    assert.deepEqual(failures.map(({ created }) => (created - start) / DAY), [0, 3, 8, 15]);
    assert.deepEqual(failures.map(({ data }) => data.object.attempt_count), [1, 2, 3, 4]);
    assert.equal((await events('customer.subscription.deleted')).length, 1);
    assert.deepEqual((await events('customer.updated')).at(-1)?.data.previous_attributes, { delinquent: false });
  });

  it('recover when a later attempt succeeds', async () => {
    const { customer, subscription } = await subscriber(base);
    await act(base, { action: 'set_card', customer, works: false });
    await toPeriodEnd(subscription);
    await act(base, { action: 'set_card', customer, works: true });
    await advance(3 * DAY);
    assert.equal((await fetched(subscription)).status, 'active');
    const [, last] = (await events('customer.subscription.updated')).slice(-2);
    assert.deepEqual(last?.data.previous_attributes, { status: 'past_due' });
  });

  it('end with their period where that was asked for', async () => {
    const { subscription } = await subscriber(base);
    await act(base, { action: 'cancel_at_period_end', subscription });
    assert.equal((await fetched(subscription)).status, 'active');
    const [, end] = period(await fetched(subscription));
    await toPeriodEnd(subscription);
    const ended = await fetched(subscription);
    assert.deepEqual([ended.status, ended.ended_at, ended.cancel_at_period_end], ['canceled', end, true]);
  });

  it('turn from trial to active, and from incomplete to nothing', async () => {
    const trial = await subscriber(base, { trial_days: 7 });
    const unpaid = await subscriber(base, { payment: 'fails' });
    assert.deepEqual([(await fetched(trial.subscription)).status, (await fetched(unpaid.subscription)).status], ['trialing', 'incomplete']);
    await advance(7 * DAY + 1);
    assert.deepEqual([(await fetched(trial.subscription)).status, (await fetched(unpaid.subscription)).status], ['active', 'incomplete_expired']);
    const types = await eventTypes(base);
    assert.ok(types.includes('invoice.voided') && types.includes('checkout.session.async_payment_failed'));
    const { json } = await call(base, 'GET', `/v1/invoices?subscription=${trial.subscription}`);
    assert.deepEqual((json.data as Json[]).map(({ amount_due, status }) => [amount_due, status]), [[499, 'paid'], [0, 'paid']]);
  });

  it('tell of sessions that expired, in order with all else', async () => {
    await subscriber(base);
    await call(base, 'POST', '/v1/checkout/sessions', SESSION);
    const before = (await eventTypes(base)).length;
    await advance(31 * DAY);
    assert.deepEqual((await since(before)).slice(0, 2), ['checkout.session.expired', 'customer.subscription.updated']);
  });

  it('end with their customer, who is told of whole', async () => {
    const { customer } = await subscriber(base);
    const before = (await eventTypes(base)).length;
    const deleted = await act(base, { action: 'delete_customer', customer });
    assert.deepEqual(deleted.customer, { id: customer, object: 'customer', deleted: true });
    assert.deepEqual(await since(before), ['customer.subscription.deleted', 'customer.deleted']);
    assert.deepEqual((await events('customer.deleted'))[0]?.data.object.metadata, { user_id: 'u1' });
  });

  it('do what a test orders, where that makes sense', async () => {
    const { subscription } = await subscriber(base);
    const steps: [action: Json, status: string][] = [
      [{ action: 'renew' }, 'active'],
      [{ action: 'pause' }, 'paused'],
      [{ action: 'resume' }, 'active'],
      [{ action: 'fail_payment' }, 'past_due'],
      [{ action: 'retry_payment', succeeds: false }, 'past_due'],
      [{ action: 'retry_payment', succeeds: true }, 'active'],
      [{ action: 'fail_payment' }, 'past_due'],
      [{ action: 'give_up', becomes: 'unpaid' }, 'unpaid'],
      [{ action: 'retry_payment', succeeds: true }, 'active'],
      [{ action: 'dispute' }, 'active'],
      [{ action: 'end_period' }, 'active'],
      [{ action: 'cancel_at_period_end' }, 'active'],
      [{ action: 'end_period' }, 'canceled'],
    ];
    for (const [action, status] of steps) {
      assert.deepEqual([action, (await act(base, { ...action, subscription })).subscription?.status], [action, status]);
    }
    for (const action of ['renew', 'fail_payment', 'cancel', 'cancel_at_period_end', 'end_period', 'pause', 'resume', 'expire_incomplete']) {
      assert.deepEqual(await act(base, { action, subscription }), { ignored: true });
    }
    const types = await eventTypes(base);
    for (const type of ['customer.subscription.paused', 'customer.subscription.resumed', 'charge.dispute.created']) assert.ok(types.includes(type), type);
  });

  it('take several orders at once, all of which are read first', async () => {
    const { customer, subscription } = await subscriber(base);
    const results = (await control(base, 'POST act', [{ action: 'delete_customer', customer }, { action: 'subscribe', customer }, { action: 'cancel', subscription }])) as Json[];
    assert.deepEqual(results.slice(1), [{ ignored: true }, { ignored: true }]);
    const before = (await eventTypes(base)).length;
    await assert.rejects(control(base, 'POST act', [{ action: 'create_customer' }, { action: 'dance' }]), /no action 'dance'; there are create_customer/);
    await assert.rejects(control(base, 'POST act', { action: 'renew', subscription: 'sub_x' }), /no subscription 'sub_x'/);
    await assert.rejects(control(base, 'POST act', { action: 'give_up', subscription, becomes: 'rich' }), /becomes must be one of canceled, unpaid/);
    assert.equal((await eventTypes(base)).length, before);
  });

  it('says that collection is paused, and how, until it is resumed', async () => {
    const { subscription } = await subscriber(base);
    const paused = await act(base, { action: 'pause_collection', subscription, behavior: 'void' });
    assert.deepEqual([paused.subscription?.status, paused.subscription?.pause_collection], ['active', { behavior: 'void', resumes_at: null }]);
    const resumed = await act(base, { action: 'resume_collection', subscription });
    assert.equal(resumed.subscription?.pause_collection, null);
    assert.deepEqual((await eventTypes(base)).slice(-2), ['customer.subscription.updated', 'customer.subscription.updated']);
  });

  it('gives a payment back without ending what was paid for', async () => {
    const { subscription } = await subscriber(base);
    await act(base, { action: 'refund', subscription });
    assert.deepEqual((await eventTypes(base)).slice(-2), ['charge.refunded', 'refund.created']);
    assert.equal((await call(base, 'GET', `/v1/subscriptions/${subscription}`)).json.status, 'active');
  });

  it('has one currency for whatever a customer has open', async () => {
    const { customer } = await act(base, { action: 'create_customer' });
    const session = `${SESSION}&customer=${String(customer?.id)}`;
    const create = (): ReturnType<typeof call> => call(base, 'POST', '/v1/checkout/sessions', session);
    const opened = (await create()).json;
    const { prices } = (await control(base, 'GET objects')) as Record<string, Json[]>;
    await control(base, 'PUT objects', [{ ...prices?.[0], currency: 'eur' }]);
    const refused = refusal(await create());
    assert.deepEqual(refused.slice(0, 3), [400, undefined, undefined]);
    assert.match(String(refused[3]), /^You cannot combine currencies on a single customer\..* with currency usd\.$/);
    await call(base, 'POST', `/v1/checkout/sessions/${String(opened.id)}/expire`, '');
    assert.equal((await create()).status, 200);
    await act(base, { action: 'add_invoice_item', customer: customer?.id, currency: 'usd' });
    assert.equal((await create()).status, 400);
  });
});
