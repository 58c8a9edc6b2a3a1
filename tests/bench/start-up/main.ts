// What a cold start takes: how large the modules are, how long it is from the start of a runtime to its first answer, and
// whether the memory stays where it is.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { bundle } from '../bundle.ts';
import { deno, ourWorker, peerWorker, start, workerd } from '../contender.ts';
import type { Start } from '../contender.ts';
import { folder } from '../environment.ts';
import { load, post } from '../load.ts';
import { residentMb } from '../process.ts';
import type { Measure, Samples } from '../report.ts';
import { measure, write } from '../report.ts';
import { ours, ready } from '../stack.ts';
import { EVENT, signature } from '../stripe-webhook/event.ts';

const ROUNDS = 9;
/** How many there have been when the memory is looked at. */
const REQUESTS = [2_000, 10_000, 40_000];
const CONNECTIONS = 16;
const KB = 1024;

const work = path.join(folder, 'contenders');

/** A function, the peer of the same name, and the smallest worker that there is, in one runtime. */
type Subject = { what: string; file: string; contenders: Record<string, (port: number) => Start>; sizes: Record<string, string[]> };

async function onWorkerd(name: string): Promise<Subject> {
  const built = ours(name);
  const worker = ourWorker(built);
  const variables = { ...built.variables, SUPABASE_SECRET_KEY: ready.secret_key };
  const [peer, constant] = [await bundle(name, 'workerd', work), await bundle('constant', 'workerd', work)];
  return {
    what: `${name} on workerd`,
    file: name,
    contenders: {
      ours: workerd('ours', worker, work),
      'the peer': workerd('peer', peerWorker(peer, built, variables), work),
      'a constant': workerd('constant', peerWorker(constant, built, {}), work),
    },
    sizes: { ours: worker.modules.map(({ file }) => file), 'the peer': [peer] },
  };
}

async function onDeno(name: string): Promise<Subject> {
  const entry = ours(name).deno;
  const variables = { ...ours(name).variables, SUPABASE_SECRET_KEY: ready.secret_key };
  const [peer, constant] = [await bundle(name, 'deno', work), await bundle('constant', 'deno', work)];
  const build = path.join(path.dirname(entry), 'build');
  const modules = readdirSync(build).filter((file) => file.endsWith('.js'));
  return {
    what: `${name} on Deno`,
    file: name,
    contenders: { ours: deno(entry, variables), 'the peer': deno(peer, variables), 'a constant': deno(constant, {}) },
    sizes: { ours: [entry, ...modules.map((file) => path.join(build, file))], 'the peer': [peer] },
  };
}

/** What anybody can ask for: an event is taken, and who is not signed in gets no playlist. */
function request(name: string): { init: RequestInit; statuses: number[] } {
  const headers = { 'Content-Type': 'application/json', 'Stripe-Signature': signature(ready.stripe_webhook_secret) };
  const init = { method: 'POST', headers, body: name === 'stripe-webhook' ? EVENT : '{}' };
  return { init, statuses: name === 'stripe-webhook' ? [200] : [401, 200] };
}

/** From the start of the process to the first answer. */
async function coldStart(file: string, at: (port: number) => Start): Promise<number> {
  const { init, statuses } = request(file);
  const begun = performance.now();
  const contender = await start(file, at, work);
  const response = await fetch(`http://127.0.0.1:${contender.port}/functions/v1/${file}`, init);
  const took = performance.now() - begun;
  await response.arrayBuffer();
  await contender.stop();
  if (!statuses.includes(response.status)) throw new Error(`${file} answers ${response.status}`);
  return took;
}

function sizes({ what, sizes }: Subject): Measure[] {
  const sum = (files: string[], of: (bytes: Buffer) => number) => files.reduce((total, file) => total + of(readFileSync(file)), 0) / KB;
  const all = (of: (bytes: Buffer) => number): Samples => Object.fromEntries(Object.entries(sizes).map(([name, files]) => [name, [sum(files, of)]]));
  const wanted = [{ of: 'ours', to: 'the peer' }];
  return [
    measure(`${what}: modules, KB`, 0, all((bytes) => bytes.length), wanted),
    measure(`${what}: modules, KB gzip`, 0, all((bytes) => gzipSync(bytes, { level: 9 }).length), wanted),
  ];
}

async function coldStarts({ what, file, contenders }: Subject): Promise<Measure> {
  const names = Object.keys(contenders);
  const samples: Samples = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    const turn = round % names.length;
    for (const name of [...names.slice(turn), ...names.slice(0, turn)]) {
      samples[name]?.push(await coldStart(file, contenders[name] as (port: number) => Start));
    }
  }
  return measure(`${what}: to the first answer, ms`, 0, samples, [{ of: 'ours', to: 'the peer' }]);
}

/** The memory behind more and more requests. Rubbish lies until there is much of it, in a worker that does nothing as well. */
async function memory({ what, file, contenders }: Subject): Promise<Measure[]> {
  const samples: Samples[] = REQUESTS.map(() => ({}));
  for (const [name, at] of Object.entries(contenders)) {
    const contender = await start(file, at, work);
    const event = post(`/functions/v1/${file}`, { 'Stripe-Signature': signature(ready.stripe_webhook_secret) }, EVENT);
    let answered = 0;
    for (const [index, requests] of REQUESTS.entries()) {
      await load(contender.port, event, CONNECTIONS, { requests: requests - answered });
      answered = requests;
      const mb = residentMb(contender.pid);
      if (mb !== null) Object.assign(samples[index] as Samples, { [name]: [mb] });
    }
    await contender.stop();
  }
  const wanted = [
    { of: 'ours', to: 'the peer' },
    { of: 'ours', to: 'a constant' },
  ];
  const isTold = samples.every(({ ours }) => ours !== undefined);
  return isTold ? samples.map((of, index) => measure(`${what}: memory after ${REQUESTS[index]?.toLocaleString('en')} requests, MB`, 0, of, wanted)) : [];
}

const subjects = [await onWorkerd('stripe-webhook'), await onWorkerd('ai-playlist'), await onDeno('stripe-webhook'), await onDeno('ai-playlist')];
const measures: Measure[] = [];
for (const subject of subjects) measures.push(...sizes(subject), await coldStarts(subject));
measures.push(...(await memory(subjects[0] as Subject)));
write(
  {
    name: 'start-up',
    title: 'Cold starts and memory',
    about: [
      `From the start of a fresh runtime, without anything that it has kept of earlier runs, to its first answer: to an event, and to somebody who is ` +
        `not signed in. ${ROUNDS} rounds in turn. The peers are bundled and minified; ours on Deno is the deployable artefact, its wasm in base64.`,
    ],
    measures,
  },
  folder,
);
