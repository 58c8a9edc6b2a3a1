import { newId, randomText } from './ids.ts';
import type { Customer, Metadata, PortalSession, Price, Product, Session, Subscription } from './types.ts';
import { nextPeriodEnd } from './clock.ts';

export interface LineItem {
  price: Price;
  quantity: number;
}

/** What a subscription is started from. */
export interface NewSubscription {
  items: LineItem[];
  metadata: Metadata;
  trialDays?: number;
  description?: string | null;
}

const NO_TAX = { disabled_reason: null, enabled: false, liability: null };

export function defaultPrice(id: string, created: number): Price {
  return {
    id,
    object: 'price',
    active: true,
    billing_scheme: 'per_unit',
    created,
    currency: 'usd',
    custom_unit_amount: null,
    livemode: false,
    lookup_key: null,
    metadata: {},
    nickname: null,
    product: newId('prod'),
    recurring: { interval: 'month', interval_count: 1, meter: null, trial_period_days: null, usage_type: 'licensed' },
    tax_behavior: 'unspecified',
    tiers_mode: null,
    transform_quantity: null,
    type: 'recurring',
    unit_amount: 499,
    unit_amount_decimal: '499',
  };
}

export function defaultProduct(price: Price): Product {
  return {
    id: price.product,
    object: 'product',
    active: true,
    created: price.created,
    default_price: price.id,
    description: null,
    images: [],
    livemode: false,
    marketing_features: [],
    metadata: {},
    name: 'Sound Whiskers Pro',
    package_dimensions: null,
    shippable: null,
    statement_descriptor: null,
    tax_code: null,
    tax_details: null,
    type: 'service',
    unit_label: null,
    updated: price.created,
    url: null,
  };
}

export function newCustomer(created: number, fields: Partial<Customer>): Customer {
  return {
    id: newId('cus'),
    object: 'customer',
    address: null,
    balance: 0,
    created,
    currency: null,
    customer_account: null,
    default_source: null,
    delinquent: false,
    description: null,
    discount: null,
    email: null,
    invoice_prefix: randomText(8).toUpperCase(),
    invoice_settings: { custom_fields: null, default_payment_method: null, footer: null, rendering_options: null },
    livemode: false,
    metadata: {},
    name: null,
    next_invoice_sequence: 1,
    phone: null,
    preferred_locales: [],
    shipping: null,
    tax_exempt: 'none',
    test_clock: null,
    ...fields,
  };
}

function plan(price: Price): Record<string, unknown> {
  const { id, active, created, currency, unit_amount, product, recurring } = price;
  return {
    id,
    object: 'plan',
    active,
    amount: unit_amount,
    amount_decimal: String(unit_amount),
    billing_scheme: 'per_unit',
    created,
    currency,
    interval: recurring?.interval,
    interval_count: recurring?.interval_count,
    livemode: false,
    metadata: {},
    meter: null,
    nickname: null,
    product,
    tiers_mode: null,
    transform_usage: null,
    trial_period_days: null,
    usage_type: 'licensed',
  };
}

function items(id: string, now: number, order: LineItem[], end: number): Subscription['items'] {
  const data = order.map(({ price, quantity }) => ({
    id: newId('si'),
    object: 'subscription_item',
    billing_thresholds: null,
    created: now,
    current_period_end: end,
    current_period_start: now,
    current_trial: null,
    discounts: [],
    metadata: {},
    plan: plan(price),
    price: structuredClone(price),
    quantity,
    subscription: id,
    tax_rates: [],
  }));
  return { object: 'list', data, has_more: false, total_count: data.length, url: `/v1/subscription_items?subscription=${id}` };
}

/** What every new subscription says. */
const PLAIN_SUBSCRIPTION = {
  application: null,
  application_fee_percent: null,
  automatic_tax: NO_TAX,
  billing_cycle_anchor_config: null,
  billing_mode: { flexible: { proration_discounts: 'included' }, type: 'flexible' },
  billing_schedules: [],
  billing_thresholds: null,
  cancel_at: null,
  cancel_at_period_end: false,
  canceled_at: null,
  cancellation_details: { comment: null, feedback: null, feedback_option: null, reason: null },
  collection_method: 'charge_automatically',
  customer_account: null,
  days_until_due: null,
  default_source: null,
  default_tax_rates: [],
  discounts: [],
  ended_at: null,
  invoice_settings: { account_tax_ids: null, issuer: { type: 'self' } },
  latest_invoice: null,
  livemode: false,
  managed_payments: { enabled: false },
  next_pending_invoice_item_invoice: null,
  on_behalf_of: null,
  pause_collection: null,
  payment_settings: { payment_method_options: null, payment_method_types: null, save_default_payment_method: 'off' },
  pending_invoice_item_interval: null,
  pending_setup_intent: null,
  pending_update: null,
  schedule: null,
  test_clock: null,
  transfer_data: null,
  trial_settings: { end_behavior: { missing_payment_method: 'create_invoice' } },
};

/** Not yet paid; a trial makes its end the first period's. */
export function newSubscription(now: number, customer: string, order: NewSubscription): Subscription {
  const id = newId('sub');
  const price = (order.items[0] as LineItem).price;
  const trialEnd = order.trialDays === undefined ? null : now + order.trialDays * 86_400;
  const { interval, interval_count } = price.recurring ?? { interval: 'month' as const, interval_count: 1 };
  const end = trialEnd ?? nextPeriodEnd(now, interval, interval_count, now);
  return {
    ...PLAIN_SUBSCRIPTION,
    id,
    object: 'subscription',
    billing_cycle_anchor: trialEnd ?? now,
    created: now,
    currency: price.currency,
    customer,
    default_payment_method: newId('pm'),
    description: order.description ?? null,
    items: items(id, now, order.items, end),
    metadata: order.metadata,
    start_date: now,
    status: trialEnd === null ? 'incomplete' : 'trialing',
    trial_end: trialEnd,
    trial_start: trialEnd === null ? null : now,
  };
}

/** What every new session says, where the call that opened it does not. */
const PLAIN_SESSION = {
  adaptive_pricing: { enabled: false },
  after_expiration: null,
  allow_promotion_codes: null,
  allowed_payment_method_types: null,
  automatic_tax: { enabled: false, liability: null, provider: null, status: null },
  billing_address_collection: null,
  cancel_url: null,
  client_reference_id: null,
  client_secret: null,
  collected_information: null,
  consent: null,
  consent_collection: null,
  currency_conversion: null,
  custom_fields: [],
  custom_text: { after_submit: null, shipping_address: null, submit: null, terms_of_service_acceptance: null },
  customer: null,
  customer_account: null,
  customer_details: null,
  customer_email: null,
  discounts: null,
  integration_identifier: null,
  invoice: null,
  invoice_creation: null,
  livemode: false,
  locale: null,
  managed_payments: { enabled: false },
  mode: 'subscription',
  origin_context: null,
  payment_intent: null,
  payment_link: null,
  payment_method_collection: 'always',
  payment_method_configuration_details: null,
  payment_method_options: { card: { request_three_d_secure: 'automatic' } },
  payment_method_types: ['card'],
  permissions: null,
  phone_number_collection: { enabled: false },
  recovered_from: null,
  saved_payment_method_options: { allow_redisplay_filters: ['always'], payment_method_remove: 'disabled', payment_method_save: null },
  setup_intent: null,
  shipping_address_collection: null,
  shipping_cost: null,
  shipping_options: [],
  submit_type: null,
  subscription: null,
  success_url: null,
  total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
  ui_mode: 'hosted_page',
  url: null,
  wallet_options: null,
};

export function newSession(now: number, order: NewSubscription, fields: Partial<Session>): Session {
  const total = order.items.reduce((sum, { price, quantity }) => sum + price.unit_amount * quantity, 0);
  const amount = order.trialDays === undefined ? total : 0;
  return {
    ...PLAIN_SESSION,
    id: newId('cs_test'),
    object: 'checkout.session',
    amount_subtotal: amount,
    amount_total: amount,
    created: now,
    currency: (order.items[0] as LineItem).price.currency,
    customer_creation: fields.customer ? null : 'always',
    expires_at: now + 86_400,
    metadata: {},
    payment_status: 'unpaid',
    status: 'open',
    ...fields,
  };
}

export function newPortalSession(created: number, fields: Partial<PortalSession> & { customer: string; return_url: string | null }): PortalSession {
  return {
    id: newId('bps'),
    object: 'billing_portal.session',
    after_expiration: null,
    configuration: 'bpc_1SoundWhiskersDefault',
    created,
    customer_account: null,
    flow: null,
    livemode: false,
    locale: null,
    on_behalf_of: null,
    ...fields,
  };
}
