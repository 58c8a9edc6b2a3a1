import { hash32, pick } from '../common/random.ts';
import type { Song, Track, TrackFields } from './track.ts';
import { makeTrack } from './track.ts';

const isPolish = (song: Song): boolean => song.tags.includes('pl');
const isSung = (song: Song): boolean => !song.tags.includes('instrumental');
const main = (song: Song): string => song.artists[0] ?? '';
const bare = (song: Song): string => song.title.replace(/ [([](feat\.|with) [^)\]]+[)\]]/, '');

/**
 * Who plays the variant: the very same recording on another album, the song's own artists at another time, those with
 * the one that was picked, or that one alone.
 */
type Player = 'recording' | 'artists' | 'artists and picked' | 'picked';

/** In texts, {title} is the song's whole title, {song} the one without featured artists, {pick} one of those to pick. */
interface Rule {
  /** One song in this many gets the variant. */
  oneIn: number;
  applies?: (song: Song) => boolean;
  by: Player;
  titles: string[];
  album: string;
  picks?: string[];
  polishPicks?: string[];
  /** At most about so many years after the song. */
  years?: number;
  /** What is added to the song's popularity, at least, and by how much that varies. */
  rank: [least: number, span: number];
  length?: number;
}

const KARAOKE_FORMS = [
  '{song} (Karaoke Version)',
  '{song} (Originally Performed by {artist}) [Karaoke Version]',
  '{song} (In the Style of {artist}) [Karaoke Instrumental]',
  '{song} - Karaoke Version',
];
const COVERING = ['Boyce Avenue', 'Scary Pockets', 'First to Eleven', 'Walk off the Earth', 'Music Travel Love', 'Jonah Baker', 'The Piano Guys'];
const TRIBUTE = ['Vitamin String Quartet', 'Rockabye Baby!', 'The Tribute Co.', 'Twinkle Twinkle Little Rock Star', 'Studio All-Stars'];
const VENUES = ['Live at Wembley Stadium', 'Live at Madison Square Garden', 'Live in Paris', 'Live at the BBC', 'Live', 'MTV Unplugged'];
const COMPILATIONS = ['Greatest Hits', 'The Essential Collection', 'The Very Best Of', 'Gold', 'Now & Then: The Singles'];

const RULES: Record<string, Rule> = {
  compilation: {
    oneIn: 6,
    by: 'recording',
    titles: ['{title}'],
    album: '{pick}',
    picks: COMPILATIONS,
    polishPicks: ['Złota Kolekcja', 'The Best', 'Antologia', 'Przeboje Wszech Czasów', '40-lecie: Największe Przeboje'],
    years: 12,
    rank: [-4, 8],
  },
  single: { oneIn: 9, applies: (song) => song.album !== song.title, by: 'recording', titles: ['{title}'], album: '{song}', rank: [-8, 8] },
  featured: { oneIn: 1, applies: (song) => bare(song) !== song.title, by: 'recording', titles: ['{song}'], album: '{album} (Deluxe)', rank: [-5, 0] },
  live: {
    oneIn: 5,
    by: 'artists',
    titles: ['{song} - {pick}', '{song} - {pick}', '{song} - {pick}', '{song} ({pick})'],
    album: '{pick}',
    picks: VENUES,
    polishPicks: ['Live, Przystanek Woodstock', 'Na Żywo', 'MTV Unplugged', 'Live w Spodku', 'Jarocin Live'],
    years: 4,
    rank: [-20, 24],
    length: 1.15,
  },
  karaoke: {
    oneIn: 4,
    applies: isSung,
    by: 'picked',
    titles: KARAOKE_FORMS,
    album: 'Karaoke Hits, Vol. 12',
    picks: ['Zoom Karaoke', 'Ameritz Karaoke', 'Party Tyme Karaoke', 'Karaoke Universe', 'Sing2Guitar', 'ProSound Karaoke Band'],
    polishPicks: ['Karaoke Po Polsku', 'Śpiewaj Z Nami', 'Karaoke Studio'],
    rank: [-25, 35],
  },
  tribute: {
    oneIn: 13,
    applies: (song) => !isPolish(song),
    by: 'picked',
    titles: ['{song}', '{song} (Tribute to {artist})'],
    album: 'A Tribute to {artist}',
    picks: TRIBUTE,
    rank: [-30, 30],
  },
  cover: { oneIn: 10, applies: isSung, by: 'picked', titles: ['{song}', '{song}', '{song} (Cover)'], album: 'Covers, Vol. 3', picks: COVERING, rank: [-30, 32] },
  spedUp: { oneIn: 24, applies: isSung, by: 'artists', titles: ['{song} (Sped Up)', '{song} - Sped Up Version'], album: '{song} (Sped Up)', years: 20, rank: [-6, 10], length: 0.82 },
  slowed: {
    oneIn: 24,
    applies: isSung,
    by: 'picked',
    titles: ['{song} (Slowed + Reverb)', '{song} - Nightcore', '{song} (Sped Up)'],
    album: 'viral edits',
    picks: ['sped up nightcore', 'Speed Radio', 'slowed down audioss', 'Nightcore Reality', 'fast forward >>'],
    rank: [-15, 22],
    length: 1.2,
  },
  acoustic: { oneIn: 14, applies: isSung, by: 'artists', titles: ['{song} - Acoustic', '{song} - Acoustic Version'], album: '{album} (Deluxe Edition)', years: 2, rank: [-22, 20] },
  demo: { oneIn: 18, by: 'artists', titles: ['{song} - Demo'], album: '{album} (Super Deluxe)', years: 20, rank: [-35, 0], length: 0.95 },
  radioEdit: { oneIn: 11, applies: (song) => song.year >= 1985, by: 'artists', titles: ['{song} - Radio Edit'], album: '{song}', rank: [-6, 8], length: 0.85 },
  remix: {
    oneIn: 10,
    applies: (song) => song.year >= 1975,
    by: 'artists and picked',
    titles: ['{song} - {pick} Remix'],
    album: '{song} (Remixes)',
    picks: ['Robin Schulz', 'Purple Disco Machine', 'Tiësto', 'Solomun', 'Gryffin'],
    years: 3,
    rank: [-18, 20],
    length: 1.1,
  },
};

/** The song's own tracks and those that are easily taken for them. Always the same for the same song. */
export function variantsOf(song: Song): Track[] {
  const name = `${main(song)}|${song.title}`;
  const rules = Object.entries(RULES).filter(([salt, { applies, oneIn }]) => (applies?.(song) ?? true) && hash32(`${salt}|${name}`) % oneIn === 0);
  const clean = { ...original(song), explicit: false, album: `${song.album} (Clean)`, rank: song.rank - 9, recording: `clean|${name}` };
  return [
    ...ownTracks(song, hash32(`own|${name}`)),
    ...rules.map(([salt, rule]) => variant(song, rule, (what) => hash32(`${salt}|${what}|${name}`) / 2 ** 32)),
    ...(song.explicit ? [makeTrack(clean)] : []),
  ];
}

function variant(song: Song, rule: Rule, random: (salt: string) => number): Track {
  const picked = pick((isPolish(song) ? rule.polishPicks : undefined) ?? rule.picks ?? [''], random('pick'));
  const texts: Record<string, string> = { title: song.title, song: bare(song), artist: main(song), album: song.album, pick: picked };
  const filled = (text: string): string => text.replace(/\{(\w+)\}/g, (_, name: string) => texts[name] ?? '');
  const title = filled(pick(rule.titles, random('form')));
  const album = filled(rule.album);
  const artists = { recording: song.artists, artists: song.artists, 'artists and picked': [...song.artists, picked], picked: [picked] }[rule.by];
  const years = rule.by === 'picked' ? 3 + 20 * random('year') : (rule.years ?? 0) * (0.5 + random('year'));
  return makeTrack({
    ...original(song),
    title,
    artists,
    album,
    released: date(song, Math.min(2025, song.year + Math.ceil(years))),
    seconds: Math.round(song.seconds * (rule.length ?? 1)),
    explicit: rule.by !== 'picked' && song.explicit,
    rank: song.rank + rule.rank[0] + rule.rank[1] * random('rank'),
    ...(rule.by === 'recording' ? {} : { recording: `${artists.join(';')}|${title}|${album}` }),
  });
}

/** The original, its remaster, or both: many old songs exist only remastered. A few originals cannot be played. */
function ownTracks(song: Song, hash: number): Track[] {
  const first = original(song);
  if (hash % 45 === 0) {
    return [makeTrack({ ...first, playable: false }), makeTrack({ ...first, album: `${song.album} (Reissue)`, rank: song.rank - 7 })];
  }
  if (song.year > 1996 || hash % 2 === 0) {
    return [makeTrack(first)];
  }
  const year = 2003 + (hash % 20);
  const forms = [`- Remastered ${year}`, `- ${year} Remaster`, '- Remastered', `(${year} Remaster)`];
  const title = `${song.title} ${pick(forms, (hash % 97) / 97)}`;
  const album = `${song.album} (Remastered)`;
  const remaster = makeTrack({ ...first, title, album, released: date(song, year), rank: song.rank + 3, recording: `${main(song)}|${title}|${album}` });
  return hash % 3 === 0 ? [remaster] : [makeTrack(first), remaster];
}

function original(song: Song): TrackFields {
  const { title, artists, album, seconds, explicit, rank } = song;
  return { title, artists, album, seconds, explicit, rank, released: date(song, song.year), recording: `${main(song)}|${title}` };
}

/** Old releases are often known by their year alone. */
function date(song: Song, year: number): string {
  const hash = hash32(`${song.title}|${year}`);
  const two = (number: number): string => String(number).padStart(2, '0');
  return hash % 4 === 0 && year < 2000 ? String(year) : `${year}-${two(1 + (hash % 12))}-${two(1 + (hash % 28))}`;
}
