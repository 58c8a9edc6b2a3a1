// Runs pgTAP files against a database: node tests/local-supabase/pgtap.ts <DATABASE_URL> [file.sql… | supabase/tests/*]
//
// A file without tests, a wrong plan, a number out of order and an SQL error all fail, because each could otherwise look
// like success.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { withDatabase } from './database.ts';
import { describe } from './migrations.ts';

const DIRECTORY = 'supabase/tests';

/** The output of a file's statements in order: the first columns, as psql prints them. */
async function runFile(databaseUrl: string, text: string): Promise<string[]> {
  // Closing the connection rolls back an open transaction.
  const results = await withDatabase(databaseUrl, async (sql) => [await sql.unsafe(text).simple()].flat(2) as Record<string, unknown>[]);
  return results.flatMap((row) => Object.values(row).slice(0, 1)).flatMap((value) => (typeof value === 'string' ? value.split('\n') : []));
}

/** Reads TAP; lines other than plans, tests and diagnostics are output of other queries and are skipped. */
function failuresIn(lines: string[]): { tests: number; failures: string[] } {
  const failures: string[] = [];
  const plans = lines.flatMap((line) => /^1\.\.(\d+)/.exec(line)?.[1] ?? []);
  let tests = 0;
  let lastFailed = false;
  for (const line of lines) {
    const [, failed, number] = /^(not )?ok (\d+)/.exec(line) ?? [];
    if (line.startsWith('Bail out!')) failures.push(line);
    if (number !== undefined) {
      tests += 1;
      lastFailed = failed !== undefined;
      if (Number(number) !== tests) failures.push(`test ${number} came in place of test ${tests}`);
      if (lastFailed) failures.push(line);
    } else if (lastFailed && line.startsWith('#')) {
      failures[failures.length - 1] += `\n    ${line}`;
    }
  }
  if (plans.length !== 1) failures.push(`expected one plan, found ${plans.length}`);
  else if (Number(plans[0]) !== tests) failures.push(`planned ${plans[0]} tests, ran ${tests}`);
  if (tests === 0) failures.push('the file has no test');
  return { tests, failures };
}

async function main(databaseUrl: string, given: string[]): Promise<number> {
  const all = readdirSync(DIRECTORY).filter((name) => name.endsWith('.sql')).sort().map((name) => path.join(DIRECTORY, name));
  await withDatabase(databaseUrl, (sql) => sql`create extension if not exists pgtap with schema extensions`);
  let [passed, failed] = [0, 0];
  for (const file of given.length > 0 ? given : all) {
    const text = readFileSync(file, 'utf8');
    const ran = runFile(databaseUrl, text).then(failuresIn);
    const { tests, failures } = await ran.catch((error: unknown) => ({ tests: 0, failures: [describe(path.basename(file), text, error)] }));
    passed += tests;
    failed += failures.length;
    console.log(`${failures.length === 0 ? 'ok' : 'FAILED'} ${path.basename(file)} (${tests} run)`);
    for (const failure of failures) console.log(`  ${failure}`);
  }
  console.log(`pgtap: ${passed} run, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

const [databaseUrl, ...files] = process.argv.slice(2);
if (databaseUrl === undefined) {
  console.error(`usage: node tests/local-supabase/pgtap.ts <DATABASE_URL> [file.sql… | ${DIRECTORY}/*]`);
  process.exitCode = 2;
} else {
  process.exitCode = await main(databaseUrl, files).catch((error: unknown) => {
    console.error(`pgtap: ${String(error)}`);
    return 1;
  });
}
