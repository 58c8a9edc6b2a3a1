import { songs } from '../catalogue/catalogue.ts';
import { fold } from '../catalogue/text.ts';
import type { Song } from '../catalogue/types.ts';
import type { Json } from '../common/check.ts';
import { isObject } from '../common/check.ts';
import { hash32, pick, seededRandom } from '../common/random.ts';
import { mentions, requestedCount, userPrompt } from './conversation.ts';
import type { Hints } from './hints.ts';
import { readHints, suits } from './hints.ts';
import type { ChatRequest } from './request.ts';

const MADE_UP_ONE_IN = 8;
const MAX_PER_ARTIST = 2;

interface Suggestion {
  artist: string;
  title: string;
  year: number | null;
}

const FIRST_WORDS = ['Paper', 'Velvet', 'Hollow', 'Amber', 'Midnight', 'Silver', 'Distant', 'Electric', 'Broken', 'Golden', 'Quiet', 'Crimson'];
const SECOND_WORDS = ['Lanterns', 'Harbour', 'Satellites', 'Meridian', 'Carousel', 'Horizons', 'Avenue', 'Embers', 'Orchard', 'Signals', 'Staircase', 'Tides'];
const FIRST_WORDS_PL = ['Papierowe', 'Ostatnie', 'Srebrne', 'Ciche', 'Zapomniane', 'Dalekie', 'Szklane', 'Zielone'];
const SECOND_WORDS_PL = ['latarnie', 'przystanie', 'podwórka', 'horyzonty', 'tramwaje', 'żaglówki', 'ogrody', 'wspomnienia'];
const MADE_UP_ARTISTS = ['The Velvet Meridian', 'Łąkowe Światła', 'North Harbour Static', 'Ada & the Paper Foxes', 'Cichy Peron', 'Glass Orchard'];

/** The model's answer when nobody has written a script: the same for the same conversation. */
export function improvise(request: ChatRequest): string {
  const prompt = userPrompt(request.messages);
  const hints = readHints(prompt);
  if (request.schema !== undefined && !asksForPlaylist(request.schema)) {
    return JSON.stringify(example(request.schema));
  }
  const random = seededRandom(hash32(request.messages.map((message) => message.text).join('\n')));
  const answer = hints.offTopic ? refusal(hints) : playlist(request, hints, prompt, random);
  if (request.wantsJson) {
    return JSON.stringify(answer);
  }
  // without a format to keep to, models like to wrap their JSON
  return `\`\`\`json\n${JSON.stringify(answer, null, 2)}\n\`\`\``;
}

function asksForPlaylist(schema: Json): boolean {
  return isObject(schema.properties) && 'kind' in schema.properties && 'tracks' in schema.properties;
}

function refusal(hints: Hints): Json {
  return { kind: 'refusal', language: hints.language, name: '', description: '', summary: '', tracks: [] };
}

function playlist(request: ChatRequest, hints: Hints, prompt: string, random: () => number): Json {
  const topic = prompt.trim().replace(/\s+/g, ' ').slice(0, 40);
  const texts =
    hints.language === 'pl'
      ? { name: `Nastrój: ${topic}`, description: 'Utwory dobrane do Twojego opisu.', summary: 'Od znanych przebojów po mniej oczywiste nagrania.' }
      : { name: `Mood: ${topic}`, description: 'Songs chosen to fit your description.', summary: 'From well-known songs to less obvious ones.' };
  return { kind: 'playlist', language: hints.language, ...texts, tracks: suggest(request, hints, random) };
}

function suggest(request: ChatRequest, hints: Hints, random: () => number): Suggestion[] {
  const count = requestedCount(request.messages);
  const tried = mentions(request.messages);
  const madeUpAt = Math.floor(random() * MADE_UP_ONE_IN);
  const perArtist = new Map<string, number>();
  const suggestions: Suggestion[] = [];
  for (const song of inOrderOfTaste(hints, random)) {
    if (suggestions.length >= count) {
      break;
    }
    const artist = song.artists[0] as string;
    const taken = perArtist.get(artist) ?? 0;
    const named = hints.artists.includes(fold(artist));
    if ((taken >= MAX_PER_ARTIST && !named) || tried(artist, song.title)) {
      continue;
    }
    perArtist.set(artist, taken + 1);
    suggestions.push(asAModelSpells(song, random));
    if (suggestions.length < count && suggestions.length % MADE_UP_ONE_IN === madeUpAt) {
      suggestions.push(madeUp(song, hints, tried, random));
    }
  }
  return suggestions;
}

/** The better a song suits the earlier it comes, with enough chance that two wordings give two lists. */
function inOrderOfTaste(hints: Hints, random: () => number): Song[] {
  return songs()
    .map((song) => ({ song, taste: suits(song, hints) + song.rank / 100 + 1.5 * random(), fits: suits(song, hints) > 0.5 }))
    .sort((a, b) => Number(b.fits) - Number(a.fits) || b.taste - a.taste)
    .map(({ song }) => song);
}

/** Models know years roughly and are careless about diacritics. */
function asAModelSpells(song: Song, random: () => number): Suggestion {
  const careless = random() < 0.1 && /^[\p{Script=Latin}\P{L}]+$/u.test(song.title);
  const spell = (text: string): string => (careless ? text.replace(/[łŁ]/g, (letter) => (letter === 'ł' ? 'l' : 'L')).normalize('NFKD').replace(/\p{M}/gu, '').normalize('NFC') : text);
  const luck = random();
  const year = luck < 0.08 ? null : luck < 0.2 ? song.year + 1 : song.year;
  return { artist: spell(song.artists[0] as string), title: spell(song.title.replace(/ \((feat\.|with) [^)]+\)/, '')), year };
}

/** A song that does not exist, by an artist who may. */
function madeUp(like: Song, hints: Hints, tried: (artist: string, title: string) => boolean, random: () => number): Suggestion {
  const polish = hints.language === 'pl' || like.tags.includes('pl');
  const [first, second] = polish ? [FIRST_WORDS_PL, SECOND_WORDS_PL] : [FIRST_WORDS, SECOND_WORDS];
  for (;;) {
    const artist = random() < 0.7 ? (like.artists[0] as string) : pick(MADE_UP_ARTISTS, random());
    const title = `${pick(first, random())} ${pick(second, random())}`;
    if (!tried(artist, title)) {
      return { artist, title, year: random() < 0.5 ? like.year : null };
    }
  }
}

/** The smallest value that a schema allows, for callers that ask for something other than a playlist. */
function example(schema: unknown): unknown {
  if (!isObject(schema)) {
    return null;
  }
  if (Array.isArray(schema.enum)) {
    return schema.enum[0];
  }
  if ('const' in schema) {
    return schema.const;
  }
  if (Array.isArray(schema.anyOf)) {
    return example(schema.anyOf[0]);
  }
  switch (Array.isArray(schema.type) ? schema.type[0] : schema.type) {
    case 'object':
      return Object.fromEntries(Object.entries(isObject(schema.properties) ? schema.properties : {}).map(([key, field]) => [key, example(field)]));
    case 'array':
      return [];
    case 'string':
      return '';
    case 'integer':
    case 'number':
      return 0;
    case 'boolean':
      return false;
    default:
      return null;
  }
}
