// Measures how long a user waits for a playlist of this product, of a peer that waits for the model and then searches, and
// of the limit; with --against also of another checkout.
// All use the same model, which suggests 26 songs, and the same catalogue, which has 20 of them.

import type { Running } from './candidate.ts';
import { ours, peer, start } from './candidate.ts';
import { askForPlaylist, builtAgainst, builtFunction, control, inTurn, payingUsers, ready, report, withProcessorTime } from './harness.ts';
import type { Values } from './harness.ts';

const ROUNDS = 7;
/** During the warm-up the runtime compiles hot code a second time. */
const WARM_UP = 60;
const TARGET = 20;
/** Every fourth song does not exist; the last one does, so that no candidate finishes before the model. */
const SONGS = `Queen|Bohemian Rhapsody, The Beatles|Here Comes the Sun, The Rolling Stones|Paint It Black, Glass Orchard|Broken Satellites,
  Led Zeppelin|Stairway to Heaven, Pink Floyd|Wish You Were Here, AC/DC|Back in Black, The Paper Lanterns|Harbour of Static,
  Guns N' Roses|Sweet Child O' Mine, Nirvana|Come as You Are, Pearl Jam|Alive, Velvet Junction|Nine Grey Doves,
  Soundgarden|Black Hole Sun, Alice in Chains|Man in the Box, Radiohead|Creep, Silver Mill|A Clock for Anna,
  R.E.M.|Losing My Religion, U2|With or Without You, Depeche Mode|Enjoy the Silence, Northern Alphabet|Copper Rain Again,
  Joy Division|Love Will Tear Us Apart, New Order|Blue Monday, Talking Heads|Psycho Killer, Halina Morgen|Ulica bez lamp,
  The Police|Every Breath You Take, Fleetwood Mac|Dreams`;
const tracks = SONGS.split(/,\s+/).map((song) => ({ artist: song.split('|')[0], title: song.split('|')[1], year: null }));
const REPLY = JSON.stringify({ kind: 'playlist', language: 'en', name: 'Rainy evening', description: '', summary: '', tracks });
const FRAMES = 120;
const REAL_LIFE = { first_token_ms: 400, completion_ms: 3000, search_ms: 130, jitter_ms: 40 };
const AT_ONCE = { first_token_ms: 0, completion_ms: 0, search_ms: 0, jitter_ms: 0 };

/** In each generation two searches fail once, besides those that find nothing. */
async function prepare({ first_token_ms, completion_ms, search_ms, jitter_ms }: typeof AT_ONCE): Promise<void> {
  await control('llm', 'script', { text: REPLY, first_token_ms, chunk_chars: Math.ceil(REPLY.length / FRAMES), chunk_ms: completion_ms / FRAMES });
  await control('spotify', 'latency', { search_ms, jitter_ms, token_ms: search_ms });
  const fault = { path_prefix: '/v1/search', times: 1, status: 503, body: {} };
  await control('spotify', 'faults', completion_ms === 0 ? [] : [{ ...fault, after: 4 }, { ...fault, after: 12 }]);
}

/** The times from the request to the first track and to the end, which are equal for a document. */
async function generate({ port }: Running, token: string): Promise<Values> {
  const started = performance.now();
  const response = await askForPlaylist(`http://127.0.0.1:${port}/functions/v1`, token, TARGET, 'text/event-stream');
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  let [text, first] = ['', Number.NaN];
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (Number.isNaN(first) && (!isStream || text.includes('event: track\n'))) first = performance.now() - started;
  }
  const done = performance.now() - started;
  const { count } = JSON.parse(isStream ? (/event: done\ndata: (.*)\n/.exec(text)?.[1] ?? '') : text) as { count: number };
  return { 'first track, ms': first, 'done, ms': done, 'tracks found': count };
}

/** The minimum of tracks that each finds: the peer takes the first result and does not search twice. */
const candidates: [string, Running, number, typeof ready][] = [
  ['ours', await start(ours('ai-playlist', 'workerd')), TARGET, ready],
  ['waits, then searches', await start(await peer('ai-playlist', 'ai-playlist', 'workerd')), TARGET - 3, ready],
];
const against = builtAgainst('ai-playlist');
if (against !== undefined) {
  // Another checkout has its own database; the model and the catalogue are the same for all.
  const shared = Object.fromEntries(Object.entries(builtFunction('ai-playlist').variables).filter(([name]) => /^(LLM|SPOTIFY)_/.test(name)));
  const built = { ...against.built, variables: { ...against.built.variables, ...shared } };
  candidates.push(['before', await start(ours('ai-playlist', 'workerd', 'before', built)), TARGET, against.ready]);
}
const rounds: Record<string, () => Promise<Values>> = {};
for (const [name, running, fewest, signUpAt] of candidates) {
  const nextToken = await payingUsers(WARM_UP + ROUNDS, signUpAt);
  const next = () => generate(running, nextToken());
  await prepare(AT_ONCE);
  const forged = await generate(running, 'forged').catch((error: Error) => error.message.slice(0, 3));
  if (forged !== '401') throw new Error(`${name} accepts a forged token`);
  for (let n = 0; n < WARM_UP; n += 1) {
    const found = (await next())['tracks found'] as number;
    if (found < fewest || found > TARGET) throw new Error(`${name} delivers ${found} tracks`);
  }
  rounds[name] = async () => {
    await prepare(REAL_LIFE);
    return withProcessorTime(running.pid, next);
  };
}
const { first_token_ms, completion_ms, search_ms, jitter_ms } = REAL_LIFE;
rounds['the limit'] = async () => ({ 'done, ms': first_token_ms + completion_ms + search_ms + jitter_ms / 2 });
const samples = await inTurn(ROUNDS, rounds);
for (const [, running] of candidates) await running.stop();
for (const simulator of ['llm', 'spotify'] as const) await control(simulator, 'reset', {}, 'POST');
const peers = { of: 'ours', to: 'waits, then searches' };
const before = { of: 'ours', to: 'before' };
report(
  'ai-playlist',
  `The model is silent for ${REAL_LIFE.first_token_ms} ms and then writes ${tracks.length} songs in ${REAL_LIFE.completion_ms / 1000} s; ${tracks.length - TARGET} of them do not exist. ` +
    `A search takes ${REAL_LIFE.search_ms} to ${REAL_LIFE.search_ms + REAL_LIFE.jitter_ms} ms, and two of each generation's fail once. ${ROUNDS} rounds in turn. The peer checks ` +
    'the user, reserves and settles as ours does, waits for the whole completion and searches with six connections; what fails is not tried again. ' +
    'The limit is the last token and one search.',
  samples,
  [
    { what: 'first track, ms', ...peers, atMost: 0.35 },
    { what: 'done, ms', ...peers },
    { what: 'done, ms', of: 'ours', to: 'the limit', atMost: 1.1 },
    { what: 'processor time, ms', ...peers, atMost: 1.5 },
    ...['first track, ms', 'done, ms', 'processor time, ms'].map((what) => ({ what, ...before })),
  ],
);
