import type { Sql } from 'postgres';

/**
 * What a hosted project has before its first migration. New tables in `public` are granted to no role: since 2026
 * every grant is written down in a migration.
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

/** As on a hosted project. Lite writes its own at every start, which know nothing of request.jwt.claims. */
const AUTH_FUNCTIONS = `
create or replace function auth.uid() returns uuid language sql stable as $$
  select coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''), nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid
$$;
create or replace function auth.role() returns text language sql stable as $$
  select coalesce(nullif(current_setting('request.jwt.claim.role', true), ''), nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role')::text
$$;
create or replace function auth.email() returns text language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.email', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'email'
  )::text
$$;
create or replace function auth.jwt() returns jsonb language sql stable as $$
  select coalesce(nullif(current_setting('request.jwt.claim', true), ''), nullif(current_setting('request.jwt.claims', true), ''))::jsonb
$$;
`;

/** `createAuthTables` is Lite's own; it swallows what fails, hence the look afterwards. */
export async function bootstrap(sql: Sql, createAuthTables: () => Promise<void>): Promise<void> {
  await sql.unsafe(ROLES).simple();
  await createAuthTables();
  const [row] = await sql`select to_regclass('auth.users') is not null as found`;
  if (!row?.found) throw new Error('the tables of schema auth could not be created');
  await sql.unsafe(AUTH_FUNCTIONS).simple();
}
