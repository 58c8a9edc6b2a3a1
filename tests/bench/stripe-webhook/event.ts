// An event of real size that changes no plan, as Stripe writes it.

import { createHmac } from 'node:crypto';

const billing_details = {
  address: { city: 'Kraków', country: 'PL', line1: 'ul. Floriańska 12/4', line2: null, postal_code: '31-021', state: null },
  email: 'listener@example.com',
  name: 'Zofia Wiśniewska',
  phone: null,
  tax_id: null,
};

const card = {
  amount_authorized: 1999,
  authorization_code: '418205',
  brand: 'visa',
  checks: { address_line1_check: 'pass', address_postal_code_check: 'pass', cvc_check: 'pass' },
  country: 'PL',
  exp_month: 8,
  exp_year: 2029,
  extended_authorization: { status: 'disabled' },
  fingerprint: 'benchFingerprint1',
  funding: 'debit',
  incremental_authorization: { status: 'unavailable' },
  installments: null,
  last4: '4242',
  mandate: null,
  multicapture: { status: 'unavailable' },
  network: 'visa',
  network_token: { used: false },
  network_transaction_id: '301975048123456',
  overcapture: { maximum_amount_capturable: 1999, status: 'unavailable' },
  regulated_status: 'regulated',
  three_d_secure: null,
  wallet: null,
};

const charge = {
  id: 'ch_3Bench0000000000000000001',
  object: 'charge',
  amount: 1999,
  amount_captured: 1999,
  amount_refunded: 0,
  application: null,
  application_fee: null,
  application_fee_amount: null,
  balance_transaction: 'txn_3Bench0000000000000000002',
  billing_details,
  calculated_statement_descriptor: 'SOUND WHISKERS',
  captured: true,
  created: 1795478400,
  currency: 'pln',
  customer: 'cus_BenchCustomer01',
  description: 'Subscription update',
  destination: null,
  dispute: null,
  disputed: false,
  failure_balance_transaction: null,
  failure_code: null,
  failure_message: null,
  fraud_details: {},
  livemode: false,
  metadata: { user_id: '8b3c2a10-5f7e-4c55-9d53-0f0e6f4b8a11', campaign: 'autumn', source: 'page' },
  on_behalf_of: null,
  invoice: 'in_1Bench0000000000000000006',
  order: null,
  outcome: {
    advice_code: null,
    network_advice_code: null,
    network_decline_code: null,
    network_status: 'approved_by_network',
    reason: null,
    risk_level: 'normal',
    risk_score: 7,
    seller_message: 'Payment complete.',
    type: 'authorized',
  },
  paid: true,
  payment_intent: 'pi_3Bench0000000000000000003',
  payment_method: 'pm_1Bench0000000000000000004',
  payment_method_details: { card, type: 'card' },
  presentment_details: { presentment_amount: 1999, presentment_currency: 'pln' },
  radar_options: {},
  receipt_email: 'listener@example.com',
  receipt_number: '2412-5519',
  receipt_url: 'https://pay.stripe.com/receipts/payment/CAcaFwoVYWNjdF8xQmVuY2hBY2NvdW50MDAwMDAwMSi5nK7JBjIGc0JlbmNoOixBBench',
  refunded: false,
  refunds: { object: 'list', data: [], has_more: false, total_count: 0, url: '/v1/charges/ch_3Bench0000000000000000001/refunds' },
  review: null,
  shipping: { address: billing_details.address, carrier: null, name: billing_details.name, phone: null, tracking_number: null },
  source: null,
  source_transfer: null,
  statement_descriptor: null,
  statement_descriptor_suffix: null,
  status: 'succeeded',
  transfer_data: null,
  transfer_group: null,
};

/** Nobody's plan depends on it. */
export const EVENT = JSON.stringify(
  {
    id: 'evt_3Bench0000000000000000005',
    object: 'event',
    api_version: '2026-10-28.clover',
    created: 1795478401,
    data: { object: charge },
    livemode: false,
    pending_webhooks: 1,
    request: { id: 'req_BenchRequest1', idempotency_key: 'd6a2f1b4-55a0-4c12-8c0e-6f5f3f2f7a90' },
    type: 'charge.succeeded',
  },
  null,
  2,
);

/** As Stripe signs it, now. */
export function signature(secret: string): string {
  const seconds = Math.floor(Date.now() / 1000);
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${EVENT}`).digest('hex')}`;
}
