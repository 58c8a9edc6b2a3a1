// One thing broken on purpose, and the test that must notice.

import type { Sql } from 'postgres';

export type Mutant = {
  what: string;
  /** The file that must fail, and where the mutant is a lock's removal, the race in it by its name. */
  killer: { file: string; test?: string };
  apply: (sql: Sql) => Promise<unknown>;
};

const ACCESS = { file: 'tests/database/access.test.ts' };

/** Breaks a grant, a policy, a constraint, a trigger…; the access matrix has to notice unless another file is named. */
export const statement = (what: string, text: string, killer: Mutant['killer'] = ACCESS): Mutant => ({
  what,
  killer,
  apply: (sql) => sql.unsafe(text),
});

/** Rewrites a function's source. The text has to stand in it exactly once: a mutant that no longer applies is an error. */
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

/** The same in several functions at once, where changing one would only make it differ from the others. */
export const everywhere = (what: string, names: string[], from: string, to: string, killer: Mutant['killer']): Mutant => ({
  what,
  killer,
  apply: async (sql) => {
    for (const name of names) await rewrite(what, name, from, to, killer).apply(sql);
  },
});

export const pgtap = (number: string) => ({ file: `supabase/tests/${number}` });
export const race = (file: string, test: string) => ({ file: `tests/database/races/${file}.test.ts`, test });
