import { fold } from '../catalogue/text.ts';
import type { Json } from '../common/check.ts';
import { isObject } from '../common/check.ts';
import type { Message } from './request.ts';

const DEFAULT_COUNT = 26;
const MAX_COUNT = 120;
/** How far apart an artist and a title may stand and still be one mention: room for "by", a dash, a JSON key. */
const MENTION_GAP = 16;

const SONGS = '(?:songs?|suggestions?|tracks?|titles?|utwor\\w*|piosen\\w*|propozycj\\w*)';
/** "9 more songs": what is still missing, where other numbers may stand nearby. */
const MORE = new RegExp(`(\\d{1,3})\\s+(?:more|new|other|different|further|additional|kolejn\\w+|now\\w+|inn\\w+)\\s+(?:\\p{L}+\\s+)?${SONGS}`, 'giu');
/** "26 songs" and "suggest 26", but not "2 songs per artist". */
const COUNT = new RegExp(`(\\d{1,3})\\s+(?:\\p{L}+\\s+){0,2}?${SONGS}(?!\\s+(?:per|by|from|of|na)\\b)|\\b(?:suggest|propose|exactly|list|dokladnie)\\s+(\\d{1,3})\\b|"\\w*count"\\s*:\\s*(\\d{1,3})`, 'giu');
/** Where a caller starts to list what it does not want again. */
const TRIED_LIST = /\b(?:already (?:tried|suggested|proposed|used)|previously suggested|do not (?:repeat|suggest)|don't (?:repeat|suggest)|tried)\b[^\n]{0,40}:/i;

/** Keys under which a caller lists what it does not want. */
const UNWANTED = /already|tried|previous|exclude|avoid|suggested/i;

/** Keys of what is no part of the wish: where to look first. */
const SETTINGS = /^(angle|discovery)$/;

/** What the person asked for: the first user turn, without the wrapping that a caller may put around it. */
export function userPrompt(messages: readonly Message[]): string {
  const { around, data } = splitData(messages.find((message) => message.role === 'user')?.text ?? '');
  if (data !== undefined) {
    return wishes(data).join('\n');
  }
  const wrapped = /<(\w+)>([\s\S]*?)<\/\1>/.exec(around)?.[2];
  return wrapped ?? (around.split(TRIED_LIST)[0] || around);
}

/** Separates a JSON object from the text around it. */
function splitData(text: string): { around: string; data?: Json } {
  const [start, end] = [text.indexOf('{'), text.lastIndexOf('}') + 1];
  if (start < 0 || end <= start) {
    return { around: text };
  }
  try {
    const data: unknown = JSON.parse(text.slice(start, end));
    return isObject(data) ? { around: text.slice(0, start) + text.slice(end), data } : { around: text };
  } catch {
    // braces in plain text
    return { around: text };
  }
}

/** The texts in the data, and a span of years as "1980 1989". */
function wishes(data: Json): string[] {
  return Object.entries(data).flatMap(([key, value]) => {
    if (UNWANTED.test(key) || SETTINGS.test(key)) {
      return [];
    }
    if (isObject(value) && ('from' in value || 'to' in value)) {
      return [`${value.from ?? 1950} ${value.to ?? 2029}`];
    }
    const values = Array.isArray(value) ? value : [value];
    return values.flatMap((item) => (typeof item === 'string' ? [item] : isObject(item) ? wishes(item) : []));
  });
}

/**
 * The number of songs asked for: the latest turn of the caller's that says one, the rules before the person's own words,
 * the caller's words before the data that they introduce.
 */
export function requestedCount(messages: readonly Message[]): number {
  const followUps = messages.filter((message) => message.role === 'user').slice(1).reverse();
  const rules = messages.filter((message) => message.role === 'system' || message.role === 'developer').reverse();
  const first = messages.filter((message) => message.role === 'user').slice(0, 1);
  const texts = [...followUps, ...first.filter((message) => splitData(message.text).data), ...rules, ...first].map((message) => {
    const { around, data } = splitData(message.text);
    return around.trim() === '' ? JSON.stringify(data) : around;
  });
  for (const text of texts) {
    const plain = text.replace(/ł/g, 'l').normalize('NFKD').replace(/\p{M}/gu, '');
    const more = numbers(plain, MORE).at(-1);
    const count = more ?? Math.max(0, ...numbers(plain, COUNT));
    if (count >= 1) {
      return Math.min(count, MAX_COUNT);
    }
  }
  return DEFAULT_COUNT;
}

function numbers(text: string, pattern: RegExp): number[] {
  return [...text.matchAll(pattern)].map((match) => Number(match.slice(1).find((group) => group !== undefined)));
}

/** Tells which songs the messages name, as "artist – title", "title by artist" or in JSON. */
export function mentions(messages: readonly Message[]): (artist: string, title: string) => boolean {
  const text = ` ${messages.map((message) => fold(message.text)).join(' \n ')} `;
  return (artist, title) => {
    const [name, song] = [` ${fold(artist)} `, ` ${fold(title)} `];
    return near(text, name, song) || near(text, song, name);
  };
}

function near(text: string, first: string, second: string): boolean {
  for (let start = text.indexOf(first); start >= 0; start = text.indexOf(first, start + 1)) {
    // the space between the two belongs to both
    const end = start + first.length - 1;
    const found = text.indexOf(second, end);
    if (found >= 0 && found - end <= MENTION_GAP) {
      return true;
    }
  }
  return false;
}
