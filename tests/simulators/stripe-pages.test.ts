import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { control, startForTests } from './helpers.ts';
import type { Simulators } from './start.ts';
import type { Json } from './stripe-helpers.ts';
import { SESSION, act, call, eventTypes, subscriber } from './stripe-helpers.ts';

describe('Stripe’s pages', () => {
  let simulators: Simulators;
  let base: string;

  before(async () => {
    simulators = await startForTests();
    base = simulators.urls.stripe;
  });
  beforeEach(() => control(base, 'POST reset'));
  after(() => simulators.close());

  const open = async (form = ''): Promise<Json> => (await call(base, 'POST', '/v1/checkout/sessions', SESSION + form)).json;
  const submit = (url: unknown, form: Record<string, string>): Promise<Response> => fetch(String(url), { method: 'POST', redirect: 'manual', body: new URLSearchParams(form) });
  const show = async (url: unknown): Promise<string> => {
    const response = await fetch(String(url));
    assert.equal(response.status, 200);
    return response.text();
  };
  const fetched = async (path: string): Promise<Json> => (await call(base, 'GET', path)).json;

  it('sells what the session is for', async () => {
    const { customer } = await act(base, { action: 'create_customer', user_id: 'u1' });
    const session = await open(`&customer=${String(customer?.id)}&client_reference_id=u1&subscription_data[metadata][user_id]=u1`);
    const page = await show(session.url);
    assert.match(page, /Sound Whiskers Pro: 1 × \$4\.99 per month/);
    for (const id of ['pay', 'pay-declined', 'cancel']) assert.match(page, new RegExp(`data-testid="${id}"`));
    assert.match(page, /href="https:\/\/app\.example\/back"/);
    const paid = await submit(session.url, { decision: 'pay' });
    assert.deepEqual([paid.status, paid.headers.get('location')], [303, `https://app.example/paid?session=${String(session.id)}`]);
    const done = await fetched(`/v1/checkout/sessions/${String(session.id)}`);
    assert.deepEqual([done.status, done.payment_status, done.url, done.client_reference_id], ['complete', 'paid', null, 'u1']);
    const subscription = await fetched(`/v1/subscriptions/${String(done.subscription)}`);
    assert.deepEqual([subscription.status, subscription.customer, subscription.metadata, subscription.latest_invoice], ['active', customer?.id, { user_id: 'u1' }, done.invoice]);
    assert.deepEqual((await eventTypes(base)).slice(1), [
      'customer.subscription.created',
      'invoice.created',
      'invoice.finalized',
      'customer.updated',
      'invoice.paid',
      'invoice.payment_succeeded',
      'checkout.session.completed',
    ]);
  });

  it('shows that a card was declined and lets another one be tried', async () => {
    const session = await open();
    const declined = await submit(session.url, { decision: 'decline' });
    assert.equal(declined.status, 200);
    assert.match(await declined.text(), /Your card was declined\.[\s\S]*data-testid="pay"/);
    assert.deepEqual(await eventTypes(base), []);
    assert.equal((await submit(session.url, { decision: 'pay' })).status, 303);
    const { customers } = (await control(base, 'GET objects')) as Record<string, Json[]>;
    assert.equal(customers?.length, 1);
  });

  it('declines the card of a customer whose card does not work', async () => {
    const { customer } = await act(base, { action: 'create_customer' });
    await act(base, { action: 'set_card', customer: customer?.id, works: false });
    const session = await open(`&customer=${String(customer?.id)}`);
    assert.match(await (await submit(session.url, { decision: 'pay' })).text(), /Your card was declined/);
  });

  it('sells nothing twice, late or to nobody', async () => {
    const paid = await open();
    await submit(paid.url, { decision: 'pay' });
    const late = await open();
    const { customer } = await act(base, { action: 'create_customer' });
    const orphan = await open(`&customer=${String(customer?.id)}`);
    await act(base, { action: 'delete_customer', customer: customer?.id });
    assert.doesNotMatch(await show(orphan.url), /<button/);
    await control(base, 'POST clock', { advance_seconds: 86_400 });
    for (const [session, said] of [[paid, /has been completed/], [late, /has expired/]] as const) {
      assert.match(await show(session.url), said);
      assert.doesNotMatch(await show(session.url), /<button/);
      assert.equal((await submit(session.url, { decision: 'pay' })).status, 200);
    }
    assert.equal(((await control(base, 'GET objects')) as Record<string, Json[]>).subscriptions?.length, 1);
    assert.equal((await fetch(`${base}/c/pay/cs_test_none`)).status, 404);
    assert.equal((await fetch(String(late.url), { method: 'PUT' })).status, 405);
  });

  it('starts trials without payment', async () => {
    const session = await open('&subscription_data[trial_period_days]=7');
    await submit(session.url, { decision: 'pay' });
    const done = await fetched(`/v1/checkout/sessions/${String(session.id)}`);
    const subscription = await fetched(`/v1/subscriptions/${String(done.subscription)}`);
    assert.deepEqual([done.payment_status, subscription.status], ['no_payment_required', 'trialing']);
    assert.equal(subscription.trial_end, Number(subscription.created) + 7 * 86_400);
  });

  it('lets customers cancel and think again in the portal', async () => {
    const { customer, subscription } = await subscriber(base);
    const portal = (await call(base, 'POST', '/v1/billing_portal/sessions', `customer=${customer}&return_url=https://app.example/&flow_data[type]=payment_method_update`)).json;
    const page = await show(portal.url);
    assert.match(page, /<b>active<\/b>, renews on \d{4}-\d{2}-\d{2}/);
    assert.match(page, /data-testid="cancel-subscription">Cancel subscription</);
    assert.match(page, /href="https:\/\/app\.example\/" data-testid="return"/);
    assert.equal((await submit(portal.url, { subscription, decision: 'cancel' })).status, 303);
    assert.equal((await fetched(`/v1/subscriptions/${subscription}`)).cancel_at_period_end, true);
    assert.match(await show(portal.url), /ends on [\s\S]*data-testid="keep-subscription">Don’t cancel</);
    await submit(portal.url, { subscription, decision: 'keep' });
    assert.equal((await fetched(`/v1/subscriptions/${subscription}`)).cancel_at_period_end, false);
    await act(base, { action: 'cancel', subscription });
    assert.match(await show(portal.url), /No subscriptions/);
    assert.equal((await fetch(`${base}/p/session/bps_none`)).status, 404);
  });

  it('takes what is due on the page of the invoice and in the portal, and resumes what is paused', async () => {
    const invoicePage = async (subscription: string): Promise<unknown> => {
      const { latest_invoice } = await fetched(`/v1/subscriptions/${subscription}`);
      return (await fetched(`/v1/invoices/${String(latest_invoice)}`)).hosted_invoice_url;
    };
    const status = async (subscription: string): Promise<unknown> => (await fetched(`/v1/subscriptions/${subscription}`)).status;
    const begun = await subscriber(base, { payment: 'fails' });
    assert.match(await show(await invoicePage(begun.subscription)), /data-testid="pay-invoice"/);
    assert.equal((await submit(await invoicePage(begun.subscription), { decision: 'pay' })).status, 303);
    assert.equal(await status(begun.subscription), 'active');
    assert.doesNotMatch(await show(await invoicePage(begun.subscription)), /data-testid="pay-invoice"/);

    const { customer, subscription } = await subscriber(base);
    const portal = (await call(base, 'POST', '/v1/billing_portal/sessions', `customer=${customer}`)).json;
    await act(base, { action: 'fail_payment', subscription });
    await act(base, { action: 'give_up', subscription, becomes: 'unpaid' });
    await act(base, { action: 'set_card', customer, works: false });
    await submit(portal.url, { subscription, decision: 'pay' });
    assert.equal(await status(subscription), 'unpaid');
    await act(base, { action: 'set_card', customer, works: true });
    await submit(portal.url, { subscription, decision: 'pay' });
    assert.equal(await status(subscription), 'active');
    await act(base, { action: 'pause', subscription });
    assert.match(await show(portal.url), /data-testid="resume-subscription"/);
    await submit(portal.url, { subscription, decision: 'resume' });
    assert.equal(await status(subscription), 'active');
  });

  it('does not let one customer touch what another one has', async () => {
    const [mine, other] = [await subscriber(base), await subscriber(base)];
    const portal = (await call(base, 'POST', '/v1/billing_portal/sessions', `customer=${mine.customer}`)).json;
    await submit(portal.url, { subscription: other.subscription, decision: 'cancel' });
    assert.equal((await fetched(`/v1/subscriptions/${other.subscription}`)).cancel_at_period_end, false);
  });
});
