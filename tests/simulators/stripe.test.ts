import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Json } from './helpers.ts';
import { PRICE_ID, SESSION, STRIPE_KEY, compare, control, eventTypes, logWhen, simulated, stripe, subscriber } from './helpers.ts';
import { nextPeriodEnd, periodEnd } from './stripe/objects.ts';

const DAY = 86_400;

describe('Stripe', () => {
  const simulator = simulated('stripe');
  const call = (what: string, form?: string, headers?: Record<string, string>): ReturnType<typeof stripe> => stripe(simulator.url, what, form, headers);
  const refusal = ({ status, json: { error } }: { status: number; json: Json }): unknown[] => [status, error.code, error.param];
  const act = (action: string, given: Json = {}): Promise<Json> => control(simulator.url, 'POST act', { action, ...given });
  const advance = (advance_seconds: number): Promise<unknown> => control(simulator.url, 'POST clock', { advance_seconds });
  const objects = (): Promise<Json> => control(simulator.url, 'GET objects');
  const submit = (url: string, form: Json): Promise<Response> => fetch(url, { method: 'POST', redirect: 'manual', body: new URLSearchParams(form) });
  const show = async (url: string): Promise<string> => (await fetch(url)).text();
  const fetched = async (id: string): Promise<Json> => (await call(`GET /v1/subscriptions/${id}`)).json;

  describe('API', () => {
    it('requires its key, as bearer token or as user name', () =>
      compare<string | undefined>(
        [
          [undefined, [401, 'You did not provide an API key']], ['Bearer sk_test_abcdef1234', [401, 'Invalid API Key provided: sk_test_******1234']],
          [`Basic ${btoa(`${STRIPE_KEY}:`)}`, [200, undefined]], [`Bearer ${STRIPE_KEY}`, [200, undefined]],
        ],
        async (authorization) => {
          const response = await fetch(`${simulator.url}/v1/customers`, { headers: authorization === undefined ? {} : { authorization } });
          return [response.status, ((await response.json()) as Json).error?.message.split('.')[0]];
        },
      ));

    it('checks URLs, methods and versions, and gives every response an id', async () => {
      for (const unknown of ['GET /v1/nothing', 'PUT /v1/customers', 'GET /v1/customers/', 'GET /v3']) {
        const { status, json, headers } = await call(unknown);
        assert.equal(status, 404);
        assert.ok(json.error.message.startsWith(`Unrecognized request URL (${unknown.replace(' ', ': ')}).`));
        assert.match(String(headers.get('request-id')), /^req_\w+$/);
      }
      const { status, headers } = await call('GET /v1/customers', undefined, { 'stripe-version': '2020-03-02' });
      assert.deepEqual([status, headers.get('stripe-version')], [200, '2020-03-02']);
      assert.equal((await call('GET /v1/customers', undefined, { 'stripe-version': 'latest' })).status, 400);
      assert.equal((await call('POST /v1/customers', '{}', { 'content-type': 'application/json' })).status, 400);
      assert.equal((await call('POST /v1/customers', '', { 'idempotency-key': 'k'.repeat(256) })).status, 400);
    });

    it('refuses unknown and invalid parameters', async () => {
      const { json: customer } = await call('POST /v1/customers', '');
      await compare(
        [
          ['payment_method_types[0]=card', [400, 'parameter_unknown', 'payment_method_types']],
          ['line_items[0][amount]=1', [400, 'parameter_unknown', 'line_items[0][amount]']], ['mode=free', [400, undefined, 'mode']],
          ['success_url=app.example', [400, 'url_invalid', 'success_url']], ['cancel_url=/back', [400, 'url_invalid', 'cancel_url']],
          ['line_items[0][quantity]=many', [400, 'parameter_invalid_integer', 'line_items[0][quantity]']],
          ['line_items[1][price]=x', [400, 'parameter_missing', 'line_items[1][quantity]']],
          ['line_items[0][price]=price_other', [400, 'resource_missing', 'line_items[0][price]']],
          ['customer=cus_other', [400, 'resource_missing', 'customer']], ['customer=', [400, 'parameter_invalid_empty', 'customer']],
          [`customer=${customer.id}&customer_email=a@example.com`, [400, 'parameters_exclusive', 'customer']],
          ['customer_email=nobody', [400, 'email_invalid', 'customer_email']],
          ['allow_promotion_codes=maybe', [400, undefined, 'allow_promotion_codes']], ['metadata=x', [400, undefined, 'metadata']],
          [`metadata[a]=${'x'.repeat(501)}`, [400, undefined, 'metadata[a]']],
          ['subscription_data[trial_period_days]=0', [400, 'parameter_invalid_integer', 'subscription_data[trial_period_days]']],
          ['expires_at=1', [400, undefined, 'expires_at']],
        ],
        async (form) => refusal(await call('POST /v1/checkout/sessions', `${SESSION}&${form}`)),
      );
      assert.deepEqual(refusal(await call('POST /v1/checkout/sessions', 'mode=subscription')), [400, 'parameter_missing', 'success_url']);
      assert.equal((await call('POST /v1/customers', 'metadata[a=x')).status, 400);
      const { json } = await call('POST /v1/customers', 'metadata[1]=a&metadata[two]=b&metadata%5Bthree%5D=c&metadata[two]=d');
      assert.deepEqual(json.metadata, { 1: 'a', two: 'd', three: 'c' });
    });

    it('keeps the history of a deleted customer, and refuses new objects for it', async () => {
      const { customer, subscription } = await subscriber(simulator.url);
      await subscriber(simulator.url);
      assert.deepEqual((await call(`DELETE /v1/customers/${customer}`)).json, { id: customer, object: 'customer', deleted: true });
      const { json } = await call(`GET /v1/subscriptions?customer=${customer}&status=all`);
      assert.deepEqual(json.data.map(({ id, status }: Json) => [id, status]), [[subscription, 'canceled']]);
      assert.deepEqual((await call(`GET /v1/subscriptions?customer=${customer}`)).json.data, []);
      for (const [path, form] of [['checkout', `${SESSION}&customer=${customer}`], ['billing_portal', `customer=${customer}`]] as const) {
        assert.deepEqual(refusal(await call(`POST /v1/${path}/sessions`, form)), [400, 'resource_missing', 'customer']);
      }
      assert.equal((await call(`DELETE /v1/customers/${customer}`)).status, 404);
    });

    it('repeats the response to a request under its key for a day, and refuses the key for another request', async () => {
      const keyed = (form: string, path = 'checkout/sessions'): ReturnType<typeof stripe> => call(`POST /v1/${path}`, form, { 'idempotency-key': 'k' });
      assert.equal((await keyed(`${SESSION}&nonsense=1`)).status, 400);
      const first = await keyed(SESSION);
      await call(`POST /v1/checkout/sessions/${first.json.id}/expire`, '');
      const again = await keyed(SESSION.split('&').reverse().join('&'));
      assert.deepEqual([again.json, again.headers.get('idempotent-replayed')], [first.json, 'true']);
      assert.equal(again.headers.get('original-request'), first.headers.get('request-id'));
      for (const other of [keyed(`${SESSION}&locale=pl`), keyed('', 'customers')]) {
        assert.deepEqual([(await other).status, (await other).json.error.type], [400, 'idempotency_error']);
      }
      await advance(DAY + 1);
      assert.notEqual((await keyed(SESSION)).json.id, first.json.id);
      const missing = await call('POST /v1/checkout/sessions', `${SESSION}&customer=cus_x`, { 'idempotency-key': 'other' });
      const repeated = await call('POST /v1/checkout/sessions', `${SESSION}&customer=cus_x`, { 'idempotency-key': 'other' });
      assert.deepEqual([repeated.status, repeated.json, repeated.headers.get('idempotent-replayed')], [400, missing.json, 'true']);
    });

    it('refuses a key whose first request is still being handled, even after its effect', async () => {
      await control(simulator.url, 'PUT latency', { api_ms: 3_600_000 });
      const client = new AbortController();
      const headers = { authorization: `Bearer ${STRIPE_KEY}`, 'idempotency-key': 'k' };
      const first = assert.rejects(fetch(`${simulator.url}/v1/customers`, { method: 'POST', headers, signal: client.signal }));
      await logWhen(simulator.url, (log) => log.length === 1);
      await control(simulator.url, 'PUT latency', { api_ms: 0 });
      assert.deepEqual(refusal(await call('POST /v1/customers', '', { 'idempotency-key': 'k' })), [409, 'idempotency_key_in_use', undefined]);
      assert.equal((await objects()).customers.length, 1);
      client.abort();
      await first;
      await logWhen(simulator.url, (log) => log[0]?.aborted === true);
      const replayed = await call('POST /v1/customers', '', { 'idempotency-key': 'k' });
      assert.deepEqual([replayed.status, replayed.headers.get('idempotent-replayed')], [200, 'true']);
    });

    it('accepts raw objects without events, and returns to its initial state at a reset', async () => {
      await control(simulator.url, 'PUT objects', [
        { object: 'customer', id: 'cus_raw' },
        { object: 'subscription', id: 'sub_raw', customer: 'cus_raw', status: 'paused' },
      ]);
      assert.deepEqual([(await fetched('sub_raw')).status, (await fetched('sub_raw')).items.data.length, await eventTypes(simulator.url)], ['paused', 1, []]);
      await assert.rejects(control(simulator.url, 'PUT objects', [{ object: 'charge', id: 'ch_1' }]), /objects\[0\] must have an id and as object one of customer/);
      await advance(1_000_000);
      await control(simulator.url, 'POST reset');
      const { customers, subscriptions, prices, products } = await objects();
      assert.deepEqual([customers, subscriptions, prices.map(({ id }: Json) => id), products.length], [[], [], [PRICE_ID], 1]);
      assert.ok(Math.abs((await call('POST /v1/customers', '')).json.created - Date.now() / 1000) < 60);
    });
  });

  describe('pages', () => {
    const open = async (form = ''): Promise<Json> => (await call('POST /v1/checkout/sessions', SESSION + form)).json;

    it('complete a session', async () => {
      const { customer } = await act('create_customer');
      const session = await open(`&customer=${customer.id}&client_reference_id=u1&subscription_data[metadata][user_id]=u1`);
      for (const part of ['Sound Whiskers Pro: 1 × $4.99 per month', 'testid="pay"', 'testid="pay-declined"', 'testid="cancel"', 'href="https://app.example/back"']) {
        assert.ok((await show(session.url)).includes(part), part);
      }
      const paid = await submit(session.url, { decision: 'pay' });
      assert.deepEqual([paid.status, paid.headers.get('location')], [303, `https://app.example/paid?session=${session.id}`]);
      const { json: done } = await call(`GET /v1/checkout/sessions/${session.id}`);
      assert.deepEqual([done.status, done.payment_status, done.url, done.client_reference_id], ['complete', 'paid', null, 'u1']);
      const { status, customer: payer, metadata, latest_invoice } = await fetched(done.subscription);
      assert.deepEqual([status, payer, metadata, latest_invoice], ['active', customer.id, { user_id: 'u1' }, done.invoice]);
      const invoiced = ['invoice.created', 'invoice.finalized', 'invoice.paid', 'invoice.payment_succeeded'];
      assert.deepEqual((await eventTypes(simulator.url)).slice(1), ['customer.subscription.created', ...invoiced, 'checkout.session.completed']);
    });

    it('accept another card after a declined one, and refuse a completed or expired session and a deleted customer', async () => {
      const paid = await open();
      assert.match(await (await submit(paid.url, { decision: 'decline' })).text(), /Your card was declined\.[\s\S]*data-testid="pay"/);
      assert.deepEqual(await eventTypes(simulator.url), []);
      await submit(paid.url, { decision: 'pay' });
      const late = await open();
      const { customer } = await act('create_customer');
      const orphan = await open(`&customer=${customer.id}`);
      await act('delete_customer', { customer: customer.id });
      assert.doesNotMatch(await show(orphan.url), /<button/);
      await advance(DAY);
      for (const [session, said] of [[paid, /has been completed/], [late, /has expired/]] as const) {
        assert.match(await show(session.url), said);
        assert.equal((await submit(session.url, { decision: 'pay' })).status, 200);
      }
      assert.equal((await objects()).subscriptions.length, 1);
      assert.equal((await fetch(`${simulator.url}/c/pay/cs_test_none`)).status, 404);
    });

    it('let customers cancel, resume and pay in the portal, for their own subscriptions only', async () => {
      const [{ customer, subscription }, other] = [await subscriber(simulator.url), await subscriber(simulator.url)];
      const { json: portal } = await call('POST /v1/billing_portal/sessions', `customer=${customer}&return_url=https://app.example/`);
      const decide = async (decision: string, of = subscription): Promise<Json> => {
        await submit(portal.url, { subscription: of, decision });
        return fetched(of);
      };
      assert.match(await show(portal.url), /renews on [\s\S]*data-testid="cancel-subscription">Cancel subscription<[\s\S]*href="https:\/\/app\.example\/" data-testid="return"/);
      assert.equal((await decide('cancel')).cancel_at_period_end, true);
      assert.match(await show(portal.url), /ends on [\s\S]*data-testid="keep-subscription"/);
      assert.equal((await decide('keep')).cancel_at_period_end, false);
      assert.equal((await decide('cancel', other.subscription)).cancel_at_period_end, false);
      await act('fail_payment', { subscription });
      await act('give_up', { subscription, becomes: 'unpaid' });
      await act('set_card', { customer, works: false });
      assert.equal((await decide('pay')).status, 'unpaid');
      await act('set_card', { customer, works: true });
      assert.equal((await decide('pay')).status, 'active');
      await act('cancel', { subscription });
      assert.match(await show(portal.url), /No subscriptions/);
    });
  });

  describe('subscriptions', () => {
    const events = async (type: string): Promise<Json[]> => (await control(simulator.url, 'GET events')).filter((event: Json) => event.type === type);
    const toPeriodEnd = async (id: string): Promise<number> => {
      const end = (await fetched(id)).items.data[0].current_period_end;
      await advance(end - Math.floor(Date.now() / 1000) + 1);
      return end;
    };

    it('keep the day of the month across months of any length', () => {
      const at = (text: string): number => Date.parse(`${text}T10:00:00Z`) / 1000;
      const every = (interval: 'week' | 'month' | 'year', interval_count = 1) => ({ recurring: { interval, interval_count } });
      assert.deepEqual([1, 2, 3].map((count) => periodEnd(at('2027-01-31'), 'month', count)), ['2027-02-28', '2027-03-31', '2027-04-30'].map(at));
      assert.equal(nextPeriodEnd(at('2027-01-31'), every('month'), at('2027-02-28')), at('2027-03-31'));
      assert.equal(nextPeriodEnd(at('2024-02-29'), every('year'), at('2039-03-01')), at('2040-02-29'));
      assert.equal(nextPeriodEnd(at('2027-01-01'), every('week', 2), at('2027-01-01')), at('2027-01-15'));
    });

    it('renew or end at the end of their period, each at its own time', async () => {
      const [{ subscription }, ending] = [await subscriber(simulator.url), await subscriber(simulator.url)];
      await act('cancel_at_period_end', { subscription: ending.subscription });
      const before = (await eventTypes(simulator.url)).length;
      const end = await toPeriodEnd(subscription);
      const [renewed, ended] = [await fetched(subscription), await fetched(ending.subscription)];
      assert.deepEqual([renewed.status, renewed.items.data[0].current_period_start], ['active', end]);
      assert.deepEqual([ended.status, ended.ended_at <= end + 1, ended.cancel_at_period_end], ['canceled', true, true]);
      const invoiced = ['invoice.created', 'invoice.finalized', 'invoice.paid', 'invoice.payment_succeeded'];
      assert.deepEqual((await eventTypes(simulator.url)).slice(before).sort(), ['customer.subscription.deleted', 'customer.subscription.updated', ...invoiced]);
      const event = (await events('customer.subscription.updated')).at(-1);
      assert.deepEqual([event?.created, Object.keys(event?.data.previous_attributes).sort()], [end, ['items', 'latest_invoice']]);
    });

    it('become past due when a payment fails, are retried for two weeks and end', async () => {
      const { customer, subscription } = await subscriber(simulator.url);
      await act('set_card', { customer, works: false });
      await toPeriodEnd(subscription);
      for (const days of [3, 5, 7]) {
        assert.equal((await fetched(subscription)).status, 'past_due');
        await advance(days * DAY);
      }
      const ended = await fetched(subscription);
      assert.deepEqual([ended.status, ended.cancellation_details.reason], ['canceled', 'payment_failed']);
      const failures = await events('invoice.payment_failed');
      assert.deepEqual(failures.map(({ created }) => (created - failures[0]?.created) / DAY), [0, 3, 8, 15]);
    });

    it('recover when a later attempt succeeds, become active after a trial, and expire if incomplete', async () => {
      const [late, trial, unpaid] = [await subscriber(simulator.url), await subscriber(simulator.url, { trial_days: 7 }), await subscriber(simulator.url, { payment: 'fails' })];
      const statuses = (): Promise<string[]> => Promise.all([late, trial, unpaid].map(async ({ subscription }) => (await fetched(subscription)).status));
      await act('fail_payment', { subscription: late.subscription });
      assert.deepEqual(await statuses(), ['past_due', 'trialing', 'incomplete']);
      await advance(7 * DAY + 1);
      assert.deepEqual(await statuses(), ['active', 'active', 'incomplete_expired']);
      const types = await eventTypes(simulator.url);
      assert.ok(types.includes('invoice.voided') && types.includes('checkout.session.async_payment_failed'));
      const { json } = await call(`GET /v1/invoices?subscription=${trial.subscription}`);
      assert.deepEqual(json.data.map(({ amount_due, status }: Json) => [amount_due, status]), [[499, 'paid'], [0, 'paid']]);
    });

    it('perform the action of a test if their state allows it', async () => {
      const { customer, subscription } = await subscriber(simulator.url);
      const story: [action: string, status: string, given?: Json][] = [
        ['renew', 'active'], ['pause', 'paused'], ['resume', 'active'], ['fail_payment', 'past_due'], ['retry_payment', 'past_due', { succeeds: false }],
        ['retry_payment', 'active', { succeeds: true }], ['fail_payment', 'past_due'], ['give_up', 'unpaid', { becomes: 'unpaid' }],
        ['retry_payment', 'active', { succeeds: true }], ['pause_collection', 'active', { behavior: 'void' }], ['resume_collection', 'active'],
        ['dispute', 'active'], ['refund', 'active'], ['end_period', 'active'], ['cancel_at_period_end', 'active'], ['end_period', 'canceled'],
      ];
      for (const [action, status, given] of story) {
        assert.deepEqual([action, (await act(action, { subscription, ...given })).subscription?.status], [action, status]);
      }
      for (const action of ['renew', 'fail_payment', 'cancel', 'cancel_at_period_end', 'end_period', 'pause', 'resume', 'resume_collection', 'expire_incomplete']) {
        assert.deepEqual(await act(action, { subscription }), { ignored: true });
      }
      const types = await eventTypes(simulator.url);
      const told = ['customer.subscription.paused', 'customer.subscription.resumed', 'charge.dispute.created', 'charge.refunded', 'refund.created'];
      assert.deepEqual(told.filter((type) => !types.includes(type)), []);
      const before = types.length;
      const results = await control(simulator.url, 'POST act', [{ action: 'delete_customer', customer }, { action: 'subscribe', customer }]);
      assert.deepEqual(results[1], { ignored: true });
      assert.deepEqual((await eventTypes(simulator.url)).slice(before), ['customer.deleted']);
      const wrong = [{ action: 'create_customer' }, { action: 'dance' }];
      await assert.rejects(control(simulator.url, 'POST act', wrong), /no action 'dance'; there are create_customer/);
      assert.equal((await eventTypes(simulator.url)).length, before + 1, 'all are checked before the first is carried out');
    });
  });
});
