/** An object of the API: what is used here has types, the rest only has to be there. */
export interface Thing {
  id: string;
  object: string;
  [field: string]: unknown;
}

export type Metadata = Record<string, string>;

export interface Customer extends Thing {
  object: 'customer';
  /** All that is left of one: id, object and this. */
  deleted?: boolean;
  created: number;
  email: string | null;
  name: string | null;
  description: string | null;
  currency: string | null;
  delinquent: boolean;
  invoice_prefix: string;
  next_invoice_sequence: number;
  metadata: Metadata;
}

export type Interval = 'day' | 'week' | 'month' | 'year';

export interface Price extends Thing {
  active: boolean;
  created: number;
  currency: string;
  product: string;
  recurring: { interval: Interval; interval_count: number; [field: string]: unknown } | null;
  unit_amount: number;
  metadata: Metadata;
}

export interface Product extends Thing {
  active: boolean;
  created: number;
  name: string;
}

export type Status = 'incomplete' | 'incomplete_expired' | 'trialing' | 'active' | 'past_due' | 'canceled' | 'unpaid' | 'paused';

export interface Item extends Thing {
  current_period_start: number;
  current_period_end: number;
  price: Price;
  quantity: number;
}

export interface Subscription extends Thing {
  billing_cycle_anchor: number;
  cancel_at: number | null;
  cancel_at_period_end: boolean;
  canceled_at: number | null;
  cancellation_details: Record<string, unknown>;
  created: number;
  currency: string;
  customer: string;
  ended_at: number | null;
  items: { data: Item[]; [field: string]: unknown };
  latest_invoice: string | null;
  metadata: Metadata;
  status: Status;
}

export interface Invoice extends Thing {
  amount_due: number;
  attempt_count: number;
  created: number;
  currency: string;
  customer: string;
  next_payment_attempt: number | null;
  parent: { subscription_details: { subscription: string; metadata: Metadata } | null; [field: string]: unknown } | null;
  status: 'draft' | 'open' | 'paid' | 'void' | 'uncollectible';
  status_transitions: Record<string, number | null>;
}

export interface Session extends Thing {
  cancel_url: string | null;
  client_reference_id: string | null;
  created: number;
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

export interface PortalSession extends Thing {
  created: number;
  customer: string;
  return_url: string | null;
}

/** Why an event came about: an API call, or nothing that has one. */
export interface Cause {
  id: string | null;
  idempotency_key: string | null;
}

export interface StripeEvent extends Thing {
  object: 'event';
  created: number;
  data: { object: Thing; previous_attributes?: Record<string, unknown> };
  pending_webhooks: number;
  request: Cause;
  type: string;
}
