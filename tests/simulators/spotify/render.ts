import type { Track } from '../catalogue/track.ts';
import { base62Id } from '../common/random.ts';

type Json = Record<string, unknown>;

/** A track as the API returns it in 2026: without popularity, available_markets and linked_from. Pictures are at `origin`. */
export function trackObject(track: Track, market: string | null, origin: string): Json {
  const { name, release_date } = track.album;
  const artists = track.artists.map((artist) => ({ ...links('artist', artist.id), name: artist.name }));
  const albumId = base62Id(`album|${track.artists[0]?.name}|${name}`);
  const images = [640, 300, 64].map((side) => ({ url: `${origin}/image/${albumId}${side}`, height: side, width: side }));
  const release_date_precision = ['year', 'month', 'day'][release_date.split('-').length - 1];
  const { duration_ms, explicit, isrc, is_playable } = track;
  return {
    album: { album_type: 'album', artists: artists.slice(0, 1), ...links('album', albumId), images, name, release_date, release_date_precision, total_tracks: 12 },
    ...{ artists, disc_number: 1, duration_ms, explicit, external_ids: { isrc }, ...links('track', track.id), is_local: false, name: track.name, track_number: 1 },
    // Present only with a market; restrictions only if it is false.
    ...(market === null ? {} : { is_playable, ...(is_playable ? {} : { restrictions: { reason: 'market' } }) }),
  };
}

export function links(type: string, id: string): Json {
  const href = `https://api.spotify.com/v1/${type}s/${id}`;
  return { external_urls: { spotify: `https://open.spotify.com/${type}/${id}` }, href, id, type, uri: `spotify:${type}:${id}` };
}

export function pageObject(url: URL, items: unknown[], total: number, limit: number, offset: number): Json {
  const link = (start: number): string => {
    const target = new URL(url);
    target.searchParams.set('offset', String(start));
    target.searchParams.set('limit', String(limit));
    return target.href;
  };
  const next = offset + limit < total ? link(offset + limit) : null;
  return { href: link(offset), limit, next, offset, previous: offset > 0 ? link(Math.max(0, offset - limit)) : null, total, items };
}
