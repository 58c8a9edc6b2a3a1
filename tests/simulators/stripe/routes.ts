import * as billing from './billing.ts';
import { createCheckout, SESSION_PARAMS, SESSION_REQUIRED } from './checkout-params.ts';
import { expireSession } from './checkout.ts';
import { StripeError, badParameter, missing } from './error.ts';
import { PATHS, thinEvent } from './events.ts';
import { PAGING, page } from './listing.ts';
import type { Route } from './lookup.ts';
import { among, customerParam, known, living, same } from './lookup.ts';
import { newCustomer, newPortalSession } from './objects.ts';
import type { Params, Schema } from './params.ts';
import { email, flag, hash, list, mergeMetadata, metadata, oneOf, text, unsettable, url } from './params.ts';
import type { Customer, Metadata, StripeEvent, Subscription, Thing } from './types.ts';
import type { World } from './world.ts';

const STATUSES = ['active', 'past_due', 'unpaid', 'canceled', 'incomplete', 'incomplete_expired', 'trialing', 'paused'];
const FLOWS = ['customer_update', 'payment_method_update', 'subscription_cancel', 'subscription_pause', 'subscription_update', 'subscription_update_confirm'];

const CUSTOMER_FIELDS: Schema = { email, name: text(256), description: text(), phone: text(20), metadata };

/** Retrieving and listing, which every kind has. */
function reading(kind: string, filters: Schema, fits: (thing: Thing, params: Params) => boolean): Route[] {
  const path = PATHS[kind] as string;
  return [
    { method: 'GET', path: `${path}/:id`, params: {}, run: ({ world, id, origin }) => hostedHere(known(world.collection(kind), kind, id), origin) },
    {
      method: 'GET',
      path,
      params: { ...PAGING, ...filters },
      run: ({ world, params }) => {
        const found = among(world, world.collection(kind), params.customer).filter((thing) => fits(thing, params));
        return page(path, found, params, kind);
      },
    },
  ];
}

/** An invoice as this server shows it: its page is one of this server's. */
function hostedHere(thing: Thing, origin: string): Thing {
  return typeof thing.hosted_invoice_url === 'string' ? { ...thing, hosted_invoice_url: `${origin}/i/${thing.id}` } : thing;
}

function inStatus(status: string, asked: unknown): boolean {
  switch (asked) {
    case undefined:
      return status !== 'canceled';
    case 'all':
      return true;
    case 'ended':
      return status === 'canceled' || status === 'incomplete_expired';
    default:
      return status === asked;
  }
}

const CUSTOMERS: Route[] = [
  {
    method: 'POST',
    path: '/v1/customers',
    params: CUSTOMER_FIELDS,
    run: ({ world, params }) => {
      const customer = newCustomer(world.clock.now(), { ...params, metadata: mergeMetadata({}, params.metadata) });
      world.add(customer, 'customer.created');
      return customer;
    },
  },
  ...reading('customer', { email }, (thing, params) => thing.deleted !== true && same(params.email, thing.email)),
  {
    method: 'POST',
    path: '/v1/customers/:id',
    params: Object.fromEntries(Object.entries(CUSTOMER_FIELDS).map(([name, check]) => [name, unsettable(check)])),
    run: ({ world, id, params }) => {
      const customer = living(world, id);
      world.change(customer, { ...params, metadata: mergeMetadata(customer.metadata, params.metadata) }, 'customer.updated');
      return customer;
    },
  },
  { method: 'DELETE', path: '/v1/customers/:id', params: {}, run: ({ world, id }) => billing.deleteCustomer(world, living(world, id)) },
];

const SUBSCRIPTIONS: Route[] = [
  ...reading(
    'subscription',
    { customer: text(), price: text(), status: oneOf(...STATUSES, 'all', 'ended') },
    (thing, params) => {
      const subscription = thing as Subscription;
      return inStatus(subscription.status, params.status) && (params.price === undefined || subscription.items.data.some((item) => item.price.id === params.price));
    },
  ),
  {
    method: 'POST',
    path: '/v1/subscriptions/:id',
    params: { cancel_at_period_end: flag, metadata },
    run: ({ world, id, params }) => {
      const subscription = known(world.subscriptions, 'subscription', id);
      const other = { metadata: mergeMetadata(subscription.metadata, params.metadata) };
      const cancels = params.cancel_at_period_end as boolean | undefined;
      if (cancels !== undefined && billing.hasEnded(subscription)) {
        throw new StripeError(400, 'A canceled subscription can only update its cancellation_details and metadata.', { param: 'cancel_at_period_end' });
      }
      billing.setCancelAtPeriodEnd(world, subscription, cancels ?? subscription.cancel_at_period_end, other);
      return subscription;
    },
  },
  {
    method: 'DELETE',
    path: '/v1/subscriptions/:id',
    params: { invoice_now: flag, prorate: flag },
    run: ({ world, id }) => {
      const subscription = known(world.subscriptions, 'subscription', id);
      if (billing.hasEnded(subscription)) {
        throw missing('subscription', id);
      }
      world.change(subscription, { cancel_at_period_end: false, cancel_at: null });
      billing.cancel(world, subscription, 'cancellation_requested');
      return subscription;
    },
  },
];

const CHECKOUT: Route[] = [
  {
    method: 'POST',
    path: '/v1/checkout/sessions',
    params: SESSION_PARAMS,
    required: SESSION_REQUIRED,
    run: createCheckout,
  },
  ...reading(
    'checkout.session',
    { customer: text(), subscription: text(), status: oneOf('open', 'complete', 'expired') },
    (thing, params) => same(params.status, thing.status) && same(params.subscription, thing.subscription),
  ),
  {
    method: 'POST',
    path: '/v1/checkout/sessions/:id/expire',
    params: {},
    run: ({ world, id }) => {
      const session = known(world.sessions, 'checkout.session', id);
      if (session.status !== 'open') {
        throw new StripeError(400, `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of ${session.status}.`);
      }
      expireSession(world, session);
      return session;
    },
  },
];

const PORTAL: Route = {
  method: 'POST',
  path: '/v1/billing_portal/sessions',
  params: {
    customer: text(),
    return_url: url,
    configuration: text(),
    locale: text(10),
    flow_data: hash({ type: oneOf(...FLOWS), subscription_cancel: hash({ subscription: text() }, ['subscription']) }, ['type']),
  },
  required: ['customer'],
  run: ({ world, params, origin }) => {
    const customer = customerParam(world, params.customer) as Customer;
    if (params.configuration !== undefined) {
      throw missing('configuration', String(params.configuration), 'configuration');
    }
    const flow = params.flow_data as Params | undefined;
    if (flow?.type === 'subscription_cancel' && flow.subscription_cancel === undefined) {
      throw badParameter('flow_data[subscription_cancel]', 'Missing required param: flow_data[subscription_cancel].', 'parameter_missing');
    }
    const portal = newPortalSession(world.clock.now(), {
      customer: customer.id,
      return_url: (params.return_url as string | undefined) ?? null,
      locale: params.locale ?? null,
      flow: flow ?? null,
    });
    portal.url = `${origin}/p/session/${portal.id}`;
    world.add(portal, 'billing_portal.session.created');
    return portal;
  },
};

function eventObject(world: World, id: string): StripeEvent {
  const recorded = world.events.find(id);
  if (recorded?.event.id !== id) {
    throw missing('event', id);
  }
  return { ...recorded.event, pending_webhooks: recorded.accepted ? 0 : 1 };
}

const EVENTS: Route[] = [
  { method: 'GET', path: '/v1/events/:id', params: {}, run: ({ world, id }) => eventObject(world, id) },
  {
    method: 'GET',
    path: '/v1/events',
    params: { ...PAGING, type: text(), types: list(text(), 20) },
    run: ({ world, params }) => {
      const { type, types } = params as { type?: string; types?: string[] };
      const events = world.events.all().filter(({ event }) => same(type, event.type) && (types?.includes(event.type) ?? true));
      return page('/v1/events', events.map(({ event }) => eventObject(world, event.id)), params, 'event');
    },
  },
  {
    method: 'GET',
    path: '/v2/core/events/:id',
    params: {},
    run: ({ world, id }) => {
      const recorded = world.events.find(id);
      if (recorded?.thinId !== id) {
        throw new StripeError(404, `No such event: '${id}'`, { code: 'not_found' });
      }
      return thinEvent(recorded);
    },
  },
];

const INVOICE_STATUSES = ['draft', 'open', 'paid', 'uncollectible', 'void'];

export const ROUTES: readonly Route[] = [
  ...CUSTOMERS,
  ...SUBSCRIPTIONS,
  ...CHECKOUT,
  PORTAL,
  ...EVENTS,
  ...reading(
    'invoice',
    { customer: text(), subscription: text(), status: oneOf(...INVOICE_STATUSES) },
    (thing, params) => {
      const { subscription_details } = (thing.parent ?? {}) as { subscription_details?: { subscription: string; metadata: Metadata } };
      return same(params.status, thing.status) && same(params.subscription, subscription_details?.subscription);
    },
  ),
  ...reading('price', { active: flag, product: text() }, (thing, params) => same(params.active, thing.active) && same(params.product, thing.product)),
  ...reading('product', { active: flag }, (thing, params) => same(params.active, thing.active)),
  ...reading('dispute', {}, () => true),
];
