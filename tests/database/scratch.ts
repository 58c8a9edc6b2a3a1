// A separate database with the migrations applied, for tests that would disturb others.

import { randomBytes } from 'node:crypto';
import type { Sql } from 'postgres';
import { migrate } from '../local-supabase/migrations.ts';
import { connect, databaseUrl } from './support.ts';

/** The parts of a project that the migrations need. The roles belong to the server and exist already. */
const PROJECT = `
create schema extensions;
create schema auth;
create extension pgcrypto with schema extensions;
grant usage on schema public, auth, extensions to anon, authenticated, service_role;
create table auth.users (
  id uuid primary key, email text, phone text unique, raw_user_meta_data jsonb, is_anonymous boolean not null default false,
  created_at timestamptz, last_sign_in_at timestamptz
);
create table auth.identities (
  id uuid, user_id uuid references auth.users on delete cascade, provider text, provider_id text, identity_data jsonb,
  created_at timestamptz, last_sign_in_at timestamptz
);
create table auth.sessions (
  id uuid, user_id uuid references auth.users on delete cascade, user_agent text, ip inet, created_at timestamptz, updated_at timestamptz
);
create function auth.uid() returns uuid language sql stable as $$
  select (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid
$$;
`;

/** Sets an empty database up as a new project. */
export async function setUpEmptyProject(sql: Sql): Promise<void> {
  await sql.unsafe(PROJECT).simple();
}

export async function setUpProject(sql: Sql): Promise<void> {
  await setUpEmptyProject(sql);
  await migrate(sql, 'supabase/migrations');
}

/** A database that no other test uses: the copy that the mutation check has prepared, or a new one. */
export async function ownDatabase(): Promise<Scratch> {
  if (!process.env.DATABASE_IS_A_COPY) return scratchDatabase();
  const sql = connect();
  return { url: databaseUrl(), sql, drop: () => sql.end() };
}

export type Scratch = { url: string; sql: Sql; drop: () => Promise<void> };

export async function scratchDatabase(setUp = setUpProject): Promise<Scratch> {
  const name = `scratch_${randomBytes(6).toString('hex')}`;
  const server = connect();
  await server`create database ${server(name)} template template0`;
  const url = new URL(databaseUrl());
  url.pathname = name;
  const sql = connect(1, url.href);
  const drop = async () => {
    await sql.end();
    await server`drop database ${server(name)} with (force)`;
    await server.end();
  };
  try {
    await setUp(sql);
  } catch (error) {
    await drop();
    throw error;
  }
  return { url: url.href, sql, drop };
}
