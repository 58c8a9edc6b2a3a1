// The Supabase CLI on a database that it did not start.

import { spawnSync } from 'node:child_process';

const EXECUTABLE = 'node_modules/.bin/supabase';

export function supabase(database_url: string, ...command: string[]): string {
  // A local database has no TLS, which the CLI requires by default.
  const remote = new URL(database_url);
  remote.searchParams.set('sslmode', 'disable');
  const env = { ...process.env, SUPABASE_TELEMETRY_DISABLED: '1' };
  const { error, status, stdout, stderr } = spawnSync(EXECUTABLE, [...command, `--remote=${remote}`], { env, encoding: 'utf8' });
  if (error) throw error;
  if (status !== 0) throw new Error(`supabase ${command.join(' ')}:\n${stdout}${stderr}`);
  return stdout;
}
