// The types of the API for supabase-js: node tests/database/lint/types.ts <DATABASE_URL> > supabase/database.types.ts

import { execFileSync } from 'node:child_process';
import { supabase } from './supabase.ts';

const DENO = 'node_modules/.bin/deno';

/** Omits the partitions, whose names depend on when the database was created. */
export function databaseTypes(database_url: string): string {
  const generated = supabase(database_url, 'gen', 'types', '--schema', 'public');
  const options = ['fmt', '--no-config', '--ext', 'ts', '--single-quote', '--line-width', '120', '-'];
  const formatted = execFileSync(DENO, options, { input: generated, encoding: 'utf8' });
  return formatted.replaceAll(/^( +)'ai_sessions_\d{4}_\d{2}': \{\n(?:\1 .*\n)*\1\};\n/gm, '');
}

if (import.meta.main) {
  const [url] = process.argv.slice(2);
  if (url === undefined) throw new Error('usage: node tests/database/lint/types.ts <DATABASE_URL>');
  process.stdout.write(databaseTypes(url));
}
