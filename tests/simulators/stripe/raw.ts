import { ControlError, isObject } from '../common/check.ts';
import { newCustomer, newPortalSession, newSession, newSubscription } from './objects.ts';
import type { Thing } from './types.ts';
import type { World } from './world.ts';

const LISTS = {
  customers: 'customer',
  subscriptions: 'subscription',
  checkout_sessions: 'checkout.session',
  invoices: 'invoice',
  portal_sessions: 'billing_portal.session',
  products: 'product',
  prices: 'price',
  disputes: 'dispute',
} as const;

/** Everything that exists, by kind. */
export function allObjects(world: World): Record<string, Thing[]> {
  return Object.fromEntries(Object.entries(LISTS).map(([name, kind]) => [name, world.collection(kind).all()]));
}

/** Puts objects in as they are, over those with the same id; what is left out of a new one is as usual. No events. */
export function putObjects(world: World, body: unknown): void {
  if (!Array.isArray(body)) {
    throw new ControlError('objects must be a list');
  }
  const things = body.map((item: unknown, index) => {
    if (!isObject(item) || typeof item.id !== 'string' || typeof item.object !== 'string' || !world.has(item.object)) {
      throw new ControlError(`objects[${index}] must have an id and as object one of ${Object.values(LISTS).join(', ')}`);
    }
    return item as Thing;
  });
  for (const thing of things) {
    const whole = thing.deleted === true ? {} : (world.collection(thing.object).get(thing.id) ?? usual(world, thing));
    world.put(structuredClone({ ...whole, ...thing }));
  }
}

function usual(world: World, thing: Thing): Partial<Thing> {
  const now = world.clock.now();
  const price = world.prices.get(world.priceId);
  const order = { items: price === undefined ? [] : [{ price, quantity: 1 }], metadata: {} };
  const customer = String(thing.customer);
  switch (thing.object) {
    case 'customer':
      return newCustomer(now, {});
    case 'subscription':
      return newSubscription(now, customer, order);
    case 'checkout.session':
      return newSession(now, order, {});
    case 'billing_portal.session':
      return newPortalSession(now, { customer, return_url: null });
    default:
      return {};
  }
}
