import { words } from '../catalogue/text.ts';
import type { Track } from '../catalogue/types.ts';
import { hash32 } from '../common/random.ts';
import type { Query } from './query.ts';
import { parseQuery } from './query.ts';

/** Share of a free query's words that a track must contain. */
const MIN_COVERAGE = 0.6;
/** Beside a text score of about 1: enough for a popular wrong version to overtake the right one now and then. */
const POPULARITY_WEIGHT = 0.5;
const LUCK_WEIGHT = 0.15;
const EXACT = 1;
const PREFIX = 0.8;
const TYPO = 0.55;

interface Indexed {
  track: Track;
  title: string[];
  artist: string[];
  album: string[];
  year: number;
}

/**
 * Finds tracks as the real search does, faults included: forgiving about diacritics and typing errors, and ranking by a
 * mixture of text and popularity in which a karaoke version may well come first. The same query always gives the same order.
 */
export class SearchIndex {
  readonly #tracks: Indexed[];
  readonly #vocabulary = new Map<string, Set<number>>();
  readonly #similar = new Map<string, Map<string, number>>();

  constructor(tracks: readonly Track[]) {
    this.#tracks = tracks.map((track) => ({
      track,
      title: words(track.name),
      artist: track.artists.flatMap((artist) => words(artist.name)),
      album: words(track.album.name),
      year: Number(track.album.release_date.slice(0, 4)),
    }));
    this.#tracks.forEach((indexed, position) => {
      for (const word of [...indexed.title, ...indexed.artist, ...indexed.album]) {
        const positions = this.#vocabulary.get(word) ?? new Set<number>();
        this.#vocabulary.set(word, positions.add(position));
      }
    });
  }

  search(text: string): Track[] {
    const query = parseQuery(text);
    if (query.hopeless) {
      return [];
    }
    const hits: { track: Track; score: number }[] = [];
    for (const position of this.#candidates(query)) {
      const indexed = this.#tracks[position] as Indexed;
      const textScore = this.#score(query, indexed);
      if (textScore > 0) {
        const luck = (hash32(`${text}|${indexed.track.id}`) % 1000) / 1000;
        hits.push({ track: indexed.track, score: textScore + POPULARITY_WEIGHT * (indexed.track.rank / 100) + LUCK_WEIGHT * luck });
      }
    }
    hits.sort((a, b) => b.score - a.score || (a.track.id < b.track.id ? -1 : 1));
    return hits.map((hit) => hit.track);
  }

  #candidates(query: Query): Iterable<number> {
    const asked = [...query.free, ...query.track, ...query.artist, ...query.album];
    if (asked.length === 0) {
      return this.#tracks.keys();
    }
    const positions = new Set<number>();
    for (const word of asked) {
      for (const known of this.#similarTo(word).keys()) {
        for (const position of this.#vocabulary.get(known) ?? []) {
          positions.add(position);
        }
      }
    }
    return positions;
  }

  /** 0 when the track does not match at all, else about 0.3 to 1.1. */
  #score(query: Query, indexed: Indexed): number {
    if (query.years && (indexed.year < query.years.from || indexed.year > query.years.to)) {
      return 0;
    }
    if (query.isrc !== undefined && indexed.track.isrc !== query.isrc) {
      return 0;
    }
    const parts: number[] = [];
    for (const field of ['track', 'artist', 'album'] as const) {
      const asked = query[field];
      const coverage = this.#coverage(asked, field === 'track' ? indexed.title : indexed[field]);
      if (asked.length > 0 && coverage.matched < asked.length) {
        return 0;
      }
      if (asked.length > 0) {
        parts.push(coverage.quality);
      }
    }
    if (query.free.length > 0) {
      const everything = [...indexed.title, ...indexed.artist, ...indexed.album];
      const coverage = this.#coverage(query.free, everything);
      if (coverage.matched / query.free.length < MIN_COVERAGE) {
        return 0;
      }
      parts.push(coverage.quality + 0.1 * this.#coverage(query.free, indexed.title).quality);
    }
    return parts.length === 0 ? 0.5 : parts.reduce((sum, part) => sum + part, 0) / parts.length;
  }

  #coverage(asked: string[], present: string[]): { matched: number; quality: number } {
    let matched = 0;
    let quality = 0;
    for (const word of asked) {
      const similar = this.#similarTo(word);
      const best = present.reduce((top, other) => Math.max(top, similar.get(other) ?? 0), 0);
      matched += best > 0 ? 1 : 0;
      quality += best;
    }
    return { matched, quality: asked.length === 0 ? 0 : quality / asked.length };
  }

  /** The catalogue's words that a typed word can mean, with how well they fit. */
  #similarTo(word: string): Map<string, number> {
    const cached = this.#similar.get(word);
    if (cached) {
      return cached;
    }
    const similar = new Map<string, number>();
    for (const known of this.#vocabulary.keys()) {
      if (known === word) {
        similar.set(known, EXACT);
      } else if (word.length >= 3 && known.startsWith(word)) {
        similar.set(known, PREFIX);
      } else if (isTypo(word, known)) {
        similar.set(known, TYPO);
      }
    }
    this.#similar.set(word, similar);
    return similar;
  }
}

/** One edit apart from five letters on, two from nine on. Short words are too easily taken for each other. */
function isTypo(word: string, known: string): boolean {
  const shorter = Math.min(word.length, known.length);
  const allowed = shorter >= 9 ? 2 : shorter >= 5 ? 1 : 0;
  return allowed > 0 && Math.abs(word.length - known.length) <= allowed && editDistance(word, known, allowed) <= allowed;
}

/** Edits between two words, a swap of neighbours counting as one; stops counting above `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      let edits = Math.min(at(last, column) + 1, at(current, column - 1) + 1, at(last, column - 1) + (same ? 0 : 1));
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        edits = Math.min(edits, at(beforeLast, column - 2) + 1);
      }
      current.push(edits);
    }
    if (Math.min(...current) > limit) {
      return limit + 1;
    }
    beforeLast = last;
    last = current;
  }
  return at(last, b.length);
}

function at(row: number[], column: number): number {
  return row[column] ?? Infinity;
}
