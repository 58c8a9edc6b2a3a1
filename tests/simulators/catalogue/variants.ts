import { hash32, pick } from '../common/random.ts';
import { makeTrack } from './track.ts';
import type { Song, Track } from './types.ts';

const KARAOKE = ['Zoom Karaoke', 'Ameritz Karaoke', 'Party Tyme Karaoke', 'Karaoke Universe', 'Sing2Guitar', 'ProSound Karaoke Band'];
const KARAOKE_PL = ['Karaoke Po Polsku', 'Śpiewaj Z Nami', 'Karaoke Studio'];
const TRIBUTE = ['Vitamin String Quartet', 'Rockabye Baby!', 'The Tribute Co.', 'Twinkle Twinkle Little Rock Star', 'Studio All-Stars'];
const COVER = ['Boyce Avenue', 'Scary Pockets', 'First to Eleven', 'Walk off the Earth', 'Music Travel Love', 'Jonah Baker', 'The Piano Guys'];
const LOFI = ['sped up nightcore', 'Speed Radio', 'slowed down audioss', 'Nightcore Reality', 'fast forward >>'];
const VENUE = ['Live at Wembley Stadium', 'Live at Madison Square Garden', 'Live in Paris', 'Live at the BBC', 'Live', 'MTV Unplugged'];
const VENUE_PL = ['Live, Przystanek Woodstock', 'Na Żywo', 'MTV Unplugged', 'Live w Spodku', 'Jarocin Live'];
const REMIXER = ['Robin Schulz', 'Purple Disco Machine', 'Tiësto', 'Solomun', 'Gryffin'];
const COMPILATION = ['Greatest Hits', 'The Essential Collection', 'The Very Best Of', 'Gold', 'Now & Then: The Singles'];
const COMPILATION_PL = ['Złota Kolekcja', 'The Best', 'Antologia', 'Przeboje Wszech Czasów', '40-lecie: Największe Przeboje'];

interface Rule {
  /** One song in this many gets the variant. */
  oneIn: number;
  applies?: (song: Song) => boolean;
  make: (song: Song, random: (salt: string) => number) => Track;
}

const isPolish = (song: Song): boolean => song.tags.includes('pl');
const isSung = (song: Song): boolean => !song.tags.includes('instrumental');
const main = (song: Song): string => song.artists[0] as string;
const bare = (song: Song): string => song.title.replace(/ [([](feat\.|with) [^)\]]+[)\]]/, '');

/** A track by the song's own artists recorded at another time: another recording. */
function rerecorded(song: Song, title: string, album: string, year: number, rankChange: number, secondsFactor = 1): Track {
  return makeTrack({
    title,
    artists: song.artists,
    album,
    released: date(song, year),
    seconds: Math.round(song.seconds * secondsFactor),
    explicit: song.explicit,
    rank: song.rank + rankChange,
    recording: `${main(song)}|${title}|${album}`,
  });
}

/** The song by somebody else. */
function byOthers(song: Song, title: string, artist: string, album: string, rank: number, secondsFactor = 1): Track {
  return makeTrack({
    title,
    artists: [artist],
    album,
    released: date(song, Math.max(song.year + 1, 2006 + (hash32(title + artist) % 19))),
    seconds: Math.round(song.seconds * secondsFactor),
    rank,
    recording: `${artist}|${title}`,
  });
}

/** The very same recording on another album. */
function sameRecording(song: Song, title: string, artists: string[], album: string, year: number, rankChange: number): Track {
  return makeTrack({ ...original(song), title, artists, album, released: date(song, year), rank: song.rank + rankChange });
}

const RULES: Record<string, Rule> = {
  compilation: {
    oneIn: 6,
    make: (song, random) =>
      sameRecording(song, song.title, song.artists, pick(isPolish(song) ? COMPILATION_PL : COMPILATION, random('album')), later(song, 12, random('year')), -4 + 8 * random('rank')),
  },
  single: {
    oneIn: 9,
    applies: (song) => song.album !== song.title,
    make: (song, random) => sameRecording(song, song.title, song.artists, bare(song), song.year, -8 * random('rank')),
  },
  featInArtistsOnly: {
    oneIn: 1,
    applies: (song) => bare(song) !== song.title,
    make: (song) => sameRecording(song, bare(song), song.artists, `${song.album} (Deluxe)`, song.year + 1, -5),
  },
  live: {
    oneIn: 5,
    make: (song, random) => {
      const venue = pick(isPolish(song) ? VENUE_PL : VENUE, random('venue'));
      const title = random('form') < 0.75 ? `${bare(song)} - ${venue}` : `${bare(song)} (${venue})`;
      return rerecorded(song, title, venue, later(song, 4, random('year')), -20 + 24 * random('rank'), 1.15);
    },
  },
  karaoke: {
    oneIn: 4,
    applies: isSung,
    make: (song, random) => {
      const forms = [
        `${bare(song)} (Karaoke Version)`,
        `${bare(song)} (Originally Performed by ${main(song)}) [Karaoke Version]`,
        `${bare(song)} (In the Style of ${main(song)}) [Karaoke Instrumental]`,
        `${bare(song)} - Karaoke Version`,
      ];
      const artist = pick(isPolish(song) ? KARAOKE_PL : KARAOKE, random('artist'));
      return byOthers(song, pick(forms, random('form')), artist, 'Karaoke Hits, Vol. 12', song.rank - 25 + 35 * random('rank'));
    },
  },
  tribute: {
    oneIn: 13,
    applies: (song) => !isPolish(song),
    make: (song, random) => {
      const artist = pick(TRIBUTE, random('artist'));
      const title = random('form') < 0.5 ? bare(song) : `${bare(song)} (Tribute to ${main(song)})`;
      return byOthers(song, title, artist, `A Tribute to ${main(song)}`, song.rank - 30 + 30 * random('rank'));
    },
  },
  cover: {
    oneIn: 10,
    applies: isSung,
    make: (song, random) => {
      const title = random('form') < 0.7 ? bare(song) : `${bare(song)} (Cover)`;
      return byOthers(song, title, pick(COVER, random('artist')), 'Covers, Vol. 3', song.rank - 30 + 32 * random('rank'));
    },
  },
  spedUp: {
    oneIn: 12,
    applies: (song) => song.year >= 1978 && isSung(song),
    make: (song, random) => {
      const form = pick(['(Sped Up)', '- Sped Up Version', '(Slowed + Reverb)', '- Nightcore'], random('form'));
      const slow = form.includes('Slowed');
      return random('who') < 0.5
        ? rerecorded(song, `${bare(song)} ${form}`, `${bare(song)} ${form}`, 2022, -6 + 10 * random('rank'), slow ? 1.2 : 0.82)
        : byOthers(song, `${bare(song)} ${form}`, pick(LOFI, random('artist')), 'viral edits', song.rank - 15 + 22 * random('rank'), slow ? 1.2 : 0.82);
    },
  },
  acoustic: {
    oneIn: 14,
    applies: isSung,
    make: (song, random) => rerecorded(song, `${bare(song)} - ${random('form') < 0.6 ? 'Acoustic' : 'Acoustic Version'}`, `${song.album} (Deluxe Edition)`, later(song, 2, random('year')), -22 + 20 * random('rank')),
  },
  demo: {
    oneIn: 18,
    make: (song) => rerecorded(song, `${bare(song)} - Demo`, `${song.album} (Super Deluxe)`, later(song, 20, 0.9), -35, 0.95),
  },
  radioEdit: {
    oneIn: 11,
    applies: (song) => song.year >= 1985,
    make: (song, random) => rerecorded(song, `${bare(song)} - Radio Edit`, bare(song), song.year, -6 + 8 * random('rank'), 0.85),
  },
  remix: {
    oneIn: 10,
    applies: (song) => song.year >= 1975,
    make: (song, random) => {
      const remixer = pick(REMIXER, random('remixer'));
      return rerecorded({ ...song, artists: [...song.artists, remixer] }, `${bare(song)} - ${remixer} Remix`, `${bare(song)} (Remixes)`, later(song, 3, random('year')), -18 + 20 * random('rank'), 1.1);
    },
  },
  clean: {
    oneIn: 1,
    applies: (song) => song.explicit,
    make: (song) => makeTrack({ ...original(song), explicit: false, album: `${song.album} (Clean)`, seconds: song.seconds - 1, rank: song.rank - 9, recording: `clean|${main(song)}|${song.title}` }),
  },
};

/** The song's own track and the tracks that are easily taken for it. Always the same for the same song. */
export function variantsOf(song: Song): Track[] {
  const name = `${main(song)}|${song.title}`;
  const tracks = [...ownTracks(song, hash32(`own|${name}`))];
  for (const [ruleName, rule] of Object.entries(RULES)) {
    const applies = rule.applies?.(song) ?? true;
    if (applies && hash32(`${ruleName}|${name}`) % rule.oneIn === 0) {
      tracks.push(rule.make(song, (salt) => hash32(`${ruleName}|${salt}|${name}`) / 2 ** 32));
    }
  }
  return tracks;
}

/** The original, its remaster, or both: many old songs exist only remastered. A few originals cannot be played. */
function ownTracks(song: Song, hash: number): Track[] {
  const playable = hash % 45 !== 0;
  const first = makeTrack({ ...original(song), playable });
  if (!playable) {
    return [first, sameRecording(song, song.title, song.artists, `${song.album} (Reissue)`, later(song, 10, 0.5), -7)];
  }
  if (song.year > 1996 || hash % 2 === 0) {
    return [first];
  }
  const year = 2003 + (hash % 20);
  const forms = [`${song.title} - Remastered ${year}`, `${song.title} - ${year} Remaster`, `${song.title} - Remastered`, `${song.title} (${year} Remaster)`];
  const remaster = rerecorded(song, pick(forms, (hash % 97) / 97), `${song.album} (Remastered)`, year, 3);
  return hash % 3 === 0 ? [remaster] : [first, remaster];
}

function original(song: Song) {
  return {
    title: song.title,
    artists: song.artists,
    album: song.album,
    released: date(song, song.year),
    seconds: song.seconds,
    explicit: song.explicit,
    rank: song.rank,
    recording: `${main(song)}|${song.title}`,
  };
}

function later(song: Song, years: number, random: number): number {
  return Math.min(2025, song.year + 1 + Math.floor(years * (0.5 + random)));
}

/** Old releases are often known by their year alone. */
function date(song: Song, year: number): string {
  const hash = hash32(`${song.title}|${year}`);
  if (hash % 4 === 0 && year < 2000) {
    return String(year);
  }
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${year}-${two(1 + (hash % 12))}-${two(1 + (hash % 28))}`;
}
