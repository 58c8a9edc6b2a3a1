import { randomBytes } from 'node:crypto';

/** An object of the API: what is used here has types, the rest only has to be there. */
export interface Thing {
  id: string;
  object: string;
  [field: string]: unknown;
}

export type Metadata = Record<string, string>;

export interface Customer extends Thing {
  /** All that is left of one: id, object and this. */
  deleted?: boolean;
  email: string | null;
  metadata: Metadata;
}

export type Interval = 'day' | 'week' | 'month' | 'year';

export interface Price extends Thing {
  active: boolean;
  currency: string;
  product: string;
  recurring: { interval: Interval; interval_count: number } | null;
  unit_amount: number;
}

export interface Item extends Thing {
  current_period_start: number;
  current_period_end: number;
  price: Price;
}

export type Status = 'incomplete' | 'incomplete_expired' | 'trialing' | 'active' | 'past_due' | 'canceled' | 'unpaid' | 'paused';

export interface Subscription extends Thing {
  billing_cycle_anchor: number;
  cancel_at_period_end: boolean;
  canceled_at: number | null;
  cancellation_details: Record<string, unknown>;
  created: number;
  currency: string;
  customer: string;
  items: { data: Item[]; [field: string]: unknown };
  latest_invoice: string;
  metadata: Metadata;
  status: Status;
}

export interface Invoice extends Thing {
  amount_due: number;
  attempt_count: number;
  currency: string;
  customer: string;
  next_payment_attempt: number | null;
  parent: { subscription_details: { subscription: string; metadata: Metadata }; type: string };
  status: 'open' | 'paid' | 'void';
}

export interface Session extends Thing {
  cancel_url: string | null;
  currency: string;
  customer: string | null;
  customer_email: string | null;
  expires_at: number;
  metadata: Metadata;
  payment_status: 'paid' | 'unpaid' | 'no_payment_required';
  status: 'open' | 'complete' | 'expired';
  subscription: string | null;
  success_url: string | null;
  url: string | null;
}

export interface Portal extends Thing {
  customer: string;
  return_url: string | null;
}

/** What a subscription is started from. */
export interface Order {
  items: { price: Price; quantity: number }[];
  metadata: Metadata;
  trialDays?: number;
}

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const ID_LENGTHS: Record<string, number> = { cus: 14, prod: 14, si: 14, req: 14, cs_test: 58 };

/** As long as Stripe's own: 14 characters for what is old, 24 for what came later. */
export function newId(prefix: string): string {
  return `${prefix}_${[...randomBytes(ID_LENGTHS[prefix] ?? 24)].map((byte) => BASE62[byte % 62]).join('')}`;
}

/** Members that are there and say nothing. */
const nulls = (names: string): Record<string, null> => Object.fromEntries(names.split(' ').map((name) => [name, null]));

export function defaultPrice(id: string, created: number): Price {
  return {
    ...nulls('custom_unit_amount lookup_key nickname tiers_mode transform_quantity'),
    id,
    object: 'price',
    active: true,
    billing_scheme: 'per_unit',
    created,
    currency: 'usd',
    livemode: false,
    metadata: {},
    product: newId('prod'),
    recurring: { interval: 'month', interval_count: 1 },
    tax_behavior: 'unspecified',
    type: 'recurring',
    unit_amount: 499,
  };
}

export function defaultProduct({ id: default_price, product: id, created }: Price): Thing {
  const plain = { ...nulls('description shippable tax_code unit_label url'), images: [], livemode: false, marketing_features: [], metadata: {} };
  return { ...plain, id, object: 'product', active: true, created, default_price, name: 'Sound Whiskers Pro', type: 'service', updated: created };
}

export function newCustomer(created: number, fields: Partial<Customer>): Customer {
  return {
    ...nulls('address currency customer_account default_source description discount name phone shipping test_clock'),
    id: newId('cus'),
    object: 'customer',
    balance: 0,
    created,
    delinquent: false,
    email: null,
    invoice_settings: nulls('custom_fields default_payment_method footer rendering_options'),
    livemode: false,
    metadata: {},
    preferred_locales: [],
    tax_exempt: 'none',
    ...fields,
  };
}

const PLAIN_SUBSCRIPTION = {
  ...nulls('application application_fee_percent billing_cycle_anchor_config billing_thresholds cancel_at canceled_at customer_account days_until_due'),
  ...nulls('default_source description ended_at next_pending_invoice_item_invoice on_behalf_of pause_collection pending_invoice_item_interval'),
  ...nulls('pending_setup_intent pending_update schedule test_clock transfer_data'),
  automatic_tax: { disabled_reason: null, enabled: false, liability: null },
  billing_mode: { type: 'flexible' },
  billing_schedules: [],
  cancel_at_period_end: false,
  canceled_at: null,
  cancellation_details: nulls('comment feedback reason'),
  collection_method: 'charge_automatically',
  discounts: [],
  invoice_settings: { account_tax_ids: null, issuer: { type: 'self' } },
  latest_invoice: '',
  livemode: false,
  managed_payments: { enabled: false },
  payment_settings: nulls('payment_method_options payment_method_types'),
  trial_settings: { end_behavior: { missing_payment_method: 'create_invoice' } },
};

/** Not yet paid; a trial makes its end the first period's. */
export function newSubscription(now: number, customer: string, order: Order): Subscription {
  const id = newId('sub');
  const trial_end = order.trialDays === undefined ? null : now + order.trialDays * 86_400;
  const data = order.items.map(({ price, quantity }) => ({
    ...nulls('billing_thresholds current_trial'),
    id: newId('si'),
    object: 'subscription_item',
    created: now,
    current_period_end: trial_end ?? nextPeriodEnd(now, price, now),
    current_period_start: now,
    discounts: [],
    metadata: {},
    plan: { id: price.id, object: 'plan', active: price.active, amount: price.unit_amount, currency: price.currency, product: price.product, ...price.recurring },
    price: structuredClone(price),
    quantity,
    subscription: id,
    tax_rates: [],
  }));
  return {
    ...PLAIN_SUBSCRIPTION,
    id,
    object: 'subscription',
    billing_cycle_anchor: trial_end ?? now,
    created: now,
    currency: order.items[0]?.price.currency ?? 'usd',
    customer,
    default_payment_method: newId('pm'),
    items: { object: 'list', data, has_more: false, total_count: data.length, url: `/v1/subscription_items?subscription=${id}` },
    metadata: order.metadata,
    start_date: now,
    status: trial_end === null ? 'incomplete' : 'trialing',
    trial_end,
    trial_start: trial_end === null ? null : now,
  };
}

/** An invoice over a subscription's current period. */
export function newInvoice(now: number, subscription: Subscription, billing_reason: string): Invoice {
  const { id, status, currency, customer, items, metadata } = subscription;
  const total = status === 'trialing' ? 0 : items.data.reduce((sum, { price, quantity }) => sum + price.unit_amount * Number(quantity), 0);
  return {
    ...nulls('customer_email default_payment_method description due_date invoice_pdf'),
    id: newId('in'),
    object: 'invoice',
    amount_due: total,
    amount_paid: 0,
    amount_remaining: total,
    attempt_count: 0,
    attempted: false,
    billing_reason,
    collection_method: 'charge_automatically',
    created: now,
    currency,
    customer,
    hosted_invoice_url: null,
    livemode: false,
    metadata: {},
    next_payment_attempt: now,
    parent: { subscription_details: { metadata, subscription: id }, type: 'subscription_details' },
    period_end: now,
    period_start: now,
    status: 'open',
    subtotal: total,
    total,
  };
}

const PLAIN_SESSION = {
  ...nulls('allow_promotion_codes cancel_url client_reference_id customer customer_account customer_details customer_email invoice locale'),
  ...nulls('payment_intent payment_link setup_intent'),
  automatic_tax: nulls('liability provider status'),
  cancel_url: null,
  customer: null,
  customer_email: null,
  livemode: false,
  mode: 'subscription',
  payment_method_collection: 'always',
  payment_method_types: ['card'],
  subscription: null,
  success_url: null,
  total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
  ui_mode: 'hosted_page',
  url: null,
};

export function newSession(now: number, { items, trialDays }: Order, fields: Partial<Session>): Session {
  const amount = trialDays === undefined ? items.reduce((sum, { price, quantity }) => sum + price.unit_amount * quantity, 0) : 0;
  return {
    ...PLAIN_SESSION,
    id: newId('cs_test'),
    object: 'checkout.session',
    amount_subtotal: amount,
    amount_total: amount,
    created: now,
    currency: items[0]?.price.currency ?? 'usd',
    customer_creation: fields.customer ? null : 'always',
    expires_at: now + 86_400,
    metadata: {},
    payment_status: 'unpaid',
    status: 'open',
    ...fields,
  };
}

export function newPortal(created: number, fields: Partial<Portal> & { customer: string; return_url: string | null }): Portal {
  const plain = { ...nulls('flow locale on_behalf_of'), configuration: 'bpc_1SoundWhiskersDefault', livemode: false };
  return { ...plain, id: newId('bps'), object: 'billing_portal.session', created, ...fields };
}

/** The end of the n-th period: months have their days, so that the 31st is followed by the 28th and then by the 31st. */
export function periodEnd(anchor: number, interval: Interval, count: number): number {
  const date = new Date(anchor * 1000);
  if (interval === 'day' || interval === 'week') {
    date.setUTCDate(date.getUTCDate() + count * (interval === 'week' ? 7 : 1));
    return date.getTime() / 1000;
  }
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + count * (interval === 'year' ? 12 : 1));
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, last));
  return date.getTime() / 1000;
}

/** The first period's end after a time, in the rhythm that the anchor sets. */
export function nextPeriodEnd(anchor: number, { recurring }: Pick<Price, 'recurring'>, after: number): number {
  const { interval, interval_count } = recurring ?? { interval: 'month' as const, interval_count: 1 };
  for (let count = interval_count; ; count += interval_count) {
    const end = periodEnd(anchor, interval, count);
    if (end > after) return end;
  }
}
