// Users with playlists, and their statements in a transaction.

import { after } from 'node:test';
import type { Sql, TransactionSql } from 'postgres';
import { ownDatabase } from '../scratch.ts';
import { becomes, signUp } from '../support.ts';
import type { Step } from './interleave.ts';

/** The database of this file's races, and a connection to prepare them and to check their results. */
const { url, sql, drop } = await ownDatabase();
export { sql, url };
after(drop);
// No transaction may give up waiting because the machine is slow.
await sql`
  do $$ declare v text; begin
    for v in select oid::regprocedure from pg_proc where array_to_string(proconfig, ' ') ~ 'lock_timeout' loop
      execute format('alter function %s set lock_timeout = %L', v, '1h');
    end loop;
  end $$`;

export const uri = (number: number) => `spotify:track:${String(number).padStart(22, '0')}`;
export const tracks = (...numbers: number[]) => JSON.stringify(numbers.map((number) => ({ track_uri: uri(number) })));

export const asUser = (user: string, step: Step): Step => async (tx) => {
  await becomes(tx, 'authenticated', user);
  return step(tx);
};

export const asFunction = (role: 'fn_ai' | 'fn_spotify' | 'fn_billing' | 'fn_account', step: Step): Step => async (tx) => {
  await becomes(tx, role, null);
  return step(tx);
};

export const insertPlaylist = (user: string, name: string): Step => (tx) =>
  tx`insert into public.playlists (owner_id, name) values (${user}, ${name})`;

export const addTracks = (playlist: string, ...numbers: number[]): Step => (tx) =>
  tx`select * from public.add_tracks(${playlist}, ${tracks(...numbers)}::text::jsonb)`;

/** Creates a user with `live` and `deleted` playlists; returns their ids, oldest first. */
export async function userWithPlaylists(live: number, deleted = 0): Promise<{ user: string; live: string[]; deleted: string[] }> {
  const user = await signUp(sql);
  const make = async (name: string, count: number, isDeleted: boolean) => {
    const rows = await sql<{ id: string }[]>`
      insert into public.playlists (owner_id, name, is_deleted)
      select ${user}, ${name} || ' ' || n, ${isDeleted} from generate_series(1, ${count}::int) n returning id`;
    return rows.map((row) => row.id);
  };
  return { user, live: await make('Live', live, false), deleted: await make('Deleted', deleted, true) };
}

export async function livePlaylists(user: string): Promise<number> {
  const [row] = await sql`select count(*)::int as live from public.playlists where owner_id = ${user} and not is_deleted`;
  return row?.live as number;
}

export async function tracksOf(playlist: string, on: Sql | TransactionSql = sql): Promise<{ position: number; track_uri: string; is_deleted: boolean }[]> {
  return on`select position, track_uri, is_deleted from public.playlist_tracks where playlist_id = ${playlist} order by position`;
}
