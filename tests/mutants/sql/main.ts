// The mutation check of the SQL: node tests/mutants/sql/main.ts <DATABASE_URL> [TEXT]; a text selects the mutants that contain it.
//
// Each mutant gets its own copy of a correct database. The test that it names must fail there. A mutant that survives is a
// gap in that test.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setUpProject } from '../../database/scratch.ts';
import { connect } from '../../database/support.ts';
import type { Mutant } from './mutant.ts';
import { MUTANTS } from './mutants.ts';

const AT_ONCE = 2;
/** No test waits for a lock that is never released, so one that takes as long proves nothing. */
const TIMEOUT_MS = 600_000;

const [, , serverUrl, wanted = ''] = process.argv;
if (serverUrl === undefined) {
  console.error('usage: node tests/mutants/sql/main.ts <DATABASE_URL> [TEXT]');
  process.exit(2);
}
const chosen = MUTANTS.filter((mutant) => mutant.what.includes(wanted));
const server = connect(AT_ONCE, serverUrl);
const prefix = `mutation_${randomBytes(4).toString('hex')}`;
const template = `${prefix}_sound`;

const urlOf = (database: string) => Object.assign(new URL(serverUrl), { pathname: database }).href;

async function withCopy<T>(name: string, work: (url: string) => Promise<T>): Promise<T> {
  const database = `${prefix}_${name}`;
  await server`create database ${server(database)} template ${server(template)}`;
  try {
    return await work(urlOf(database));
  } finally {
    await server`drop database ${server(database)} with (force)`;
  }
}

/** Whether a file's tests pass on a database: all of them, or those with the given name. */
function passes(url: string, killer: Mutant['killer']): Promise<boolean> {
  const args = killer.file.endsWith('.sql')
    ? ['tests/local-supabase/pgtap.ts', url, killer.file]
    : ['--test', ...(killer.test ? ['--test-name-pattern', killer.test] : []), killer.file];
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const child = spawn(process.execPath, args, { env: { ...process.env, DATABASE_URL: url, DATABASE_IS_A_COPY: '1' }, stdio: ['ignore', 'pipe', 'inherit'] });
  const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.on('error', reject);
  child.on('close', (code, signal) => {
    clearTimeout(timer);
    if (signal !== null) return reject(new Error(`${killer.file} ended by ${signal}`));
    // Node succeeds without a test if the pattern matches none.
    if (code === 0 && killer.test && !/^# pass [1-9]/m.test(output)) reject(new Error(`${killer.file} has no test "${killer.test}"`));
    else resolve(code === 0);
  });
  return promise;
}

/** Null if the named test failed on the mutant. */
async function problem(mutant: Mutant, index: number): Promise<string | null> {
  return withCopy(String(index), async (url) => {
    const sql = connect(1, url);
    await mutant.apply(sql).finally(() => sql.end());
    if (!(await passes(url, mutant.killer))) return null;
    return `survived ${mutant.killer.file}${mutant.killer.test ? ` "${mutant.killer.test}"` : ''}`;
  });
}

/** Every named test must pass on the correct schema, or its failure would prove nothing. */
async function checkSoundSchema(): Promise<string[]> {
  const files = [...new Set(chosen.map((mutant) => mutant.killer.file))];
  const failed: string[] = [];
  // Each has its own database, because one test may count rows that another leaves.
  for (const [index, file] of files.entries()) {
    if (!(await withCopy(`untouched_${index}`, (url) => passes(url, { file })))) failed.push(file);
  }
  return failed;
}

async function main(): Promise<number> {
  await server`create database ${server(template)} template template0`;
  const sql = connect(1, urlOf(template));
  await setUpProject(sql).finally(() => sql.end());

  const unsound = await checkSoundSchema();
  if (unsound.length > 0) {
    console.error(`these fail without a mutant: ${unsound.join(', ')}`);
    return 1;
  }
  const queue = chosen.entries();
  let problems = 0;
  const worker = async () => {
    for (const [index, mutant] of queue) {
      const found = await problem(mutant, index).catch((error: unknown) => String(error));
      if (found !== null) console.log(`  ${mutant.what}: ${found}`);
      if (found !== null) problems += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  console.log(`mutants: ${chosen.length}, noticed ${chosen.length - problems}`);
  return problems === 0 && chosen.length > 0 ? 0 : 1;
}

process.exitCode = await main()
  .catch((error: unknown) => {
    console.error(error);
    return 1;
  })
  .finally(async () => {
    await server`drop database if exists ${server(template)} with (force)`;
    await server.end();
  });
