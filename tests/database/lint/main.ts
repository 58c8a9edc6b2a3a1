// Lints the database and its migrations: node tests/database/lint/main.ts <DATABASE_URL>
//
// The database is one with plpgsql_check at hand. Each check says nothing, or throws what it found.

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { supabase } from './supabase.ts';
import { databaseTypes } from './types.ts';

const MIGRATIONS = 'supabase/migrations';
const FIRST_RELEASE = '20261126';
const TYPES = 'supabase/database.types.ts';

type Advice = { name: string; level: string; detail: string; metadata: { name: string } };

/** Every function of ours is checked by plpgsql_check: queries, types, what can never run. */
function functions(url: string): void {
  supabase(url, 'db', 'lint', '--schema', 'public,private', '--level', 'warning', '--fail-on', 'warning');
}

/** What the dashboard of Supabase would advise. */
function advisors(url: string): void {
  const answer = supabase(url, 'db', 'advisors', '--level', 'info', '--output-format', 'json');
  const found = (JSON.parse(answer) as { results: Advice[] }).results.filter((advice) => !isIntended(advice));
  if (found.length > 0) throw new Error(found.map((it) => `${it.level} ${it.name}: ${it.detail}`).join('\n'));
}

/** A new database has used few indexes; partitions are closed to every role, which needs no policy. */
function isIntended({ name, metadata }: Advice): boolean {
  return name === 'unused_index' || (name === 'rls_enabled_no_policy' && /^ai_sessions_\d{4}_\d{2}$/.test(metadata.name));
}

/** What a migration must not do to tables in use; .squawk.toml says more. The first release created the tables. */
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
  throw new Error(`${TYPES} is not what the schema says: node tests/database/lint/types.ts <DATABASE_URL> > ${TYPES}`);
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
