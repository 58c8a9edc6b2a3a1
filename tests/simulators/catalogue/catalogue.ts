import { hash32 } from '../common/random.ts';
import { international } from './data/international.ts';
import { listedTracks } from './data/listed.ts';
import { polish } from './data/polish.ts';
import { roots } from './data/roots.ts';
import { world } from './data/world.ts';
import type { ArtistRow, Song, Track } from './types.ts';
import { variantsOf } from './variants.ts';

let songCache: Song[] | undefined;
let trackCache: Track[] | undefined;

/** The songs behind the catalogue, each once and as first released. */
export function songs(): readonly Song[] {
  songCache ??= [...polish, ...international, ...roots, ...world].flatMap(songsOf);
  return songCache;
}

/** The default catalogue: the songs with everything that makes finding the right version of them hard. */
export function defaultTracks(): readonly Track[] {
  trackCache ??= distinct([...songs().flatMap(variantsOf), ...listedTracks()]);
  return trackCache;
}

/** Rows of data turned into songs; lengths and ranks that are not given are made up, always in the same way. */
function songsOf([names, tags, ...rows]: ArtistRow): Song[] {
  const artists = names.split(';');
  return rows.map(([title, year, album, seconds, explicit], position) => {
    const hash = hash32(`${names}|${title}`);
    const featured = /[([](?:feat\.|with) ([^)\]]+)[)\]]/.exec(title)?.[1]?.split(/, | & | and /) ?? [];
    return {
      artists: [...artists, ...featured],
      title,
      year,
      album: album ?? title,
      seconds: seconds ?? 170 + (hash % 130),
      explicit: explicit === 'E',
      tags: tags.split(' '),
      rank: Math.max(20, 88 - position * 6 - (hash % 14)),
    };
  });
}

function distinct(tracks: Track[]): Track[] {
  return [...new Map(tracks.map((track) => [track.id, track])).values()];
}
