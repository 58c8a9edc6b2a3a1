import * as billing from './billing.ts';
import type { Invoice, Order, Session, Subscription, Thing } from './objects.ts';
import { newCustomer, newId, newPortal } from './objects.ts';
import type { Check, Params, Schema } from './params.ts';
import { StripeError, badParameter, email, flag, hash, integer, list, metadata, missing, oneOf, text, url } from './params.ts';
import type { State } from './state.ts';
import { pathOf } from './state.ts';

interface Call {
  state: State;
  /** The value of `:id` in the path. */
  id: string;
  params: Params;
  origin: string;
}

export interface Route { method: 'GET' | 'POST' | 'DELETE'; pattern: RegExp; params: Schema; required?: readonly string[]; run(call: Call): object }

function route(call: string, params: Schema, run: Route['run'], required: readonly string[] = []): Route {
  const [method, path = ''] = call.split(' ');
  return { method: method as Route['method'], pattern: new RegExp(`^${path.replace(':id', '([^/]+)')}$`), params, required, run };
}

const STATUSES = ['active', 'past_due', 'unpaid', 'canceled', 'incomplete', 'incomplete_expired', 'trialing', 'paused', 'all', 'ended'];
const PAGING: Schema = { limit: integer(1, 100), starting_after: text(), ending_before: text() };

type Fits = (thing: Thing, asked: unknown, field: string) => boolean;
const isEqual: Fits = (thing, asked, field) => asked === undefined || thing[field] === asked;

/** Retrieving and listing, which every kind supports. A list may be filtered by these fields. */
function reading(kind: string, filters: Schema, fits: Fits = isEqual): Route[] {
  const path = pathOf(kind);
  const all = (state: State): Map<string, Thing> => state.kinds[kind] ?? new Map<string, Thing>();
  return [
    route(`GET ${path}/:id`, {}, ({ state, id, origin }) => {
      const thing = all(state).get(id);
      if (thing === undefined) throw missing(kind, id);
      // This server serves the page of an invoice.
      return typeof thing.hosted_invoice_url === 'string' ? { ...thing, hosted_invoice_url: `${origin}/i/${id}` } : thing;
    }),
    route(`GET ${path}`, { ...PAGING, ...filters }, ({ state, params }) => {
      // A deleted customer's history stays readable.
      if (params.customer !== undefined && !state.customers.has(String(params.customer))) throw missing('customer', String(params.customer), 'customer');
      const isFound = (thing: Thing): boolean => thing.deleted !== true && Object.keys(filters).every((field) => fits(thing, params[field], field));
      return page(path, kind, [...all(state).values()].filter(isFound), params);
    }),
  ];
}

/** Newest first; within a second, later objects first. Cursors are ids of the last page. */
function page(path: string, kind: string, found: Thing[], { limit = 10, starting_after, ending_before }: Params): object {
  if (starting_after !== undefined && ending_before !== undefined) {
    throw badParameter('starting_after', 'You may only specify one of these parameters: starting_after, ending_before.', 'parameters_exclusive');
  }
  const all = found.reverse().sort((a, b) => Number(b.created ?? 0) - Number(a.created ?? 0));
  const at = (param: string, id: unknown): number => {
    const index = all.findIndex((thing) => thing.id === id);
    if (index < 0) throw missing(kind, String(id), param);
    return index;
  };
  const size = Number(limit);
  const before = ending_before === undefined ? undefined : all.slice(0, at('ending_before', ending_before));
  const rest = before ?? all.slice(starting_after === undefined ? 0 : at('starting_after', starting_after) + 1);
  return { object: 'list', data: before ? rest.slice(-size) : rest.slice(0, size), has_more: rest.length > size, url: path };
}

function customerParam(state: State, id: unknown): string | null {
  if (id !== undefined && state.customer(String(id)) === undefined) throw missing('customer', String(id), 'customer');
  return id === undefined ? null : String(id);
}

const suitsSubscription: Fits = (thing, asked, field) => {
  const it = thing as Subscription;
  if (field === 'price') return asked === undefined || it.items.data.some(({ price }) => price.id === asked);
  if (field !== 'status') return isEqual(thing, asked, field);
  if (asked === undefined) return it.status !== 'canceled';
  return asked === 'all' || it.status === asked || (asked === 'ended' && billing.hasEnded(it));
};
const suitsInvoice: Fits = (thing, asked, field) =>
  field === 'subscription' ? asked === undefined || (thing as Invoice).parent.subscription_details.subscription === asked : isEqual(thing, asked, field);

function known(state: State, id: string): Subscription {
  const subscription = state.subscriptions.get(id);
  if (subscription === undefined || billing.hasEnded(subscription)) throw missing('subscription', id);
  return subscription;
}

/** `payment_method_types` was removed in version 2026-09-30. */
const SESSION_PARAMS: Record<string, Check> = {
  ...{ mode: oneOf('payment', 'setup', 'subscription'), success_url: url, cancel_url: url, locale: text(10), allow_promotion_codes: flag },
  ...{ customer: text(), customer_email: email, client_reference_id: text(200), metadata, expires_at: integer() },
  line_items: list(hash({ price: text(), quantity: integer(1, 999_999) }, ['price', 'quantity']), 20),
  subscription_data: hash({ metadata, trial_period_days: integer(1, 730), description: text(500) }),
};

function createCheckout({ state, params, origin }: Call): Session {
  const { mode, customer_email, line_items = [], subscription_data = {}, customer: asked, expires_at: ends, ...fields } = params;
  if (mode !== 'subscription') throw badParameter('mode', 'This account sells subscriptions only.');
  if (asked !== undefined && customer_email !== undefined) {
    throw badParameter('customer', 'You may only specify one of these parameters: customer, customer_email.', 'parameters_exclusive');
  }
  const now = state.now();
  const expires_at = Number(ends ?? now + 86_400);
  if (expires_at < now + 1800 || expires_at > now + 86_400) {
    throw badParameter('expires_at', 'The `expires_at` timestamp must be from 30 minutes to 24 hours after Checkout Session creation.');
  }
  const customer = customerParam(state, asked);
  const given = subscription_data as { metadata?: Record<string, string>; trial_period_days?: number };
  const trial = given.trial_period_days === undefined ? {} : { trialDays: given.trial_period_days };
  const order: Order = { items: itemsOf(state, line_items as { price: string; quantity: number }[]), metadata: given.metadata ?? {}, ...trial };
  refuseMixedCurrencies(state, customer, order);
  const id = newId('cs_test');
  const buyer = { customer, customer_email: (customer_email ?? null) as string | null };
  return billing.openSession(state, order, { ...fields, ...buyer, id, expires_at, url: `${origin}/c/pay/${id}` });
}

function itemsOf(state: State, given: { price: string; quantity: number }[]): Order['items'] {
  return given.map(({ price: id, quantity }, index) => {
    const param = `line_items[${index}][price]`;
    const price = state.prices.get(id);
    if (price === undefined) throw missing('price', id, param);
    if (!price.active) throw new StripeError(400, 'The price specified is inactive. This field only accepts active prices.', { param });
    if (price.recurring === null) throw new StripeError(400, 'You must provide at least one recurring price in `subscription` mode.', { param });
    return { price, quantity };
  });
}

/** A refusal that depends on the state, which an idempotency key stores. */
function refuseMixedCurrencies(state: State, customer: string | null, { items }: Order): void {
  const open = [...state.sessions.values()].filter((it) => it.status === 'open' && it.customer === customer);
  const running = state.subscriptionsOf(customer ?? '').filter((it) => !billing.hasEnded(it));
  const bound = customer === null ? [] : [...running, ...open].map(({ currency }) => currency);
  const other = bound.find((currency) => currency !== undefined && items.some(({ price }) => price.currency !== currency));
  if (other !== undefined) {
    const held = 'an active subscription, subscription schedule, discount, quote, invoice item or active subscription mode checkout session';
    throw new StripeError(400, `You cannot combine currencies on a single customer. This customer has ${held} with currency ${other}.`);
  }
}

export const ROUTES: readonly Route[] = [
  ...reading('customer', { email }),
  route('POST /v1/customers', { email, name: text(256), description: text(), phone: text(20), metadata }, ({ state, params }) => {
    const customer = newCustomer(state.now(), params);
    state.add(customer, 'customer.created');
    return customer;
  }),
  route('DELETE /v1/customers/:id', {}, ({ state, id }) => {
    const customer = state.customer(id);
    if (customer === undefined) throw missing('customer', id);
    return billing.deleteCustomer(state, customer);
  }),
  ...reading('subscription', { customer: text(), price: text(), status: oneOf(...STATUSES) }, suitsSubscription),
  route('POST /v1/subscriptions/:id', { cancel_at_period_end: flag }, ({ state, id, params }) => {
    billing.setCancelAtPeriodEnd(state, known(state, id), params.cancel_at_period_end === true);
    return known(state, id);
  }, ['cancel_at_period_end']),
  route('DELETE /v1/subscriptions/:id', {}, ({ state, id }) => {
    const subscription = known(state, id);
    billing.cancel(state, subscription);
    return subscription;
  }),
  route('POST /v1/checkout/sessions', SESSION_PARAMS, createCheckout, ['mode', 'success_url', 'line_items']),
  ...reading('checkout.session', { customer: text(), subscription: text(), status: oneOf('open', 'complete', 'expired') }),
  route('POST /v1/checkout/sessions/:id/expire', {}, ({ state, id }) => {
    const session = state.sessions.get(id);
    if (session === undefined) throw missing('checkout.session', id);
    if (session.status !== 'open') {
      throw new StripeError(400, `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of ${session.status}.`);
    }
    billing.expireSession(state, session);
    return session;
  }),
  route('POST /v1/billing_portal/sessions', { customer: text(), return_url: url, locale: text(10) }, ({ state, params, origin }) => {
    const { return_url = null, locale = null } = params as { return_url?: string; locale?: string };
    const portal = newPortal(state.now(), { customer: customerParam(state, params.customer) ?? '', return_url, locale });
    portal.url = `${origin}/p/session/${portal.id}`;
    state.add(portal, 'billing_portal.session.created');
    return portal;
  }, ['customer']),
  ...reading('invoice', { customer: text(), subscription: text(), status: oneOf('open', 'paid', 'void') }, suitsInvoice),
  ...reading('price', { active: flag, product: text() }),
  ...reading('product', { active: flag }),
];
