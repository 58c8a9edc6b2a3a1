import { newId } from './ids.ts';
import type { Invoice, Item, Subscription, Thing } from './types.ts';
import type { World } from './world.ts';

const DAY = 86_400;
/** The days until the next attempt, after each that failed; then Stripe gives up. */
const RETRY_DAYS = [3, 5, 7];

export type Reason = 'subscription_create' | 'subscription_cycle' | 'subscription_update';

function line(invoice: string, subscription: Subscription, item: Item, trial: boolean): Thing {
  const { price, quantity } = item;
  const amount = trial ? 0 : price.unit_amount * quantity;
  return {
    id: newId('il'),
    object: 'line_item',
    amount,
    currency: price.currency,
    description: trial ? 'Trial period' : `${quantity} × ${price.id}`,
    discount_amounts: [],
    discountable: true,
    discounts: [],
    invoice,
    livemode: false,
    metadata: subscription.metadata,
    parent: {
      invoice_item_details: null,
      subscription_item_details: { invoice_item: null, proration: false, proration_details: null, subscription: subscription.id, subscription_item: item.id },
      type: 'subscription_item_details',
    },
    period: { end: item.current_period_end, start: item.current_period_start },
    pretax_credit_amounts: [],
    pricing: { price_details: { price: price.id, product: price.product }, type: 'price_details', unit_amount_decimal: String(trial ? 0 : price.unit_amount) },
    quantity,
    quantity_decimal: String(quantity),
    subscription: subscription.id,
    subtotal: amount,
    taxes: [],
  };
}

/** What every draft says. */
const PLAIN_INVOICE = {
  account_country: 'US',
  account_name: 'Sound Whiskers',
  account_tax_ids: null,
  amount_overpaid: 0,
  amount_paid: 0,
  amount_shipping: 0,
  application: null,
  attempt_count: 0,
  attempted: false,
  auto_advance: true,
  automatic_tax: { disabled_reason: null, enabled: false, liability: null, provider: null, status: null },
  automatically_finalizes_at: null,
  collection_method: 'charge_automatically',
  custom_fields: null,
  customer_account: null,
  customer_address: null,
  customer_phone: null,
  customer_shipping: null,
  customer_tax_exempt: 'none',
  customer_tax_ids: [],
  default_payment_method: null,
  default_source: null,
  default_tax_rates: [],
  description: null,
  discounts: [],
  due_date: null,
  effective_at: null,
  ending_balance: null,
  footer: null,
  from_invoice: null,
  hosted_invoice_url: null,
  invoice_pdf: null,
  issuer: { type: 'self' },
  last_finalization_error: null,
  latest_revision: null,
  livemode: false,
  metadata: {},
  number: null,
  on_behalf_of: null,
  payment_settings: { default_mandate: null, payment_method_options: null, payment_method_types: null },
  post_payment_credit_notes_amount: 0,
  pre_payment_credit_notes_amount: 0,
  receipt_number: null,
  rendering: null,
  shipping_cost: null,
  shipping_details: null,
  starting_balance: 0,
  statement_descriptor: null,
  status_transitions: { finalized_at: null, marked_uncollectible_at: null, paid_at: null, voided_at: null },
  test_clock: null,
  total_discount_amounts: [],
  total_pretax_credit_amounts: [],
  total_taxes: [],
  webhooks_delivered_at: null,
};

/** A draft over the subscription's current period; it is not kept yet. */
export function draft(world: World, subscription: Subscription, reason: Reason): Invoice {
  const id = newId('in');
  const now = world.clock.now();
  const customer = world.customer(subscription.customer);
  const lines = subscription.items.data.map((item) => line(id, subscription, item, subscription.status === 'trialing'));
  const total = lines.reduce((sum, it) => sum + Number(it.amount), 0);
  return {
    ...PLAIN_INVOICE,
    id,
    object: 'invoice',
    amount_due: total,
    amount_remaining: total,
    billing_reason: reason,
    created: now,
    currency: subscription.currency,
    customer: subscription.customer,
    customer_email: customer?.email ?? null,
    customer_name: customer?.name ?? null,
    lines: { object: 'list', data: lines, has_more: false, total_count: lines.length, url: `/v1/invoices/${id}/lines` },
    next_payment_attempt: now,
    parent: { quote_details: null, subscription_details: { metadata: subscription.metadata, subscription: subscription.id }, type: 'subscription_details' },
    period_end: now,
    period_start: now,
    status: 'draft',
    subtotal: total,
    subtotal_excluding_tax: total,
    total,
    total_excluding_tax: total,
  };
}

/** Gives a draft its number; from then on it is owed. */
export function finalize(world: World, invoice: Invoice): void {
  const now = world.clock.now();
  const customer = world.customer(invoice.customer);
  const sequence = customer?.next_invoice_sequence ?? 1;
  const number = `${customer?.invoice_prefix ?? 'NONE'}-${String(sequence).padStart(4, '0')}`;
  const hosted = `https://invoice.stripe.com/i/acct_sound_whiskers/test_${invoice.id}`;
  const fields = { effective_at: now, ending_balance: 0, hosted_invoice_url: hosted, invoice_pdf: `${hosted}/pdf`, number };
  const status_transitions = { ...invoice.status_transitions, finalized_at: now };
  world.change(invoice, { ...fields, status: 'open', status_transitions }, 'invoice.finalized');
  if (customer !== undefined) {
    // A number that is taken is the one change of a customer that nobody is told of.
    world.change(customer, { next_invoice_sequence: sequence + 1 });
    world.change(customer, { currency: invoice.currency }, 'customer.updated');
  }
}

export function markPaid(world: World, invoice: Invoice): void {
  const now = world.clock.now();
  world.change(
    invoice,
    {
      amount_paid: invoice.amount_due,
      amount_remaining: 0,
      // What costs nothing is paid without an attempt.
      attempt_count: invoice.attempt_count + (invoice.amount_due > 0 ? 1 : 0),
      attempted: true,
      auto_advance: false,
      next_payment_attempt: null,
      status: 'paid',
      status_transitions: { ...invoice.status_transitions, paid_at: now },
    },
    'invoice.paid',
    'invoice.payment_succeeded',
  );
  owes(world, invoice, false);
}

/** One more attempt that failed. With `retries` there is a next one, as long as Stripe has patience. */
export function markFailed(world: World, invoice: Invoice, retries: boolean): void {
  const days = retries ? RETRY_DAYS[invoice.attempt_count] : undefined;
  const next_payment_attempt = days === undefined ? null : world.clock.now() + days * DAY;
  world.change(invoice, { attempt_count: invoice.attempt_count + 1, attempted: true, next_payment_attempt }, 'invoice.payment_failed');
  owes(world, invoice, true);
}

/** Nothing more is tried; what was owed stays owed. */
export function giveUp(world: World, invoice: Invoice | undefined): void {
  if (invoice?.status === 'open') {
    world.change(invoice, { auto_advance: false, next_payment_attempt: null }, 'invoice.updated');
  }
}

export function markVoid(world: World, invoice: Invoice | undefined): void {
  if (invoice?.status === 'open') {
    const status_transitions = { ...invoice.status_transitions, voided_at: world.clock.now() };
    world.change(invoice, { auto_advance: false, next_payment_attempt: null, status: 'void', status_transitions }, 'invoice.voided');
  }
}

function owes(world: World, invoice: Invoice, delinquent: boolean): void {
  const customer = world.customer(invoice.customer);
  if (customer !== undefined) {
    world.change(customer, { delinquent }, 'customer.updated');
  }
}
