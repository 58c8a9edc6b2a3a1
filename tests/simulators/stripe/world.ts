import { Agenda } from './agenda.ts';
import { Clock } from './clock.ts';
import { Collection } from './collection.ts';
import type { Recorded } from './events.ts';
import { EventLog, previousAttributes } from './events.ts';
import type { NewSubscription } from './objects.ts';
import { defaultPrice, defaultProduct } from './objects.ts';
import type { Cause, Customer, Invoice, PortalSession, Price, Product, Session, Subscription, Thing } from './types.ts';

const INCOMPLETE_SECONDS = 23 * 3600;
const NOBODY: Cause = { id: null, idempotency_key: null };

/** Everything that exists, the time, and the one place where objects change and where events come from. */
export class World {
  readonly clock = new Clock();
  readonly events = new EventLog();
  readonly agenda = new Agenda();
  readonly customers = new Collection<Customer>();
  readonly subscriptions = new Collection<Subscription>();
  readonly invoices = new Collection<Invoice>();
  readonly sessions = new Collection<Session>();
  readonly portals = new Collection<PortalSession>();
  readonly products = new Collection<Product>();
  readonly prices = new Collection<Price>();
  readonly disputes = new Collection<Thing>();
  readonly #kinds = {
    customer: this.customers,
    subscription: this.subscriptions,
    invoice: this.invoices,
    'checkout.session': this.sessions,
    'billing_portal.session': this.portals,
    product: this.products,
    price: this.prices,
    dispute: this.disputes,
  } as unknown as Record<string, Collection<Thing>>;
  /** What a checkout session will make of a payment: nothing of it shows in the session. */
  readonly orders = new Map<string, NewSubscription>();
  /** Customers whose card is declined. */
  readonly declined = new Set<string>();
  /** The currency of what customers will be billed for beside their subscriptions. */
  readonly pendingItems = new Map<string, string>();
  readonly priceId: string;
  readonly #happened: (recorded: Recorded) => void;
  #cause = NOBODY;

  constructor(priceId: string, happened: (recorded: Recorded) => void) {
    this.priceId = priceId;
    this.#happened = happened;
    this.reset();
  }

  reset(): void {
    this.clock.reset();
    this.events.clear();
    this.agenda.clear();
    Object.values(this.#kinds).forEach((collection) => collection.clear());
    this.orders.clear();
    this.declined.clear();
    this.pendingItems.clear();
    const price = defaultPrice(this.priceId, this.clock.now());
    this.prices.put(price);
    this.products.put(defaultProduct(price));
  }

  /** Whatever happens in `act` happens because of this call. */
  because<T>(cause: Cause, act: () => T): T {
    this.#cause = cause;
    try {
      return act();
    } finally {
      this.#cause = NOBODY;
    }
  }

  emit(type: string, object: Thing, previous?: Record<string, unknown>): void {
    this.#happened(this.events.add(type, object, previous, this.clock.now(), this.#cause));
  }

  /** Keeps an object without a word about it. */
  put(thing: Thing): void {
    this.collection(thing.object).put(thing);
    this.#plan(thing);
  }

  has(kind: string): boolean {
    return Object.hasOwn(this.#kinds, kind);
  }

  collection(kind: string): Collection<Thing> {
    const collection = this.#kinds[kind];
    if (collection === undefined) {
      throw new Error(`no collection of ${kind}`);
    }
    return collection;
  }

  add(thing: Thing, type: string): void {
    this.put(thing);
    this.emit(type, thing);
  }

  /** Changes some fields and tells so by these events, unless they were like that already. */
  change<T extends Thing>(thing: T, fields: Partial<T>, ...types: string[]): void {
    const before = structuredClone(thing);
    Object.assign(thing, structuredClone(fields));
    this.put(thing);
    const previous = previousAttributes(before, thing);
    if (Object.keys(previous).length === 0) {
      return;
    }
    for (const type of types) {
      this.emit(type, thing, type.endsWith('.updated') ? previous : undefined);
    }
  }

  /** A customer that has not been deleted. */
  customer(id: string | null): Customer | undefined {
    const customer = id === null ? undefined : this.customers.get(id);
    return customer?.deleted === true ? undefined : customer;
  }

  invoiceOf(subscription: Subscription): Invoice | undefined {
    return subscription.latest_invoice === null ? undefined : this.invoices.get(subscription.latest_invoice);
  }

  #plan(thing: Thing): void {
    if (thing.object === 'checkout.session') {
      const session = thing as Session;
      this.agenda.set(session.id, session.status === 'open' ? session.expires_at : undefined);
    } else if (thing.object === 'subscription') {
      this.agenda.set(thing.id, this.#due(thing as Subscription));
    } else if (thing.object === 'invoice') {
      const subscription = this.subscriptions.get((thing as Invoice).parent?.subscription_details?.subscription ?? '');
      if (subscription !== undefined) {
        this.agenda.set(subscription.id, this.#due(subscription));
      }
    }
  }

  #due(subscription: Subscription): number | undefined {
    const end = subscription.items.data[0]?.current_period_end;
    switch (subscription.status) {
      case 'active':
      case 'trialing':
        return end;
      case 'past_due':
        return this.invoiceOf(subscription)?.next_payment_attempt ?? (subscription.cancel_at_period_end ? end : undefined);
      case 'paused':
      case 'unpaid':
        return subscription.cancel_at_period_end ? end : undefined;
      case 'incomplete':
        return subscription.created + INCOMPLETE_SECONDS;
      default:
        return undefined;
    }
  }
}
