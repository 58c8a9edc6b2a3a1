import { SONGS } from '../catalogue/catalogue.ts';
import { fold } from '../catalogue/text.ts';
import type { Song } from '../catalogue/track.ts';
import { hash32, pick, seededRandom } from '../common/random.ts';
import type { Intent } from './intent.ts';
import { readIntent, suits } from './intent.ts';
import type { ChatRequest } from './request.ts';

const MADE_UP_ONE_IN = 8;
const MAX_PER_ARTIST = 2;
const TITLES = ['Paper Lanterns', 'Velvet Harbour', 'Hollow Satellites', 'Amber Meridian', 'Quiet Carousel', 'Crimson Staircase', 'Distant Orchard', 'Golden Tides'];
const TITLES_PL = ['Papierowe latarnie', 'Ostatnie przystanie', 'Srebrne podwórka', 'Ciche tramwaje', 'Dalekie ogrody', 'Szklane żaglówki', 'Zielone wspomnienia'];
const TEXTS = {
  pl: { mood: 'Nastrój', description: 'Utwory dobrane do Twojego opisu.', summary: 'Od znanych przebojów po mniej oczywiste nagrania.' },
  en: { mood: 'Mood', description: 'Songs chosen to fit your description.', summary: 'From well-known songs to less obvious ones.' },
};

interface Suggestion { artist: string; title: string; year: number | null }

/** The model's answer where no script gives one: the same for the same conversation. */
export function unscripted(request: ChatRequest): string {
  const intent = readIntent(request.messages);
  const { language, isAboutMusic } = intent;
  const random = seededRandom(hash32(request.messages.map((message) => message.text).join('\n')));
  const { mood, ...texts } = TEXTS[language];
  const name = `${mood}: ${intent.prompt.trim().replace(/\s+/g, ' ').slice(0, 40)}`;
  const answer = isAboutMusic
    ? { kind: 'playlist', language, name, ...texts, tracks: suggest(intent, random) }
    : { kind: 'refusal', language, name: '', description: '', summary: '', tracks: [] };
  // Without a format to keep to, models like to wrap their JSON.
  return request.wantsJson ? JSON.stringify(answer) : `\`\`\`json\n${JSON.stringify(answer, null, 2)}\n\`\`\``;
}

function suggest(intent: Intent, random: () => number): Suggestion[] {
  const madeUpAt = Math.floor(random() * MADE_UP_ONE_IN);
  const perArtist = new Map<string, number>();
  const suggestions: Suggestion[] = [];
  for (const song of inOrderOfTaste(intent, random)) {
    const artist = song.artists[0] ?? '';
    const taken = perArtist.get(artist) ?? 0;
    if (suggestions.length >= intent.count) break;
    if ((taken >= MAX_PER_ARTIST && !intent.artists.includes(fold(artist))) || intent.names(artist, song.title)) continue;
    perArtist.set(artist, taken + 1);
    suggestions.push(asAModelSpells(song, random));
    if (suggestions.length < intent.count && suggestions.length % MADE_UP_ONE_IN === madeUpAt) {
      const title = pick(intent.language === 'pl' || song.tags.includes('pl') ? TITLES_PL : TITLES, random());
      suggestions.push({ artist, title: `${title} ${1 + Math.floor(99 * random())}`, year: song.year });
    }
  }
  return suggestions;
}

/** The better a song suits the earlier it comes, with enough chance that two wordings give two lists. */
function inOrderOfTaste(intent: Intent, random: () => number): Song[] {
  const tasted = SONGS.map((song) => ({ song, fits: suits(song, intent), taste: suits(song, intent) + song.rank / 100 + 1.5 * random() }));
  return tasted.sort((a, b) => Number(b.fits > 0.5) - Number(a.fits > 0.5) || b.taste - a.taste).map(({ song }) => song);
}

/** Models know years roughly and are careless about diacritics. */
function asAModelSpells(song: Song, random: () => number): Suggestion {
  const isCareless = random() < 0.1 && /^[\p{Script=Latin}\P{L}]+$/u.test(song.title);
  const spell = (text: string): string => (isCareless ? text.replaceAll('ł', 'l').replaceAll('Ł', 'L').normalize('NFKD').replace(/\p{M}/gu, '') : text);
  const year = pick([null, song.year + 1, ...Array<number>(8).fill(song.year)], random());
  return { artist: spell(song.artists[0] ?? ''), title: spell(song.title.replace(/ \((feat\.|with) [^)]+\)/, '')), year };
}
