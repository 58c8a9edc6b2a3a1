import { subscribe } from './billing.ts';
import type { NewSubscription } from './objects.ts';
import { newCustomer, newSession } from './objects.ts';
import type { Session, Subscription } from './types.ts';
import type { World } from './world.ts';

/** What a session is for; one that was put in raw is for the price that everybody pays. */
export function orderOf(world: World, session: Session): NewSubscription {
  const price = world.prices.get(world.priceId);
  const usual = price === undefined ? [] : [{ price, quantity: 1 }];
  return world.orders.get(session.id) ?? { items: usual, metadata: session.metadata };
}

export function openSession(world: World, order: NewSubscription, fields: Partial<Session>): Session {
  const session = newSession(world.clock.now(), order, fields);
  world.orders.set(session.id, order);
  world.put(session);
  return session;
}

/** The payment went through, or is still to come where the means of payment is a slow one. */
export function complete(world: World, session: Session, paid: boolean): Subscription {
  const customer = session.customer ?? newBuyer(world, session);
  const order = orderOf(world, session);
  const subscription = subscribe(world, customer, order, paid);
  const free = order.trialDays !== undefined;
  world.change(
    session,
    {
      customer,
      customer_details: { address: null, business_name: null, email: emailOf(world, customer), individual_name: null, name: null, phone: null, tax_exempt: 'none', tax_ids: [] },
      invoice: subscription.latest_invoice,
      payment_status: free ? 'no_payment_required' : paid ? 'paid' : 'unpaid',
      status: 'complete',
      subscription: subscription.id,
      url: null,
    },
    'checkout.session.completed',
  );
  return subscription;
}

export function expireSession(world: World, session: Session): void {
  world.change(session, { status: 'expired', url: null }, 'checkout.session.expired');
}

function newBuyer(world: World, session: Session): string {
  const customer = newCustomer(world.clock.now(), { email: session.customer_email ?? 'buyer@example.com' });
  world.add(customer, 'customer.created');
  return customer.id;
}

function emailOf(world: World, customer: string): string | null {
  return world.customers.get(customer)?.email ?? null;
}
