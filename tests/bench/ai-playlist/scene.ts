// What the model says and how fast everybody is.

import { control } from '../stack.ts';

/** What is asked for, and how many the catalogue has of what the model says. */
export const TARGET = 20;

/** The catalogue has them. */
const REAL: [artist: string, title: string, year: number][] = [
  ['Queen', 'Bohemian Rhapsody', 1975],
  ['The Beatles', 'Here Comes the Sun', 1969],
  ['The Rolling Stones', 'Paint It, Black', 1966],
  ['Led Zeppelin', 'Stairway to Heaven', 1971],
  ['Pink Floyd', 'Wish You Were Here', 1975],
  ['AC/DC', 'Back in Black', 1980],
  ["Guns N' Roses", "Sweet Child O' Mine", 1987],
  ['Nirvana', 'Come as You Are', 1991],
  ['Pearl Jam', 'Alive', 1991],
  ['Soundgarden', 'Black Hole Sun', 1994],
  ['Alice in Chains', 'Man in the Box', 1990],
  ['Radiohead', 'Creep', 1993],
  ['R.E.M.', 'Losing My Religion', 1991],
  ['U2', 'With or Without You', 1987],
  ['Depeche Mode', 'Enjoy the Silence', 1990],
  ['Joy Division', 'Love Will Tear Us Apart', 1980],
  ['New Order', 'Blue Monday', 1983],
  ['Talking Heads', 'Psycho Killer', 1977],
  ['The Police', 'Every Breath You Take', 1983],
  ['Fleetwood Mac', 'Dreams', 1977],
];
/** Nobody has ever recorded these. */
const INVENTED: [artist: string, title: string, year: number][] = [
  ['Glass Orchard', 'Broken Satellites', 1994],
  ['The Paper Lanterns', 'Harbour of Static', 1998],
  ['Velvet Junction', 'Nine Grey Doves', 1989],
  ['Silver Mill', 'A Clock for Anna', 1978],
  ['Northern Alphabet', 'Copper Rain Again', 2001],
  ['Halina Morgen', 'Ulica bez lamp', 1986],
];
/** After every third song; so the last one is real, and nobody is done before the model is. */
const songs = REAL.flatMap((song, index) => (index % 3 === 2 && INVENTED[(index - 2) / 3] ? [song, INVENTED[(index - 2) / 3] as typeof song] : [song]));
export const SUGGESTIONS = songs.length;

const REPLY = JSON.stringify({
  kind: 'playlist',
  language: 'en',
  name: 'Rainy evening',
  description: 'For the window seat.',
  summary: 'Songs that take their time.',
  tracks: songs.map(([artist, title, year]) => ({ artist, title, year })),
});

export type Pace = { first_token_ms: number; answer_ms: number; search_ms: number; jitter_ms: number };

export const REAL_LIFE: Pace = { first_token_ms: 400, answer_ms: 3000, search_ms: 130, jitter_ms: 40 };
/** For warming up. */
export const AT_ONCE: Pace = { first_token_ms: 0, answer_ms: 0, search_ms: 0, jitter_ms: 0 };

const FRAMES = 120;

/** Of every generation's searches two fail once, besides those that find nothing. */
export async function prepare({ first_token_ms, answer_ms, search_ms, jitter_ms }: Pace): Promise<void> {
  const chunk_chars = Math.ceil(REPLY.length / FRAMES);
  await control('llm', 'PUT script', { text: REPLY, first_token_ms, chunk_chars, chunk_ms: answer_ms / FRAMES });
  await control('spotify', 'PUT latency', { search_ms, jitter_ms, token_ms: search_ms });
  const fault = { path_prefix: '/v1/search', times: 1, status: 503, body: {} };
  await control('spotify', 'PUT faults', answer_ms === 0 ? [] : [{ ...fault, after: 4 }, { ...fault, after: 12 }]);
}
