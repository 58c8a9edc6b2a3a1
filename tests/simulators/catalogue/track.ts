import { base62Id, hash32 } from '../common/random.ts';
import { fold } from './text.ts';

/** A track of the simulated catalogue, in the form that `PUT /__control/catalogue` accepts. */
export interface Track {
  id: string;
  name: string;
  artists: { id: string; name: string }[];
  album: { name: string; release_date: string };
  duration_ms: number;
  explicit: boolean;
  is_playable: boolean;
  isrc: string;
  /** Popularity from 0 to 100, higher is more popular. */
  rank: number;
}

/** A song as first released. */
export interface Song {
  artists: string[];
  title: string;
  year: number;
  album: string;
  seconds: number;
  explicit: boolean;
  /** Genres, moods, the language that is sung (such as `pl`), `instrumental`. */
  tags: string[];
  /** 0 to 100, higher is better known. */
  rank: number;
}

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
    // Real durations are not whole seconds.
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
  const digits = (salt: string, length: number, below: number): string => String(hash32(recording + salt) % below).padStart(length, '0');
  return `${REGISTRANTS[hash32(recording) % REGISTRANTS.length]}${digits('@', 2, 26)}${digits('#', 5, 100_000)}`;
}
