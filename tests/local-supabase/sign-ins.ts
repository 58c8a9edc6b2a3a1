import { randomUUID } from 'node:crypto';
import type { Sql } from 'postgres';
import type { Pool } from './database.ts';

/** A token's `amr`: how and when the user of the session has authenticated. */
export type SignIn = { method: string; timestamp: number };

/** Returns those of a session, newest first; `method` adds a new one. A refresh adds none. */
export type SignIns = { of(session_id: string, method: string | null): Promise<SignIn[]> };

/** Auth's table, which Lite lacks. */
export async function createSignInTable(sql: Sql): Promise<void> {
  await sql.unsafe(`
    create table if not exists auth.mfa_amr_claims (
      session_id uuid not null references auth.sessions (id) on delete cascade,
      created_at timestamptz not null,
      updated_at timestamptz not null,
      authentication_method text not null,
      id uuid not null primary key,
      constraint mfa_amr_claims_session_id_authentication_method_pkey unique (session_id, authentication_method)
    )`);
}

export function createSignIns(pool: Pool): SignIns {
  return {
    async of(session_id, method) {
      const connection = await pool.acquire();
      try {
        if (method) {
          await connection.query(
            `insert into auth.mfa_amr_claims (session_id, created_at, updated_at, authentication_method, id) values ($1, now(), now(), $2, $3)
             on conflict (session_id, authentication_method) do update set updated_at = excluded.updated_at`,
            [session_id, method, randomUUID()],
          );
        }
        const rows = await connection.query(
          `select authentication_method as method, floor(extract(epoch from updated_at))::bigint as timestamp
           from auth.mfa_amr_claims where session_id = $1 order by updated_at desc`,
          [session_id],
        );
        return rows.map((row) => ({ method: String(row.method), timestamp: Number(row.timestamp) }));
      } finally {
        pool.release(connection);
      }
    },
  };
}
