// Really trying a statement as somebody, without a trace.

import type { Sql } from 'postgres';
import type { Role } from '../support.ts';

/** A role, and as whom: only signed-in users are somebody. */
export type Person = { name: string; role: Role; sub: string | null };

/** `rows` where it was carried out, else who refused it: the grants, row-level security, or anything else. */
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

/** Each try is a subtransaction that is rolled back, role and claims with it. */
export async function prepareTrying(sql: Sql): Promise<void> {
  await sql.unsafe(TRY);
}

export async function tryAs(sql: Sql, person: Person, statement: string): Promise<Outcome> {
  const claims = JSON.stringify({ role: person.role, ...(person.sub === null ? {} : { sub: person.sub }) });
  const [row] = await sql<{ outcome: string }[]>`select pg_temp.try(${person.role}, ${claims}, ${statement}) as outcome`;
  return parse(row?.outcome ?? '');
}

function parse(outcome: string): Outcome {
  const done = /^done (\d+)$/.exec(outcome);
  if (done) return { kind: 'done', rows: Number(done[1]) };
  if (/^42501 permission denied/.test(outcome)) return { kind: 'denied' };
  if (/^42501 .*row-level security/.test(outcome)) return { kind: 'row-level security' };
  return { kind: 'error', state: outcome.slice(0, 5) };
}
