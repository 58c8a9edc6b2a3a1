import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** An object of the API: the fields that this simulator uses have types, the others must only exist. */
export interface Thing { id: string; object: string; [field: string]: unknown }

export type Metadata = Record<string, string>;

export interface Customer extends Thing {
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

export interface Item extends Thing { current_period_start: number; current_period_end: number; price: Price }

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

export interface Portal extends Thing { customer: string; return_url: string | null }

export interface Order { items: { price: Price; quantity: number }[]; metadata: Metadata; trialDays?: number }

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const ID_LENGTHS: Record<string, number> = { cus: 14, prod: 14, si: 14, req: 14, cs_test: 58 };

/** Ids as long as Stripe's: 14 characters for older kinds of objects, 24 for newer ones. */
export const newId = (prefix: string): string => `${prefix}_${[...randomBytes(ID_LENGTHS[prefix] ?? 24)].map((byte) => BASE62[byte % 62]).join('')}`;

/** The members of a new object of each kind: clients may rely on them, although most are not used here. */
const TEMPLATES = JSON.parse(readFileSync(new URL('templates.json', import.meta.url), 'utf8')) as Record<string, object>;
const template = (name: string): any => structuredClone(TEMPLATES[name]);
export const defaultPrice = (id: string, created: number): Price => ({ id, ...template('price'), created, product: newId('prod') });

export function defaultProduct({ id: default_price, product: id, created }: Price): Thing {
  return { id, ...template('product'), created, default_price, updated: created };
}

export const newCustomer = (created: number, fields: Partial<Customer>): Customer => ({ id: newId('cus'), ...template('customer'), created, ...fields });

/** A new subscription, not yet paid; the end of a trial is the end of the first period. */
export function newSubscription(now: number, customer: string, { items, metadata, trialDays }: Order): Subscription {
  const id = newId('sub');
  const trial_end = trialDays === undefined ? null : now + trialDays * 86_400;
  const data = items.map(({ price, quantity }) => {
    const { id: priceId, active, unit_amount: amount, currency, product, recurring } = price;
    const period = { created: now, current_period_start: now, current_period_end: trial_end ?? nextPeriodEnd(now, price, now) };
    const plan = { id: priceId, object: 'plan', active, amount, currency, product, ...recurring };
    return { id: newId('si'), ...template('item'), ...period, plan, price: structuredClone(price), quantity, subscription: id };
  });
  const list = { object: 'list', data, has_more: false, total_count: data.length, url: `/v1/subscription_items?subscription=${id}` };
  const times = { billing_cycle_anchor: trial_end ?? now, created: now, start_date: now, trial_end, trial_start: trial_end === null ? null : now };
  const order = { customer, currency: items[0]?.price.currency ?? 'usd', default_payment_method: newId('pm'), items: list, metadata };
  return { id, ...template('subscription'), ...order, ...times, status: trial_end === null ? 'incomplete' : 'trialing' };
}

export function newInvoice(now: number, subscription: Subscription, billing_reason: string): Invoice {
  const { id, status, currency, customer, items, metadata } = subscription;
  const total = status === 'trialing' ? 0 : items.data.reduce((sum, { price, quantity }) => sum + price.unit_amount * Number(quantity), 0);
  const parent = { subscription_details: { metadata, subscription: id }, type: 'subscription_details' };
  const times = { created: now, next_payment_attempt: now, period_end: now, period_start: now };
  const amounts = { amount_due: total, amount_remaining: total, subtotal: total, total };
  return { id: newId('in'), ...template('invoice'), billing_reason, currency, customer, parent, ...times, ...amounts };
}

export function newSession(now: number, { items, trialDays }: Order, fields: Partial<Session>): Session {
  const amount = trialDays === undefined ? items.reduce((sum, { price, quantity }) => sum + price.unit_amount * quantity, 0) : 0;
  const amounts = { amount_subtotal: amount, amount_total: amount, currency: items[0]?.price.currency ?? 'usd' };
  const customer_creation = fields.customer ? null : 'always';
  return { id: newId('cs_test'), ...template('session'), ...amounts, created: now, customer_creation, expires_at: now + 86_400, ...fields };
}

export function newPortal(created: number, fields: Partial<Portal> & { customer: string; return_url: string | null }): Portal {
  return { id: newId('bps'), ...template('portal'), created, ...fields };
}

/** The end of the n-th period: months differ in length, so the 28th follows the 31st, and then the 31st again. */
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

/** The first end of a period after a time, counted from the anchor. */
export function nextPeriodEnd(anchor: number, { recurring }: Pick<Price, 'recurring'>, after: number): number {
  const { interval, interval_count } = recurring ?? { interval: 'month' as const, interval_count: 1 };
  for (let count = interval_count; ; count += interval_count) {
    const end = periodEnd(anchor, interval, count);
    if (end > after) return end;
  }
}
