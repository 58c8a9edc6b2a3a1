import { nextPeriodEnd } from './clock.ts';
import { newId } from './ids.ts';
import type { Reason } from './invoices.ts';
import { draft, finalize, giveUp, markFailed, markPaid, markVoid } from './invoices.ts';
import type { NewSubscription } from './objects.ts';
import { newSubscription } from './objects.ts';
import type { Customer, Invoice, Status, Subscription, Thing } from './types.ts';
import type { World } from './world.ts';

const UPDATED = 'customer.subscription.updated';
const NO_CANCELLATION = { comment: null, feedback: null, feedback_option: null, reason: null };

export function hasEnded(subscription: Subscription): boolean {
  return subscription.status === 'canceled' || subscription.status === 'incomplete_expired';
}

export function runs(subscription: Subscription): boolean {
  return subscription.status === 'active' || subscription.status === 'trialing';
}

export function cardWorks(world: World, subscription: Subscription): boolean {
  return !world.declined.has(subscription.customer);
}

function currentEnd(subscription: Subscription): number {
  return subscription.items.data[0]?.current_period_end ?? 0;
}

/** A new subscription with its first invoice; unpaid, it is incomplete. */
export function subscribe(world: World, customer: string, order: NewSubscription, paid: boolean): Subscription {
  const subscription = newSubscription(world.clock.now(), customer, order);
  const invoice = draft(world, subscription, 'subscription_create');
  subscription.latest_invoice = invoice.id;
  const free = invoice.amount_due === 0;
  if (subscription.status === 'incomplete' && (paid || free)) {
    subscription.status = 'active';
  }
  world.add(subscription, 'customer.subscription.created');
  world.add(invoice, 'invoice.created');
  finalize(world, invoice);
  if (paid || free) {
    markPaid(world, invoice);
  } else {
    markFailed(world, invoice, false);
  }
  return subscription;
}

/** Another period begins, with an invoice that is paid at once or retried for two weeks. */
export function renew(world: World, subscription: Subscription, paid: boolean): void {
  startPeriod(world, subscription, currentEnd(subscription), 'subscription_cycle', paid);
}

function startPeriod(world: World, subscription: Subscription, start: number, reason: Reason, paid: boolean): void {
  const items = structuredClone(subscription.items);
  for (const item of items.data) {
    const { interval, interval_count } = item.price.recurring ?? { interval: 'month' as const, interval_count: 1 };
    item.current_period_start = start;
    item.current_period_end = nextPeriodEnd(subscription.billing_cycle_anchor, interval, interval_count, start);
  }
  const status: Status = 'active';
  const invoice = draft(world, { ...subscription, items, status }, reason);
  // The invoice first: what is due next depends on it.
  world.put(invoice);
  world.change(subscription, { items, status, latest_invoice: invoice.id }, UPDATED);
  world.emit('invoice.created', invoice);
  finalize(world, invoice);
  if (paid || invoice.amount_due === 0) {
    markPaid(world, invoice);
  } else {
    markFailed(world, invoice, true);
    world.change(subscription, { status: 'past_due' }, UPDATED);
  }
}

/** Tries the open invoice again. Of a first one nothing is given up: it has its 23 hours. */
export function retry(world: World, subscription: Subscription, invoice: Invoice, paid: boolean): void {
  if (paid) {
    markPaid(world, invoice);
    world.change(subscription, { status: 'active' }, UPDATED);
    settleSession(world, subscription, true);
    return;
  }
  const retries = subscription.status === 'past_due';
  markFailed(world, invoice, retries);
  if (retries && invoice.next_payment_attempt === null) {
    cancel(world, subscription, 'payment_failed');
  }
}

/** What becomes of a subscription at the end of a period. */
export function endPeriod(world: World, subscription: Subscription): void {
  if (subscription.cancel_at_period_end) {
    cancel(world, subscription, 'cancellation_requested');
  } else {
    renew(world, subscription, cardWorks(world, subscription));
  }
}

/** Ends it now. */
export function cancel(world: World, subscription: Subscription, reason: 'cancellation_requested' | 'payment_failed'): void {
  const now = world.clock.now();
  const cancellation_details = { ...subscription.cancellation_details, reason };
  const ended = { status: 'canceled' as const, ended_at: now, canceled_at: subscription.canceled_at ?? now, cancellation_details };
  giveUp(world, world.invoiceOf(subscription));
  world.change(subscription, ended, 'customer.subscription.deleted');
}

export function setCancelAtPeriodEnd(world: World, subscription: Subscription, cancels: boolean, other: Partial<Subscription> = {}): void {
  const fields = cancels
    ? {
        cancel_at: currentEnd(subscription),
        canceled_at: subscription.canceled_at ?? world.clock.now(),
        cancellation_details: { ...subscription.cancellation_details, reason: 'cancellation_requested' },
      }
    : { cancel_at: null, canceled_at: null, cancellation_details: NO_CANCELLATION };
  const changes = cancels === subscription.cancel_at_period_end ? {} : fields;
  world.change(subscription, { ...other, ...changes, cancel_at_period_end: cancels }, UPDATED);
}

export function becomeUnpaid(world: World, subscription: Subscription): void {
  giveUp(world, world.invoiceOf(subscription));
  world.change(subscription, { status: 'unpaid' }, UPDATED);
}

/** Nobody paid the first invoice in time. */
export function expireIncomplete(world: World, subscription: Subscription): void {
  markVoid(world, world.invoiceOf(subscription));
  world.change(subscription, { status: 'incomplete_expired', ended_at: world.clock.now() }, UPDATED);
  settleSession(world, subscription, false);
}

export function pause(world: World, subscription: Subscription): void {
  const paused = { subscription: { type: 'pause_requested' }, transitioned_at: world.clock.now(), type: 'subscription' };
  world.change(subscription, { status: 'paused', status_details: { paused } }, UPDATED, 'customer.subscription.paused');
}

/** What was paid for goes on; where that is over, a new period begins now. */
export function resume(world: World, subscription: Subscription): void {
  const now = world.clock.now();
  const fields = { status: 'active' as const, status_details: undefined };
  if (currentEnd(subscription) > now) {
    world.change(subscription, fields, UPDATED, 'customer.subscription.resumed');
    return;
  }
  world.change(subscription, { ...fields, billing_cycle_anchor: now }, 'customer.subscription.resumed');
  startPeriod(world, subscription, now, 'subscription_update', cardWorks(world, subscription));
}

/** The subscription runs on, and what becomes of its invoices is chosen; null ends that. */
export function pauseCollection(world: World, subscription: Subscription, pause_collection: Record<string, unknown> | null): void {
  world.change(subscription, { pause_collection }, UPDATED);
}

/** The account's owner gives the last payment back. The subscription goes on all the same. */
export function refund(world: World, subscription: Subscription, invoice: Invoice): Thing {
  const { amount_due: amount, currency, customer } = invoice;
  const charge = { id: newId('ch'), object: 'charge', amount, amount_refunded: amount, created: world.clock.now(), currency, customer, livemode: false, metadata: {}, refunded: true, status: 'succeeded' };
  world.emit('charge.refunded', charge);
  world.emit('refund.created', { id: newId('re'), object: 'refund', amount, charge: charge.id, created: world.clock.now(), currency, metadata: {}, status: 'succeeded' });
  return { ...charge, subscription: subscription.id };
}

/** The holder of the card contests the last payment. The subscription goes on all the same. */
export function dispute(world: World, subscription: Subscription, invoice: Invoice): Thing {
  const contested = {
    id: newId('du'),
    object: 'dispute',
    amount: invoice.amount_due,
    balance_transactions: [],
    charge: newId('ch'),
    created: world.clock.now(),
    currency: subscription.currency,
    enhanced_eligibility_types: [],
    evidence: {},
    evidence_details: { due_by: world.clock.now() + 7 * 86_400, has_evidence: false, past_due: false, submission_count: 0 },
    intended_submission_method: null,
    is_charge_refundable: false,
    livemode: false,
    metadata: {},
    payment_intent: newId('pi'),
    reason: 'fraudulent',
    status: 'needs_response',
  };
  world.add(contested, 'charge.dispute.created');
  return contested;
}

/** What a customer paid with a slow means in a checkout has come, or has not. */
function settleSession(world: World, subscription: Subscription, paid: boolean): void {
  const session = world.sessions.of(subscription.customer).find((it) => it.subscription === subscription.id);
  if (session?.payment_status !== 'unpaid') {
    return;
  }
  if (paid) {
    world.change(session, { payment_status: 'paid' }, 'checkout.session.async_payment_succeeded');
  } else {
    world.emit('checkout.session.async_payment_failed', session);
  }
}

/** All that ran ends with its customer, of whom only the id is left. */
export function deleteCustomer(world: World, customer: Customer): Customer {
  for (const subscription of world.subscriptions.of(customer.id)) {
    if (!hasEnded(subscription)) {
      cancel(world, subscription, 'cancellation_requested');
    }
  }
  const left = { id: customer.id, object: 'customer', deleted: true } as unknown as Customer;
  world.put(left);
  world.emit('customer.deleted', customer);
  return left;
}
