import { SONGS } from '../catalogue/catalogue.ts';
import { fold, rowsOf } from '../catalogue/text.ts';
import type { Song } from '../catalogue/track.ts';
import type { Json } from '../common/check.ts';
import { isObject } from '../common/check.ts';
import { hash32, pick, seededRandom } from '../common/random.ts';
import type { ChatRequest, Message } from './request.ts';

interface Intent {
  prompt: string;
  count: number;
  language: 'en' | 'pl';
  isAboutMusic: boolean;
  tags: string[];
  years: { from: number; to: number } | undefined;
  artists: string[];
  names(artist: string, title: string): boolean;
}

const DEFAULT_COUNT = 26;
const MAX_COUNT = 120;
/** "26 songs", "9 more songs" and "exactly 26", but not "2 songs per artist". */
const COUNT = /(\d{1,3})\s+(?:\p{L}+\s+)?(?:songs?|tracks?|utwor\p{L}*|piosen\p{L}*)\b(?!\s+(?:per|by|na)\b)|\b(?:suggest|propose|exactly)\s+(\d{1,3})\b/iu;
/** Keys of the prompt's data that do not describe songs. */
const IGNORED = /already|tried|previous|exclude|angle|discovery/;
const MAX_ARTISTS = 5;
/** The folded prefixes of words that suggest each tag, in addition to its name. */
const TAG_WORDS: Record<string, string> = Object.fromEntries(rowsOf<[tag: string, words: string]>('../llm/tag-words.jsonl'));
const TAGS = [...new Set(SONGS.flatMap((song) => song.tags))];
const ARTISTS = [...new Set(SONGS.flatMap((song) => song.artists.map(fold)))];
const DECADES = ['piecdz fift', 'szescdz sixt', 'siedemdz sevent', 'osiemdz eight', 'dziewiecdz ninet'];

const MUSIC = /\b(music|songs?|playlists?|tracks?|album|listen|dj|muzyk\w*|piosen\w*|utwor\w*|przeboj\w*|slucha\w*)\b/;
const OFF_TOPIC = [
  /\b(write|debug|fix|give me|create|make)\b.{0,30}\b(code|script|program|function|sql|python|essay|homework|email|poem|letter)\b/,
  /\b(what is|whats|how is|tell me) the weather\b|\brecipe (for|of)\b|\bantibiotics?\b|\bcapital of\b|\btranslate\b/,
  /\b(ignore|disregard|forget)\b.{0,30}\b(instructions?|rules|prompt)\b/,
  /\b(napisz|popraw|zrob|odrob)\b.{0,30}\b(kod|skrypt|program|funkcj\w+|wypracowan\w+|zadani\w+|wiersz|mail\w*)\b/,
  /\bjaka (jest|bedzie) pogoda\b|\bprzepis\w* na\b|\b(zignoruj|zapomnij)\b.{0,30}\b(instrukcj\w+|polece\w+)\b/,
];
const POLISH = /\b(i|w|z|na|do|dla|o|od|po|przy|oraz|jak|lub|sie|nie|mi|cos|chce|prosze|muzyk\w|piosen\w+|utwor\w+|polski\w*)\b/g;
const ENGLISH = /\b(a|an|the|and|of|for|to|with|on|my|me|some|songs?|music|like|that|about|give|make|something)\b/g;

function readIntent(messages: readonly Message[]): Intent {
  const prompts = messages.filter((message) => message.role === 'user').map((message) => splitData(message.text));
  const rules = messages.filter((message) => message.role !== 'user' && message.role !== 'assistant').map((message) => message.text);
  const [first = { around: '' }] = prompts;
  const prompt = first.data === undefined ? first.around : textsOf(first.data).join('\n');
  const folded = fold(prompt);
  const matches = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;
  const counted = [...prompts.toReversed().map(({ around }) => around), ...rules, prompt].map((text) => COUNT.exec(text)).find((found) => found !== null);
  const conversation = ` ${messages.map((message) => fold(message.text)).join(' ')} `;
  const mentioned = ARTISTS.filter((name) => name.length > 3 && ` ${folded} `.includes(` ${name} `));
  return {
    prompt,
    count: Math.min(MAX_COUNT, Number(counted?.[1] ?? counted?.[2] ?? DEFAULT_COUNT)),
    language: matches(folded, POLISH) + matches(prompt, /[ąćęłńśźż]/gi) > 2 * matches(folded, ENGLISH) ? 'pl' : 'en',
    isAboutMusic: !OFF_TOPIC.some((pattern) => pattern.test(folded)) || MUSIC.test(folded),
    tags: TAGS.filter((tag) => suggests(folded.split(' '), tag)),
    years: yearsOf(folded),
    artists: mentioned.length > MAX_ARTISTS ? [] : mentioned,
    names: (artist, title) => [artist, title].every((name) => conversation.includes(` ${fold(name)} `)),
  };
}

/** Separates a JSON object from the text around it; braces may also stand in plain text. */
function splitData(text: string): { around: string; data?: Json } {
  const [start, end] = [text.indexOf('{'), text.lastIndexOf('}') + 1];
  try {
    const data: unknown = JSON.parse(text.slice(start, end));
    return isObject(data) ? { around: text.slice(0, start) + text.slice(end), data } : { around: text };
  } catch {
    return { around: text };
  }
}

function textsOf(data: Json): string[] {
  return Object.entries(data).flatMap(([key, value]): string[] => {
    if (IGNORED.test(key)) return [];
    if (isObject(value) && ('from' in value || 'to' in value)) return [`${String(value.from ?? 1950)} ${String(value.to ?? 2029)}`];
    return [value].flat().flatMap((item) => (typeof item === 'string' ? [item] : isObject(item) ? textsOf(item) : []));
  });
}

function suggests(words: string[], tag: string): boolean {
  const starts = TAG_WORDS[tag]?.split(' ') ?? [];
  return words.some((word) => word === tag || starts.some((start) => (start.length > 3 ? word.startsWith(start) : word === start)));
}

/** "1990 1999", "from 1975", "80s", "1980s", "lata 80", "osiemdziesiate". Several of them widen the span. */
function yearsOf(folded: string): Intent['years'] {
  const spans = [...folded.matchAll(/\b((?:19|20)?\d0)s\b|\blat(?:a|ach)? (\d0)\b|\b((?:19[3-9]|20[0-2])\d)\b/g)].flatMap(([, english, polish, year]) => {
    const short = Number(english ?? polish);
    const from = short + (short >= 1900 ? 0 : short >= 50 ? 1900 : 2000);
    return year === undefined ? [from, from + 9] : [Number(year)];
  });
  DECADES.forEach((starts, index) => {
    if (new RegExp(`\\b(${starts.replace(' ', '|')})\\w*(ies|iat\\w*)\\b`).test(folded)) spans.push(1950 + 10 * index, 1959 + 10 * index);
  });
  return spans.length === 0 ? undefined : { from: Math.min(...spans), to: Math.max(...spans) };
}

function suits(song: Song, { artists, language, tags, years }: Intent): number {
  const wantsPolish = tags.includes('pl');
  const isPolish = song.tags.includes('pl');
  if ((years !== undefined && (song.year < years.from || song.year > years.to)) || (wantsPolish && !isPolish)) return 0;
  const named = song.artists.some((artist) => artists.includes(fold(artist)));
  const shared = tags.filter((tag) => tag !== 'pl' && song.tags.includes(tag)).length;
  const home = language === 'pl' && isPolish ? 0.5 : 0;
  return (named ? 4 : 0) + 2 * shared + home + (tags.length === 0 || wantsPolish || years !== undefined ? 1 : 0);
}

const MADE_UP_ONE_IN = 8;
const MAX_PER_ARTIST = 2;
const TITLES = ['Paper Lanterns', 'Velvet Harbour', 'Hollow Satellites', 'Amber Meridian', 'Quiet Carousel', 'Crimson Staircase', 'Distant Orchard', 'Golden Tides'];
const TITLES_PL = ['Papierowe latarnie', 'Ostatnie przystanie', 'Srebrne podwórka', 'Ciche tramwaje', 'Dalekie ogrody', 'Szklane żaglówki', 'Zielone wspomnienia'];
const TEXTS = {
  pl: { mood: 'Nastrój', why: 'Spokojny głos i prosta melodia', description: 'Utwory dobrane do Twojego opisu.', summary: 'Od znanych przebojów po mniej oczywiste nagrania.' },
  en: { mood: 'Mood', why: 'A calm voice over a simple tune', description: 'Songs chosen to fit your description.', summary: 'From well-known songs to less obvious ones.' },
};

interface Suggestion { artist: string; title: string; year: number | null; why?: string }

/** Returns the model's response without a script, deterministic for each conversation. */
export function unscripted(request: ChatRequest): string {
  const intent = readIntent(request.messages);
  const { language, isAboutMusic } = intent;
  const random = seededRandom(hash32(request.messages.map((message) => message.text).join('\n')));
  const { mood, why, ...texts } = TEXTS[language];
  const name = `${mood}: ${intent.prompt.trim().replace(/\s+/g, ' ').slice(0, 40)}`;
  const playlist = isAboutMusic
    ? { kind: 'playlist', language, name, ...texts, tracks: suggest(intent, random).map((song) => ({ ...song, why })) }
    : { kind: 'refusal', language, name: '', description: '', summary: '', tracks: [] };
  // Without a response format, models often wrap their JSON.
  return request.wantsJson ? JSON.stringify(playlist) : `\`\`\`json\n${JSON.stringify(playlist, null, 2)}\n\`\`\``;
}

function suggest(intent: Intent, random: () => number): Suggestion[] {
  const madeUpAt = Math.floor(random() * MADE_UP_ONE_IN);
  const perArtist = new Map<string, number>();
  const suggestions: Suggestion[] = [];
  for (const song of inOrderOfTaste(intent, random)) {
    const artist = song.artists[0] ?? '';
    const taken = perArtist.get(artist) ?? 0;
    if (suggestions.length >= intent.count) break;
    if ((taken >= MAX_PER_ARTIST && !intent.artists.includes(fold(artist))) || intent.names(artist, song.title)) continue;
    perArtist.set(artist, taken + 1);
    suggestions.push(asAModelSpells(song, random));
    if (suggestions.length < intent.count && suggestions.length % MADE_UP_ONE_IN === madeUpAt) {
      const title = pick(intent.language === 'pl' || song.tags.includes('pl') ? TITLES_PL : TITLES, random());
      suggestions.push({ artist, title: `${title} ${1 + Math.floor(99 * random())}`, year: song.year });
    }
  }
  return suggestions;
}

/** Better matches come first, with enough randomness that two wordings give different lists. */
function inOrderOfTaste(intent: Intent, random: () => number): Song[] {
  const tasted = SONGS.map((song) => ({ song, fits: suits(song, intent), taste: suits(song, intent) + song.rank / 100 + 1.5 * random() }));
  return tasted.sort((a, b) => Number(b.fits > 0.5) - Number(a.fits > 0.5) || b.taste - a.taste).map(({ song }) => song);
}

function asAModelSpells(song: Song, random: () => number): Suggestion {
  const isCareless = random() < 0.1 && /^[\p{Script=Latin}\P{L}]+$/u.test(song.title);
  const spell = (text: string): string => (isCareless ? text.replaceAll('ł', 'l').replaceAll('Ł', 'L').normalize('NFKD').replace(/\p{M}/gu, '') : text);
  const year = pick([null, song.year + 1, ...Array<number>(8).fill(song.year)], random());
  return { artist: spell(song.artists[0] ?? ''), title: spell(song.title.replace(/ \((feat\.|with) [^)]+\)/, '')), year };
}
