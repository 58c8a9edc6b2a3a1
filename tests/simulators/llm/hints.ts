import type { Song } from '../catalogue/types.ts';
import { fold } from '../catalogue/text.ts';
import { songs } from '../catalogue/catalogue.ts';

export interface Hints {
  language: 'en' | 'pl';
  offTopic: boolean;
  tags: string[];
  years?: { from: number; to: number };
  /** Folded names of artists that the prompt mentions. */
  artists: string[];
}

/** More artists than this are a list of something, not a wish. */
const MAX_WISHES = 5;

/** Folded beginnings of words, and the tag that each suggests. */
const TAG_WORDS: Record<string, string> = {
  rock: 'rock', metal: 'metal', punk: 'punk', pop: 'pop', jazz: 'jazz', jazow: 'jazz', swing: 'jazz', blues: 'blues', bluesow: 'blues', soul: 'soul', motown: 'soul', funk: 'funk',
  disco: 'disco', dyskotek: 'disco', classical: 'classical', klasycz: 'classical', orchestr: 'classical', symfoni: 'classical', piano: 'piano', fortepian: 'piano', pianin: 'piano',
  electronic: 'electronic', elektronicz: 'electronic', techno: 'electronic', house: 'electronic', edm: 'electronic', synth: 'electronic', ambient: 'ambient',
  rap: 'hiphop', hip: 'hiphop', trap: 'hiphop', folk: 'folk', ludow: 'folk', country: 'country', reggae: 'reggae', indie: 'indie', alternat: 'alternative', grunge: 'grunge',
  acoustic: 'acoustic', akustycz: 'acoustic', instrumental: 'instrumental', film: 'film', soundtrack: 'film', poet: 'poetic', poezj: 'poetic', latin: 'latin', kpop: 'korean', japan: 'japanese',
  japon: 'japanese', anime: 'japanese', korea: 'korean', franc: 'french', french: 'french', spanish: 'latin', hiszpan: 'latin', brazil: 'latin', italian: 'italian', wlosk: 'italian',
  polish: 'pl', polsk: 'pl', poland: 'pl', polska: 'pl',
  party: 'party', imprez: 'party', dance: 'dance', danc: 'dance', tanc: 'dance', tanecz: 'dance', wedding: 'wedding', wesel: 'wedding', workout: 'energetic', gym: 'energetic', run: 'energetic', bieg: 'energetic', trening: 'energetic', silown: 'energetic',
  energ: 'energetic', calm: 'calm', relax: 'calm', chill: 'calm', spokoj: 'calm', cich: 'calm', odpocz: 'calm', sleep: 'calm', sen: 'calm', zasyp: 'calm', study: 'calm', focus: 'calm', nauk: 'calm', uczen: 'calm', praca: 'calm', coffee: 'calm', kaw: 'calm',
  sad: 'sad', smut: 'sad', melanchol: 'sad', heartbreak: 'sad', rain: 'sad', deszcz: 'sad', jesien: 'sad', breakup: 'sad', rozstan: 'sad', happy: 'party', wesol: 'party',
  summer: 'summer', lato: 'summer', letni: 'summer', wakacj: 'summer', beach: 'summer', plaz: 'summer', night: 'night', noc: 'night', drive: 'night', jazd: 'night', roadtrip: 'rock', ognisk: 'acoustic', campfire: 'acoustic', romant: 'love', love: 'love', milos: 'love',
};

const DECADE_WORDS: Record<string, number> = {
  fifties: 1950, sixties: 1960, seventies: 1970, eighties: 1980, nineties: 1990, piecdziesiat: 1950, szescdziesiat: 1960, siedemdziesiat: 1970, osiemdziesiat: 1980, dziewiecdziesiat: 1990, dwutysieczn: 2000,
};

const MUSIC = /\b(music|songs?|playlists?|tracks?|album|listen|tunes?|dj|muzyk\w*|piosen\w*|utwor\w*|plejlist\w*|playlist\w*|kawalk\w*|przeboj\w*|hit\w*|slucha\w*)\b/;

/** Requests for something else, on folded text. Loose words such as "weather" or "code" are moods as often as not. */
const OFF_TOPIC = [
  /\b(write|debug|fix|generate|give me|create|make)\b.{0,30}\b(code|script|program|function|sql|python|javascript|java|regex|essay|homework|email|poem|cv|resume|letter)\b/,
  /\b(my|do|solve) (the |my )?(homework|assignment|equation|exam)\b/,
  /\b(what is|whats|how is|tell me|give me|show me) the weather\b|\bweather (report|forecast)\b/,
  /\brecipe (for|of)\b|\bhow (do i|to) (cook|bake)\b/,
  /\b(medical advice|diagnose|symptoms?|which (pills?|medicine)|antibiotics?|prescri\w+)\b/,
  /\b(stock price|invest|tax return|capital of|translate|who won|what is \d+)\b/,
  /\b(ignore|disregard|forget)\b.{0,30}\b(instructions?|rules|prompt)\b/,
  /\b(napisz|popraw|wygeneruj|zrob|odrob)\b.{0,30}\b(kod|skrypt|program|funkcj\w+|wypracowan\w+|rozprawk\w+|zadani\w+|wiersz|mail\w*|cv|podani\w+)\b/,
  /\b(jaka (jest|bedzie) pogoda|prognoz\w+ pogody)\b/,
  /\bprzepis\w* na\b|\bjak (ugotowac|upiec|zrobic (obiad|ciasto))\b/,
  /\b(porad\w+ (lekarsk|medyczn)\w+|objaw\w*|jaki lek|antybiotyk\w*|diagnoz\w*)\b/,
  /\b(zignoruj|pomin|zapomnij)\b.{0,30}\b(instrukcj\w+|polece\w+|zasad\w*)\b/,
];

const POLISH = new Set('i w z na do dla ze o od po przy oraz jak lub albo sie nie jest mi cos muzyka muzyke muzyki piosenki piosenek piosenka utwory utworow playlista playliste plejlista daj zrob chce prosze bez lat lata polski polskie polska polskich wieczor noc spokojne wesole smutne do jazdy imprezy nauki tanca samochodu bieganie biegania przy ktore czyli moze troche cos tylko'.split(' '));
const ENGLISH = new Set('a an the and or of for to with in on my me from some songs song music playlist like that this without no is are about give make want something best only please'.split(' '));

export function readHints(prompt: string): Hints {
  const folded = fold(prompt);
  const padded = ` ${folded} `;
  const names = new Set(songs().flatMap((song) => song.artists.map(fold)));
  const mentioned = [...names].filter((name) => name.length > 3 && padded.includes(` ${name} `));
  return {
    language: detectLanguage(prompt, folded),
    offTopic: prompt.split('\n').map(fold).some((line) => OFF_TOPIC.some((pattern) => pattern.test(line)) && !MUSIC.test(line)),
    tags: readTags(folded),
    years: readYears(folded),
    artists: mentioned.length > MAX_WISHES ? [] : mentioned,
  };
}

function detectLanguage(prompt: string, folded: string): 'en' | 'pl' {
  const tokens = folded.split(' ');
  const count = (known: Set<string>): number => tokens.filter((token) => known.has(token)).length;
  const diacritics = (prompt.match(/[ąćęłńśźż]/gi) ?? []).length;
  return count(POLISH) + diacritics > 2 * count(ENGLISH) ? 'pl' : 'en';
}

function readTags(folded: string): string[] {
  const tags = folded.replace(/\bk pop\b/g, 'kpop').split(' ').flatMap((token) =>
    Object.entries(TAG_WORDS)
      .filter(([start]) => token === start || (start.length > 3 && token.startsWith(start)))
      .map(([, tag]) => tag),
  );
  return [...new Set(tags)];
}

/** "1990-1999", "from 1975", "80s", "lata 80", "osiemdziesiąte". Several decades widen the span. */
function readYears(folded: string): Hints['years'] {
  const spans: { from: number; to: number }[] = [];
  for (const [, decade] of folded.matchAll(/\b((?:19|20)\d0)s\b/g)) {
    spans.push({ from: Number(decade), to: Number(decade) + 9 });
  }
  for (const [, english, polish] of folded.matchAll(/\b(?:([0-9]0)s|lat(?:a|ach)? ([0-9]0))\b/g)) {
    const digits = Number(english ?? polish);
    const decade = digits + (digits >= 50 ? 1900 : 2000);
    spans.push({ from: decade, to: decade + 9 });
  }
  for (const [, year] of folded.matchAll(/\b((?:19[3-9]|20[0-2])\d)\b/g)) {
    spans.push({ from: Number(year), to: Number(year) });
  }
  for (const [start, decade] of Object.entries(DECADE_WORDS)) {
    if (folded.includes(start)) {
      spans.push({ from: decade, to: decade + 9 });
    }
  }
  if (spans.length === 0) {
    return undefined;
  }
  return { from: Math.min(...spans.map((span) => span.from)), to: Math.max(...spans.map((span) => span.to)) };
}

/** How well a song suits; 0 or less when it does not. */
export function suits(song: Song, hints: Hints): number {
  const named = song.artists.some((artist) => hints.artists.includes(fold(artist)));
  const inYears = hints.years === undefined || (song.year >= hints.years.from && song.year <= hints.years.to);
  if (!inYears) {
    return 0;
  }
  const wantsPolish = hints.tags.includes('pl');
  if (wantsPolish && !song.tags.includes('pl')) {
    return 0;
  }
  const shared = hints.tags.filter((tag) => tag !== 'pl' && song.tags.includes(tag)).length;
  const home = hints.language === 'pl' && song.tags.includes('pl') ? 0.5 : 0;
  return (named ? 4 : 0) + 2 * shared + home + (hints.tags.length === 0 || wantsPolish ? 1 : 0) + (hints.years ? 0.5 : 0);
}
