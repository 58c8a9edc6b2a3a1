import type { Sql } from 'postgres';

/**
 * Sets up what a hosted project has before its first migration. New tables in `public` are granted to no role: since
 * 2026 migrations must state every grant.
 */
const ROLES = `
do $$
declare
  wanted text;
begin
  foreach wanted in array array['anon', 'authenticated', 'service_role', 'authenticator', 'supabase_auth_admin'] loop
    if not exists (select from pg_catalog.pg_roles where rolname = wanted) then
      execute format('create role %I nologin noinherit', wanted);
    end if;
  end loop;
  execute format('alter database %I set timezone to %L', current_database(), 'UTC');
end
$$;
alter role service_role bypassrls;
alter role supabase_auth_admin createrole;
grant anon, authenticated, service_role to authenticator;
alter role postgres set search_path = "$user", public, extensions;
create schema if not exists auth;
create schema if not exists extensions;
create extension if not exists pgcrypto with schema extensions;
grant usage on schema public, auth, extensions to anon, authenticated, service_role;
`;

/** Auth's functions as on a hosted project. Lite writes its own at each start, which do not know request.jwt.claims. */
const setting = (name: string): string => `nullif(current_setting('request.jwt.${name}', true), '')`;
const authFunction = (name: string, type: string, value: string): string =>
  `create or replace function auth.${name}() returns ${type} language sql stable as $$ select coalesce(${value})::${type} $$;`;
const ofClaim = (name: string, type: string, claim = name): string => authFunction(name, type, `${setting(`claim.${claim}`)}, ${setting('claims')}::jsonb ->> '${claim}'`);
const AUTH_FUNCTIONS = [
  ...[ofClaim('uid', 'uuid', 'sub'), ofClaim('role', 'text'), ofClaim('email', 'text')],
  authFunction('jwt', 'jsonb', `${setting('claim')}, ${setting('claims')}`),
].join('\n');

/** Lite's `createAuthTables` swallows errors, so the tables are checked afterwards. */
export async function bootstrap(sql: Sql, createAuthTables: () => Promise<void>): Promise<void> {
  await sql.unsafe(ROLES).simple();
  await createAuthTables();
  const [row] = await sql`select to_regclass('auth.users') is not null as found`;
  if (!row?.found) throw new Error('the tables of schema auth could not be created');
  await sql.unsafe(AUTH_FUNCTIONS).simple();
}
