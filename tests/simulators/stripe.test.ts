import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { PRICE_ID, STRIPE_KEY, control, logWhen, startForTests } from './helpers.ts';
import type { Simulators } from './start.ts';
import type { Json } from './stripe-helpers.ts';
import { SESSION, act, call, eventTypes, refusal, subscriber } from './stripe-helpers.ts';

describe('Stripe’s API', () => {
  let simulators: Simulators;
  let base: string;

  before(async () => {
    simulators = await startForTests();
    base = simulators.urls.stripe;
  });
  beforeEach(() => control(base, 'POST reset'));
  after(() => simulators.close());

  const post = (path: string, form: string, headers: Record<string, string> = {}): ReturnType<typeof call> => call(base, 'POST', path, form, headers);
  const get = (path: string): ReturnType<typeof call> => call(base, 'GET', path);
  const newCustomer = async (): Promise<string> => String((await post('/v1/customers', '')).json.id);

  it('wants its key, as bearer or as user name', async () => {
    const answer = async (authorization?: string): Promise<[number, unknown]> => {
      const response = await fetch(`${base}/v1/customers`, { headers: authorization === undefined ? {} : { authorization } });
      return [response.status, ((await response.json()) as { error?: Json }).error?.message];
    };
    const [status, message] = await answer();
    assert.equal(status, 401);
    assert.match(String(message), /^You did not provide an API key\./);
    assert.deepEqual(await answer('Bearer sk_test_abcdef1234'), [401, 'Invalid API Key provided: sk_test_******1234']);
    assert.deepEqual(await answer(`Basic ${btoa(`${STRIPE_KEY}:`)}`), [200, undefined]);
    assert.deepEqual(await answer(`Bearer ${STRIPE_KEY}`), [200, undefined]);
  });

  it('knows its URLs and methods, and versions by their form', async () => {
    for (const [method, path] of [['GET', '/v1/nothing'], ['PUT', '/v1/customers'], ['GET', '/v1/customers/'], ['GET', '/v3']] as const) {
      const unknown = await call(base, method, path);
      assert.equal(unknown.status, 404);
      assert.ok(String((unknown.json.error as Json).message).startsWith(`Unrecognized request URL (${method}: ${path}).`));
    }
    for (const version of ['2026-10-28.endive', '2020-03-02']) {
      const answer = await call(base, 'GET', '/v1/customers', undefined, { 'stripe-version': version });
      assert.deepEqual([answer.status, answer.headers.get('stripe-version')], [200, version]);
    }
    assert.equal((await call(base, 'GET', '/v1/customers', undefined, { 'stripe-version': 'latest' })).status, 400);
    assert.equal((await post('/v1/customers', '{"email":"a@example.com"}', { 'content-type': 'application/json' })).status, 400);
  });

  it('gives every answer an id and echoes the idempotency key', async () => {
    const answers = [await get('/v1/customers'), await get('/v1/nothing'), await post('/v1/customers', 'x=1', { 'idempotency-key': 'k' })];
    for (const { headers } of answers) assert.match(String(headers.get('request-id')), /^req_\w+$/);
    assert.equal(answers[2]?.headers.get('idempotency-key'), 'k');
    assert.equal((await post('/v1/customers', '', { 'idempotency-key': 'k'.repeat(256) })).status, 400);
  });

  it('refuses parameters that it does not know or cannot read', async () => {
    const customer = await newCustomer();
    const cases: [form: string, code: unknown, param: string][] = [
      ['payment_method_types[0]=card', 'parameter_unknown', 'payment_method_types'],
      ['line_items[0][amount]=1', 'parameter_unknown', 'line_items[0][amount]'],
      ['mode=free', undefined, 'mode'],
      ['success_url=app.example', 'url_invalid', 'success_url'],
      ['cancel_url=/back', 'url_invalid', 'cancel_url'],
      ['line_items[0][quantity]=many', 'parameter_invalid_integer', 'line_items[0][quantity]'],
      ['line_items[0][price]=price_other', 'resource_missing', 'line_items[0][price]'],
      ['customer=cus_other', 'resource_missing', 'customer'],
      ['customer=', 'parameter_invalid_empty', 'customer'],
      [`customer=${customer}&customer_email=a@example.com`, 'parameters_exclusive', 'customer'],
      ['customer_email=nobody', 'email_invalid', 'customer_email'],
      ['allow_promotion_codes=maybe', undefined, 'allow_promotion_codes'],
      ['locale=xx', undefined, 'locale'],
      ['metadata=x', undefined, 'metadata'],
      [`metadata[a]=${'x'.repeat(501)}`, undefined, 'metadata[a]'],
      ['subscription_data[trial_period_days]=0', 'parameter_invalid_integer', 'subscription_data[trial_period_days]'],
      ['expires_at=1', undefined, 'expires_at'],
    ];
    for (const [form, code, param] of cases) {
      const [status, ...rest] = refusal(await post('/v1/checkout/sessions', `${SESSION}&${form}`));
      assert.deepEqual([form, status, ...rest.slice(0, 2)], [form, 400, code, param]);
    }
    assert.deepEqual(refusal(await post('/v1/checkout/sessions', 'mode=subscription')).slice(0, 3), [400, 'parameter_missing', 'success_url']);
    assert.deepEqual(refusal(await post('/v1/customers', 'a=1&b[c]=2')), [400, 'parameter_unknown', 'a', 'Received unknown parameters: a, b']);
    assert.equal((await get('/v1/checkout/sessions')).json.has_more, false);
  });

  it('keeps lists to a hundred and cursors to what exists', async () => {
    for (const limit of ['0', '101', 'x']) {
      assert.deepEqual(refusal(await get(`/v1/subscriptions?limit=${limit}`)).slice(0, 3), [400, 'parameter_invalid_integer', 'limit']);
    }
    assert.deepEqual(refusal(await get('/v1/subscriptions?starting_after=sub_x')).slice(0, 3), [400, 'resource_missing', 'starting_after']);
    assert.deepEqual(refusal(await get('/v1/subscriptions?status=gone')).slice(0, 3), [400, undefined, 'status']);
    assert.deepEqual(refusal(await get('/v1/subscriptions?customer=cus_x')), [400, 'resource_missing', 'customer', "No such customer: 'cus_x'"]);
    for (let i = 0; i < 11; i += 1) await newCustomer();
    const { json } = await get('/v1/customers');
    assert.deepEqual([(json.data as Json[]).length, json.has_more, json.url], [10, true, '/v1/customers']);
  });

  it('reads brackets of every kind', async () => {
    const { json } = await post('/v1/customers', 'metadata[1]=a&metadata[two]=b&metadata%5Bthree%5D=c&metadata[two]=d');
    assert.deepEqual(json.metadata, { 1: 'a', two: 'd', three: 'c' });
    assert.deepEqual((await post('/v1/customers', 'metadata[0]=x')).json.metadata, { 0: 'x' });
    await subscriber(base);
    const types = new Set(((await get('/v1/events?types[]=invoice.paid&types[]=customer.created')).json.data as Json[]).map(({ type }) => type));
    assert.deepEqual(types, new Set(['invoice.paid', 'customer.created']));
    assert.equal((await post('/v1/customers', 'metadata[a=x')).status, 400);
  });

  it('has nothing more for a deleted customer but what has been', async () => {
    const { customer, subscription } = await subscriber(base);
    await subscriber(base);
    await call(base, 'DELETE', `/v1/customers/${customer}`);
    const { json } = await get(`/v1/subscriptions?customer=${customer}&status=all`);
    assert.deepEqual((json.data as Json[]).map(({ id, status }) => [id, status]), [[subscription, 'canceled']]);
    assert.deepEqual((await get(`/v1/subscriptions?customer=${customer}`)).json.data, []);
    const gone = [400, 'resource_missing', 'customer', `No such customer: '${customer}'`];
    assert.deepEqual(refusal(await post('/v1/checkout/sessions', `${SESSION}&customer=${customer}`)), gone);
    assert.deepEqual(refusal(await post('/v1/billing_portal/sessions', `customer=${customer}`)), gone);
    assert.equal((await call(base, 'DELETE', `/v1/customers/${customer}`)).status, 404);
    assert.equal((await post(`/v1/customers/${customer}`, 'name=x')).status, 404);
  });

  it('keeps for a key what was executed, and nothing that was not', async () => {
    const keyed = (form: string): ReturnType<typeof call> => post('/v1/checkout/sessions', form, { 'idempotency-key': 'k' });
    assert.equal((await keyed(`${SESSION}&nonsense=1`)).status, 400);
    const missing = await keyed(`${SESSION}&customer=cus_x`);
    const again = await keyed(`customer=cus_x&${SESSION}`);
    assert.deepEqual([again.status, again.headers.get('idempotent-replayed'), again.json], [400, 'true', missing.json]);
    assert.equal(again.headers.get('original-request'), missing.headers.get('request-id'));
    assert.deepEqual([(await keyed(SESSION)).status, ((await keyed(SESSION)).json.error as Json).type], [400, 'idempotency_error']);
  });

  it('answers from the key what was true then', async () => {
    const create = (): ReturnType<typeof call> => post('/v1/checkout/sessions', SESSION, { 'idempotency-key': 'k' });
    const { json } = await create();
    await post(`/v1/checkout/sessions/${String(json.id)}/expire`, '');
    assert.deepEqual((await create()).json, json);
  });

  it('refuses a key whose first request is still under way, though its effect is there', async () => {
    await control(base, 'PUT latency', { api_ms: 3_600_000 });
    const client = new AbortController();
    const first = fetch(`${base}/v1/customers`, { method: 'POST', headers: { authorization: `Bearer ${STRIPE_KEY}`, 'idempotency-key': 'k' }, signal: client.signal });
    await logWhen(base, (log) => log.length === 1);
    await control(base, 'PUT latency', { api_ms: 0 });
    assert.deepEqual(refusal(await post('/v1/customers', '', { 'idempotency-key': 'k' })).slice(0, 2), [409, 'idempotency_key_in_use']);
    assert.equal(((await get('/v1/customers')).json.data as Json[]).length, 1);
    client.abort();
    await assert.rejects(first);
    await logWhen(base, (log) => log[0]?.aborted === true);
    const replayed = await post('/v1/customers', '', { 'idempotency-key': 'k' });
    assert.deepEqual([replayed.status, replayed.headers.get('idempotent-replayed')], [200, 'true']);
  });

  it('fails on order after all has been done, and keeps failing under that key', async () => {
    await control(base, 'PUT idempotency_failures', { path_prefix: '/v1/customers', times: 1 });
    const failed = await post('/v1/customers', 'name=A', { 'idempotency-key': 'k' });
    assert.deepEqual([failed.status, (failed.json.error as Json).type], [500, 'api_error']);
    assert.equal((await post('/v1/customers', 'name=A', { 'idempotency-key': 'k' })).status, 500);
    assert.equal((await post('/v1/customers', 'name=A', { 'idempotency-key': 'other' })).status, 200);
    assert.equal(((await get('/v1/customers')).json.data as Json[]).length, 2);
    // A fault strikes before Stripe has seen the request: its key stays unused.
    await control(base, 'PUT faults', [{ path_prefix: '/v1/customers', status: 500, times: 1 }]);
    await fetch(`${base}/v1/customers`, { method: 'POST', headers: { authorization: `Bearer ${STRIPE_KEY}`, 'idempotency-key': 'new' } });
    const second = await post('/v1/customers', '', { 'idempotency-key': 'new' });
    assert.deepEqual([second.status, second.headers.get('idempotent-replayed')], [200, null]);
  });

  it('can be made to answer what is no longer true', async () => {
    const { customer, subscription } = await subscriber(base);
    await control(base, 'PUT faults', [{ path_prefix: '/v1/subscriptions', hold_ms: 60, times: 1 }]);
    const path = `/v1/subscriptions?customer=${customer}&status=all`;
    const held = get(path);
    await logWhen(base, (log) => log.length === 1);
    await act(base, { action: 'cancel', subscription });
    assert.equal(((await get(path)).json.data as Json[])[0]?.status, 'canceled');
    assert.equal(((await held).json.data as Json[])[0]?.status, 'active');
  });

  it('takes raw objects and shows all that there are', async () => {
    await control(base, 'PUT objects', [
      { object: 'customer', id: 'cus_raw', metadata: { user_id: 'u1' } },
      { object: 'subscription', id: 'sub_raw', customer: 'cus_raw', status: 'paused' },
      { object: 'price', id: 'price_old', active: false },
    ]);
    const { json } = await get('/v1/subscriptions/sub_raw');
    assert.deepEqual([json.status, json.customer, ((json.items as Json).data as Json[]).length], ['paused', 'cus_raw', 1]);
    await control(base, 'PUT objects', [{ object: 'subscription', id: 'sub_raw', status: 'unpaid' }]);
    const objects = (await control(base, 'GET objects')) as Record<string, Json[]>;
    assert.deepEqual(objects.subscriptions?.map(({ status }) => status), ['unpaid']);
    assert.deepEqual(objects.prices?.map(({ id }) => id), [PRICE_ID, 'price_old']);
    assert.deepEqual(await eventTypes(base), []);
    await assert.rejects(control(base, 'PUT objects', [{ object: 'charge', id: 'ch_1' }]), /objects\[0\] must have an id and as object one of customer/);
  });

  it('is back at its beginning after a reset', async () => {
    await subscriber(base);
    await post('/v1/customers', 'name=A', { 'idempotency-key': 'k' });
    await control(base, 'POST clock', { advance_seconds: 1_000_000 });
    await control(base, 'POST reset');
    const { customers, subscriptions, prices, products } = (await control(base, 'GET objects')) as Record<string, Json[]>;
    assert.deepEqual([customers, subscriptions, prices?.length, products?.length], [[], [], 1, 1]);
    const { json, status } = await post('/v1/customers', 'name=B', { 'idempotency-key': 'k' });
    assert.equal(status, 200);
    assert.ok(Math.abs(Number(json.created) - Date.now() / 1000) < 60);
    assert.deepEqual(await eventTypes(base), ['customer.created']);
  });
});
