import { base62Id, hash32 } from '../common/random.ts';
import { fold } from './text.ts';
import type { Track } from './types.ts';

export interface TrackFields {
  title: string;
  artists: string[];
  album: string;
  /** YYYY, YYYY-MM or YYYY-MM-DD. */
  released: string;
  seconds: number;
  explicit?: boolean;
  playable?: boolean;
  rank: number;
  /** Tracks of the same recording share it. */
  recording: string;
}

export function makeTrack(fields: TrackFields): Track {
  const identity = [fields.artists.join(';'), fields.title, fields.album, fields.explicit ? 'explicit' : ''].join('|');
  return {
    id: base62Id(identity),
    name: fields.title,
    artists: fields.artists.map((name) => ({ id: base62Id(`artist|${fold(name)}`), name })),
    album: { name: fields.album, release_date: fields.released },
    // not a whole number of seconds, as in reality
    duration_ms: fields.seconds * 1000 + (hash32(identity) % 1000),
    explicit: fields.explicit ?? false,
    is_playable: fields.playable ?? true,
    isrc: isrc(fields.recording),
    rank: Math.min(100, Math.max(0, Math.round(fields.rank))),
  };
}

const REGISTRANTS = ['GBAYE', 'USRC1', 'USUM7', 'PLA01', 'PLB13', 'GBUM7', 'DEA62', 'FRZ11', 'QZES8', 'SEBKA'];

/** Country, registrant, two digits of a year, five digits: derived from the recording's name. */
function isrc(recording: string): string {
  const hash = hash32(recording);
  const registeredIn = String(hash32(`${recording}@`) % 26).padStart(2, '0');
  return `${REGISTRANTS[hash % REGISTRANTS.length]}${registeredIn}${String(hash32(`${recording}#`) % 100_000).padStart(5, '0')}`;
}
