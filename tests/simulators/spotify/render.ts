import type { Track } from '../catalogue/track.ts';
import { base62Id } from '../common/random.ts';

/** A track as the API answers it in 2026: without popularity, available_markets and linked_from. */
export function trackObject(track: Track, market: string | null): Record<string, unknown> {
  const artists = track.artists.map((artist) => ({ ...links('artist', artist.id), name: artist.name }));
  const albumId = base62Id(`album|${track.artists[0]?.name}|${track.album.name}`);
  return {
    album: {
      album_type: 'album',
      artists: artists.slice(0, 1),
      ...links('album', albumId),
      images: [640, 300, 64].map((side) => ({ url: `https://i.scdn.co/image/${albumId}${side}`, height: side, width: side })),
      name: track.album.name,
      release_date: track.album.release_date,
      release_date_precision: ['year', 'month', 'day'][track.album.release_date.split('-').length - 1],
      total_tracks: 12,
    },
    artists,
    disc_number: 1,
    duration_ms: track.duration_ms,
    explicit: track.explicit,
    external_ids: { isrc: track.isrc },
    ...links('track', track.id),
    is_local: false,
    // Told only for a market; restrictions only where it is false.
    ...(market === null ? {} : { is_playable: track.is_playable }),
    ...(market === null || track.is_playable ? {} : { restrictions: { reason: 'market' } }),
    name: track.name,
    track_number: 1,
  };
}

function links(type: string, id: string): Record<string, unknown> {
  return {
    external_urls: { spotify: `https://open.spotify.com/${type}/${id}` },
    href: `https://api.spotify.com/v1/${type}s/${id}`,
    id,
    type,
    uri: `spotify:${type}:${id}`,
  };
}

/** One page of results, with links to its neighbours. */
export function pageObject(url: URL, items: unknown[], total: number, limit: number, offset: number): Record<string, unknown> {
  const link = (start: number): string => {
    const target = new URL(url);
    target.searchParams.set('offset', String(start));
    target.searchParams.set('limit', String(limit));
    return target.href;
  };
  return {
    href: link(offset),
    limit,
    next: offset + limit < total ? link(offset + limit) : null,
    offset,
    previous: offset > 0 ? link(Math.max(0, offset - limit)) : null,
    total,
    items,
  };
}
