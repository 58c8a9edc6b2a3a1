// Lints the database and its migrations: node tests/database/lint/main.ts <DATABASE_URL>
//
// The database must have plpgsql_check available. Each check throws what it finds.

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { supabase } from './supabase.ts';
import { databaseTypes } from './types.ts';

const MIGRATIONS = 'supabase/migrations';
const FIRST_RELEASE = '20261126';
const TYPES = 'supabase/database.types.ts';

type Advice = { name: string; level: string; detail: string; metadata: { name: string } };

/** plpgsql_check examines every function: queries, types, unreachable code. */
function functions(url: string): void {
  supabase(url, 'db', 'lint', '--schema', 'public,private', '--level', 'warning', '--fail-on', 'warning');
}

/** The advice of Supabase's dashboard. */
function advisors(url: string): void {
  const answer = supabase(url, 'db', 'advisors', '--level', 'info', '--output-format', 'json');
  const found = (JSON.parse(answer) as { results: Advice[] }).results.filter((advice) => !isIntended(advice));
  if (found.length > 0) throw new Error(found.map((it) => `${it.level} ${it.name}: ${it.detail}`).join('\n'));
}

/** A new database has used few indexes; partitions need no policy, because no role may use them. */
function isIntended({ name, metadata }: Advice): boolean {
  return name === 'unused_index' || (name === 'rls_enabled_no_policy' && /^ai_sessions_\d{4}_\d{2}$/.test(metadata.name));
}

/** Finds statements that lock tables in use, except in the first release, which creates them; see .squawk.toml. */
function migrations(): void {
  const later = readdirSync(MIGRATIONS).filter((name) => name.endsWith('.sql') && name.slice(0, 8) > FIRST_RELEASE);
  if (later.length === 0) return;
  const files = later.map((name) => `${MIGRATIONS}/${name}`);
  const { error, status, stdout, stderr } = spawnSync('node_modules/.bin/squawk', files, { encoding: 'utf8' });
  if (error) throw error;
  if (status !== 0) throw new Error(stdout + stderr);
}

function types(url: string): void {
  if (databaseTypes(url) === readFileSync(TYPES, 'utf8')) return;
  throw new Error(`${TYPES} differs from the schema: node tests/database/lint/types.ts <DATABASE_URL> > ${TYPES}`);
}

const [url] = process.argv.slice(2);
if (url === undefined) throw new Error('usage: node tests/database/lint/main.ts <DATABASE_URL>');
for (const check of [functions, advisors, migrations, types]) {
  try {
    check(url);
    console.log(`ok ${check.name}`);
  } catch (error) {
    console.log(`FAILED ${check.name}\n${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}
