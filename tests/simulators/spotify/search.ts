import { words } from '../catalogue/text.ts';
import type { Track } from '../catalogue/track.ts';
import { hash32 } from '../common/random.ts';

type Field = 'track' | 'artist' | 'album';

interface Entry { track: Track; words: Record<Field, string[]> }

interface Query { free: string[]; fields: [Field, string[]][]; years?: [from: number, to: number]; isrc?: string }

/** The share of a free query's words that a track must contain. */
const MIN_COVERAGE = 0.6;
/** The weight of popularity against a text score of about 1: a popular wrong version sometimes ranks above the right one. */
const POPULARITY_WEIGHT = 0.5;
const LUCK_WEIGHT = 0.15;
const PREFIX = 0.8;
const TYPO = 0.55;

const FILTER = /\b(track|artist|album|genre|year|isrc|tag|upc):\s*(?:"([^"]*)"|(.*?)(?=\s+[a-z]+:|$))/giu;

/**
 * Parses free words and `field:value` filters; a value is quoted or extends to the next filter. Undefined if no track can
 * match: the real search finds nothing for an apostrophe under a field filter, and for genre, tag and upc.
 */
function parseQuery(text: string): Query | undefined {
  const query: Query = { free: [], fields: [] };
  let isHopeless = false;
  query.free = words(
    text.replace(FILTER, (_, name: string, quoted?: string, bare?: string) => {
      const field = name.toLowerCase();
      const value = (quoted ?? bare ?? '').trim();
      const [, from, to = from] = /^(\d{4})(?:-(\d{4}))?$/.exec(value) ?? [];
      if (field === 'year' && from !== undefined) {
        query.years = [Number(from), Number(to)];
      } else if (field === 'isrc') {
        query.isrc = value.toUpperCase();
      } else if ((field === 'track' || field === 'artist' || field === 'album') && !/['’]/.test(value)) {
        query.fields.push([field, words(value)]);
      } else {
        isHopeless = true;
      }
      return ' ';
    }),
  );
  return isHopeless ? undefined : query;
}

/**
 * Finds tracks as the real search does, with its faults: tolerates missing diacritics and typing errors, and ranks by text
 * and popularity, so that a karaoke version may come first. The order is deterministic.
 */
export class SearchIndex {
  readonly tracks: readonly Track[];
  readonly #ids: ReadonlySet<string>;
  readonly #entries: readonly Entry[];
  readonly #vocabulary = new Map<string, Set<Entry>>();
  /** The catalogue's words that are similar to a typed word, with their similarity. */
  readonly #similar = new Map<string, ReadonlyMap<string, number>>();

  constructor(tracks: readonly Track[]) {
    this.tracks = tracks;
    this.#ids = new Set(tracks.map(({ id }) => id));
    this.#entries = tracks.map((track) => {
      const artist = track.artists.flatMap(({ name }) => words(name));
      return { track, words: { track: words(track.name), artist, album: words(track.album.name) } };
    });
    for (const entry of this.#entries) {
      for (const word of Object.values(entry.words).flat()) this.#vocabulary.set(word, (this.#vocabulary.get(word) ?? new Set<Entry>()).add(entry));
    }
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  search(text: string): Track[] {
    const query = parseQuery(text);
    if (query === undefined) return [];
    const words = [...query.free, ...query.fields.flatMap(([, value]) => value)];
    const known = words.flatMap((word) => [...this.#similarTo(word).keys()]);
    const candidates = words.length === 0 ? this.#entries : new Set(known.flatMap((word) => [...(this.#vocabulary.get(word) ?? [])]));
    const hits = [...candidates].flatMap((entry) => {
      const { id, rank } = entry.track;
      const fit = this.#fit(query, entry);
      const luck = (hash32(`${text}|${id}`) % 1000) / 1000;
      return fit > 0 ? [{ track: entry.track, score: fit + (POPULARITY_WEIGHT * rank) / 100 + LUCK_WEIGHT * luck }] : [];
    });
    return hits.sort((a, b) => b.score - a.score || (a.track.id < b.track.id ? -1 : 1)).map(({ track }) => track);
  }

  /** 0 if the track does not match, otherwise about 0.3 to 1.1. */
  #fit({ years, isrc, fields, free }: Query, entry: Entry): number {
    const year = Number(entry.track.album.release_date.slice(0, 4));
    if ((years && (year < years[0] || year > years[1])) || (isrc !== undefined && entry.track.isrc !== isrc)) return 0;
    const parts: number[] = [];
    for (const [field, words] of fields) {
      const { matched, quality } = this.#coverage(words, entry.words[field]);
      if (matched < 1) return 0;
      parts.push(quality);
    }
    if (free.length > 0) {
      const { matched, quality } = this.#coverage(free, Object.values(entry.words).flat());
      if (matched < MIN_COVERAGE) return 0;
      parts.push(quality + 0.1 * this.#coverage(free, entry.words.track).quality);
    }
    return parts.length === 0 ? 0.5 : parts.reduce((sum, part) => sum + part, 0) / parts.length;
  }

  /** The share of the words that are present, and their average similarity. */
  #coverage(words: string[], present: string[]): { matched: number; quality: number } {
    const best = words.map((word) => {
      const similar = this.#similarTo(word);
      return present.reduce((top, other) => Math.max(top, similar.get(other) ?? 0), 0);
    });
    const share = (sum: number): number => (words.length === 0 ? 1 : sum / words.length);
    return { matched: share(best.filter((quality) => quality > 0).length), quality: share(best.reduce((sum, quality) => sum + quality, 0)) };
  }

  #similarTo(word: string): ReadonlyMap<string, number> {
    let similar = this.#similar.get(word);
    if (similar === undefined) {
      const fits = [...this.#vocabulary.keys()].map((other): [string, number] => [other, likeness(word, other)]);
      similar = new Map(fits.filter(([, quality]) => quality > 0));
      this.#similar.set(word, similar);
    }
    return similar;
  }
}

function likeness(word: string, known: string): number {
  if (word === known) return 1;
  if (word.length >= 3 && known.startsWith(word)) return PREFIX;
  return isTypo(word, known) ? TYPO : 0;
}

/** Words of about one length, most of whose pairs of letters are the same. Short words are too easily taken for each other. */
function isTypo(word: string, known: string): boolean {
  if (Math.min(word.length, known.length) < 5 || Math.abs(word.length - known.length) > 2) return false;
  const pairs = Array.from({ length: word.length - 1 }, (_, at) => word.slice(at, at + 2));
  return pairs.filter((pair) => known.includes(pair)).length >= 0.55 * (Math.max(word.length, known.length) - 1);
}
