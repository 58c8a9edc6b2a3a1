// The access matrix: what each role may do, by the catalogue's grants and by attempts.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import type { Sql } from 'postgres';
import type { Relation, Rights } from './access/matrix.ts';
import { POLICIES, PRIVATE_RELATIONS, PUBLIC_FUNCTIONS, RELATIONS } from './access/matrix.ts';
import type { Person } from './access/trying.ts';
import { prepareTrying, tryAs } from './access/trying.ts';
import type { Role } from './support.ts';
import { as, connect, signUp } from './support.ts';

const ROLES: readonly Role[] = ['anon', 'authenticated', 'service_role', 'fn_ai', 'fn_spotify', 'fn_billing', 'fn_account'];

let sql: Sql;
let owner: string;
let playlist: string;
let people: Person[];

before(async () => {
  sql = connect();
  owner = await signUp(sql);
  const other = await signUp(sql);
  const withoutProfile = await signUp(sql);
  await sql`delete from profiles where user_id = ${withoutProfile}`;
  [playlist] = await as(sql, 'authenticated', owner, async (tx) => {
    const [row] = await tx`insert into playlists (owner_id, name) values (${owner}, 'Mine') returning id`;
    await tx`select add_tracks(${row?.id}, ${JSON.stringify([{ track_uri: `spotify:track:${'a'.repeat(22)}` }])}::text::jsonb), share_playlist(${row?.id})`;
    return [row?.id as string];
  });
  await sql`insert into playlist_versions (playlist_id, version) values (${playlist}, 1)`;
  await sql`select ai_reserve(${randomUUID()}, ${owner}, 'a prompt', false)`;
  await sql`select store_spotify_tokens(${owner}, ${'s'.repeat(32)}, 'access', 'refresh', now())`;
  await sql`select begin_spotify_export(${owner}, ${randomUUID()}, '{}')`;
  await sql`insert into spotify_copies (playlist_id, user_id, spotify_playlist_id) values (${playlist}, ${owner}, 'copy')`;
  people = [
    { name: 'anon', role: 'anon', sub: null },
    { name: 'the owner', role: 'authenticated', sub: owner },
    { name: 'another user', role: 'authenticated', sub: other },
    { name: 'a user without profile', role: 'authenticated', sub: withoutProfile },
    { name: 'a token without a subject', role: 'authenticated', sub: null },
    ...ROLES.slice(2).map((role) => ({ name: role, role, sub: null })),
    // A role's token may name a user, which must not grant anything.
    ...ROLES.slice(2).map((role) => ({ name: `${role} for the owner`, role, sub: owner })),
  ];
  await prepareTrying(sql);
});

after(() => sql?.end());

/** The relations of schema public, each with its line of the matrix. */
async function relations(): Promise<[string, Relation][]> {
  const rows = await sql<{ name: string }[]>`
    select relname as name from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f') order by 1`;
  return rows.map(({ name }) => {
    const pattern = Object.keys(RELATIONS).find((key) => (key.endsWith('*') ? name.startsWith(key.slice(0, -1)) : key === name));
    assert.ok(pattern, `the matrix has no line for ${name}`);
    return [name, RELATIONS[pattern] as Relation];
  });
}

test('the matrix lists every relation and every column, and no other', async () => {
  const found = await relations();
  const used = new Set(found.map(([, relation]) => relation));
  for (const [name, relation] of Object.entries(RELATIONS)) assert.ok(used.has(relation), `there is no relation ${name}`);
  for (const [name, relation] of found) {
    const columns = await sql<{ name: string }[]>`
      select attname as name from pg_attribute where attrelid = ${`public.${name}`}::regclass and attnum > 0 and not attisdropped`;
    assert.deepEqual(columns.map((column) => column.name).sort(), [...relation.columns].sort(), name);
  }
  const others = await sql`
    select relname from pg_class where relkind = 'S' and relnamespace in ('public'::regnamespace, 'private'::regnamespace)
    union all
    select relname from pg_class where relkind in ('r', 'p', 'v', 'm', 'f') and relnamespace = 'private'::regnamespace order by 1`;
  assert.deepEqual(others.map((other) => other.relname), PRIVATE_RELATIONS, 'sequences, or relations in schema private');
});

test('the matrix lists every function of schema public, and no other', async () => {
  const listed = (await functions()).map(({ signature }) => signature).filter((signature) => !signature.startsWith('private.'));
  assert.deepEqual(listed.sort(), Object.keys(PUBLIC_FUNCTIONS).sort());
});

test('every table and every partition has row-level security, with the policies that are listed and no other', async () => {
  for (const [name] of await relations()) {
    const [row] = await sql`select relrowsecurity from pg_class where oid = ${`public.${name}`}::regclass`;
    assert.equal(row?.relrowsecurity, true, name);
  }
  const policies = await sql`select *, roles::text as granted_to from pg_policies where schemaname in ('public', 'private') order by policyname`;
  const flat = (text: string | null) => text?.replace(/\s+/g, ' ');
  assert.deepEqual(
    policies.map((row) => [row.policyname, row.tablename, row.permissive, row.granted_to, row.cmd, flat(row.qual), flat(row.with_check)]),
    Object.entries(POLICIES)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, { table, using, check }]) => [name, table, 'PERMISSIVE', '{authenticated}', 'ALL', using, check]),
  );
});

test('roles may use schema public and not schema private', async () => {
  for (const role of ROLES) {
    const [row] = await sql`
      select has_schema_privilege(${role}, 'public', 'usage') as used, has_schema_privilege(${role}, 'public', 'create') as created,
        has_schema_privilege(${role}, 'private', 'usage') or has_schema_privilege(${role}, 'private', 'create') as private`;
    assert.deepEqual(row, { used: true, created: false, private: false }, role);
  }
});

test('the catalogue grants what the matrix says, and none of it can be passed on', async () => {
  const granted = await sql<{ entry: string }[]>`
    with entries as (
      select c.relname::text as name, c.relowner as owner, a.* from pg_class c, aclexplode(c.relacl) a
      where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace) and c.relkind in ('r', 'p', 'v', 'm', 'f')
      union all
      select c.relname || '.' || t.attname, c.relowner, a.* from pg_class c
      join pg_attribute t on t.attrelid = c.oid, aclexplode(t.attacl) a
      where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace)
      union all
      select p.proname, p.proowner, a.* from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
      where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace)
    )
    select concat_ws(' ', grantee::regrole, privilege_type, name, case when is_grantable then 'with grant option' end) as entry
    from entries where grantee <> owner`;
  assert.deepEqual(granted.map((row) => row.entry).sort(), (await listedGrants()).sort());
});

async function listedGrants(): Promise<string[]> {
  const ofRelations = (await relations()).flatMap(([name, relation]) =>
    Object.entries(relation.rights).flatMap(([role, rights]: [string, Rights]) => [
      ...(rights.select ? [`${role} SELECT ${name}`] : []),
      ...(rights.delete ? [`${role} DELETE ${name}`] : []),
      ...(rights.insert ?? []).map((column) => `${role} INSERT ${name}.${column}`),
      ...(rights.update ?? []).map((column) => `${role} UPDATE ${name}.${column}`),
    ]),
  );
  const ofFunctions = Object.entries(PUBLIC_FUNCTIONS).flatMap(([signature, roles]) =>
    roles.map((role) => `${role} EXECUTE ${signature.slice(0, signature.indexOf('('))}`),
  );
  return [...ofRelations, ...ofFunctions];
}

test('no role can become another, and only the server\'s bypasses row-level security', async () => {
  for (const role of ROLES) {
    const [row] = await sql`
      select rolcanlogin as logs_in, rolsuper or rolcreaterole or rolcreatedb or rolreplication as rules, rolbypassrls as sees_all,
        array(select rolname::text from pg_roles other where other.rolname <> ${role} and pg_has_role(${role}, other.oid, 'member')) as others
      from pg_roles where rolname = ${role}`;
    assert.deepEqual(row, { logs_in: false, rules: false, sees_all: role === 'service_role', others: [] }, role);
  }
});

test('an attempt reaches one row as the owner, none as another user, and is denied to all other roles', async () => {
  for (const [name, relation] of await relations()) {
    const where = relation.ownersRow.replace('$owner', `'${owner}'`).replace('$playlist', `'${playlist}'`);
    for (const person of people) {
      const rights: Rights = relation.rights[person.role] ?? {};
      const rows = person.role === 'authenticated' && person.sub === owner ? 1 : 0;
      const cases: [string, boolean][] = [
        [`select * from public.${name} where ${where}`, rights.select ?? false],
        [`delete from public.${name} where ${where}`, rights.delete ?? false],
        ...relation.columns.map((column): [string, boolean] => [
          `update public.${name} set ${column} = ${column} where ${where}`, rights.update?.includes(column) ?? false,
        ]),
      ];
      const outcomes = await tryAs(sql, person, cases.map(([statement]) => statement));
      const expected = cases.map(([, allowed]) => (allowed ? { kind: 'done', rows } : { kind: 'denied' }));
      assert.deepEqual(outcomes, expected, `${person.name}: ${name}`);
      const inserts = await tryAs(sql, person, relation.columns.map((column) => `insert into public.${name} (${column}) values (default)`));
      const open = relation.columns.filter((_, n) => inserts[n]?.kind !== 'denied');
      assert.deepEqual(open, relation.columns.filter((column) => rights.insert?.includes(column)), `${person.name}: insert into ${name}`);
    }
  }
});

test('no role reaches a table of schema private', async () => {
  for (const person of people) {
    const outcomes = await tryAs(sql, person, PRIVATE_RELATIONS.map((name) => `select * from private.${name}`));
    assert.deepEqual(outcomes, PRIVATE_RELATIONS.map(() => ({ kind: 'denied' })), person.name);
  }
});

test('users can create rows only for themselves', async () => {
  for (const person of people) {
    const outcomes = await tryAs(sql, person, [`insert into public.playlists (owner_id, name) values ('${owner}', 'Another')`]);
    const asUser = person.sub === owner ? { kind: 'done', rows: 1 } : { kind: 'row-level security' };
    assert.deepEqual(outcomes, [person.role === 'authenticated' ? asUser : { kind: 'denied' }], person.name);
  }
});

test('a role is denied exactly the functions that are not granted to it', async () => {
  const all = await functions();
  for (const person of people) {
    const outcomes = await tryAs(sql, person, all.map(({ call }) => call));
    const open = all.filter((_, n) => outcomes[n]?.kind !== 'denied').map(({ signature }) => signature);
    const granted = all.map(({ signature }) => signature).filter((signature) => PUBLIC_FUNCTIONS[signature]?.includes(person.role));
    assert.deepEqual(open, granted, person.name);
  }
});

/** The functions of both schemas, each with a call in which every argument is null. */
async function functions(): Promise<{ oid: string; signature: string; call: string }[]> {
  return sql`
    select p.oid::text as oid,
      case when p.pronamespace = 'private'::regnamespace then 'private.' else '' end || p.proname || '('
        || array_to_string(array(select t::regtype::text from unnest(p.proargtypes) t), ',') || ')' as signature,
      'select ' || p.pronamespace::regnamespace || '.' || p.proname || '('
        || array_to_string(array(select 'null::' || t::regtype from unnest(p.proargtypes) t), ', ') || ')' as call
    from pg_proc p
    where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace)
      and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
    order by 2`;
}
