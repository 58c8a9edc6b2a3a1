// Spotify's tokens in the database: always readable while the secret changes, and the secret is never shown.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { TransactionSql } from 'postgres';
import postgres from 'postgres';
import type { Step } from './races/interleave.ts';
import { atOnce, interleave, nothing, refusals } from './races/interleave.ts';
import { asFunction, sql, url } from './races/users.ts';
import { becomes, connect, signUp } from './support.ts';

const OLD = 'old-secret-'.padEnd(40, 'o');
const NEW = 'new-secret-'.padEnd(40, 'n');

const store = (user: string, secret: string, token: string): Step =>
  asFunction('fn_spotify', (tx) => tx`select public.store_spotify_tokens(${user}, ${secret}, ${`a-${token}`}, ${`r-${token}`}, now())`);
const read = (user: string, secret: string, other: string | null = null): Step =>
  asFunction('fn_spotify', (tx) => tx`select access_token, refresh_token from public.get_spotify_tokens(${user}, ${secret}, ${other})`);
const unlink = (user: string): Step => asFunction('fn_spotify', (tx) => tx`select public.delete_spotify_tokens(${user})`);
/** For one user, because other tests use the same table. */
const rotate = (user: string): Step =>
  asFunction('fn_spotify', (tx) => tx`select public.rotate_spotify_tokens(${NEW}, ${OLD}, ${before(user)}, 1) as answer`);

function before(user: string): string {
  const digits = (BigInt(`0x${user.replaceAll('-', '')}`) - 1n).toString(16).padStart(32, '0');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

async function linked(token: string): Promise<string> {
  const user = await signUp(sql);
  await sql.begin(store(user, OLD, token));
  return user;
}

const tokens = async (user: string, secret: string, other: string | null = null) =>
  [...((await sql.begin(read(user, secret, other))) as { access_token: string; refresh_token: string }[])];

test('tokens can be read with both secrets during and after their re-encryption', async () => {
  const user = await linked('1');
  const [rotated, ...readers] = await interleave([
    [rotate(user), nothing],
    ...Array.from({ length: 8 }, (_, n) => [nothing, n % 2 ? read(user, NEW, OLD) : read(user, OLD, NEW)]),
  ]);
  assert.equal(rotated?.state, null);
  for (const { answer } of readers) assert.deepEqual([...(answer as unknown[])], [{ access_token: 'a-1', refresh_token: 'r-1' }]);
  assert.deepEqual(await tokens(user, NEW), [{ access_token: 'a-1', refresh_token: 'r-1' }]);
  assert.deepEqual(await tokens(user, OLD, NEW), [{ access_token: 'a-1', refresh_token: 'r-1' }]);
});

for (const order of ['first', 'second'] as const) {
  const race = (step: Step, user: string) => interleave(order === 'first' ? [[step, nothing], [nothing, rotate(user)]] : [[rotate(user), nothing], [nothing, step]]);

  test(`a token that is stored during a re-encryption is not overwritten: ${order}`, async () => {
    const user = await linked('old');
    assert.deepEqual(refusals(await race(store(user, NEW, 'new'), user)), {});
    assert.deepEqual(await tokens(user, NEW), [{ access_token: 'a-new', refresh_token: 'r-new' }]);
  });

  test(`an account that is unlinked during a re-encryption stays unlinked: ${order}`, async () => {
    const user = await linked('1');
    assert.deepEqual(refusals(await race(unlink(user), user)), {});
    assert.deepEqual(await tokens(user, NEW, OLD), []);
  });
}

test('concurrent stores and reads see whole pairs of tokens', async () => {
  const user = await linked('0');
  const writers = Array.from({ length: 10 }, (_, n) => store(user, OLD, String(n)));
  const readers = Array.from({ length: 20 }, () => read(user, OLD));
  const endings = await atOnce([...writers, ...readers]);
  assert.deepEqual(refusals(endings), {});
  for (const { answer } of endings.slice(10)) {
    const [pair] = answer as { access_token: string; refresh_token: string }[];
    assert.equal(pair?.access_token.slice(2), pair?.refresh_token.slice(2));
  }
});

test('an interrupted re-encryption changes nothing and can be repeated', async () => {
  const user = await linked('1');
  const broken = connect(1, url);
  const [backend] = await broken`select pg_backend_pid() as pid`;
  await broken.unsafe('begin');
  await rotate(user)(broken as unknown as TransactionSql);
  await sql`select pg_terminate_backend(${backend?.pid}, 10000)`;
  await broken.end({ timeout: 1 }).catch(() => {});
  assert.deepEqual(await tokens(user, OLD), [{ access_token: 'a-1', refresh_token: 'r-1' }]);
  const [row] = (await sql.begin(rotate(user))) as { answer: { rotated: number } }[];
  assert.equal(row?.answer.rotated, 1);
  assert.deepEqual(await tokens(user, NEW), [{ access_token: 'a-1', refresh_token: 'r-1' }]);
});

test('tokens of any text are returned unchanged', async () => {
  const user = await signUp(sql);
  for (const token of ['', 'x'.repeat(20_000), 'żółć 🎵', "'; drop table x; --", '\\x00', ' \n\t ']) {
    await sql.begin(store(user, OLD, token));
    assert.deepEqual(await tokens(user, OLD), [{ access_token: `a-${token}`, refresh_token: `r-${token}` }]);
  }
});

test('the secret does not outlive its transaction', async () => {
  const user = await linked('1');
  await tokens(user, OLD, NEW);
  const [row] = await sql`
    select current_setting('app.spotify_secret', true) as one, current_setting('app.spotify_other_secret', true) as other`;
  assert.deepEqual([row?.one || '', row?.other || ''], ['', '']);
});

test('a statement that waits for a lock shows no secret in pg_stat_activity', async () => {
  const user = await linked('1');
  const hold: Step = (tx) => tx`select from public.spotify_tokens where user_id = ${user} for update`;
  const look: Step = (tx) => tx`select query from pg_stat_activity where query ~ 'spotify_tokens'`;
  const [held] = await interleave([
    [hold, nothing, look],
    [nothing, rotate(user)],
    [nothing, store(user, NEW, '2')],
  ]);
  const queries = ((held?.answer ?? []) as { query: string }[]).map((row) => row.query);
  assert.ok(queries.some((query) => query.includes('rotate_spotify_tokens')), queries.join('\n'));
  for (const query of queries) assert.doesNotMatch(query, /old-secret|new-secret|[ar]-[12]\b/);
});

const [ACCESS, REFRESH] = ['a-token', 'r-token'];
const SECRETS = /old-secret|new-secret|[ar]-token/;

/** Makes every call, with success and with each failure; returns all that PostgreSQL reports about the failures. */
async function everyCall(tx: TransactionSql, user: string): Promise<string[]> {
  const said: string[] = [];
  const attempt = async (call: Step) => {
    try {
      await tx.savepoint((point) => call(point));
    } catch (error) {
      if (!(error instanceof postgres.PostgresError)) throw error;
      said.push(JSON.stringify({ ...error, message: error.message, parameters: undefined, args: undefined, query: undefined }));
    }
  };
  const call = (step: (tx: TransactionSql) => Promise<unknown>) => attempt(step);
  await becomes(tx, 'fn_spotify', null);
  await call((t) => t`select public.store_spotify_tokens(${user}, ${OLD}, ${ACCESS}, ${REFRESH}, now())`);
  await call((t) => t`select * from public.get_spotify_tokens(${user}, ${OLD}, ${NEW})`);
  await call((t) => t`select public.rotate_spotify_tokens(${NEW}, ${OLD}, ${before(user)}, 1)`);
  // A wrong secret, a short one, no refresh token, no such user, no such date.
  await call((t) => t`select * from public.get_spotify_tokens(${user}, ${OLD})`);
  await call((t) => t`select * from public.get_spotify_tokens(${user}, ${OLD.slice(0, 20)})`);
  await call((t) => t`select public.store_spotify_tokens(${user}, ${OLD}, ${ACCESS}, null, now())`);
  await call((t) => t`select public.store_spotify_tokens(${before(user)}, ${OLD}, ${ACCESS}, ${REFRESH}, now())`);
  await call((t) => t`select public.store_spotify_tokens(${user}, ${OLD}, ${ACCESS}, ${REFRESH}, null)`);
  await call((t) => t`select public.rotate_spotify_tokens(${NEW.slice(0, 20)}, ${OLD})`);
  return said;
}

test('no error contains a secret or a token', async () => {
  const user = await linked('1');
  const said = await sql.begin((tx) => everyCall(tx, user));
  assert.equal(said.length, 6, said.join('\n'));
  for (const text of said) assert.doesNotMatch(text, SECRETS);
});

/** The server's log of every call under these settings. */
async function logWith(settings: Record<string, string>): Promise<string> {
  const folder = process.env.SOUND_WHISKERS_DATA_DIR;
  assert.ok(folder, 'SOUND_WHISKERS_DATA_DIR names no data folder: run `cargo xtask test`');
  const file = path.join(folder, 'logs/postgres.log');
  const user = await linked('1');
  const from = readFileSync(file).length;
  const own = connect(1, url);
  const marker = `after-${user}`;
  await own.begin(async (tx) => {
    for (const [name, value] of Object.entries(settings)) await tx`select set_config(${name}, ${value}, true)`;
    await everyCall(tx, user);
  });
  await own`set log_statement = 'all'`;
  await own.unsafe(`select '${marker}'`);
  await own.end();
  for (;;) {
    const text = readFileSync(file).subarray(from).toString();
    if (text.includes(marker)) return text;
  }
}

const EVERYTHING = {
  log_statement: 'all',
  log_min_duration_statement: '0',
  log_min_error_statement: 'debug1',
  log_error_verbosity: 'verbose',
  log_min_messages: 'debug1',
};

test('the log contains no secret even if every statement and every error is logged', async () => {
  const text = await logWith(EVERYTHING);
  assert.match(text, /rotate_spotify_tokens/);
  assert.match(text, /cannot be read/);
  assert.doesNotMatch(text, SECRETS);
});

// The remaining risk; this also proves that the test above would find a secret.
test('only a server that is configured to log parameters logs them', async () => {
  assert.match(await logWith({ ...EVERYTHING, log_parameter_max_length: '-1' }), SECRETS);
  assert.match(await logWith({ log_statement: 'none', log_parameter_max_length_on_error: '-1' }), SECRETS);
});
