import { hash32, pick } from '../common/random.ts';
import { rowsOf } from './text.ts';
import type { Song, Track, TrackFields } from './track.ts';
import { makeTrack } from './track.ts';

const isPolish = (song: Song): boolean => song.tags.includes('pl');
const main = (song: Song): string => song.artists[0] ?? '';
const bare = (song: Song): string => song.title.replace(/ [([](feat\.|with) [^)\]]+[)\]]/, '');

const CONDITIONS = {
  sung: (song: Song) => !song.tags.includes('instrumental'),
  'on an album': (song: Song) => song.album !== song.title,
  featuring: (song: Song) => bare(song) !== song.title,
  'not Polish': (song: Song) => !isPolish(song),
};

/** In texts, {title} is the whole title, {song} the title without featured artists, {pick} a random one of `pick`. */
interface Rule {
  name: string;
  oneIn: number;
  when?: (keyof typeof CONDITIONS)[];
  since?: number;
  /** The same recording on another album, another recording by the artists, with a picked artist, or by that one alone. */
  by: 'recording' | 'artists' | 'artists and picked' | 'picked';
  titles: string[];
  album: string;
  picks?: string[];
  polishPicks?: string[];
  years?: number;
  /** The smallest addition to the song's popularity, and the range above it. */
  rank: [least: number, span: number];
  length?: number;
}

const RULES = rowsOf<Rule>('variants.jsonl');

/** The song's tracks and those that are easily confused with them; deterministic for each song. */
export function variantsOf(song: Song): Track[] {
  const key = `${main(song)}|${song.title}`;
  const applies = ({ name, oneIn, when = [], since = 0 }: Rule): boolean =>
    song.year >= since && when.every((condition) => CONDITIONS[condition](song)) && hash32(`${name}|${key}`) % oneIn === 0;
  const variants = RULES.filter(applies).map((rule) => variant(song, rule, (what) => hash32(`${rule.name}|${what}|${key}`) / 2 ** 32));
  const clean = { ...original(song), explicit: false, album: `${song.album} (Clean)`, rank: song.rank - 9, recording: `clean|${key}` };
  return [...ownTracks(song, hash32(`own|${key}`)), ...variants, ...(song.explicit ? [makeTrack(clean)] : [])];
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
  if (hash % 45 === 0) return [makeTrack({ ...first, playable: false }), makeTrack({ ...first, album: `${song.album} (Reissue)`, rank: song.rank - 7 })];
  if (song.year > 1996 || hash % 2 === 0) return [makeTrack(first)];
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

function date(song: Song, year: number): string {
  const hash = hash32(`${song.title}|${year}`);
  const two = (number: number): string => String(number).padStart(2, '0');
  return hash % 4 === 0 && year < 2000 ? String(year) : `${year}-${two(1 + (hash % 12))}-${two(1 + (hash % 28))}`;
}
