// Plans of the frequent queries: which index they use, which months they read, and that auth.uid() is evaluated once.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Sql } from 'postgres';
import { fill, heavyUser, playlistId, userId } from '../../benches/database/fill.ts';
import type { Scratch } from './scratch.ts';
import { scratchDatabase } from './scratch.ts';
import { as } from './support.ts';

const SIZE = { users: 2_000, playlists: 10_000, tracks: 100_000, sessions: 40_000, months: 14 };
const USER = userId(heavyUser(SIZE));

type Node = {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Parent Relationship'?: string;
  'Actual Loops'?: number;
  'Subplans Removed'?: number;
  Plans?: Node[];
  [key: string]: unknown;
};

let scratch: Scratch;
let sql: Sql;

before(async () => {
  scratch = await scratchDatabase();
  sql = scratch.sql;
  await fill(sql, SIZE);
});

after(() => scratch?.drop());

async function nodesOf(statement: string, sub: string | null = USER): Promise<Node[]> {
  const explain = `explain (analyze, costs off, timing off, summary off, format json) ${statement}`;
  const rows = sub === null ? await sql.unsafe(explain) : await as(sql, 'authenticated', sub, (tx) => tx.unsafe(explain));
  const [{ Plan: root }] = (rows[0] as unknown as { 'QUERY PLAN': [{ Plan: Node }] })['QUERY PLAN'];
  const all = (node: Node): Node[] => [node, ...(node.Plans ?? []).flatMap(all)];
  return all(root).filter((node) => node['Actual Loops'] !== 0);
}

const scanned = (nodes: Node[]) => nodes.filter((node) => node['Relation Name'] !== undefined);
const indexes = (nodes: Node[]) => [...new Set(nodes.map((node) => node['Index Name']).filter((name) => name !== undefined))].sort();

/** The planner reads a nearly empty month without its index. */
const FEW_ROWS = 500;

function assertIndexed(nodes: Node[]): void {
  for (const node of scanned(nodes).filter((it) => it['Node Type'] === 'Seq Scan')) {
    const read = Number(node['Actual Rows']) + Number(node['Rows Removed by Filter'] ?? 0);
    assert.ok(/^ai_sessions_/.test(String(node['Relation Name'])) && read < FEW_ROWS, JSON.stringify(node));
  }
  for (const node of nodes) {
    for (const name of ['Filter', 'Index Cond', 'Recheck Cond', 'Join Filter', 'Hash Cond']) {
      assert.doesNotMatch(String(node[name] ?? ''), /current_setting|auth\.uid/, `${name} of ${node['Node Type']}`);
    }
    if (node['Parent Relationship'] === 'InitPlan') assert.equal(node['Actual Loops'], 1);
  }
}

/** A query with its playlists' tracks as PostgREST embeds them. */
const withTracks = (tracks: string, rest: string) => `
  select p.*, coalesce(t.tracks, '[]') as playlist_tracks from public.playlists p
  left join lateral (select json_agg(e) as tracks from (${tracks} from public.playlist_tracks t where t.playlist_id = p.id) e) t on true
  where ${rest}`;

const QUERIES: { what: string; query: string; index: RegExp; rows?: number }[] = [
  { what: 'my playlists, each with its number of tracks', query: withTracks('select count(*)', 'p.is_deleted = false order by p.updated_at desc'), index: /^playlists_owner_(name_)?idx$/ },
  { what: 'one playlist with its tracks', query: withTracks('select t.*', `p.id = '${playlistId(SIZE.playlists + 1)}'`), index: /^playlist_tracks_pkey$/ },
  { what: 'the tracks of another user\'s playlist', query: `select * from public.playlist_tracks where playlist_id = '${playlistId(1)}'`, index: /^playlist_tracks_/, rows: 0 },
  { what: 'all my tracks', query: 'select * from public.playlist_tracks', index: /^playlist_tracks_/ },
  { what: 'my newest AI sessions', query: 'select * from public.ai_sessions order by created_at desc limit 50', index: /user_id_(created_at|status)_idx$/ },
  { what: 'my profile', query: 'select * from public.profiles', index: /^profiles_pkey$/ },
];

for (const { what, query, index, rows } of QUERIES) {
  test(`${what}: read by an index`, async () => {
    const nodes = await nodesOf(query);
    assertIndexed(nodes);
    assert.ok(indexes(nodes).some((name) => index.test(String(name))), indexes(nodes).join());
    if (rows !== undefined) assert.equal(nodes[0]?.['Actual Rows'], rows);
  });
}

test('counting the quota reads only the months of the window', async () => {
  const nodes = await nodesOf(
    `select count(*) from public.ai_sessions where user_id = '${USER}' and created_at > clock_timestamp() - private.ai_quota_window()`,
    null,
  );
  // The volatile clock_timestamp() would prevent pruning; the function passes a value, as here:
  const pruned = await nodesOf(
    `select count(*) from public.ai_sessions where user_id = '${USER}' and created_at > now() - private.ai_quota_window()`,
    null,
  );
  assertIndexed(pruned);
  assert.ok(scanned(pruned).length < scanned(nodes).length);
  const [row] = await sql`
    select count(*)::int as months from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'public.ai_sessions'::regclass and c.relname >= 'ai_sessions_' || to_char(now() at time zone 'UTC' - interval '720 hours', 'YYYY_MM')`;
  const read = new Set(scanned(pruned).map((node) => node['Relation Name']));
  assert.ok(read.size <= Number(row?.months), [...read].join());
});

test('the clean-up does not read months that are kept as a whole', async () => {
  const nodes = await nodesOf("delete from public.ai_sessions where created_at < now() - interval '30 days'", null);
  const [row] = await sql`select 'ai_sessions_' || to_char(now() at time zone 'UTC' - interval '30 days', 'YYYY_MM') as last`;
  const read = scanned(nodes).filter((node) => node['Node Type'] !== 'ModifyTable').map((node) => String(node['Relation Name']));
  assert.ok(read.length > 0);
  for (const name of read) assert.ok(name <= row?.last, name);
});

test('every foreign key has an index for deletions of the referenced row', async () => {
  const rows = await sql`
    select c.conname from pg_constraint c
    where c.contype = 'f' and c.conrelid::regclass::text !~ 'auth\\.' and c.connamespace = 'public'::regnamespace
      and not exists (
        select from pg_index i where i.indrelid = c.conrelid and i.indpred is null
          and (i.indkey::int2[])[0:cardinality(c.conkey) - 1] = c.conkey
      )`;
  assert.deepEqual([...rows], []);
});
