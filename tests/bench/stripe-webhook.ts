// How many events the webhook takes: ours, one written with stripe-node, and one that only reads the body.

import { load, ours, peer, start, stripeEvent } from './candidate.ts';
import type { Running } from './candidate.ts';
import { inTurn, ready, report, withProcessorTime } from './harness.ts';
import type { Values } from './harness.ts';

const ROUNDS = 9;
const SECONDS = 2;
const PROCESSOR = 'processor time a request, µs';
/** The runtime compiles what is hot a second time, in the background. */
const WARM_UP = { duration: 3 };

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
  rounds[name] = async () => {
    const { requests, seconds, ...values } = await withProcessorTime(running.pid, () => load(running, { duration: SECONDS }));
    const processor = values['processor time, ms'];
    return { 'requests a second': requests / seconds, ...(processor ? { [PROCESSOR]: (1000 * processor) / requests } : {}) };
  };
}
const samples = await inTurn(ROUNDS, rounds);
for (const [, running] of candidates) await running.stop();
report(
  'stripe-webhook',
  `An event of ${stripeEvent().body.length} characters that changes no plan, over 16 connections, ${ROUNDS} rounds of ${SECONDS} s each in turn. Ours also writes ` +
    `a log line for every request; the peer, written as stripe-node's documentation says, does not. The limit reads the body and returns a constant.`,
  samples,
  [
    { what: 'requests a second', of: 'ours', to: 'stripe-node', atLeast: 1.25 },
    { what: 'requests a second', of: 'ours', to: 'the limit', atLeast: 0.8 },
    { what: PROCESSOR, of: 'ours', to: 'stripe-node' },
    { what: PROCESSOR, of: 'ours', to: 'the limit' },
  ],
);
