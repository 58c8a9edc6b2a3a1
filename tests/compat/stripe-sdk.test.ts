/**
 * The function stripe-webhook against Stripe's own library: it accepts what the library signs, and refuses what the
 * library refuses.
 * The library pointed at the simulator is in tests/simulators.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import Stripe from 'stripe';
import { ready } from './support.ts';

const secret = ready.stripe_webhook_secret;
const { webhooks } = new Stripe('sk_test_x');

const SNAPSHOT = { id: 'evt_1', object: 'event', type: 'charge.refunded', livemode: false, data: { object: { object: 'charge' } } };
const THIN = { id: 'evt_2', object: 'v2.core.event', type: 'v1.charge.refunded', livemode: false, related_object: { id: 'ch_1', type: 'charge', url: '/v1/charges/ch_1' } };
const PAYLOADS = [JSON.stringify(SNAPSHOT), JSON.stringify(SNAPSHOT, null, 2), JSON.stringify(THIN), JSON.stringify({ ...SNAPSHOT, note: 'Zażółć gęślą jaźń 🎧' })];

const now = () => Math.floor(Date.now() / 1000);

async function post(body: string, signature: string): Promise<[number, unknown]> {
  const response = await fetch(`${ready.functions_url}/stripe-webhook`, { method: 'POST', headers: { 'stripe-signature': signature }, body });
  const { outcome, code } = (await response.json()) as { outcome?: string; code?: string };
  return [response.status, outcome ?? code];
}

function isTaken(body: string, signature: string): boolean {
  try {
    webhooks.constructEvent(body, signature, secret);
    return true;
  } catch {
    return false;
  }
}

describe("Stripe's library", () => {
  it('signs events that the function accepts', async () => {
    for (const payload of PAYLOADS) {
      const signature = webhooks.generateTestHeaderString({ payload, secret });
      assert.deepEqual(await post(payload, signature), [200, 'ignored'], payload);
    }
  });

  it('accepts and refuses the same signatures as the function', async () => {
    const [payload = ''] = PAYLOADS;
    const sign = (options: object = {}) => webhooks.generateTestHeaderString({ payload, secret, ...options });
    const good = sign();
    const v1 = good.slice(good.indexOf('v1='));
    for (const [body, signature] of [
      [payload, good], [payload, `${good},v0=${'0'.repeat(64)}`], [payload, good.replace('v1=', `v1=${'0'.repeat(64)},v1=`)],
      [payload, sign({ timestamp: now() - 240 })], [payload, sign({ timestamp: now() - 360 })],
      [payload, sign({ secret: 'whsec_of_somebody_else_entirely_0000' })], [payload, good.replace('v1=', 'v2=')], [payload, v1],
      [payload, `t=${now()}`], [payload, good.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'))], [`${payload} `, good],
      [payload.replace('refunded', 'captured'), good],
    ] as const) {
      const [status, what] = await post(body, signature);
      const expected = isTaken(body, signature) ? [200, 'ignored'] : [400, 'invalid_signature'];
      assert.deepEqual([status, what], expected, signature);
    }
  });

  it('differs in one case: the function refuses a signature from the future', async () => {
    const [payload = ''] = PAYLOADS;
    const signature = webhooks.generateTestHeaderString({ payload, secret, timestamp: now() + 400 });
    assert.equal(isTaken(payload, signature), true);
    assert.deepEqual(await post(payload, signature), [400, 'invalid_signature']);
  });
});
