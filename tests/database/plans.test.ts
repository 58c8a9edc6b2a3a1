// How the hot queries are carried out: by which index, over which months, and who is asked once and not per row.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Sql } from 'postgres';
import { fill, heavyUser, playlistId, userId } from '../bench/database/fill.ts';
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

/** The plan, with the nodes that were really reached. */
async function nodesOf(statement: string, sub: string | null = USER): Promise<Node[]> {
  const explain = `explain (analyze, costs off, timing off, summary off, format json) ${statement}`;
  const rows = sub === null ? await sql.unsafe(explain) : await as(sql, 'authenticated', sub, (tx) => tx.unsafe(explain));
  const [{ Plan: root }] = (rows[0] as unknown as { 'QUERY PLAN': [{ Plan: Node }] })['QUERY PLAN'];
  const all = (node: Node): Node[] => [node, ...(node.Plans ?? []).flatMap(all)];
  return all(root).filter((node) => node['Actual Loops'] !== 0);
}

const scanned = (nodes: Node[]) => nodes.filter((node) => node['Relation Name'] !== undefined);
const indexes = (nodes: Node[]) => [...new Set(nodes.map((node) => node['Index Name']).filter((name) => name !== undefined))].sort();

/** A month that has hardly begun, or not yet, is read whole in less time than by its index. */
const FEW_ROWS = 500;

/** No table is read whole, and who is asking is found out once. */
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

test('my playlists with how many tracks each has', async () => {
  const nodes = await nodesOf(`
    select p.*, coalesce(t.tracks, '[]') as playlist_tracks from public.playlists p
    left join lateral (
      select json_agg(c) as tracks from (select count(*) from public.playlist_tracks t where t.playlist_id = p.id) c
    ) t on true
    where p.is_deleted = false order by p.updated_at desc`);
  assertIndexed(nodes);
  assert.ok(indexes(nodes).some((name) => name === 'playlists_owner_idx' || name === 'playlists_owner_name_idx'), indexes(nodes).join());
  assert.ok(indexes(nodes).some((name) => /^playlist_tracks_/.test(name ?? '')), indexes(nodes).join());
});

test('one playlist with its tracks in order', async () => {
  const nodes = await nodesOf(`
    select p.*, coalesce(t.tracks, '[]') as playlist_tracks from public.playlists p
    left join lateral (
      select json_agg(o) as tracks from (
        select * from public.playlist_tracks t where t.playlist_id = p.id order by t.position
      ) o
    ) t on true
    where p.id = '${playlistId(SIZE.playlists + 1)}'`);
  assertIndexed(nodes);
  assert.ok(indexes(nodes).includes('playlist_tracks_pkey'), indexes(nodes).join());
});

test('another user\'s playlist is found out to be one by the index', async () => {
  const nodes = await nodesOf(`select * from public.playlist_tracks where playlist_id = '${playlistId(1)}'`);
  assertIndexed(nodes);
  assert.equal(nodes[0]?.['Actual Rows'], 0);
});

test('all tracks of mine, which no filter narrows', async () => {
  const nodes = await nodesOf('select * from public.playlist_tracks');
  assertIndexed(nodes);
});

test('my newest AI sessions', async () => {
  const nodes = await nodesOf('select * from public.ai_sessions order by created_at desc limit 50');
  assertIndexed(nodes);
  for (const name of indexes(nodes)) assert.match(String(name), /user_id_created_at_idx|user_id_status_idx/);
});

test('my profile', async () => {
  const nodes = await nodesOf('select * from public.profiles');
  assertIndexed(nodes);
  assert.deepEqual(indexes(nodes), ['profiles_pkey']);
});

test('counting the quota reads the months of the window alone', async () => {
  const nodes = await nodesOf(
    `select count(*) from public.ai_sessions where user_id = '${USER}' and created_at > clock_timestamp() - private.ai_quota_window()`,
    null,
  );
  // clock_timestamp() is volatile, which prunes nothing; the function hands a value over, as here:
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

test('the clean-up does not touch the months that are kept whole', async () => {
  const nodes = await nodesOf("delete from public.ai_sessions where created_at < now() - interval '30 days'", null);
  const [row] = await sql`select 'ai_sessions_' || to_char(now() at time zone 'UTC' - interval '30 days', 'YYYY_MM') as last`;
  const read = scanned(nodes).filter((node) => node['Node Type'] !== 'ModifyTable').map((node) => String(node['Relation Name']));
  assert.ok(read.length > 0);
  for (const name of read) assert.ok(name <= row?.last, name);
});

test('every foreign key has an index to go by when what it points to is deleted', async () => {
  const rows = await sql`
    select c.conname from pg_constraint c
    where c.contype = 'f' and c.conrelid::regclass::text !~ 'auth\\.' and c.connamespace = 'public'::regnamespace
      and not exists (
        select from pg_index i where i.indrelid = c.conrelid and i.indpred is null
          and (i.indkey::int2[])[0:cardinality(c.conkey) - 1] = c.conkey
      )`;
  assert.deepEqual([...rows], []);
});
