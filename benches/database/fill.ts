// Creates users with playlists, tracks and AI sessions, the same in every run.

import type { Sql } from 'postgres';

export type Size = { users: number; playlists: number; tracks: number; sessions: number; months: number };

/** Ids contain their kind and number: user 1, playlist 1 of the whole database… */
export const userId = (n: number) => `aaaaaaaa-0000-0000-0000-${n.toString(16).padStart(12, '0')}`;
export const playlistId = (n: number) => `bbbbbbbb-0000-0000-0000-${n.toString(16).padStart(12, '0')}`;

const ID = (prefix: string, n: string) => `('${prefix}-0000-0000-0000-' || lpad(to_hex(${n}), 12, '0'))::uuid`;
const USER = (n: string) => ID('aaaaaaaa', n);
const PLAYLIST = (n: string) => ID('bbbbbbbb', n);
const TRACK = (n: string) => `'spotify:track:' || lpad((${n})::text, 22, '0')`;

/** The last user is at the limits: 50 playlists, the first with 100 tracks. */
export const heavyUser = (size: Size) => size.users;

/**
 * Triggers and foreign keys are off during the filling: the rows satisfy them by construction. Playlists are dealt to the
 * users in turn, tracks to the playlists; sessions are spread evenly over the past months.
 */
export async function fill(sql: Sql, size: Size): Promise<void> {
  const { users, playlists, tracks, sessions, months } = size;
  await sql`
    select private.ensure_ai_sessions_partitions_at(now() - make_interval(months => m), 0) from generate_series(0, ${months}::int) m`;
  await sql.begin(async (tx) => {
    await tx`set local session_replication_role = replica`;
    await tx.unsafe(`
      insert into auth.users (id, email) select ${USER('n')}, n || '@example.test' from generate_series(1, ${users}) n;
      insert into public.profiles (user_id, username, plan)
      select ${USER('n')}, 'User ' || n, (case when n % 20 = 0 then 'pro' else 'free' end)::public.plan_type
      from generate_series(1, ${users}) n;
      insert into public.playlists (id, owner_id, name, is_deleted, created_at, updated_at)
      select ${PLAYLIST('n')}, ${USER(`1 + (n - 1) % ${users}`)}, 'Playlist ' || n, n % 11 = 0, now() - n * interval '1 second', now() - n * interval '1 second'
      from generate_series(1, ${playlists}) n;
      insert into public.playlists (id, owner_id, name)
      select ${PLAYLIST(`${playlists} + n`)}, ${USER(String(users))}, 'More ' || n from generate_series(1, 50) n;
      insert into public.playlist_tracks (playlist_id, position, track_uri, title, artist, is_deleted)
      select ${PLAYLIST(`1 + (n - 1) % ${playlists}`)}, 1 + (n - 1) / ${playlists}, ${TRACK(`n % 4000037`)}, 'Title ' || n, 'Artist ' || n % 50000,
        (1 + (n - 1) % ${playlists}) % 11 = 0
      from generate_series(1, ${tracks}) n;
      insert into public.playlist_tracks (playlist_id, position, track_uri, title, artist)
      select ${PLAYLIST(`${playlists} + 1`)}, n, ${TRACK('n')}, 'Title ' || n, 'Artist' from generate_series(1, 100) n;
      insert into public.ai_sessions (user_id, prompt, status, cost, created_at)
      select ${USER(`1 + n % ${users}`)}, 'a cozy rainy evening, mellow acoustic',
        (array['succeeded', 'succeeded', 'succeeded', 'failed', 'timeout']::public.ai_status_enum[])[1 + n % 5], 0.0005,
        date_trunc('milliseconds', now() - n * (make_interval(months => ${months}) / ${sessions}))
      from generate_series(1, ${sessions}) n;
    `);
  });
  await sql`vacuum analyze`;
}
