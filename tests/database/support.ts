// Shared by the tests of the database: connections, users, roles.
//
// DATABASE_URL names a database with the migrations applied, as its superuser. Every test makes its own users, so the
// files can run in parallel and on a database that other tests use.

import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import type { Sql, TransactionSql } from 'postgres';

export type Role = 'anon' | 'authenticated' | 'service_role' | 'fn_ai' | 'fn_spotify' | 'fn_billing' | 'fn_account';

export function databaseUrl(): string {
  const url = process.env.DATABASE_URL;
  if (!url) throw new Error('DATABASE_URL names no database: run `cargo xtask test`');
  return url;
}

/** A pool of connections, one for each transaction. */
export function connect(max = 1, url = databaseUrl()): Sql {
  return postgres(url, { max, idle_timeout: 20, connect_timeout: 10, onnotice: () => {} });
}

export async function signUp(sql: Sql | TransactionSql, metadata: Record<string, unknown> = {}): Promise<string> {
  const id = randomUUID();
  await sql`insert into auth.users (id, email, raw_user_meta_data) values (${id}, ${`${id}@example.test`}, ${JSON.stringify(metadata)})`;
  return id;
}

/** Runs `work` in one transaction as PostgREST would for a token with this role and subject. */
export async function as<T>(sql: Sql, role: Role, sub: string | null, work: (tx: TransactionSql) => Promise<T>): Promise<T> {
  return (await sql.begin(async (tx) => {
    await becomes(tx, role, sub);
    return work(tx);
  })) as T;
}

export async function becomes(tx: TransactionSql, role: Role, sub: string | null): Promise<void> {
  await tx`select set_config('request.jwt.claims', ${JSON.stringify({ role, ...(sub === null ? {} : { sub }) })}, true), set_config('role', ${role}, true)`;
}
