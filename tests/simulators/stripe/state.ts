import { nowMs } from '../common/server.ts';
import type { Customer, Invoice, Order, Portal, Price, Session, Subscription, Thing } from './objects.ts';
import { defaultPrice, defaultProduct, newId } from './objects.ts';

export const API_VERSION = '2026-10-28.endive';
const INCOMPLETE_SECONDS = 23 * 3600;
const MAX_EVENTS = 50_000;

/** The API's path for the objects of a kind, to which a thin event refers. */
export const pathOf = (kind: string): string => `/v1/${kind.replace('.', '/')}s`;
const KINDS = ['customer', 'subscription', 'checkout.session', 'invoice', 'billing_portal.session', 'product', 'price', 'dispute'];

/** The API request that caused an event, if any. */
export interface Cause { id: string | null; idempotency_key: string | null }

export interface Event extends Thing { created: number; data: { object: Thing; previous_attributes?: Record<string, unknown> }; request: Cause; type: string }

export interface Recorded {
  event: Event;
  thinId: string;
  accepted: boolean;
}

interface Due { thing: Session | Subscription; at: number }

const NO_CAUSE: Cause = { id: null, idempotency_key: null };

/** All objects and the simulated time. Only this class changes objects and creates events. */
export class State {
  readonly kinds: Record<string, Map<string, any>> = Object.fromEntries(KINDS.map((kind) => [kind, new Map<string, Thing>()]));
  readonly customers = this.kinds.customer as Map<string, Customer>;
  readonly subscriptions = this.kinds.subscription as Map<string, Subscription>;
  readonly invoices = this.kinds.invoice as Map<string, Invoice>;
  readonly sessions = this.kinds['checkout.session'] as Map<string, Session>;
  readonly portals = this.kinds['billing_portal.session'] as Map<string, Portal>;
  readonly products = this.kinds.product as Map<string, Thing>;
  readonly prices = this.kinds.price as Map<string, Price>;
  /** The subscription that a checkout session will create, which its object does not show. */
  readonly orders = new Map<string, Order>();
  readonly declined = new Set<string>();
  readonly priceId: string;
  events: Recorded[] = [];
  readonly #happened: (recorded: Recorded) => void;
  #cause = NO_CAUSE;
  #aheadSeconds = 0;
  #frozen: number | undefined;
  #due: { next: Due | undefined } | undefined;

  constructor(priceId: string, happened: (recorded: Recorded) => void) {
    this.priceId = priceId;
    this.#happened = happened;
    this.reset();
  }

  reset(): void {
    for (const collection of [...Object.values(this.kinds), this.orders, this.declined]) collection.clear();
    this.events = [];
    this.#aheadSeconds = 0;
    const price = defaultPrice(this.priceId, this.now());
    this.put(price);
    this.put(defaultProduct(price));
  }

  /** The simulated time in seconds: the real time plus the tests' advance. */
  now(): number {
    return this.#frozen ?? Math.floor(nowMs() / 1000 + this.#aheadSeconds);
  }

  advance(seconds: number): void {
    this.#aheadSeconds += seconds;
  }

  at(seconds: number, act: () => void): void {
    this.#frozen = seconds;
    try {
      act();
    } finally {
      this.#frozen = undefined;
    }
  }

  /** Attributes the changes of `act` to this API call. */
  because<T>(cause: Cause, act: () => T): T {
    this.#cause = cause;
    try {
      return act();
    } finally {
      this.#cause = NO_CAUSE;
    }
  }

  emit(type: string, object: Thing, previous_attributes?: Record<string, unknown>): void {
    const data = { object: structuredClone(object), ...(previous_attributes && { previous_attributes }) };
    const head = { id: newId('evt'), object: 'event', api_version: API_VERSION, created: this.now() };
    const event = { ...head, data, livemode: false, pending_webhooks: 1, request: this.#cause, type };
    const recorded = { event, thinId: newId('evt'), accepted: false };
    this.events.push(recorded);
    if (this.events.length > MAX_EVENTS) this.events.shift();
    this.#happened(recorded);
  }

  put(thing: Thing): void {
    this.kinds[thing.object]?.set(thing.id, thing);
    this.#due = undefined;
  }

  add(thing: Thing, type: string): void {
    this.put(thing);
    this.emit(type, thing);
  }

  /** Changes some fields and creates these events, unless the fields already had the values. */
  change<T extends Thing>(thing: T, fields: Partial<T>, ...types: string[]): void {
    const changed = Object.keys(fields).filter((name) => JSON.stringify(thing[name]) !== JSON.stringify(fields[name]));
    const previous = structuredClone(Object.fromEntries(changed.map((name) => [name, thing[name] ?? null])));
    Object.assign(thing, structuredClone(fields));
    this.put(thing);
    for (const type of changed.length > 0 ? types : []) this.emit(type, thing, type.endsWith('.updated') ? previous : undefined);
  }

  /** Returns a customer that has not been deleted. */
  customer(id: string | null | undefined): Customer | undefined {
    const customer = this.customers.get(id ?? '');
    return customer?.deleted === true ? undefined : customer;
  }

  subscriptionsOf(customer: string): Subscription[] {
    return [...this.subscriptions.values()].filter((it) => it.customer === customer);
  }

  invoiceOf(subscription: Subscription): Invoice | undefined {
    return this.invoices.get(subscription.latest_invoice);
  }

  billed(invoice: Invoice): Subscription | undefined {
    return this.subscriptions.get(invoice.parent.subscription_details.subscription);
  }

  due(): Due | undefined {
    if (this.#due === undefined) {
      let next: Due | undefined;
      for (const thing of [...this.sessions.values(), ...this.subscriptions.values()]) {
        const at = 'expires_at' in thing ? (thing.status === 'open' ? Number(thing.expires_at) : Infinity) : this.#subscriptionDue(thing as Subscription);
        if (at < (next?.at ?? Infinity)) next = { thing: thing as Session | Subscription, at };
      }
      this.#due = { next };
    }
    return this.#due.next;
  }

  #subscriptionDue(subscription: Subscription): number {
    const { status, cancel_at_period_end, created, items } = subscription;
    const end = items.data[0]?.current_period_end ?? Infinity;
    if (status === 'active' || status === 'trialing') return end;
    if (status === 'incomplete') return created + INCOMPLETE_SECONDS;
    const attempt = status === 'past_due' ? this.invoiceOf(subscription)?.next_payment_attempt : undefined;
    const hasEnded = status === 'canceled' || status === 'incomplete_expired';
    return attempt ?? (cancel_at_period_end && !hasEnded ? end : Infinity);
  }
}
