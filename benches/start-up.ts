// The cost of a cold start: the size of the modules, the time from the start of a runtime to its first response, and the
// growth of memory.

import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { Candidate, Runtime } from './candidate.ts';
import { load, ours, peer, start, stripeEvent } from './candidate.ts';
import { inTurn, report, residentMb } from './harness.ts';
import type { Ratio, Samples, Values } from './harness.ts';

const ROUNDS = 9;
/** The numbers of requests after which the memory is measured. */
const REQUESTS = [2_000, 10_000, 40_000];

const samples: Samples = {};

/** The time from the start of the process to the first response: an accepted event, or a refusal without a sign-in. */
async function coldStart(what: string, candidate: Candidate): Promise<Values> {
  const started = performance.now();
  const running = await start(candidate);
  const response = await fetch(`http://127.0.0.1:${running.port}/functions/v1/${candidate.like}`, { method: 'POST', ...stripeEvent() });
  const took = performance.now() - started;
  const text = await response.text();
  await running.stop();
  if (![200, 401].includes(response.status)) throw new Error(`${what}, ${candidate.name}: ${response.status} ${text}`);
  return { [`${what}: to the first response, ms`]: took };
}

function sizes(what: string, { files }: Candidate): Values {
  const sum = (of: (bytes: Buffer) => Buffer) => files.reduce((total, file) => total + of(readFileSync(file)).length / 1024, 0);
  return { [`${what}: modules, KB`]: sum((bytes) => bytes), [`${what}: modules, KB gzip`]: sum((bytes) => gzipSync(bytes, { level: 9 })) };
}

/** Garbage is collected only once there is much of it, also in a worker that does nothing. */
async function memory(candidate: Candidate): Promise<Values> {
  const running = await start(candidate);
  const values: Values = {};
  let before = 0;
  for (const requests of REQUESTS) {
    await load(running, { amount: requests - before });
    before = requests;
    values[`memory after ${requests.toLocaleString('en')} events on workerd, MB`] = residentMb(running.pid);
  }
  await running.stop();
  return values;
}

for (const runtime of ['workerd', 'deno'] as Runtime[]) {
  for (const name of ['stripe-webhook', 'ai-playlist']) {
    const what = `${name} on ${runtime}`;
    const candidates: Record<string, Candidate> = {
      ours: ours(name, runtime),
      'the peer': await peer(name, name, runtime),
      'a constant': await peer('constant', name, runtime),
    };
    const each = (measure: (candidate: Candidate) => Promise<Values>) =>
      Object.fromEntries(Object.entries(candidates).map(([name, candidate]) => [name, () => measure(candidate)]));
    await inTurn(1, each(async (candidate) => sizes(what, candidate)), samples);
    await inTurn(ROUNDS, each((candidate) => coldStart(what, candidate)), samples);
    if (what === 'stripe-webhook on workerd') await inTurn(1, each(memory), samples);
  }
}
report(
  'start-up',
  `From the start of a fresh runtime, without anything that it has kept of earlier runs, to its first response: to an event, and to a client that is ` +
    `not signed in. ${ROUNDS} rounds in turn. The peers are bundled and minified; ours on Deno is the deployable artefact, its wasm in base64.`,
  samples,
  Object.keys(samples).map((what): Ratio => ({ what, of: 'ours', to: 'the peer' })),
);
