import { hash32 } from '../common/random.ts';
import { rowsOf } from './text.ts';
import type { Song, Track } from './track.ts';
import { makeTrack } from './track.ts';
import { variantsOf } from './variants.ts';

/** Title, year of the first release, album, and optionally seconds and 'E' for explicit. */
type SongRow = [title: string, year: number, album?: string, seconds?: number, explicit?: 'E'];
/** One artist or several joined by ';', the tags, and the songs, best known first. */
type ArtistRow = [artists: string, tags: string, ...songs: SongRow[]];
type TrapRow = [artists: string, title: string, album: string, released: string, seconds: number, rank: number, kind?: 'E' | 'unplayable'];

/** The songs of the catalogue, each once, as first released. */
export const SONGS: readonly Song[] = rowsOf<ArtistRow>('songs.jsonl').flatMap(songsOf);
/** Real traps that no rule generates. */
const TRAPS: readonly Track[] = rowsOf<TrapRow>('traps.jsonl').map(trapOf);
/** The default catalogue: the songs, their other versions, and tracks that are easily confused with them. */
export const TRACKS: readonly Track[] = [...new Map([...SONGS.flatMap(variantsOf), ...TRAPS].map((track) => [track.id, track])).values()];

function songsOf([names, tags, ...rows]: ArtistRow): Song[] {
  return rows.map(([title, year, album = title, seconds, explicit], position) => {
    const hash = hash32(`${names}|${title}`);
    const featured = /[([](?:feat\.|with) ([^)\]]+)[)\]]/.exec(title)?.[1]?.split(/, | & | and /) ?? [];
    const [artists, rank] = [[...names.split(';'), ...featured], Math.max(20, 88 - position * 6 - (hash % 14))];
    return { artists, title, year, album, seconds: seconds ?? 170 + (hash % 130), explicit: explicit === 'E', tags: tags.split(' '), rank };
  });
}

function trapOf([names, title, album, released, seconds, rank, kind]: TrapRow): Track {
  const artists = names.split(';');
  const recording = `${artists[0]}|${title}`;
  return makeTrack({ title, artists, album, released, seconds, rank, explicit: kind === 'E', playable: kind !== 'unplayable', recording });
}
