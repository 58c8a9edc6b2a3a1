import { words } from '../catalogue/text.ts';

export interface Query {
  free: string[];
  track: string[];
  artist: string[];
  album: string[];
  years?: { from: number; to: number };
  isrc?: string;
  /** The query asks for something that no track can match. */
  hopeless: boolean;
}

const TEXT_FILTER = /\b(track|artist|album|genre):\s*(?:"([^"]*)"|(.*?)(?=\s+[a-z]+:|$))/giu;
const WORD_FILTER = /\b(year|isrc|tag|upc):\s*(?:"([^"]*)"|(\S*))/giu;

/**
 * Reads a search query: free words and `field:value` filters. A text value is quoted or reaches to the next filter.
 * An apostrophe inside a text filter makes the real search find nothing; so does ours.
 */
export function parseQuery(text: string): Query {
  const query: Query = { free: [], track: [], artist: [], album: [], hopeless: false };
  const take = (_whole: string, field: string, quoted?: string, bare?: string): string => {
    applyFilter(query, field.toLowerCase(), (quoted ?? bare ?? '').trim());
    return ' ';
  };
  query.free = words(text.replace(WORD_FILTER, take).replace(TEXT_FILTER, take));
  return query;
}

function applyFilter(query: Query, field: string, value: string): void {
  switch (field) {
    case 'track':
    case 'artist':
    case 'album':
      query[field].push(...words(value));
      query.hopeless ||= /['’]/.test(value);
      return;
    case 'year': {
      const match = /^(\d{4})(?:-(\d{4}))?$/.exec(value);
      query.hopeless ||= match === null;
      query.years = { from: Number(match?.[1]), to: Number(match?.[2] ?? match?.[1]) };
      return;
    }
    case 'isrc':
      query.isrc = value.toUpperCase();
      return;
    default:
      // genre belongs to artists, tag and upc to albums: with type=track they leave nothing
      query.hopeless = true;
  }
}
