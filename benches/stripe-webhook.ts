// The throughput of the webhook: this product's, one written with stripe-node, and one that only reads the body.

import postgres from 'postgres';
import { load, ours, peer, start, stripeEvent } from './candidate.ts';
import type { Running } from './candidate.ts';
import event from './event.json' with { type: 'json' };
import { control, inTurn, ready, report, signUp, withProcessorTime } from './harness.ts';
import type { Values } from './harness.ts';

const ROUNDS = 9;
const SECONDS = 2;
const PROCESSOR = 'processor time a request, µs';
const PLAN_EVENT = 'an event after which the plan is read and written: ';
/** Each connection sends its events one after the other, so that no write waits for another. */
const CUSTOMERS = 8;
const EVENTS_EACH = 25;
/** During the warm-up the runtime compiles hot code a second time, in the background. */
const WARM_UP = { duration: 3 };

/** Subscriptions of users, as their events describe them. */
async function subscriptions(): Promise<object[]> {
  await control('stripe', 'delivery', { paused: true });
  const sql = postgres(ready.database_url, { max: 1, onnotice: () => {} });
  // The peer writes the table directly, like a project without functions in its database.
  await sql`grant select, update on public.profiles to service_role`;
  const one = async () => {
    const { id } = await signUp();
    const act = (action: object) => control('stripe', 'act', action, 'POST');
    const { customer } = (await act({ action: 'create_customer', user_id: id })) as { customer: { id: string } };
    await sql`update public.profiles set stripe_customer_id = ${customer.id} where user_id = ${id}`;
    return ((await act({ action: 'subscribe', customer: customer.id })) as { subscription: object }).subscription;
  };
  const made = await Promise.all(Array.from({ length: CUSTOMERS }, one));
  await sql.end();
  return made;
}

const subscribed = await subscriptions();

async function planEvents({ port, pid }: Running): Promise<Values> {
  const each = async (object: object) => {
    const changed = stripeEvent(undefined, { ...event, type: 'customer.subscription.updated', data: { object } });
    for (let n = 0; n < EVENTS_EACH; n += 1) {
      const response = await fetch(`http://127.0.0.1:${port}/functions/v1/stripe-webhook`, { method: 'POST', ...changed });
      const text = await response.text();
      if (response.status !== 200) throw new Error(`${response.status} ${text}`);
    }
  };
  const events = CUSTOMERS * EVENTS_EACH;
  const values = await withProcessorTime(pid, async () => {
    const started = performance.now();
    await Promise.all(subscribed.map(each));
    return { [`${PLAN_EVENT}a second`]: (1000 * events) / (performance.now() - started) };
  });
  const { 'processor time, ms': processor, ...others } = values;
  return { ...others, ...(processor ? { [`${PLAN_EVENT}processor time, µs`]: (1000 * processor) / events } : {}) };
}

const candidates: [string, Running, number][] = [
  ['ours', await start(ours('stripe-webhook', 'workerd')), 400],
  ['stripe-node', await start(await peer('stripe-webhook', 'stripe-webhook', 'workerd')), 400],
  ['the limit', await start(await peer('constant', 'stripe-webhook', 'workerd')), 200],
];
const rounds: Record<string, () => Promise<Values>> = {};
for (const [name, running, forgedStatus] of candidates) {
  const send = async (secret?: string) =>
    (await fetch(`http://127.0.0.1:${running.port}/functions/v1/stripe-webhook`, { method: 'POST', ...stripeEvent(secret) })).status;
  const [good, forged] = [await send(), await send(`${ready.stripe_webhook_secret}x`)];
  if (good !== 200 || forged !== forgedStatus) throw new Error(`${name} returns ${good}, and ${forged} where the signature is wrong`);
  await load(running, WARM_UP);
  const takesPlans = forgedStatus === 400;
  if (takesPlans) await planEvents(running);
  rounds[name] = async () => {
    const { requests, seconds, ...values } = await withProcessorTime(running.pid, () => load(running, { duration: SECONDS }));
    const processor = values['processor time, ms'];
    const plans = takesPlans ? await planEvents(running) : {};
    return { 'requests a second': requests / seconds, ...(processor ? { [PROCESSOR]: (1000 * processor) / requests } : {}), ...plans };
  };
}
const samples = await inTurn(ROUNDS, rounds);
for (const [, running] of candidates) await running.stop();
report(
  'stripe-webhook',
  `An event of ${stripeEvent().body.length} characters that changes no plan, over 16 connections, ${ROUNDS} rounds of ${SECONDS} s each in turn. Ours also writes ` +
    `a log line for every request; the peer, written as stripe-node's documentation says, does not. The limit reads the body and returns a constant. ` +
    `Then ${CUSTOMERS * EVENTS_EACH} events of ${CUSTOMERS} customers at once: ours reads the profile for the first event of a customer, then the subscriptions, and writes the plan unless the profile has changed; the peer reads the subscriptions and writes.`,
  samples,
  [
    { what: 'requests a second', of: 'ours', to: 'stripe-node', atLeast: 1 },
    { what: 'requests a second', of: 'ours', to: 'the limit', atLeast: 0.8 },
    { what: PROCESSOR, of: 'ours', to: 'stripe-node', atMost: 1 },
    { what: PROCESSOR, of: 'ours', to: 'the limit' },
    { what: `${PLAN_EVENT}a second`, of: 'ours', to: 'stripe-node' },
    { what: `${PLAN_EVENT}processor time, µs`, of: 'ours', to: 'stripe-node' },
  ],
);
