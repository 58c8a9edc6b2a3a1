// A playlist as it is usually written: check the user, reserve, wait for the model's whole answer, search for all songs in
// parallel, settle, answer. The official clients, made once; the same two calls to the database as ours.

import { createClient } from '@supabase/supabase-js';
import type { Environment, Handler } from '../candidate.ts';
import type { Playlist } from './model.ts';
import { model, question } from './model.ts';
import type { Search, Song, Track } from './spotify.ts';
import { catalogue } from './spotify.ts';

/** More connections at once Workers do not allow. */
const AT_ONCE = 6;

export function serve(env: Environment): Handler {
  const openai = model(env);
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
