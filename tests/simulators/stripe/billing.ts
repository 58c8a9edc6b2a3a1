import type { Customer, Invoice, Order, Session, Status, Subscription, Thing } from './objects.ts';
import { newCustomer, newId, newInvoice, newSession, newSubscription, nextPeriodEnd } from './objects.ts';
import type { World } from './world.ts';

export const UPDATED = 'customer.subscription.updated';
const DAY = 86_400;
/** The days until the next attempt, after each that failed; then Stripe gives up. */
const RETRY_DAYS = [3, 5, 7];

export const hasEnded = ({ status }: Subscription): boolean => status === 'canceled' || status === 'incomplete_expired';
export const runs = ({ status }: Subscription): boolean => status === 'active' || status === 'trialing';
export const cardWorks = (world: World, customer: string): boolean => !world.declined.has(customer);
const currentEnd = (subscription: Subscription): number => subscription.items.data[0]?.current_period_end ?? 0;

/** Lets everything happen that was due by now, in order of time, each as of its own moment. */
export function catchUp(world: World): void {
  const now = world.now();
  for (let due = world.due(); due !== undefined && due.at <= now; due = world.due()) {
    const { thing, at } = due;
    world.at(at, () => ('expires_at' in thing ? expireSession(world, thing as Session) : proceed(world, thing as Subscription)));
  }
}

function proceed(world: World, subscription: Subscription): void {
  const invoice = world.invoiceOf(subscription);
  if (subscription.status === 'incomplete') expireIncomplete(world, subscription);
  else if (subscription.status === 'past_due' && invoice?.status === 'open') retry(world, subscription, invoice, cardWorks(world, subscription.customer));
  else endPeriod(world, subscription);
}

/** What a session is for; one that was put in raw is for the default price. */
export function orderOf(world: World, session: Session): Order {
  const price = world.prices.get(world.priceId);
  return world.orders.get(session.id) ?? { items: price === undefined ? [] : [{ price, quantity: 1 }], metadata: session.metadata };
}

export function openSession(world: World, order: Order, fields: Partial<Session>): Session {
  const session = newSession(world.now(), order, fields);
  world.orders.set(session.id, order);
  world.put(session);
  return session;
}

/** The payment went through, or is still to come where the means of payment is a slow one. */
export function complete(world: World, session: Session, paid: boolean): Subscription {
  const customer = world.customers.get(session.customer ?? '') ?? newCustomer(world.now(), { email: session.customer_email ?? 'buyer@example.com' });
  if (session.customer === null) world.add(customer, 'customer.created');
  const order = orderOf(world, session);
  const subscription = subscribe(world, customer.id, order, paid);
  const customer_details = { email: customer.email, name: null, phone: null, tax_exempt: 'none', tax_ids: [] };
  const payment_status = order.trialDays !== undefined ? 'no_payment_required' : paid ? 'paid' : 'unpaid';
  const made = { customer: customer.id, customer_details, invoice: subscription.latest_invoice, subscription: subscription.id };
  const completed: Partial<Session> = { ...made, payment_status, status: 'complete', url: null };
  world.change(session, completed, 'checkout.session.completed');
  return subscription;
}

export function expireSession(world: World, session: Session): void {
  world.change(session, { status: 'expired', url: null }, 'checkout.session.expired');
}

/** What a customer paid with a slow means in a checkout has come, or has not. */
function settleSession(world: World, subscription: Subscription, paid: boolean): void {
  const session = [...world.sessions.values()].find((it) => it.subscription === subscription.id);
  if (session?.payment_status !== 'unpaid') return;
  world.change(session, { payment_status: paid ? 'paid' : 'unpaid' });
  world.emit(`checkout.session.async_payment_${paid ? 'succeeded' : 'failed'}`, session);
}

/** A new subscription with its first invoice; unpaid, it is incomplete. */
function subscribe(world: World, customer: string, order: Order, paid: boolean): Subscription {
  const subscription = newSubscription(world.now(), customer, order);
  const invoice = newInvoice(world.now(), subscription, 'subscription_create');
  subscription.latest_invoice = invoice.id;
  if (subscription.status === 'incomplete' && paid) subscription.status = 'active';
  world.add(subscription, 'customer.subscription.created');
  bill(world, invoice, paid, false);
  return subscription;
}

/** Announces an invoice, which is paid at once or not. */
function bill(world: World, invoice: Invoice, paid: boolean, retries: boolean): boolean {
  world.add(invoice, 'invoice.created');
  const hosted_invoice_url = `https://invoice.stripe.com/i/acct_sound_whiskers/test_${invoice.id}`;
  world.change(invoice, { hosted_invoice_url }, 'invoice.finalized');
  const isPaid = paid || invoice.amount_due === 0;
  if (isPaid) markPaid(world, invoice);
  else markFailed(world, invoice, retries);
  return isPaid;
}

function markPaid(world: World, invoice: Invoice): void {
  const { amount_due, attempt_count } = invoice;
  const paid = { amount_paid: amount_due, amount_remaining: 0, attempt_count: attempt_count + 1, next_payment_attempt: null, status: 'paid' as const };
  world.change(invoice, paid, 'invoice.paid', 'invoice.payment_succeeded');
}

/** One more attempt that failed. With `retries` there is a next one, as long as Stripe has patience. */
function markFailed(world: World, invoice: Invoice, retries: boolean): void {
  const days = retries ? RETRY_DAYS[invoice.attempt_count] : undefined;
  const next_payment_attempt = days === undefined ? null : world.now() + days * DAY;
  world.change(invoice, { attempt_count: invoice.attempt_count + 1, attempted: true, next_payment_attempt }, 'invoice.payment_failed');
}

/** Nothing more is tried; what was owed stays owed, unless it is voided. */
function stopCollecting(world: World, subscription: Subscription, voids = false): void {
  const invoice = world.invoiceOf(subscription);
  if (invoice?.status === 'open') {
    world.change(invoice, { next_payment_attempt: null, ...(voids ? { status: 'void' } : {}) }, voids ? 'invoice.voided' : 'invoice.updated');
  }
}

/** Another period begins, with an invoice that is paid at once or retried for two weeks. */
export function renew(world: World, subscription: Subscription, paid: boolean, start = currentEnd(subscription), anchor = subscription.billing_cycle_anchor): void {
  const items = structuredClone(subscription.items);
  for (const item of items.data) {
    item.current_period_start = start;
    item.current_period_end = nextPeriodEnd(anchor, item.price, start);
  }
  const status: Status = 'active';
  const invoice = newInvoice(world.now(), { ...subscription, items, status }, 'subscription_cycle');
  // The invoice first: what is due next depends on it.
  world.put(invoice);
  world.change(subscription, { items, status, billing_cycle_anchor: anchor, latest_invoice: invoice.id }, UPDATED);
  if (!bill(world, invoice, paid, true)) world.change(subscription, { status: 'past_due' }, UPDATED);
}

/** Tries the open invoice again. A first one is not given up: it has its 23 hours. */
export function retry(world: World, subscription: Subscription, invoice: Invoice, paid: boolean): void {
  if (paid) {
    markPaid(world, invoice);
    world.change(subscription, { status: 'active' }, UPDATED);
    settleSession(world, subscription, true);
    return;
  }
  const retries = subscription.status === 'past_due';
  markFailed(world, invoice, retries);
  if (retries && invoice.next_payment_attempt === null) cancel(world, subscription, 'payment_failed');
}

/** What becomes of a subscription at the end of a period. */
export function endPeriod(world: World, subscription: Subscription): void {
  if (subscription.cancel_at_period_end) cancel(world, subscription);
  else renew(world, subscription, cardWorks(world, subscription.customer));
}

/** Ends it now. */
export function cancel(world: World, subscription: Subscription, reason: 'cancellation_requested' | 'payment_failed' = 'cancellation_requested'): void {
  const ended_at = world.now();
  const cancellation_details = { ...subscription.cancellation_details, reason };
  stopCollecting(world, subscription);
  const ended = { status: 'canceled' as const, ended_at, canceled_at: subscription.canceled_at ?? ended_at, cancellation_details };
  world.change(subscription, ended, 'customer.subscription.deleted');
}

export function setCancelAtPeriodEnd(world: World, subscription: Subscription, cancels: boolean): void {
  const cancellation_details = { ...subscription.cancellation_details, reason: cancels ? 'cancellation_requested' : null };
  const cancel_at = cancels ? currentEnd(subscription) : null;
  const canceled_at = cancels ? (subscription.canceled_at ?? world.now()) : null;
  world.change(subscription, { cancel_at, canceled_at, cancellation_details, cancel_at_period_end: cancels }, UPDATED);
}

export function becomeUnpaid(world: World, subscription: Subscription): void {
  stopCollecting(world, subscription);
  world.change(subscription, { status: 'unpaid' }, UPDATED);
}

/** The first invoice was not paid in time. */
export function expireIncomplete(world: World, subscription: Subscription): void {
  stopCollecting(world, subscription, true);
  world.change(subscription, { status: 'incomplete_expired', ended_at: world.now() }, UPDATED);
  settleSession(world, subscription, false);
}

/** What was paid for goes on; where that is over, a new period begins now. */
export function resume(world: World, subscription: Subscription): void {
  const isPaidFor = currentEnd(subscription) > world.now();
  world.change(subscription, { status: 'active' }, ...(isPaidFor ? [UPDATED] : []), 'customer.subscription.resumed');
  if (!isPaidFor) renew(world, subscription, cardWorks(world, subscription.customer), world.now(), world.now());
}

/** The account's owner gives the last payment back. The subscription goes on all the same. */
export function refund(world: World, { amount_due: amount, currency, customer }: Invoice): Thing {
  const common = { amount, created: world.now(), currency, livemode: false, metadata: {}, status: 'succeeded' };
  const charge = { ...common, id: newId('ch'), object: 'charge', amount_refunded: amount, customer, refunded: true };
  world.emit('charge.refunded', charge);
  world.emit('refund.created', { ...common, id: newId('re'), object: 'refund', charge: charge.id });
  return charge;
}

/** The holder of the card contests the last payment. The subscription goes on all the same. */
export function dispute(world: World, { amount_due: amount, currency }: Invoice): Thing {
  const common = { amount, created: world.now(), currency, livemode: false, metadata: {}, reason: 'fraudulent', status: 'needs_response' };
  const contested = { ...common, id: newId('du'), object: 'dispute', charge: newId('ch'), payment_intent: newId('pi') };
  world.add(contested, 'charge.dispute.created');
  return contested;
}

/** All that ran ends with its customer, of whom only the id is left. */
export function deleteCustomer(world: World, customer: Customer): Thing {
  world.subscriptionsOf(customer.id).filter((it) => !hasEnded(it)).forEach((it) => cancel(world, it));
  const left = { id: customer.id, object: 'customer', deleted: true };
  world.put(left);
  world.emit('customer.deleted', customer);
  return left;
}
