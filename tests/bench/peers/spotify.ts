// A search in the catalogue as Spotify's documentation shows it: client credentials, then GET /v1/search.

import type { Environment } from '../candidate.ts';

export type Song = { artist: string; title: string };
export type Track = { track_uri: string; title: string; artist: string };

type Found = { uri: string; name: string; artists: { name: string }[] };

export type Search = (song: Song) => Promise<Track | null>;

export function catalogue(env: Environment): { getToken: () => Promise<string>; search: Search } {
  let kept: { token: string; until: number } | undefined;

  const getToken = async () => {
    if (kept !== undefined && kept.until > Date.now()) return kept.token;
    const response = await fetch(`${env.SPOTIFY_ACCOUNTS_BASE_URL}/api/token`, {
      method: 'POST',
      headers: {
        Authorization: `Basic ${btoa(`${env.SPOTIFY_CLIENT_ID}:${env.SPOTIFY_CLIENT_SECRET}`)}`,
        'Content-Type': 'application/x-www-form-urlencoded',
      },
      body: 'grant_type=client_credentials',
    });
    const { access_token, expires_in } = (await response.json()) as { access_token: string; expires_in: number };
    kept = { token: access_token, until: Date.now() + (expires_in - 60) * 1000 };
    return access_token;
  };

  /** The first of what is found; a search that fails has found nothing. */
  const search: Search = async ({ artist, title }) => {
    const query = new URLSearchParams({ q: `track:"${title}" artist:"${artist}"`, type: 'track', limit: '10' });
    const response = await fetch(`${env.SPOTIFY_API_BASE_URL}/v1/search?${query}`, { headers: { Authorization: `Bearer ${await getToken()}` } });
    if (!response.ok) {
      await response.body?.cancel();
      return null;
    }
    const { tracks } = (await response.json()) as { tracks: { items: Found[] } };
    const [best] = tracks.items;
    return best === undefined ? null : { track_uri: best.uri, title: best.name, artist: best.artists.map(({ name }) => name).join(', ') };
  };

  return { getToken, search };
}
