// How the schema bears a million playlists: two databases beside the product's, one full and one with a single busy user;
// the same work is measured in both.

import { randomUUID } from 'node:crypto';
import type { Sql, TransactionSql } from 'postgres';
import { setUpProject } from '../database/scratch.ts';
import { becomes, connect } from '../database/support.ts';
import { fill, heavyUser, playlistId, userId } from './database/fill.ts';
import type { Size } from './database/fill.ts';
import { inTurn, ready, report, variable } from './harness.ts';
import type { Ratio, Samples } from './harness.ts';

const SIZES: Record<string, Size> = {
  full: { users: 100_000, playlists: 1_000_000, tracks: 10_000_000, sessions: 5_000_000, months: 14 },
  small: { users: 5_000, playlists: 30_000, tracks: 300_000, sessions: 150_000, months: 14 },
};
/** With the same months: a plan has to look at each. */
const ONE_USER: Size = { users: 1, playlists: 1, tracks: 1, sessions: 1, months: 14 };
const ROUNDS = 31;
/** Work is repeated until it takes long enough for the clock. */
const ROUND_MS = 50;

type Place = { sql: Sql; user: string; playlist: string };
type Work = (tx: TransactionSql, place: Place) => Promise<unknown>;
type Role = 'authenticated' | 'fn_ai' | null;
type Side = { name: string; at: Place; role: Role; work: Work };

const size = SIZES[variable('BENCH_SCALE')] as Size;
const samples: Samples = {};
const ratios: Ratio[] = [];
const server = connect(1, ready.database_url);

async function place(name: string, content: Size): Promise<Place> {
  await server`drop database if exists ${server(name)} with (force)`;
  await server`create database ${server(name)} template template0`;
  const target = new URL(ready.database_url);
  target.pathname = name;
  const sql = connect(1, target.href);
  await setUpProject(sql);
  await fill(sql, content);
  return { sql, user: userId(heavyUser(content)), playlist: playlistId(content.playlists + 1) };
}

class Undone extends Error {}

/** Does work in a transaction that leaves nothing; the claims are set by one statement, as PostgREST does. */
async function undone({ at, role, work }: Side): Promise<void> {
  const transaction = at.sql.begin(async (tx) => {
    if (role === null) await tx`select set_config('request.jwt.claims', '', true), set_config('role', 'postgres', true)`;
    else await becomes(tx, role, at.user);
    await work(tx, at);
    throw new Undone();
  });
  await transaction.catch((error: unknown) => {
    if (!(error instanceof Undone)) throw error;
  });
}

async function msOf(side: Side, repeats: number): Promise<number> {
  const begun = performance.now();
  for (let n = 0; n < repeats; n += 1) await undone(side);
  return (performance.now() - begun) / repeats;
}

async function compare(what: string, one: Side, two: Side, goal: Partial<Ratio>): Promise<void> {
  const repeats = Math.ceil(ROUND_MS / Math.max(await msOf(one, 1), await msOf(two, 1)));
  const timed = (side: Side) => async () => ({ [what]: await msOf(side, repeats) });
  await inTurn(ROUNDS, { [one.name]: timed(one), [two.name]: timed(two) }, samples);
  ratios.push({ what, of: one.name, to: two.name, ...goal });
}

/** A hot query as its owner under row-level security, and as the superuser who says whose rows are meant. */
async function underRowLevelSecurity(at: Place, what: string, query: (where: string) => string, owner: string): Promise<void> {
  const run = (where: string): Work => (tx) => tx.unsafe(query(where), [], { prepare: true });
  const superuser: Side = { name: 'the superuser', at, role: null, work: run(`${owner} = '${at.user}'`) };
  await compare(what, { name: 'the owner', at, role: 'authenticated', work: run('true') }, superuser, { atMost: 1.15 });
}

/** The same work among all others and alone in the database. */
async function atScale(what: string, full: Place, alone: Place, role: Role, work: Work, goal: Partial<Ratio> = { atMost: 1.2 }): Promise<void> {
  await compare(what, { name: 'among many', at: full, role, work }, { name: 'alone', at: alone, role, work }, goal);
}

const embedded = (of: string) => `left join lateral (select coalesce(json_agg(t), '[]') from (${of}) t) embedded on true`;
const ofPlaylist = 'from public.playlist_tracks t where t.playlist_id = p.id';
const uris = (count: number, from: number) =>
  JSON.stringify(Array.from({ length: count }, (_, n) => ({ track_uri: `spotify:track:${String(from + n).padStart(22, '0')}` })));

try {
  const [full, alone] = [await place('bench_full', size), await place('bench_alone', ONE_USER)];
  for (const table of ['ai_sessions', 'playlist_tracks', 'playlists', 'profiles']) {
    const [row] = await full.sql`
      select sum(pg_total_relation_size(oid))::float8 / (select count(*) from ${full.sql(table)}) as bytes from pg_class
      where oid = ${table}::regclass or oid in (select inhrelid from pg_inherits where inhparent = ${table}::regclass)`;
    samples[`${table}: bytes a row, indexes included`] = { 'among many': [row?.bytes as number] };
  }
  const list = (where: string) =>
    `select p.*, embedded.* from public.playlists p ${embedded(`select count(*) ${ofPlaylist}`)} where not p.is_deleted and ${where} order by p.updated_at desc`;
  const one = (where: string) =>
    `select p.*, embedded.* from public.playlists p ${embedded(`select * ${ofPlaylist} order by t.position`)} where p.id = '${full.playlist}' and ${where}`;
  await underRowLevelSecurity(full, 'my playlists with their track counts, ms', list, 'p.owner_id');
  await underRowLevelSecurity(full, 'one playlist with its 100 tracks, ms', one, 'p.owner_id');
  const sessions = (where: string) => `select * from public.ai_sessions where ${where} order by created_at desc limit 50`;
  await underRowLevelSecurity(full, 'my newest 50 AI sessions, ms', sessions, 'user_id');
  await underRowLevelSecurity(full, 'my profile, ms', (where) => `select * from public.profiles where ${where}`, 'user_id');

  await atScale('reserve and settle a generation, ms', full, alone, 'fn_ai', async (tx, { user }) => {
    const session = randomUUID();
    await tx`select public.ai_reserve(${session}, ${user}, 'a prompt', false)`;
    await tx`select public.ai_settle(${session}, ${user}, 'succeeded', 0.0005)`;
  });
  await atScale('usage(), ms', full, alone, 'authenticated', (tx) => tx`select public.usage()`);
  await atScale('move one of 100 tracks, ms', full, alone, 'authenticated', (tx, { playlist }) => tx`select * from public.move_track(${playlist}, 1, 100)`);
  await atScale('remove one of 100 tracks and add another, ms', full, alone, 'authenticated', async (tx, { playlist }) => {
    await tx`select * from public.remove_track(${playlist}, 1)`;
    await tx`select * from public.add_tracks(${playlist}, ${uris(1, 900)}::text::jsonb)`;
  });
  await atScale('replace 100 tracks by others, ms', full, alone, 'authenticated', (tx, { playlist }) =>
    tx`select * from public.replace_tracks(${playlist}, ${uris(100, 500)}::text::jsonb)`);
  await atScale('delete the account of a busy user, ms', full, alone, null, (tx, { user }) => tx`delete from auth.users where id = ${user}`, {});
  // One day's expired sessions, among the others and alone in their table.
  const expired = `from public.ai_sessions where created_at < now() - interval '30 days'`;
  await full.sql`delete from public.ai_sessions where created_at < now() - interval '31 days'`;
  const [day] = await full.sql.unsafe<{ count: number }[]>(`select count(*)::int ${expired}`);
  await alone.sql`delete from public.ai_sessions`;
  await alone.sql`
    insert into public.ai_sessions (user_id, prompt, status, cost, created_at)
    select ${alone.user}, 'a cozy rainy evening', 'failed', 0, now() - interval '30 days 1 second' - n * interval '1 millisecond'
    from generate_series(1, ${day?.count ?? 0}::int) n`;
  for (const { sql } of [full, alone]) await sql`vacuum analyze`;
  await atScale(`clean up the ${day?.count} sessions of a day, ms`, full, alone, null, (tx) => tx.unsafe(`delete ${expired}`), {});
  const [version] = await server`show server_version`;
  const content = Object.entries(size).map(([what, count]) => `${count.toLocaleString('en')} ${what}`).join(', ');
  report('database', `PostgreSQL ${version?.server_version}; ${content}.`, samples, ratios);
  for (const { sql } of [full, alone]) await sql.end();
} finally {
  for (const name of ['bench_full', 'bench_alone']) await server`drop database if exists ${server(name)} with (force)`;
  await server.end();
}
