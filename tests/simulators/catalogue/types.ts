/** Title, year of the first release, album, and where it matters seconds and 'E' for explicit. */
export type SongRow = [title: string, year: number, album?: string, seconds?: number, explicit?: 'E'];

/**
 * One artist: the name (several joined by ';'), space-separated tags (genres, moods, `pl` and so on for the language sung in,
 * `instrumental`), then the songs, the best known first.
 */
export type ArtistRow = [artist: string, tags: string, ...songs: SongRow[]];

/** A song as its artist first released it. */
export interface Song {
  artists: string[];
  title: string;
  year: number;
  album: string;
  seconds: number;
  explicit: boolean;
  tags: string[];
  /** 0 to 100, higher is better known. */
  rank: number;
}

/** A track of the simulated catalogue; the form that `PUT /__control/catalogue` takes. */
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
