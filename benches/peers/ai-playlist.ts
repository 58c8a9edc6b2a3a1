// The usual implementation of a playlist: check the user, reserve, wait for the model's whole completion, search for all
// songs in parallel, settle, respond. It creates the official clients once, and makes the product's two database calls.

import { createClient } from '@supabase/supabase-js';
import OpenAI from 'openai';
import type { Environment, Handler } from '../candidate.ts';

type Song = { artist: string; title: string };
type Track = { track_uri: string; title: string; artist: string };
type Found = { uri: string; name: string; artists: { name: string }[] };
type Search = (song: Song) => Promise<Track | null>;
type Playlist = { name: string; tracks: Song[] };

/** The number of simultaneous connections that Workers allow. */
const AT_ONCE = 6;

export function serve(env: Environment): Handler {
  const openai = new OpenAI({ apiKey: env.LLM_API_KEY as string, baseURL: env.LLM_BASE_URL as string });
  const { getToken, search } = catalogue(env);
  const supabase = createClient(env.SUPABASE_URL as string, env.SUPABASE_SECRET_KEY as string, { auth: { persistSession: false, autoRefreshToken: false } });

  const rpc = async (name: string, parameters: Record<string, unknown>) => {
    const { data, error } = await supabase.rpc(name, parameters);
    if (error) throw error;
    return data as { outcome: string; quota: unknown };
  };

  return async (request) => {
    const { data: verified } = await supabase.auth.getClaims(request.headers.get('authorization')?.replace(/^Bearer /, '') ?? '');
    if (!verified) return Response.json({ error: 'not signed in' }, { status: 401 });
    const { prompt, target_count } = (await request.json()) as { prompt: string; target_count: number };
    const session = { p_session_id: crypto.randomUUID(), p_user_id: verified.claims.sub };
    const { outcome } = await rpc('ai_reserve', { ...session, p_prompt: prompt, p_save: false });
    if (outcome !== 'reserved') return Response.json({ error: outcome }, { status: 402 });

    const completion = await openai.chat.completions.create(question(env, prompt, Math.ceil(target_count * 1.3)));
    const { name, tracks } = JSON.parse(completion.choices[0]?.message.content ?? '') as Playlist;
    await getToken();
    const found = (await searchAll(tracks, search)).filter((track) => track !== null).slice(0, target_count);

    const { quota } = await rpc('ai_settle', { ...session, p_status: 'succeeded', p_cost: '0.001', p_max_age_ms: 90_000 });
    return Response.json({ name, count: found.length, tracks: found, quota });
  };
}

async function searchAll(songs: Song[], search: Search): Promise<(Track | null)[]> {
  const found: (Track | null)[] = [];
  const waiting = songs.entries();
  const worker = async () => {
    for (const [index, song] of waiting) found[index] = await search(song);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return found;
}

const object = (properties: Record<string, object>) => ({ type: 'object', properties, required: Object.keys(properties), additionalProperties: false });
const text = { type: 'string' };
const SONG = object({ artist: text, title: text, year: { type: ['integer', 'null'] } });
const PLAYLIST = object({
  kind: { type: 'string', enum: ['playlist', 'refusal'] },
  language: { type: 'string', enum: ['en', 'pl'] },
  name: text,
  description: text,
  summary: text,
  tracks: { type: 'array', items: SONG },
});

function question(env: Environment, prompt: string, count: number) {
  return {
    model: env.LLM_MODEL as string,
    messages: [
      { role: 'system' as const, content: 'You are a music curator. You turn a wish into a playlist of real songs, in their original studio recordings.' },
      { role: 'user' as const, content: `Suggest ${count} songs.\n${JSON.stringify({ prompt })}` },
    ],
    response_format: { type: 'json_schema' as const, json_schema: { name: 'playlist', strict: true, schema: PLAYLIST } },
  };
}

/** Searches as in Spotify's documentation: client credentials, then GET /v1/search. */
function catalogue(env: Environment): { getToken: () => Promise<string>; search: Search } {
  let kept: { token: string; until: number } | undefined;

  const getToken = async () => {
    if (kept !== undefined && kept.until > Date.now()) return kept.token;
    const response = await fetch(`${env.SPOTIFY_ACCOUNTS_BASE_URL}/api/token`, {
      method: 'POST',
      headers: { Authorization: `Basic ${btoa(`${env.SPOTIFY_CLIENT_ID}:${env.SPOTIFY_CLIENT_SECRET}`)}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    const { access_token, expires_in } = (await response.json()) as { access_token: string; expires_in: number };
    kept = { token: access_token, until: Date.now() + (expires_in - 60) * 1000 };
    return access_token;
  };

  /** The first result, or nothing if the search fails. */
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
