// How many events the webhook takes: ours, one written with stripe-node, and one that only reads the body.
//
// All three answer the same event, which is none of their business: verify, dispatch, answer. Each is alone in a workerd
// of its own, and they take turns.

import path from 'node:path';
import { bundle } from '../bundle.ts';
import type { Contender } from '../contender.ts';
import { ourWorker, peerWorker, start, workerd } from '../contender.ts';
import { folder } from '../environment.ts';
import { load, post } from '../load.ts';
import { processorMs } from '../process.ts';
import type { Samples } from '../report.ts';
import { measure, write } from '../report.ts';
import { ours, ready } from '../stack.ts';
import { quantile } from '../statistics.ts';
import { EVENT, signature } from './event.ts';

const PATH = '/functions/v1/stripe-webhook';
const ROUNDS = 9;
const ROUND_MS = 1500;
const CONNECTIONS = 16;
/** The runtime compiles what is hot a second time, in the background. */
const WARM_UP_MS = 3000;

const built = ours('stripe-webhook');
const work = path.join(folder, 'contenders');
const secret = ready.stripe_webhook_secret;

const peer = async (name: string) =>
  peerWorker(await bundle(name, 'workerd', work), built, { ...built.variables, SUPABASE_SECRET_KEY: ready.secret_key });

async function status({ port }: Contender, signature: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}${PATH}`, { method: 'POST', headers: { 'Stripe-Signature': signature }, body: EVENT });
  await response.arrayBuffer();
  return response.status;
}

/** Whoever is measured takes the event, and who verifies refuses one that is signed by somebody else. */
async function check(name: string, contender: Contender): Promise<void> {
  const good = await status(contender, signature(secret));
  const forged = await status(contender, signature(`${secret}x`));
  if (good !== 200 || forged !== (name === 'the limit' ? 200 : 400)) throw new Error(`${name} answers ${good}, and ${forged} where the signature is wrong`);
}

const contenders: Record<string, Contender> = {
  ours: await start('ours', workerd('ours', ourWorker(built), work), work),
  'stripe-node': await start('stripe-node', workerd('stripe-node', await peer('stripe-webhook'), work), work),
  'the limit': await start('limit', workerd('limit', await peer('constant'), work), work),
};
const names = Object.keys(contenders);
const throughput: Samples = Object.fromEntries(names.map((name) => [name, []]));
const processor: Samples = Object.fromEntries(names.map((name) => [name, []]));
const generator: number[] = [];

for (const [name, contender] of Object.entries(contenders)) {
  await check(name, contender);
  await load(contender.port, request(), CONNECTIONS, { ms: WARM_UP_MS });
}
for (let round = 0; round < ROUNDS; round += 1) {
  const turn = round % names.length;
  for (const name of [...names.slice(turn), ...names.slice(0, turn)]) {
    const { port, pid } = contenders[name] as Contender;
    const [before, own] = [processorMs(pid), process.cpuUsage()];
    const { requests, seconds } = await load(port, request(), CONNECTIONS, { ms: ROUND_MS });
    const [after, used] = [processorMs(pid), process.cpuUsage(own)];
    throughput[name]?.push(requests / seconds);
    if (before !== null && after !== null) processor[name]?.push(((after - before) * 1000) / requests);
    generator.push((used.user + used.system) / 1e6 / seconds);
  }
}
for (const contender of Object.values(contenders)) await contender.stop();

function request(): Buffer {
  return post(PATH, { 'Content-Type': 'application/json; charset=utf-8', 'Stripe-Signature': signature(secret) }, EVENT);
}

const measures = [
  measure('requests a second', 0, throughput, [
    { of: 'ours', to: 'stripe-node', goal: { atLeast: 1.25 } },
    { of: 'ours', to: 'the limit', goal: { atLeast: 0.8 } },
  ]),
];
if (processor.ours?.length) {
  measures.push(
    measure('processor time a request, µs', 1, processor, [
      { of: 'ours', to: 'stripe-node' },
      { of: 'ours', to: 'the limit' },
    ]),
  );
}
write(
  {
    name: 'stripe-webhook',
    title: 'Stripe events: verified and answered',
    about: [
      `An event of ${EVENT.length} characters that changes no plan, over ${CONNECTIONS} connections, ${ROUNDS} rounds of ${ROUND_MS / 1000} s each in turn. Ours also writes a log line for every ` +
        `request; the peer, written as stripe-node's documentation says, does not. The limit reads the body and answers a constant. The client ` +
        `used ${Math.round(quantile(generator, 0.5) * 100)} % of a core.`,
    ],
    measures,
  },
  folder,
);
