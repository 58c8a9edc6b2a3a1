import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import Stripe from 'stripe';
import { PRICE_ID, control, startForTests } from './helpers.ts';
import type { Simulators } from './start.ts';
import type { Receiver } from './stripe-helpers.ts';
import { WEBHOOK_SECRET, act, receive, sdk, subscriber } from './stripe-helpers.ts';

const { StripeAPIError, StripeAuthenticationError, StripeIdempotencyError, StripeInvalidRequestError } = Stripe.errors;

describe('Stripe, for its own client', () => {
  let simulators: Simulators;
  let base: string;
  let stripe: Stripe;
  let receiver: Receiver;

  before(async () => {
    simulators = await startForTests();
    base = simulators.urls.stripe;
    stripe = sdk(base);
    receiver = await receive();
  });
  beforeEach(() => control(base, 'POST reset'));
  after(async () => {
    await simulators.close();
    await receiver.close();
  });

  const checkout = (customer: string): Stripe.Checkout.SessionCreateParams => ({
    mode: 'subscription',
    customer,
    client_reference_id: 'u1',
    line_items: [{ price: PRICE_ID, quantity: 1 }],
    metadata: { user_id: 'u1' },
    subscription_data: { metadata: { user_id: 'u1' } },
    success_url: 'https://app.example/paid',
    cancel_url: 'https://app.example/back',
  });

  it('creates, changes, finds and deletes customers', async () => {
    const created = await stripe.customers.create({ email: 'ania@example.com', metadata: { user_id: 'u1', gone: 'x' } });
    assert.match(created.id, /^cus_[0-9A-Za-z]{14}$/);
    const changed = await stripe.customers.update(created.id, { name: 'Ania', metadata: { gone: '', more: '1' } });
    assert.deepEqual([changed.name, changed.email, changed.metadata], ['Ania', 'ania@example.com', { user_id: 'u1', more: '1' }]);
    await stripe.customers.create({ email: 'bob@example.com' });
    assert.deepEqual((await stripe.customers.list({ email: 'ania@example.com' })).data.map(({ id }) => id), [created.id]);
    assert.deepEqual({ ...(await stripe.customers.del(created.id)) }.deleted, true);
    const left = await stripe.customers.retrieve(created.id);
    assert.deepEqual(JSON.parse(JSON.stringify(left)), { id: created.id, object: 'customer', deleted: true });
    assert.equal((await stripe.customers.list()).data.length, 1);
  });

  it('opens a checkout, lists it and lets it expire', async () => {
    const { id } = await stripe.customers.create();
    const session = await stripe.checkout.sessions.create(checkout(id));
    assert.deepEqual([session.status, session.payment_status, session.url], ['open', 'unpaid', `${base}/c/pay/${session.id}`]);
    assert.equal(session.expires_at, session.created + 86_400);
    assert.deepEqual((await stripe.checkout.sessions.list({ customer: id, status: 'open' })).data.map((it) => it.id), [session.id]);
    const expired = await stripe.checkout.sessions.expire(session.id);
    assert.deepEqual([expired.status, expired.url], ['expired', null]);
    await assert.rejects(stripe.checkout.sessions.expire(session.id), (error: Error) => {
      assert.ok(error instanceof StripeInvalidRequestError);
      return /Only Checkout Sessions with a status in \["open"\] can be expired/.test(error.message);
    });
  });

  it('walks through all subscriptions, the newest first, though all are from one second', async () => {
    const { customer } = await act(base, { action: 'create_customer' });
    const made: string[] = [];
    for (let i = 0; i < 7; i += 1) {
      made.push(String((await act(base, { action: 'subscribe', customer: customer?.id })).subscription?.id));
    }
    await act(base, { action: 'cancel', subscription: made[3] });
    const ids = async (params: Stripe.SubscriptionListParams): Promise<string[]> => {
      const found: string[] = [];
      for await (const subscription of stripe.subscriptions.list({ customer: String(customer?.id), limit: 2, ...params })) found.push(subscription.id);
      return found;
    };
    assert.deepEqual(await ids({ status: 'all' }), made.toReversed());
    assert.deepEqual(await ids({}), made.toReversed().filter((id) => id !== made[3]));
    assert.deepEqual(await ids({ status: 'ended' }), [made[3]]);
    const back = await stripe.subscriptions.list({ status: 'all', limit: 2, ending_before: made[2] as string });
    assert.deepEqual([back.data.map(({ id }) => id), back.has_more], [[made[4], made[3]], true]);
  });

  it('changes and cancels a subscription', async () => {
    const { subscription } = await subscriber(base);
    const ending = await stripe.subscriptions.update(subscription, { cancel_at_period_end: true, metadata: { a: 'b' } });
    const end = ending.items.data[0]?.current_period_end;
    assert.deepEqual([ending.cancel_at, ending.cancellation_details?.reason, ending.metadata], [end, 'cancellation_requested', { user_id: 'u1', a: 'b' }]);
    assert.equal((await stripe.subscriptions.update(subscription, { cancel_at_period_end: false })).cancel_at, null);
    assert.equal((await stripe.subscriptions.cancel(subscription)).status, 'canceled');
    await assert.rejects(stripe.subscriptions.cancel(subscription), StripeInvalidRequestError);
    await assert.rejects(stripe.subscriptions.update(subscription, { cancel_at_period_end: true }), StripeInvalidRequestError);
  });

  it('opens the portal, and shows prices, products, invoices and events', async () => {
    const { customer, subscription } = await subscriber(base);
    const portal = await stripe.billingPortal.sessions.create({ customer, return_url: 'https://app.example/' });
    assert.equal(portal.url, `${base}/p/session/${portal.id}`);
    const price = await stripe.prices.retrieve(PRICE_ID);
    assert.equal((await stripe.products.retrieve(String(price.product))).name, 'Sound Whiskers Pro');
    assert.deepEqual([(await stripe.prices.list({ active: true })).data.length, (await stripe.products.list()).data.length], [1, 1]);
    const [invoice] = (await stripe.invoices.list({ subscription, status: 'paid' })).data;
    assert.deepEqual(invoice?.parent?.subscription_details, { metadata: { user_id: 'u1' }, subscription });
    assert.equal((await stripe.invoices.retrieve(String(invoice?.id))).amount_paid, 499);
    const [event] = (await stripe.events.list({ type: 'customer.subscription.created' })).data;
    assert.equal(event?.api_version, Stripe.API_VERSION);
    assert.equal((await stripe.events.retrieve(String(event?.id))).type, 'customer.subscription.created');
  });

  it('repeats an answer under its key and refuses the key for anything else', async () => {
    const once = { idempotencyKey: 'customer-u1' };
    const first = await stripe.customers.create({ metadata: { user_id: 'u1' } }, once);
    const again = await stripe.customers.create({ metadata: { user_id: 'u1' } }, once);
    assert.equal(again.id, first.id);
    assert.equal(again.lastResponse.headers['idempotent-replayed'], 'true');
    assert.equal(again.lastResponse.idempotencyKey, 'customer-u1');
    await assert.rejects(stripe.customers.create({ metadata: { user_id: 'u2' } }, once), StripeIdempotencyError);
    await assert.rejects(stripe.checkout.sessions.create(checkout(first.id), once), StripeIdempotencyError);
    await control(base, 'POST clock', { advance_seconds: 86_401 });
    assert.notEqual((await stripe.customers.create({}, once)).id, first.id);
  });

  // The members that the client's own types demand.
  it('answers with every member that a client may rely on', async () => {
    const has = (object: unknown, members: string): void => {
      for (const member of members.split(' ')) assert.ok(Object.hasOwn(object as object, member), member);
    };
    const { customer, subscription: id } = await subscriber(base);
    has(await stripe.customers.retrieve(customer), 'id object balance created default_source description email invoice_settings livemode metadata shipping');
    const subscription = await stripe.subscriptions.retrieve(id);
    has(subscription, 'id object application application_fee_percent automatic_tax billing_cycle_anchor billing_cycle_anchor_config billing_mode billing_schedules billing_thresholds cancel_at cancel_at_period_end canceled_at cancellation_details collection_method created currency customer customer_account days_until_due default_payment_method default_source description discounts ended_at');
    has(subscription, 'invoice_settings items latest_invoice livemode managed_payments metadata next_pending_invoice_item_invoice on_behalf_of pause_collection payment_settings pending_invoice_item_interval pending_setup_intent pending_update schedule start_date status test_clock transfer_data trial_end trial_settings trial_start');
    has(subscription.items.data[0], 'id object billing_thresholds created current_period_end current_period_start current_trial discounts metadata plan price subscription tax_rates quantity');
    for (const moved of ['current_period_end', 'current_period_start', 'plan', 'quantity']) assert.equal(Object.hasOwn(subscription, moved), false);
    has((await stripe.checkout.sessions.list({ customer })).data[0], 'id object amount_subtotal amount_total automatic_tax cancel_url client_reference_id created currency customer customer_creation customer_details customer_email expires_at invoice livemode locale metadata mode payment_intent payment_link payment_method_collection payment_method_types payment_status setup_intent status subscription success_url total_details ui_mode url');
    const invoice = await stripe.invoices.retrieve(String(subscription.latest_invoice));
    has(invoice, 'id object account_country account_name amount_due amount_overpaid amount_paid amount_remaining attempt_count attempted automatic_tax automatically_finalizes_at billing_reason collection_method created currency customer customer_email default_payment_method description discounts due_date effective_at ending_balance issuer lines livemode metadata next_payment_attempt number parent payment_settings period_end period_start status status_transitions subtotal total');
    has(invoice.lines.data[0], 'id object amount currency description discount_amounts discountable discounts invoice livemode metadata parent period pretax_credit_amounts pricing quantity quantity_decimal subscription subtotal taxes');
  });

  it('has its errors understood', async () => {
    await assert.rejects(sdk(base, 'sk_test_wrong').customers.list(), StripeAuthenticationError);
    await assert.rejects(stripe.customers.retrieve('cus_none'), (error: Error) => {
      assert.ok(error instanceof StripeInvalidRequestError);
      assert.deepEqual([error.statusCode, error.code, error.message], [404, 'resource_missing', "No such customer: 'cus_none'"]);
      return true;
    });
    await assert.rejects(stripe.checkout.sessions.create(checkout('cus_none')), { statusCode: 400, code: 'resource_missing', param: 'customer' });
    await control(base, 'PUT idempotency_failures', { path_prefix: '/v1/customers', times: 1 });
    await assert.rejects(stripe.customers.create({}, { idempotencyKey: 'k' }), StripeAPIError);
    await assert.rejects(stripe.customers.create({}, { idempotencyKey: 'k' }), { statusCode: 500, rawType: 'api_error' });
    assert.equal((await stripe.customers.list()).data.length, 1);
  });

  it('signs what it delivers so that the client accepts it, and nothing else', async () => {
    await control(base, 'PUT delivery', { url: receiver.url, secrets: ['whsec_old', WEBHOOK_SECRET] });
    receiver.received.length = 0;
    await stripe.customers.create({ name: 'Żółć' });
    const [{ body, headers } = { body: '', headers: {} }] = await receiver.until(1);
    const header = String(headers['stripe-signature']);
    for (const secret of ['whsec_old', WEBHOOK_SECRET]) {
      assert.equal(stripe.webhooks.constructEvent(body, header, secret).type, 'customer.created');
    }
    assert.throws(() => stripe.webhooks.constructEvent(body, header, 'whsec_other'), Stripe.errors.StripeSignatureVerificationError);
    assert.throws(() => stripe.webhooks.constructEvent(body.replace('Ż', 'Z'), header, WEBHOOK_SECRET), Stripe.errors.StripeSignatureVerificationError);
    assert.match(String(headers['user-agent']), /^Stripe\/1\.0/);
    assert.equal(headers['content-type'], 'application/json; charset=utf-8');
  });

  it('delivers thin events, from which the client finds event and object', async () => {
    await control(base, 'PUT delivery', { url: receiver.url, secrets: [WEBHOOK_SECRET], style: 'thin' });
    receiver.received.length = 0;
    const { id } = await stripe.customers.create();
    await stripe.customers.update(id, { name: 'Bob' });
    const { body, headers } = (await receiver.until(2))[1] as { body: string; headers: Record<string, string> };
    const notification = stripe.parseEventNotification(body, String(headers['stripe-signature']), WEBHOOK_SECRET);
    assert.equal(notification.type, 'v1.customer.updated');
    assert.throws(() => stripe.webhooks.constructEvent(body, String(headers['stripe-signature']), WEBHOOK_SECRET));
    const related = (await (notification as Stripe.V2.Core.Events.UnknownEventNotification).fetchRelatedObject()) as unknown as Stripe.Customer;
    assert.deepEqual([related.id, related.name], [id, 'Bob']);
    const event = (await stripe.v2.core.events.retrieve(notification.id)) as unknown as { changes: unknown; snapshot_event: string };
    assert.deepEqual(JSON.parse(JSON.stringify(event.changes)), { before: { name: null }, after: { name: 'Bob' } });
    assert.equal((await stripe.events.retrieve(event.snapshot_event)).type, 'customer.updated');
  });
});
