// Tries a statement as a role and rolls it back.

import type { Sql } from 'postgres';
import type { Role } from '../support.ts';

export type Person = { name: string; role: Role; sub: string | null };

/** `rows` if the statement succeeded, otherwise what refused it: the grants, row-level security, or another error. */
export type Outcome = { kind: 'done'; rows: number } | { kind: 'denied' | 'row-level security' } | { kind: 'error'; state: string };

const TRY = `
create or replace function pg_temp.try(p_role text, p_claims text, p_statement text) returns text language plpgsql as $$
declare
  v_rows bigint;
begin
  perform set_config('request.jwt.claims', p_claims, true), set_config('role', p_role, true);
  execute p_statement;
  get diagnostics v_rows = row_count;
  raise sqlstate 'ZZZZZ';
exception
  when sqlstate 'ZZZZZ' then return 'done ' || v_rows;
  when others then return sqlstate || ' ' || sqlerrm;
end
$$`;

/** Each attempt is a subtransaction; rolling it back resets the role and the claims, too. */
export async function prepareTrying(sql: Sql): Promise<void> {
  await sql.unsafe(TRY);
}

/** Tries each statement as the role; one round trip for all of them. */
export async function tryAs(sql: Sql, person: Person, statements: readonly string[]): Promise<Outcome[]> {
  const claims = JSON.stringify({ role: person.role, ...(person.sub === null ? {} : { sub: person.sub }) });
  const rows = await sql<{ outcome: string }[]>`
    select pg_temp.try(${person.role}, ${claims}, s.statement) as outcome
    from unnest(${statements}::text[]) with ordinality s (statement, n) order by s.n`;
  return rows.map((row) => parse(row.outcome));
}

function parse(outcome: string): Outcome {
  const done = /^done (\d+)$/.exec(outcome);
  if (done) return { kind: 'done', rows: Number(done[1]) };
  if (/^42501 permission denied/.test(outcome)) return { kind: 'denied' };
  if (/^42501 .*row-level security/.test(outcome)) return { kind: 'row-level security' };
  return { kind: 'error', state: outcome.slice(0, 5) };
}
