// The attacker, the victim, and the database's content to compare with.

import { randomBytes, randomUUID } from 'node:crypto';
import type { Sql } from 'postgres';
import type { User } from '../../local-supabase/conformance/support.ts';
import { call, createPlaylist, publishable_key, signUp } from '../../local-supabase/conformance/support.ts';

/** A user with a playlist of three tracks, a deleted one, an AI session, a Stripe customer and a link to Spotify. */
export type Person = User & { playlist: string; deleted: string; generation: string; customer: string };

export type Scene = {
  sql: Sql;
  mallory: Person;
  victim: Person;
  months: string[];
  /** A mark in everything that the victim has written, and the ciphertext of both users. No response may contain them. */
  secrets: string[];
};

const SPOTIFY_SECRET = 's'.repeat(32);

export async function makeScene(sql: Sql): Promise<Scene> {
  const mark = `hidden${randomBytes(8).toString('hex')}`;
  const victim = await makePerson(sql, mark);
  const mallory = await makePerson(sql, `mallory${randomBytes(8).toString('hex')}`);
  const months = await sql<{ name: string }[]>`
    select inhrelid::regclass::text as name from pg_inherits where inhparent = 'public.ai_sessions'::regclass order by 1`;
  const ciphertexts = await sql<{ text: string }[]>`
    select encode(unnest(array[access_token, refresh_token]), 'hex') as text from spotify_tokens
    where user_id in (${victim.id}, ${mallory.id})`;
  return { sql, mallory, victim, months: months.map((row) => row.name), secrets: [mark, ...ciphertexts.map((row) => row.text)] };
}

async function makePerson(sql: Sql, mark: string): Promise<Person> {
  const user = await signUp({ username: mark });
  const customer = `cus_${mark}`;
  await sql`update profiles set stripe_customer_id = ${customer} where user_id = ${user.id}`;
  const playlist = await createPlaylist(user, `${mark} plays`);
  const deleted = await createPlaylist(user, `${mark} played`);
  for (const playlist_id of [playlist, deleted]) await addTracks(user, playlist_id, mark);
  await sql`insert into playlist_versions (playlist_id, version, prompt) values (${playlist}, 1, ${`${mark} wished`})`;
  await sql`update playlists set is_deleted = true where id = ${deleted}`;
  const generation = randomUUID();
  await sql`select ai_reserve(${generation}, ${user.id}, ${`${mark} wants music`}, false)`;
  await sql`select store_spotify_tokens(${user.id}, ${SPOTIFY_SECRET}, ${`${mark} access`}, ${`${mark} refresh`}, now())`;
  return { ...user, playlist, deleted, generation, customer };
}

async function addTracks(user: User, playlist_id: string, mark: string): Promise<void> {
  const tracks = ['a', 'b', 'c'].map((letter) => ({ track_uri: `spotify:track:${letter.repeat(22)}`, title: `${mark} ${letter}` }));
  const reply = await call('/rest/v1/rpc/add_tracks', { token: user.token, key: publishable_key, body: { playlist_id, tracks } });
  if (reply.status !== 200) throw new Error(reply.text);
}

export async function truth({ sql, mallory, victim }: Scene): Promise<unknown> {
  const ids = [mallory.id, victim.id];
  const [row] = await sql`select
    (select jsonb_agg(p order by p.user_id) from profiles p where p.user_id = any (${ids})) as profiles,
    (select jsonb_agg(p order by p.id) from playlists p where p.owner_id = any (${ids})) as playlists,
    (select jsonb_agg(t order by t.playlist_id, t.position) from playlist_tracks t
      join playlists p on p.id = t.playlist_id where p.owner_id = any (${ids})) as tracks,
    (select jsonb_agg(s order by s.id, s.created_at) from ai_sessions s where s.user_id = any (${ids})) as sessions,
    (select jsonb_agg(t order by t.user_id) from spotify_tokens t where t.user_id = any (${ids})) as tokens`;
  return row;
}
