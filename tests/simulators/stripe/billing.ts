import type { Customer, Invoice, Order, Session, Status, Subscription, Thing } from './objects.ts';
import { newCustomer, newId, newInvoice, newSession, newSubscription, nextPeriodEnd } from './objects.ts';
import type { State } from './state.ts';

export const UPDATED = 'customer.subscription.updated';
const DAY = 86_400;
/** The days until the next attempt after each failed one; then Stripe gives up. */
const RETRY_DAYS = [3, 5, 7];

export const hasEnded = ({ status }: Subscription): boolean => status === 'canceled' || status === 'incomplete_expired';
export const runs = ({ status }: Subscription): boolean => status === 'active' || status === 'trialing';
export const cardWorks = (state: State, customer: string): boolean => !state.declined.has(customer);
const currentEnd = (subscription: Subscription): number => subscription.items.data[0]?.current_period_end ?? 0;

/** Executes everything that is due, in order of time, each at its own time. */
export function catchUp(state: State): void {
  const now = state.now();
  for (let due = state.due(); due !== undefined && due.at <= now; due = state.due()) {
    const { thing, at } = due;
    state.at(at, () => ('expires_at' in thing ? expireSession(state, thing as Session) : proceed(state, thing as Subscription)));
  }
}

function proceed(state: State, subscription: Subscription): void {
  const invoice = state.invoiceOf(subscription);
  if (subscription.status === 'incomplete') expireIncomplete(state, subscription);
  else if (subscription.status === 'past_due' && invoice?.status === 'open') retry(state, subscription, invoice, cardWorks(state, subscription.customer));
  else endPeriod(state, subscription);
}

/** The price of a session; a raw one has the default price. */
export function orderOf(state: State, session: Session): Order {
  const price = state.prices.get(state.priceId);
  return state.orders.get(session.id) ?? { items: price === undefined ? [] : [{ price, quantity: 1 }], metadata: session.metadata };
}

export function openSession(state: State, order: Order, fields: Partial<Session>): Session {
  const session = newSession(state.now(), order, fields);
  state.orders.set(session.id, order);
  state.put(session);
  return session;
}

/** The payment has succeeded, or is pending with a delayed payment method. */
export function complete(state: State, session: Session, paid: boolean): Subscription {
  const customer = state.customers.get(session.customer ?? '') ?? newCustomer(state.now(), { email: session.customer_email ?? 'buyer@example.com' });
  if (session.customer === null) state.add(customer, 'customer.created');
  const order = orderOf(state, session);
  const subscription = subscribe(state, customer.id, order, paid);
  const customer_details = { email: customer.email, name: null, phone: null, tax_exempt: 'none', tax_ids: [] };
  const payment_status = order.trialDays !== undefined ? 'no_payment_required' : paid ? 'paid' : 'unpaid';
  const made = { customer: customer.id, customer_details, invoice: subscription.latest_invoice, subscription: subscription.id };
  const completed: Partial<Session> = { ...made, payment_status, status: 'complete', url: null };
  state.change(session, completed, 'checkout.session.completed');
  return subscription;
}

export function expireSession(state: State, session: Session): void {
  state.change(session, { status: 'expired', url: null }, 'checkout.session.expired');
}

/** A delayed payment of a checkout succeeds or fails. */
function settleSession(state: State, subscription: Subscription, paid: boolean): void {
  const session = [...state.sessions.values()].find((it) => it.subscription === subscription.id);
  if (session?.payment_status !== 'unpaid') return;
  state.change(session, { payment_status: paid ? 'paid' : 'unpaid' });
  state.emit(`checkout.session.async_payment_${paid ? 'succeeded' : 'failed'}`, session);
}

/** A new subscription with its first invoice; unpaid, it is incomplete. */
function subscribe(state: State, customer: string, order: Order, paid: boolean): Subscription {
  const subscription = newSubscription(state.now(), customer, order);
  const invoice = newInvoice(state.now(), subscription, 'subscription_create');
  subscription.latest_invoice = invoice.id;
  if (subscription.status === 'incomplete' && paid) subscription.status = 'active';
  state.add(subscription, 'customer.subscription.created');
  bill(state, invoice, paid, false);
  return subscription;
}

function bill(state: State, invoice: Invoice, paid: boolean, retries: boolean): boolean {
  state.add(invoice, 'invoice.created');
  const hosted_invoice_url = `https://invoice.stripe.com/i/acct_sound_whiskers/test_${invoice.id}`;
  state.change(invoice, { hosted_invoice_url }, 'invoice.finalized');
  const isPaid = paid || invoice.amount_due === 0;
  if (isPaid) markPaid(state, invoice);
  else markFailed(state, invoice, retries);
  return isPaid;
}

function markPaid(state: State, invoice: Invoice): void {
  const { amount_due, attempt_count } = invoice;
  const paid = { amount_paid: amount_due, amount_remaining: 0, attempt_count: attempt_count + 1, next_payment_attempt: null, status: 'paid' as const };
  state.change(invoice, paid, 'invoice.paid', 'invoice.payment_succeeded');
}

/** Records a failed attempt. With `retries` another one follows, up to Stripe's limit. */
function markFailed(state: State, invoice: Invoice, retries: boolean): void {
  const days = retries ? RETRY_DAYS[invoice.attempt_count] : undefined;
  const next_payment_attempt = days === undefined ? null : state.now() + days * DAY;
  state.change(invoice, { attempt_count: invoice.attempt_count + 1, attempted: true, next_payment_attempt }, 'invoice.payment_failed');
}

/** Ends all retries; an unpaid invoice stays unpaid unless it is voided. */
function stopCollecting(state: State, subscription: Subscription, voids = false): void {
  const invoice = state.invoiceOf(subscription);
  if (invoice?.status === 'open') {
    state.change(invoice, { next_payment_attempt: null, ...(voids ? { status: 'void' } : {}) }, voids ? 'invoice.voided' : 'invoice.updated');
  }
}

/** Starts another period, with an invoice that is paid at once or retried for two weeks. */
export function renew(state: State, subscription: Subscription, paid: boolean, start = currentEnd(subscription), anchor = subscription.billing_cycle_anchor): void {
  const items = structuredClone(subscription.items);
  for (const item of items.data) {
    item.current_period_start = start;
    item.current_period_end = nextPeriodEnd(anchor, item.price, start);
  }
  const status: Status = 'active';
  const invoice = newInvoice(state.now(), { ...subscription, items, status }, 'subscription_cycle');
  // The invoice first: the next due amount depends on it.
  state.put(invoice);
  state.change(subscription, { items, status, billing_cycle_anchor: anchor, latest_invoice: invoice.id }, UPDATED);
  if (!bill(state, invoice, paid, true)) state.change(subscription, { status: 'past_due' }, UPDATED);
}

/** Retries the open invoice. A first invoice is not given up before its 23 hours are over. */
export function retry(state: State, subscription: Subscription, invoice: Invoice, paid: boolean): void {
  if (paid) {
    markPaid(state, invoice);
    state.change(subscription, { status: 'active' }, UPDATED);
    settleSession(state, subscription, true);
    return;
  }
  const retries = subscription.status === 'past_due';
  markFailed(state, invoice, retries);
  if (retries && invoice.next_payment_attempt === null) cancel(state, subscription, 'payment_failed');
}

export function endPeriod(state: State, subscription: Subscription): void {
  if (subscription.cancel_at_period_end) cancel(state, subscription);
  else renew(state, subscription, cardWorks(state, subscription.customer));
}

export function cancel(state: State, subscription: Subscription, reason: 'cancellation_requested' | 'payment_failed' = 'cancellation_requested'): void {
  const ended_at = state.now();
  const cancellation_details = { ...subscription.cancellation_details, reason };
  stopCollecting(state, subscription);
  const ended = { status: 'canceled' as const, ended_at, canceled_at: subscription.canceled_at ?? ended_at, cancellation_details };
  state.change(subscription, ended, 'customer.subscription.deleted');
}

export function setCancelAtPeriodEnd(state: State, subscription: Subscription, cancels: boolean): void {
  const cancellation_details = { ...subscription.cancellation_details, reason: cancels ? 'cancellation_requested' : null };
  const cancel_at = cancels ? currentEnd(subscription) : null;
  const canceled_at = cancels ? (subscription.canceled_at ?? state.now()) : null;
  state.change(subscription, { cancel_at, canceled_at, cancellation_details, cancel_at_period_end: cancels }, UPDATED);
}

export function becomeUnpaid(state: State, subscription: Subscription): void {
  stopCollecting(state, subscription);
  state.change(subscription, { status: 'unpaid' }, UPDATED);
}

/** The first invoice was not paid in time. */
export function expireIncomplete(state: State, subscription: Subscription): void {
  stopCollecting(state, subscription, true);
  state.change(subscription, { status: 'incomplete_expired', ended_at: state.now() }, UPDATED);
  settleSession(state, subscription, false);
}

/** A paid period continues; after its end, a new period begins now. */
export function resume(state: State, subscription: Subscription): void {
  const isPaidFor = currentEnd(subscription) > state.now();
  state.change(subscription, { status: 'active' }, ...(isPaidFor ? [UPDATED] : []), 'customer.subscription.resumed');
  if (!isPaidFor) renew(state, subscription, cardWorks(state, subscription.customer), state.now(), state.now());
}

/** The account's owner refunds the last payment. The subscription continues. */
export function refund(state: State, { amount_due: amount, currency, customer }: Invoice): Thing {
  const common = { amount, created: state.now(), currency, livemode: false, metadata: {}, status: 'succeeded' };
  const charge = { ...common, id: newId('ch'), object: 'charge', amount_refunded: amount, customer, refunded: true };
  state.emit('charge.refunded', charge);
  state.emit('refund.created', { ...common, id: newId('re'), object: 'refund', charge: charge.id });
  return charge;
}

/** The cardholder disputes the last payment. The subscription continues. */
export function dispute(state: State, { amount_due: amount, currency }: Invoice): Thing {
  const common = { amount, created: state.now(), currency, livemode: false, metadata: {}, reason: 'fraudulent', status: 'needs_response' };
  const contested = { ...common, id: newId('du'), object: 'dispute', charge: newId('ch'), payment_intent: newId('pi') };
  state.add(contested, 'charge.dispute.created');
  return contested;
}

/** Ends the subscriptions of a deleted customer, which keeps only its id. */
export function deleteCustomer(state: State, customer: Customer): Thing {
  state.subscriptionsOf(customer.id).filter((it) => !hasEnded(it)).forEach((it) => cancel(state, it));
  const left = { id: customer.id, object: 'customer', deleted: true };
  state.put(left);
  state.emit('customer.deleted', customer);
  return left;
}
