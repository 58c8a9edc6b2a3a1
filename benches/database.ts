// The schema with a million playlists: the same work is measured in two databases, a full one and one with a single busy
// user.

import type { Sql } from 'postgres';
import { setUpProject } from '../tests/database/scratch.ts';
import { becomes, connect } from '../tests/database/support.ts';
import { fill, heavyUser, playlistId, userId } from './database/fill.ts';
import type { Size } from './database/fill.ts';
import { inTurn, ready, report, variable } from './harness.ts';
import type { Ratio, Samples } from './harness.ts';

const SIZES: Record<string, Size> = {
  full: { users: 100_000, playlists: 1_000_000, tracks: 10_000_000, sessions: 5_000_000, months: 14 },
  small: { users: 5_000, playlists: 30_000, tracks: 300_000, sessions: 150_000, months: 14 },
};
/** Both have the same months, because a query plan examines each. */
const ONE_USER: Size = { users: 1, playlists: 1, tracks: 1, sessions: 1, months: 14 };
const ROUNDS = 31;
/** Work is repeated until it takes long enough for the clock's resolution. */
const ROUND_MS = 50;

type Place = { sql: Sql; user: string; playlist: string };
/** Statements of one transaction; $user and $playlist are replaced. */
type Work = string[];
type Role = 'authenticated' | 'fn_ai' | null;
type Side = { name: string; at: Place; role: Role; work: Work };

const size = SIZES[variable('BENCH_SCALE')] as Size;
const samples: Samples = {};
const ratios: Ratio[] = [];
const server = connect(1, ready.database_url);

const embedded = (of: string) => `left join lateral (select coalesce(json_agg(t), '[]') from (${of}) t) embedded on true`;
const ofPlaylist = 'from public.playlist_tracks t where t.playlist_id = p.id';
/** Hot queries, with the condition that selects the same rows without a policy: the owner is compared with the superuser. */
const UNDER_ROW_LEVEL_SECURITY: [what: string, query: string, owner: string, order: string][] = [
  ['my playlists with their track counts, ms', `select p.*, embedded.* from public.playlists p ${embedded(`select count(*) ${ofPlaylist}`)} where not p.is_deleted`, 'p.owner_id', 'order by p.updated_at desc'],
  ['one playlist with its 100 tracks, ms', `select p.*, embedded.* from public.playlists p ${embedded(`select * ${ofPlaylist} order by t.position`)} where p.id = '$playlist'`, 'p.owner_id', ''],
  ['my newest 50 AI sessions, ms', 'select * from public.ai_sessions where true', 'user_id', 'order by created_at desc limit 50'],
  ['my profile, ms', 'select * from public.profiles where true', 'user_id', ''],
];

const uri = (n: number) => `spotify:track:${String(n).padStart(22, '0')}`;
const uris = (count: number, from: number) => JSON.stringify(Array.from({ length: count }, (_, n) => ({ track_uri: uri(from + n) })));
const SESSION = "'cccccccc-0000-0000-0000-000000000001', '$user'";
const EXPIRED = `from public.ai_sessions where created_at < now() - interval '30 days'`;
/** The same work in the full database and in the other one. */
const AT_SCALE: [what: string, role: Role, work: Work, goal: Partial<Ratio>][] = [
  ['reserve and settle a generation, ms', 'fn_ai', [`select public.ai_reserve(${SESSION}, 'a prompt', false)`, `select public.ai_settle(${SESSION}, 'succeeded', 0.0005)`], { atMost: 1.2 }],
  ['usage(), ms', 'authenticated', ['select public.usage()'], { atMost: 1.2 }],
  ['move one of 100 tracks, ms', 'authenticated', [`select * from public.move_track('$playlist', '${uri(1)}')`], { atMost: 1.2 }],
  [
    'remove one of 100 tracks and add another, ms',
    'authenticated',
    [`select * from public.remove_tracks('$playlist', array['${uri(1)}'])`, `select * from public.add_tracks('$playlist', '${uris(1, 900)}'::jsonb)`],
    { atMost: 1.2 },
  ],
  ['replace 100 tracks by others, ms', 'authenticated', [`select * from public.replace_tracks('$playlist', '${uris(100, 500)}'::jsonb)`], { atMost: 1.2 }],
  ['delete the account of a busy user, ms', null, [`delete from auth.users where id = '$user'`], {}],
];

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

/** Runs work in a transaction that is rolled back; one statement sets the claims, as in PostgREST. */
async function undone({ at, role, work }: Side): Promise<void> {
  const transaction = at.sql.begin(async (tx) => {
    if (role === null) await tx`select set_config('request.jwt.claims', '', true), set_config('role', 'postgres', true)`;
    else await becomes(tx, role, at.user);
    for (const statement of work) await tx.unsafe(statement.replaceAll('$user', at.user).replaceAll('$playlist', at.playlist), [], { prepare: true });
    throw new Undone();
  });
  await transaction.catch((error: unknown) => {
    if (!(error instanceof Undone)) throw error;
  });
}

async function msOf(side: Side, repeats: number): Promise<number> {
  const started = performance.now();
  for (let n = 0; n < repeats; n += 1) await undone(side);
  return (performance.now() - started) / repeats;
}

async function compare(what: string, one: Side, two: Side, goal: Partial<Ratio>): Promise<void> {
  const repeats = Math.ceil(ROUND_MS / Math.max(await msOf(one, 1), await msOf(two, 1)));
  const timed = (side: Side) => async () => ({ [what]: await msOf(side, repeats) });
  await inTurn(ROUNDS, { [one.name]: timed(one), [two.name]: timed(two) }, samples);
  ratios.push({ what, of: one.name, to: two.name, ...goal });
}

try {
  const [full, alone] = [await place('bench_full', size), await place('bench_alone', ONE_USER)];
  const atScale = (what: string, role: Role, work: Work, goal: Partial<Ratio>) =>
    compare(what, { name: 'among many', at: full, role, work }, { name: 'alone', at: alone, role, work }, goal);
  for (const table of ['ai_sessions', 'playlist_tracks', 'playlists', 'profiles']) {
    const [row] = await full.sql`
      select sum(pg_total_relation_size(oid))::float8 / (select count(*) from ${full.sql(table)}) as bytes from pg_class
      where oid = ${table}::regclass or oid in (select inhrelid from pg_inherits where inhparent = ${table}::regclass)`;
    samples[`${table}: bytes a row, indexes included`] = { 'among many': [row?.bytes as number] };
  }
  for (const [what, query, owner, order] of UNDER_ROW_LEVEL_SECURITY) {
    const superuser: Side = { name: 'the superuser', at: full, role: null, work: [`${query} and ${owner} = '$user' ${order}`] };
    await compare(what, { name: 'the owner', at: full, role: 'authenticated', work: [`${query} ${order}`] }, superuser, { atMost: 1.15 });
  }
  for (const measure of AT_SCALE) await atScale(...measure);
  // One day's expired sessions, in the full table and alone in a table.
  await full.sql`delete from public.ai_sessions where created_at < now() - interval '31 days'`;
  const [day] = await full.sql.unsafe<{ count: number }[]>(`select count(*)::int ${EXPIRED}`);
  await alone.sql`delete from public.ai_sessions`;
  await alone.sql`
    insert into public.ai_sessions (user_id, prompt, status, cost, created_at)
    select ${alone.user}, 'a cozy rainy evening', 'failed', 0, now() - interval '30 days 1 second' - n * interval '1 millisecond'
    from generate_series(1, ${day?.count ?? 0}::int) n`;
  for (const { sql } of [full, alone]) await sql`vacuum analyze`;
  await atScale(`clean up the ${day?.count} sessions of a day, ms`, null, [`delete ${EXPIRED}`], {});
  const [version] = await server`show server_version`;
  const content = Object.entries(size).map(([what, count]) => `${count.toLocaleString('en')} ${what}`).join(', ');
  report('database', `PostgreSQL ${version?.server_version}; ${content}.`, samples, ratios);
  for (const { sql } of [full, alone]) await sql.end();
} finally {
  for (const name of ['bench_full', 'bench_alone']) await server`drop database if exists ${server(name)} with (force)`;
  await server.end();
}
