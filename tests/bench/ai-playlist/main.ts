// How long a listener waits: ours, a peer that waits for the model and then searches, and the limit.
//
// All are told the same by the same model, which writes 26 songs, and search the same catalogue, which has 20 of them.

import path from 'node:path';
import { bundle } from '../bundle.ts';
import type { Contender, Worker } from '../contender.ts';
import { ourWorker, peerWorker, start, workerd } from '../contender.ts';
import { folder } from '../environment.ts';
import { payForAll, signUp } from '../listeners.ts';
import { processorMs } from '../process.ts';
import type { Samples } from '../report.ts';
import { measure, write } from '../report.ts';
import { control, ours, ready } from '../stack.ts';
import type { Pace } from './scene.ts';
import { AT_ONCE, prepare, REAL_LIFE, SUGGESTIONS, TARGET } from './scene.ts';

const ROUNDS = 7;
/** The runtime compiles what is hot a second time. */
const WARM_UP = 60;
/** As many as those have who pay. */
const PLAYLISTS_EACH = 50;

type Timing = { firstTrackMs: number; doneMs: number; count: number };
type Contestant = Contender & { name: string; generations: number };

const built = ours('ai-playlist');
const work = path.join(folder, 'contenders');

async function contestant(name: string, file: string, worker: Worker): Promise<Contestant> {
  return { name, generations: 0, ...(await start(file, workerd(file, worker, work), work)) };
}

async function peer(name: string, file: string): Promise<Contestant> {
  const variables = { ...built.variables, SUPABASE_SECRET_KEY: ready.secret_key };
  return contestant(name, file, peerWorker(await bundle(file, 'workerd', work), built, variables));
}

/** From the request to the first track and to the end; an answer in one piece is both. */
async function generate({ port }: Contender, token: string): Promise<Timing> {
  const begun = performance.now();
  const response = await fetch(`http://127.0.0.1:${port}/functions/v1/ai-playlist`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', Accept: 'text/event-stream' },
    body: JSON.stringify({ prompt: 'a cozy rainy evening, mellow acoustic', target_count: TARGET }),
  });
  if (response.status !== 200 || response.body === null) throw new Error(`${response.status} ${await response.text()}`);
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  let [text, firstTrackMs] = ['', Number.NaN];
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (Number.isNaN(firstTrackMs) && (!isStream || text.includes('event: track\n'))) firstTrackMs = performance.now() - begun;
  }
  const doneMs = performance.now() - begun;
  const json = isStream ? /event: done\ndata: (.*)\n/.exec(text)?.[1] : text;
  if (json === undefined) throw new Error(text.slice(-500));
  return { firstTrackMs, doneMs, count: (JSON.parse(json) as { count: number }).count };
}

const contestants = [
  await contestant('ours', 'ours', ourWorker(built)),
  await peer('waits, then searches', 'ai-playlist'),
  await peer('the limit', 'one-search'),
];
const names = contestants.map(({ name }) => name);
const listeners = contestants.map(async () => Promise.all(Array.from({ length: Math.ceil((WARM_UP + ROUNDS) / PLAYLISTS_EACH) }, signUp)));
const tokens = await Promise.all(listeners);
await payForAll();

/** A contestant's next playlist, for a listener who has some left. */
async function next(contestant: Contestant, pace: Pace): Promise<Timing> {
  const token = tokens[contestants.indexOf(contestant)]?.[Math.floor(contestant.generations / PLAYLISTS_EACH)] as string;
  contestant.generations += 1;
  await prepare(pace);
  return generate(contestant, token);
}

/** Without a listener there is no playlist, and what is delivered is what the catalogue has. */
async function check(contestant: Contestant): Promise<void> {
  const { count } = await next(contestant, AT_ONCE);
  // The peer takes what a search names first, and does not search twice.
  const expected = contestant.name === 'ours' ? TARGET : contestant.name === 'the limit' ? 1 : TARGET - 3;
  if (count < expected || count > TARGET) throw new Error(`${contestant.name} delivers ${count} tracks`);
  const forged = await generate(contestant, 'nobody').catch((error: Error) => error.message.slice(0, 3));
  if (contestant.name !== 'the limit' && forged !== '401') throw new Error(`${contestant.name} takes a forged token`);
}

const samples = (): Samples => Object.fromEntries(names.map((name) => [name, []]));
const [firstTrack, done, processor, found] = [samples(), samples(), samples(), samples()];
for (const contestant of contestants) {
  await check(contestant);
  for (let n = 1; n < WARM_UP; n += 1) await next(contestant, AT_ONCE);
}
for (let round = 0; round < ROUNDS; round += 1) {
  const turn = round % contestants.length;
  for (const contestant of [...contestants.slice(turn), ...contestants.slice(0, turn)]) {
    const before = processorMs(contestant.pid);
    const timing = await next(contestant, REAL_LIFE);
    const after = processorMs(contestant.pid);
    firstTrack[contestant.name]?.push(timing.firstTrackMs);
    done[contestant.name]?.push(timing.doneMs);
    found[contestant.name]?.push(timing.count);
    if (before !== null && after !== null) processor[contestant.name]?.push(after - before);
  }
}
for (const contestant of contestants) await contestant.stop();
for (const simulator of ['llm', 'spotify'] as const) await control(simulator, 'POST reset', {});

const [our, waiting, limit] = names as [string, string, string];
const measures = [
  measure('first track, ms', 0, { [our]: firstTrack[our] ?? [], [waiting]: firstTrack[waiting] ?? [] }, [{ of: our, to: waiting, goal: { atMost: 0.35 } }]),
  measure('done, ms', 0, done, [
    { of: our, to: waiting },
    { of: our, to: limit, goal: { atMost: 1.1 } },
  ]),
];
if (processor[our]?.length) measures.push(measure('processor time, ms (goal: 10)', 1, processor, [{ of: our, to: waiting }]));
measures.push(measure('tracks found', 0, { [our]: found[our] ?? [], [waiting]: found[waiting] ?? [] }));
const { first_token_ms, answer_ms, search_ms, jitter_ms } = REAL_LIFE;
write(
  {
    name: 'ai-playlist',
    title: 'A playlist of 20 tracks: how long a listener waits',
    about: [
      `The model is silent for ${first_token_ms} ms and then writes ${SUGGESTIONS} songs in ${answer_ms / 1000} s; ${SUGGESTIONS - TARGET} of them do not exist. A search takes ${search_ms} to ` +
        `${search_ms + jitter_ms} ms, and two of each generation's fail once. ${ROUNDS} rounds in turn. The peer checks the user, reserves and settles as ` +
        'ours does, waits for the whole answer and searches with six connections; what fails is not tried again. The limit is the last token and one search.',
    ],
    measures,
  },
  folder,
);
