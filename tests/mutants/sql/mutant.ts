// A mutant of the schema, and the test that must fail on it.

import type { Sql } from 'postgres';

export type Mutant = {
  what: string;
  /** The file that must fail, and for the removal of a lock the name of the race in it. */
  killer: { file: string; test?: string };
  apply: (sql: Sql) => Promise<unknown>;
};

const ACCESS = { file: 'tests/database/access.test.ts' };

/** Breaks a grant, a policy, a constraint, a trigger…; the access matrix must fail unless another file is named. */
export const statement = (what: string, text: string, killer: Mutant['killer'] = ACCESS): Mutant => ({
  what,
  killer,
  apply: (sql) => sql.unsafe(text),
});

/** Rewrites a function's source, which must contain the text exactly once: a mutant that no longer applies is an error. */
export const rewrite = (what: string, name: string, from: string, to: string, killer: Mutant['killer']): Mutant => ({
  what,
  killer,
  apply: async (sql) => {
    const rows = await sql<{ definition: string }[]>`
      select pg_get_functiondef(p.oid) as definition from pg_proc p
      where p.pronamespace::regnamespace || '.' || p.proname = ${name}`;
    const [row] = rows;
    if (!row || rows.length > 1) throw new Error(`${what}: there are ${rows.length} functions ${name}`);
    const parts = row.definition.split(from);
    if (parts.length !== 2) throw new Error(`${what}: ${name} has ${parts.length - 1} times: ${from}`);
    await sql.unsafe(parts.join(to));
  },
});

/** Rewrites several functions together, which must agree with each other. */
export const everywhere = (what: string, names: string[], from: string, to: string, killer: Mutant['killer']): Mutant => ({
  what,
  killer,
  apply: async (sql) => {
    for (const name of names) await rewrite(what, name, from, to, killer).apply(sql);
  },
});

export const pgtap = (number: string) => ({ file: `supabase/tests/${number}` });
export const race = (file: string, test: string) => ({ file: `tests/database/races/${file}.test.ts`, test });
