import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Sql } from 'postgres';

/** The Supabase CLI's history tables, so that its `db push` and `migration list` agree with this file. */
const HISTORY = `
create schema if not exists supabase_migrations;
create table if not exists supabase_migrations.schema_migrations (version text not null primary key, statements text[], name text);
create table if not exists supabase_migrations.seed_files (path text not null primary key, hash text not null);
`;

/** The CLI's pattern for the names of migrations. */
const FILE_NAME = /^([0-9]+)_(.*)\.sql$/;

/** A file failed; the message names it, and the line if PostgreSQL names one. */
export class ScriptError extends Error {}

/** Applies the new files, each in one transaction and recorded as one statement; returns their number. */
export async function migrate(sql: Sql, migrations_dir: string): Promise<number> {
  await sql.unsafe(HISTORY).simple();
  const rows = await sql<{ version: string }[]>`select version from supabase_migrations.schema_migrations`;
  const applied = new Set(rows.map((row) => row.version));
  let count = 0;
  for (const file of (await readdir(migrations_dir)).sort()) {
    const [, version, name] = FILE_NAME.exec(file) ?? [];
    if (version === undefined || name === undefined || applied.has(version)) continue;
    const script = await readFile(path.join(migrations_dir, file), 'utf8');
    await runScript(sql, file, script, (tx) => tx`
      insert into supabase_migrations.schema_migrations (version, name, statements)
      values (${version}, ${name}, ${[script]})`);
    count += 1;
  }
  return count;
}

/** Applies the seed once to a database, recorded as `supabase db push --include-seed` does. */
export async function seed(sql: Sql, seed_file: string): Promise<boolean> {
  const recorded = path.join(path.basename(path.dirname(seed_file)), path.basename(seed_file));
  const known = await sql`select from supabase_migrations.seed_files where path = ${recorded}`;
  if (known.length > 0) return false;
  const script = await readFile(seed_file, 'utf8');
  const hash = createHash('sha256').update(script).digest('hex');
  await runScript(sql, path.basename(seed_file), script, (tx) => tx`
    insert into supabase_migrations.seed_files (path, hash) values (${recorded}, ${hash})`);
  return true;
}

async function runScript(sql: Sql, file: string, script: string, record: (tx: Sql) => Promise<unknown>): Promise<void> {
  await sql
    .begin(async (tx) => {
      await tx.unsafe(script).simple();
      await record(tx as unknown as Sql);
    })
    .catch((error: unknown) => {
      throw new ScriptError(describe(file, script, error));
    });
  // The settings of a file (`set role`, `set search_path`) must not affect the next.
  await sql`reset all`;
  await sql`reset role`;
}

/** A database error with its file, and its line if PostgreSQL names one. */
export function describe(file: string, script: string, error: unknown): string {
  const { message, position, detail, code } = error as { message: string; position?: string; detail?: string; code?: string };
  const line = position ? `:${script.slice(0, Number(position)).split('\n').length}` : '';
  return `${file}${line}: ${message}${detail ? ` (${detail})` : ''}${code ? ` [${code}]` : ''}`.replaceAll('\n', ' ');
}

/** Runs pg_cron's daily maintenance: a data folder may be older than the partitions that were created ahead. */
export async function maintain(sql: Sql): Promise<void> {
  const [job] = await sql`select to_regprocedure('private.ensure_ai_sessions_partitions(integer)') is not null as exists`;
  if (job?.exists) await sql`select private.ensure_ai_sessions_partitions()`;
}
