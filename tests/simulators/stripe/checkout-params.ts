import { hasEnded } from './billing.ts';
import { openSession } from './checkout.ts';
import { StripeError, badParameter, missing } from './error.ts';
import { newId } from './ids.ts';
import type { LineItem, NewSubscription } from './objects.ts';
import type { Schema } from './params.ts';
import { email, flag, hash, integer, list, mergeMetadata, metadata, oneOf, text, url } from './params.ts';
import type { Call } from './lookup.ts';
import { customerParam } from './lookup.ts';
import type { Customer, Session } from './types.ts';
import type { World } from './world.ts';

const LOCALES =
  'auto bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hr hu id it ja ko lt lv ms mt nb nl pl pt pt-BR ro ru sk sl sv th tr vi zh zh-HK zh-TW'.split(' ');
const MAX_ITEMS = 20;
const MIN_OPEN_SECONDS = 30 * 60;
const MAX_OPEN_SECONDS = 24 * 3600;

/** Not among them since 2026-09-30: `payment_method_types`. */
export const SESSION_PARAMS: Schema = {
  mode: oneOf('payment', 'setup', 'subscription'),
  customer: text(),
  customer_email: email,
  client_reference_id: text(200),
  success_url: url,
  cancel_url: url,
  line_items: list(hash({ price: text(), quantity: integer(1, 999_999) })),
  metadata,
  subscription_data: hash({ metadata, trial_period_days: integer(1, 730), description: text(500) }),
  locale: oneOf(...LOCALES),
  allow_promotion_codes: flag,
  expires_at: integer(),
};

export const SESSION_REQUIRED = ['mode', 'success_url'] as const;

interface Given {
  mode: string;
  customer?: string;
  customer_email?: string;
  client_reference_id?: string;
  success_url: string;
  cancel_url?: string;
  line_items?: { price?: string; quantity?: number }[];
  metadata?: Record<string, string> | null;
  subscription_data?: { metadata?: Record<string, string> | null; trial_period_days?: number; description?: string };
  locale?: string;
  allow_promotion_codes?: boolean;
  expires_at?: number;
}

export function createCheckout({ world, params, origin }: Call): Session {
  const given = params as unknown as Given;
  if (given.mode !== 'subscription') {
    throw new StripeError(400, 'This account sells subscriptions only.', { param: 'mode', early: true });
  }
  if (given.customer !== undefined && given.customer_email !== undefined) {
    throw badParameter('customer', 'You may only specify one of these parameters: customer, customer_email.', 'parameters_exclusive');
  }
  const expires_at = expiry(world, given.expires_at);
  const customer = customerParam(world, given.customer);
  const order: NewSubscription = {
    items: lineItems(world, given.line_items),
    metadata: mergeMetadata({}, given.subscription_data?.metadata),
    description: given.subscription_data?.description ?? null,
    ...(given.subscription_data?.trial_period_days === undefined ? {} : { trialDays: given.subscription_data.trial_period_days }),
  };
  refuseMixedCurrencies(world, customer, order.items);
  const id = newId('cs_test');
  return openSession(world, order, {
    id,
    allow_promotion_codes: given.allow_promotion_codes ?? null,
    cancel_url: given.cancel_url ?? null,
    client_reference_id: given.client_reference_id ?? null,
    customer: customer?.id ?? null,
    customer_email: given.customer_email ?? null,
    expires_at,
    locale: given.locale ?? null,
    metadata: mergeMetadata({}, given.metadata),
    success_url: given.success_url,
    url: `${origin}/c/pay/${id}`,
  });
}

/** Kept for an idempotency key, as everything that depends on what exists. */
function refuseMixedCurrencies(world: World, customer: Customer | undefined, items: LineItem[]): void {
  if (customer === undefined) {
    return;
  }
  const bound = [
    ...world.subscriptions.of(customer.id).filter((it) => !hasEnded(it)).map((it) => it.currency),
    ...world.sessions.of(customer.id).filter((it) => it.status === 'open').map((it) => String(it.currency)),
    world.pendingItems.get(customer.id),
  ];
  const other = bound.find((currency) => currency !== undefined && items.some(({ price }) => price.currency !== currency));
  if (other !== undefined) {
    const held = 'an active subscription, subscription schedule, discount, quote, invoice item or active subscription mode checkout session';
    throw new StripeError(400, `You cannot combine currencies on a single customer. This customer has ${held} with currency ${other}.`);
  }
}

function expiry(world: World, given: number | undefined): number {
  const now = world.clock.now();
  const expires = given ?? now + MAX_OPEN_SECONDS;
  if (expires < now + MIN_OPEN_SECONDS) {
    throw badParameter('expires_at', 'The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.');
  }
  if (expires > now + MAX_OPEN_SECONDS) {
    throw badParameter('expires_at', 'The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.');
  }
  return expires;
}

function lineItems(world: World, given: Given['line_items']): LineItem[] {
  if (given === undefined || given.length === 0) {
    throw badParameter('line_items', 'Missing required param: line_items.', 'parameter_missing');
  }
  if (given.length > MAX_ITEMS) {
    throw badParameter('line_items', `You can only specify up to ${MAX_ITEMS} line items.`);
  }
  return given.map(({ price: id, quantity }, index) => {
    const param = `line_items[${index}]`;
    if (id === undefined) {
      throw badParameter(`${param}[price]`, `Missing required param: ${param}[price].`, 'parameter_missing');
    }
    if (quantity === undefined) {
      throw badParameter(`${param}[quantity]`, `Quantity is required. Add \`quantity\` to \`${param}\``);
    }
    const price = world.prices.get(id);
    if (price === undefined) {
      throw missing('price', id, `${param}[price]`);
    }
    if (!price.active) {
      throw new StripeError(400, 'The price specified is inactive. This field only accepts active prices.', { param: `${param}[price]` });
    }
    if (price.recurring === null) {
      throw new StripeError(400, 'You must provide at least one recurring price in `subscription` mode when using prices.', { param: 'line_items' });
    }
    return { price, quantity };
  });
}
