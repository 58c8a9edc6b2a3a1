import type { Track } from '../catalogue/types.ts';
import { checkFields, ControlError } from '../common/check.ts';

const FIELDS = {
  id: 'string',
  name: 'string',
  artists: 'any',
  album: 'object',
  duration_ms: 'number',
  explicit: 'boolean',
  is_playable: 'boolean',
  isrc: 'string',
  rank: 'number',
} as const;

/** Checks the tracks of `PUT /__control/catalogue`; every field is needed. */
export function readCatalogue(body: unknown): Track[] {
  if (!Array.isArray(body)) {
    throw new ControlError('the catalogue must be a list of tracks');
  }
  return body.map((item, index) => {
    const what = `track[${index}]`;
    const track = checkFields(what, item, FIELDS, Object.keys(FIELDS));
    if (!/^[0-9A-Za-z]{22}$/.test(String(track.id))) {
      throw new ControlError(`${what}.id must have 22 base62 characters`);
    }
    const artists: unknown = track.artists;
    if (!Array.isArray(artists) || artists.length === 0) {
      throw new ControlError(`${what}.artists must be a list with at least one artist`);
    }
    for (const artist of artists) {
      checkFields(`${what}.artists`, artist, { id: 'string', name: 'string' }, ['id', 'name']);
    }
    const album = checkFields(`${what}.album`, track.album, { name: 'string', release_date: 'string' }, ['name', 'release_date']);
    if (!/^\d{4}(-\d\d){0,2}$/.test(String(album.release_date))) {
      throw new ControlError(`${what}.album.release_date must be YYYY, YYYY-MM or YYYY-MM-DD`);
    }
    return item as Track;
  });
}
