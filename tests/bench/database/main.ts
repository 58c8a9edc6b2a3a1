// How the schema bears a million playlists: node tests/bench/database/main.ts <DATABASE_URL> <small|full> <folder>
//
// Two databases beside the given one, one full and one with a single busy user; the same work is measured in both. The
// table goes to the standard output, and as database.json and database.md to the folder.

import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Sql, TransactionSql } from 'postgres';
import { setUpProject } from '../../database/scratch.ts';
import { becomes, connect } from '../../database/support.ts';
import type { Size } from './fill.ts';
import { fill, heavyUser, playlistId, userId } from './fill.ts';
import type { Comparison, Work } from './measure.ts';
import { compare } from './measure.ts';
import type { Storage } from './report.ts';
import { table } from './report.ts';

const FULL: Size = { users: 100_000, playlists: 1_000_000, tracks: 10_000_000, sessions: 5_000_000, months: 14 };
const SIZES: Record<string, Size> = {
  full: FULL,
  small: { users: 5_000, playlists: 30_000, tracks: 300_000, sessions: 150_000, months: 14 },
};
/** With the same months: a plan has to look at each. */
const ONE_USER: Size = { users: 1, playlists: 1, tracks: 1, sessions: 1, months: 14 };

const [url, scale = 'small', folder] = process.argv.slice(2);
const size = SIZES[scale];
if (url === undefined || size === undefined || folder === undefined) {
  console.error('usage: node tests/bench/database/main.ts <DATABASE_URL> <small|full> <folder>');
  process.exit(2);
}
const rounds = 31;

/** A database with so much in it, and its busiest user. */
type Place = { sql: Sql; user: string; playlist: string };

async function place(server: Sql, name: string, content: Size): Promise<Place> {
  await server`drop database if exists ${server(name)} with (force)`;
  await server`create database ${server(name)} template template0`;
  const target = new URL(url as string);
  target.pathname = name;
  const sql = connect(1, target.href);
  await setUpProject(sql);
  const begun = performance.now();
  await fill(sql, content);
  console.log(`${name}: filled in ${((performance.now() - begun) / 1000).toFixed(0)} s`);
  return { sql, user: userId(heavyUser(content)), playlist: playlistId(content.playlists + 1) };
}

class Undone extends Error {}

/** Work in a transaction that leaves nothing, as somebody; the claims are set by one statement, as PostgREST does. */
const undone =
  (sql: Sql, role: 'authenticated' | 'fn_ai' | null, user: string, work: (tx: TransactionSql) => Promise<unknown>): Work =>
  () =>
    sql
      .begin(async (tx) => {
        if (role === null) await tx`select set_config('request.jwt.claims', '', true), set_config('role', 'postgres', true)`;
        else await becomes(tx, role, user);
        await work(tx);
        throw new Undone();
      })
      .catch((error: unknown) => {
        if (!(error instanceof Undone)) throw error;
      });

/** Each hot query as its owner under row-level security, against the superuser who says whose rows are meant. */
async function underRowLevelSecurity({ sql, user, playlist }: Place): Promise<Comparison[]> {
  const list = (where: string) => `
    select p.*, coalesce(t.tracks, '[]') as playlist_tracks from public.playlists p
    left join lateral (
      select json_agg(c) as tracks from (select count(*) from public.playlist_tracks t where t.playlist_id = p.id) c
    ) t on true where p.is_deleted = false${where} order by p.updated_at desc`;
  const one = (where: string) => `
    select p.*, coalesce(t.tracks, '[]') as playlist_tracks from public.playlists p
    left join lateral (
      select json_agg(o) as tracks from (select * from public.playlist_tracks t where t.playlist_id = p.id order by t.position) o
    ) t on true where p.id = '${playlist}'${where}`;
  const sessions = (where: string) => `select * from public.ai_sessions${where} order by created_at desc limit 50`;
  const profile = (where: string) => `select * from public.profiles${where}`;
  const queries: [string, string, string][] = [
    ['my playlists with their track counts', list(''), list(` and p.owner_id = '${user}'`)],
    ['one playlist with its 100 tracks', one(''), one(` and p.owner_id = '${user}'`)],
    ['my newest 50 AI sessions', sessions(''), sessions(` where user_id = '${user}'`)],
    ['my profile', profile(''), profile(` where user_id = '${user}'`)],
  ];
  const results: Comparison[] = [];
  for (const [what, asOwner, asSuperuser] of queries) {
    results.push(
      await compare(
        what,
        undone(sql, 'authenticated', user, (tx) => tx.unsafe(asOwner, [], { prepare: true })),
        undone(sql, null, user, (tx) => tx.unsafe(asSuperuser, [], { prepare: true })),
        { rounds, goal: 1.15 },
      ),
    );
  }
  return results;
}

/** The same work among many and alone. */
async function atScale(full: Place, alone: Place): Promise<Comparison[]> {
  const results: Comparison[] = [];
  const both = async (what: string, work: (place: Place) => Work, options: { rounds: number; goal?: number }) => {
    results.push(await compare(what, work(full), work(alone), options));
  };
  const tracks = (count: number, from = 1) =>
    JSON.stringify(Array.from({ length: count }, (_, n) => ({ track_uri: `spotify:track:${String(from + n).padStart(22, '0')}` })));
  await both(
    'reserve and settle a generation',
    ({ sql, user }) =>
      undone(sql, 'fn_ai', user, async (tx) => {
        const session = randomUUID();
        await tx`select public.ai_reserve(${session}, ${user}, 'a prompt', false)`;
        await tx`select public.ai_settle(${session}, ${user}, 'succeeded', 0.0005)`;
      }),
    { rounds, goal: 1.2 },
  );
  const asOwner = (what: string, statement: (tx: TransactionSql, playlist: string) => Promise<unknown>) =>
    both(what, ({ sql, user, playlist }) => undone(sql, 'authenticated', user, (tx) => statement(tx, playlist)), { rounds, goal: 1.2 });
  await asOwner('usage()', (tx) => tx`select public.usage()`);
  await asOwner('move one of 100 tracks', (tx, id) => tx`select * from public.move_track(${id}, 1, 100)`);
  await asOwner('remove one of 100 tracks and add another', async (tx, id) => {
    await tx`select * from public.remove_track(${id}, 1)`;
    await tx`select * from public.add_tracks(${id}, ${tracks(1, 900)}::text::jsonb)`;
  });
  await asOwner('replace 100 tracks by others', (tx, id) => tx`select * from public.replace_tracks(${id}, ${tracks(100, 500)}::text::jsonb)`);
  await both(
    'delete the account of a busy user',
    ({ sql, user }) => undone(sql, null, user, (tx) => tx`delete from auth.users where id = ${user}`),
    { rounds: 9 },
  );
  return results;
}

/** One day's expired sessions, among the others and alone in their table. */
async function retention(full: Place, alone: Place): Promise<Comparison[]> {
  await full.sql`delete from public.ai_sessions where created_at < now() - interval '31 days'`;
  const [row] = await full.sql<{ expired: number }[]>`
    select count(*)::int as expired from public.ai_sessions where created_at < now() - interval '30 days'`;
  await alone.sql`delete from public.ai_sessions`;
  await alone.sql`
    insert into public.ai_sessions (user_id, prompt, status, cost, created_at)
    select ${alone.user}, 'a cozy rainy evening, mellow acoustic', 'failed', 0, now() - interval '30 days 1 second' - n * interval '1 millisecond'
    from generate_series(1, ${row?.expired ?? 0}::int) n`;
  for (const { sql } of [full, alone]) await sql`vacuum analyze`;
  const cleanUp = ({ sql, user }: Place) =>
    undone(sql, null, user, (tx) => tx`delete from public.ai_sessions where created_at < now() - interval '30 days'`);
  const dropMonths = ({ sql, user }: Place) => undone(sql, null, user, (tx) => tx`select private.drop_empty_ai_sessions_partitions()`);
  return [
    await compare(`clean up the ${row?.expired} sessions of a day`, cleanUp(full), cleanUp(alone), { rounds: 9 }),
    await compare('drop the empty months', dropMonths(full), cleanUp(full), { rounds: 9 }),
  ];
}

/** What a row takes on disk, its part of the indexes included. */
async function storage({ sql }: Place): Promise<Storage[]> {
  const found: Storage[] = [];
  for (const table of ['ai_sessions', 'playlist_tracks', 'playlists', 'profiles']) {
    const [row] = await sql`
      select (select count(*) from ${sql(table)})::int as rows, sum(pg_total_relation_size(oid))::float8 as bytes
      from pg_class
      where oid = ${table}::regclass or oid in (select inhrelid from pg_inherits where inhparent = ${table}::regclass)`;
    found.push({ table, rows: row!.rows, bytes_per_row: row!.bytes / row!.rows });
  }
  return found;
}

const server = connect(1, url);
try {
  const full = await place(server, 'bench_full', size);
  const alone = await place(server, 'bench_alone', ONE_USER);
  const stored = await storage(full);
  const sections = [
    { title: 'As the owner under row-level security ÷ as the superuser without', results: await underRowLevelSecurity(full) },
    { title: 'Among all the others ÷ alone in the database', results: await atScale(full, alone) },
    { title: 'Retention: among the others ÷ alone; dropping ÷ deleting', results: await retention(full, alone) },
  ];
  const [version] = await server`show server_version`;
  const report = { postgres: version?.server_version as string, scale, size, sections, storage: stored };
  writeFileSync(path.join(folder, 'database.json'), `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(path.join(folder, 'database.md'), table(report));
  console.log(table(report));
  for (const { sql } of [full, alone]) await sql.end();
} finally {
  for (const name of ['bench_full', 'bench_alone']) await server`drop database if exists ${server(name)} with (force)`;
  await server.end();
}
