import { songs } from '../catalogue/catalogue.ts';
import { fold } from '../catalogue/text.ts';
import type { Song } from '../catalogue/track.ts';
import type { Json } from '../common/check.ts';
import { isObject } from '../common/check.ts';
import type { Message } from './request.ts';

/** What the simulated model understands of a conversation. */
export interface Wish {
  /** The user's own words. */
  prompt: string;
  count: number;
  language: 'en' | 'pl';
  isAboutMusic: boolean;
  tags: string[];
  years?: { from: number; to: number };
  /** Folded names of artists that the prompt mentions. */
  artists: string[];
  /** Whether the conversation has named a song already. */
  names(artist: string, title: string): boolean;
}

const DEFAULT_COUNT = 26;
const MAX_COUNT = 120;
/** "26 songs", "9 more songs" and "exactly 26", but not "2 songs per artist". */
const COUNT = /(\d{1,3})\s+(?:\p{L}+\s+)?(?:songs?|tracks?|utwor\p{L}*|piosen\p{L}*)\b(?!\s+(?:per|by|na)\b)|\b(?:suggest|propose|exactly)\s+(\d{1,3})\b/iu;
/** Keys of a request's data that are no part of the wish. */
const NOT_WISHED = /already|tried|previous|exclude|angle|discovery/;
/** More artists than this are a list of something. */
const MAX_ARTISTS = 5;

/** The folded beginnings of words that suggest each tag, beside the tag's own name. */
const TAG_WORDS: Record<string, string> = {
  pl: 'polish poland polsk',
  jazz: 'jazow swing',
  disco: 'dyskot',
  classical: 'klasycz orchest symfoni',
  piano: 'fortepian pianin',
  electronic: 'elektron techno house edm synth',
  hiphop: 'rap hip trap',
  folk: 'ludow',
  acoustic: 'akusty ognisk campfire',
  film: 'soundtrack',
  latin: 'spanish hiszpan brazil',
  japanese: 'japan japon anime',
  korean: 'korea kpop',
  french: 'franc',
  italian: 'wlosk',
  party: 'imprez happy wesol',
  dance: 'tanc tanecz',
  wedding: 'wesel',
  energetic: 'energ workout gym run bieg trening silown',
  calm: 'relax chill mellow cozy spokoj cich sleep zasyp study focus nauk coffee kaw evening wieczor',
  sad: 'smut melanchol heartbreak rain deszcz jesien breakup rozstan',
  summer: 'lato letni wakacj beach plaz',
  night: 'noc drive jazd',
  love: 'romant milos',
};

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

export function readWish(messages: readonly Message[]): Wish {
  const asked = messages.filter((message) => message.role === 'user').map((message) => splitData(message.text));
  const rules = messages.filter((message) => message.role !== 'user' && message.role !== 'assistant').map((message) => message.text);
  const [first = { around: '' }] = asked;
  const prompt = first.data === undefined ? first.around : textsOf(first.data).join('\n');
  const folded = fold(prompt);
  const counted = [...asked.toReversed().map(({ around }) => around), ...rules, prompt].map((text) => COUNT.exec(text)).find((found) => found !== null);
  const named = ` ${messages.map((message) => fold(message.text)).join(' ')} `;
  const artists = [...new Set(songs().flatMap((song) => song.artists.map(fold)))];
  const mentioned = artists.filter((name) => name.length > 3 && ` ${folded} `.includes(` ${name} `));
  return {
    prompt,
    count: Math.min(MAX_COUNT, Number(counted?.[1] ?? counted?.[2] ?? DEFAULT_COUNT)),
    language: (folded.match(POLISH)?.length ?? 0) + (prompt.match(/[ąćęłńśźż]/gi)?.length ?? 0) > 2 * (folded.match(ENGLISH)?.length ?? 0) ? 'pl' : 'en',
    isAboutMusic: !OFF_TOPIC.some((pattern) => pattern.test(folded)) || MUSIC.test(folded),
    tags: tagsOf(folded),
    years: yearsOf(folded),
    artists: mentioned.length > MAX_ARTISTS ? [] : mentioned,
    names: (artist, title) => named.includes(` ${fold(artist)} `) && named.includes(` ${fold(title)} `),
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

/** The texts in the data, and a span of years as "1980 1989". */
function textsOf(data: Json): string[] {
  return Object.entries(data).flatMap(([key, value]): string[] => {
    if (NOT_WISHED.test(key)) {
      return [];
    }
    if (isObject(value) && ('from' in value || 'to' in value)) {
      return [`${String(value.from ?? 1950)} ${String(value.to ?? 2029)}`];
    }
    return [value].flat().flatMap((item) => (typeof item === 'string' ? [item] : isObject(item) ? textsOf(item) : []));
  });
}

function tagsOf(folded: string): string[] {
  const words = folded.split(' ');
  const known = new Set(songs().flatMap((song) => song.tags));
  const suggests = (tag: string): boolean => {
    const starts = TAG_WORDS[tag]?.split(' ') ?? [];
    return words.some((word) => word === tag || starts.some((start) => (start.length > 3 ? word.startsWith(start) : word === start)));
  };
  return [...known].filter(suggests);
}

/** "1990 1999", "from 1975", "80s", "1980s", "lata 80", "osiemdziesiate". Several of them widen the span. */
function yearsOf(folded: string): Wish['years'] {
  const words = ['piecdz fift', 'szescdz sixt', 'siedemdz sevent', 'osiemdz eight', 'dziewiecdz ninet'];
  const spans = [...folded.matchAll(/\b((?:19|20)?\d0)s\b|\blat(?:a|ach)? (\d0)\b|\b((?:19[3-9]|20[0-2])\d)\b/g)].map(([, english, polish, year]) => {
    const short = Number(english ?? polish);
    const from = year === undefined ? short + (short >= 1900 ? 0 : short >= 50 ? 1900 : 2000) : Number(year);
    return [from, year === undefined ? from + 9 : from];
  });
  words.forEach((starts, index) => {
    if (starts.split(' ').some((start) => new RegExp(`\\b${start}\\w*(ies|iat\\w*)\\b`).test(folded))) {
      spans.push([1950 + 10 * index, 1959 + 10 * index]);
    }
  });
  return spans.length === 0 ? undefined : { from: Math.min(...spans.flat()), to: Math.max(...spans.flat()) };
}

/** How well a song suits; 0 where it does not. */
export function suits(song: Song, { artists, language, tags, years }: Wish): number {
  const wantsPolish = tags.includes('pl');
  if ((years !== undefined && (song.year < years.from || song.year > years.to)) || (wantsPolish && !song.tags.includes('pl'))) {
    return 0;
  }
  const named = song.artists.some((artist) => artists.includes(fold(artist)));
  const shared = tags.filter((tag) => tag !== 'pl' && song.tags.includes(tag)).length;
  const home = language === 'pl' && song.tags.includes('pl') ? 0.5 : 0;
  return (named ? 4 : 0) + 2 * shared + home + (tags.length === 0 || wantsPolish || years !== undefined ? 1 : 0);
}
