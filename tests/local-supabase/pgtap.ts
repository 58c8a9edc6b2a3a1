// Runs pgTAP files against a database: node tests/local-supabase/pgtap.ts <DATABASE_URL> [file.sql… | supabase/tests/*]
//
// Strict on purpose: a file without tests, a plan that does not match, a number out of order and an SQL error all
// fail, because each of them otherwise looks like success.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import postgres from 'postgres';

type FileResult = { passed: number; failures: string[] };

/** Every line that the statements of a file printed, in order: first columns, as psql would show them. */
async function runFile(databaseUrl: string, text: string): Promise<string[]> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    const answer = await sql.unsafe(text).simple();
    const isOneResult = answer.length === 0 || !Array.isArray(answer[0]);
    const results = (isOneResult ? [answer] : answer) as unknown as Record<string, unknown>[][];
    return results
      .flat()
      .map((row) => Object.values(row)[0])
      .filter((value) => typeof value === 'string')
      .flatMap((value) => value.split('\n'));
  } finally {
    // Closing the connection rolls back whatever the file left open.
    await sql.end({ timeout: 5 });
  }
}

/** Reads TAP; what is neither a plan, a test nor a diagnostic is output of other queries and is skipped. */
function parseTap(lines: string[]): FileResult {
  const result: FileResult = { passed: 0, failures: [] };
  const plans: number[] = [];
  let tests = 0;
  let lastFailed = false;
  for (const line of lines) {
    const plan = /^1\.\.(\d+)/.exec(line);
    const test = /^(not )?ok (\d+)/.exec(line);
    if (plan) plans.push(Number(plan[1]));
    if (/^Bail out!/.test(line)) result.failures.push(line);
    if (test) {
      tests += 1;
      lastFailed = test[1] !== undefined;
      if (Number(test[2]) !== tests) result.failures.push(`test ${test[2]} came in place of test ${tests}`);
      if (lastFailed) result.failures.push(line);
      else result.passed += 1;
    } else if (lastFailed && line.startsWith('#')) {
      result.failures[result.failures.length - 1] += `\n    ${line}`;
    }
  }
  if (plans.length !== 1) result.failures.push(`expected one plan, found ${plans.length}`);
  else if (plans[0] !== tests) result.failures.push(`planned ${plans[0]} tests, ran ${tests}`);
  if (tests === 0) result.failures.push('the file has no test');
  return result;
}

/** The database's complaint with the line of the file that it is about, where the database says. */
function describeError(error: unknown, text: string): string {
  if (!(error instanceof postgres.PostgresError)) return String(error);
  const position = Number(error.position);
  const line = position > 0 ? `line ${text.slice(0, position).split('\n').length}: ` : '';
  return `${line}${error.message} (${error.code})${error.where ? `\n    ${error.where}` : ''}`;
}

const DIRECTORY = 'supabase/tests';

async function main(databaseUrl: string | undefined, given: string[]): Promise<number> {
  if (databaseUrl === undefined) {
    console.error(`usage: node tests/local-supabase/pgtap.ts <DATABASE_URL> [file.sql… | ${DIRECTORY}/*]`);
    return 2;
  }
  const all = () => readdirSync(DIRECTORY).filter((name) => name.endsWith('.sql')).sort().map((name) => path.join(DIRECTORY, name));
  const files = given.length > 0 ? given : all();
  const setUp = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  await setUp`create extension if not exists pgtap with schema extensions`.finally(() => setUp.end({ timeout: 5 }));

  let passed = 0;
  let failed = files.length === 0 ? 1 : 0;
  if (files.length === 0) console.error(`no .sql file in ${DIRECTORY}`);
  for (const file of files) {
    const text = readFileSync(file, 'utf8');
    const result = await runFile(databaseUrl, text).then(
      parseTap,
      (error: unknown): FileResult => ({ passed: 0, failures: [describeError(error, text)] }),
    );
    passed += result.passed;
    failed += result.failures.length;
    console.log(`${result.failures.length === 0 ? 'ok' : 'FAILED'} ${path.basename(file)} (${result.passed} passed)`);
    for (const failure of result.failures) console.log(`  ${failure}`);
  }
  console.log(`pgtap: ${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv[2], process.argv.slice(3)).catch((error: unknown) => {
  console.error(`pgtap: ${describeError(error, '')}`);
  return 1;
});
