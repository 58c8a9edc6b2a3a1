// A deployment as far as it goes without an account: the real wrangler, the real Supabase CLI, a real database.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratchDatabase, setUpEmptyProject } from '../database/scratch.ts';

const XTASK = process.env.SOUND_WHISKERS_XTASK;
assert.ok(XTASK, 'SOUND_WHISKERS_XTASK says which xtask is tested');

const SUPABASE_URL = 'https://abcdefghijklmnopqrst.supabase.co';
const CALLBACK = '/functions/v1/spotify-oauth/callback';

const COMPLETE: Record<string, string> = {
  APP_ORIGINS: 'https://app.example',
  SUPABASE_URL,
  SUPABASE_PUBLISHABLE_KEY: 'sb_publishable_of_nobody',
  SPOTIFY_CLIENT_ID: 'an-id',
  SPOTIFY_CLIENT_SECRET: 'secret-of-spotify',
  SPOTIFY_STATE_SECRETS: 'secret-of-states-secret-of-states',
  SPOTIFY_TOKEN_SECRETS: 'secret-of-tokens-secret-of-tokens',
  STRIPE_SECRET_KEY: 'sk_live_secret_of_stripe',
  STRIPE_WEBHOOK_SECRETS: 'whsec_secret_of_the_webhook_of_stripe',
  STRIPE_PRICE_ID: 'price_1',
  LLM_BASE_URL: 'https://llm.example/v1',
  LLM_API_KEY: 'secret-of-the-model',
  LLM_MODEL: 'a-model',
  FN_AI_TOKEN: 'secret-token-1',
  FN_SPOTIFY_TOKEN: 'secret-token-2',
  FN_BILLING_TOKEN: 'secret-token-3',
  FN_ACCOUNT_TOKEN: 'secret-token-4',
};

type Ran = { code: number; output: string };

function run(program: string, args: string[], env: Record<string, string> = {}): Promise<Ran> {
  const { promise, resolve } = Promise.withResolvers<Ran>();
  const options = { env: { ...process.env, ...env }, maxBuffer: 32 * 1024 * 1024 };
  execFile(program, args, options, (error, stdout, stderr) => {
    resolve({ code: error ? Number(error.code ?? 1) : 0, output: stdout + stderr });
  });
  return promise;
}

async function deploy(values: Record<string, string>, ...args: string[]): Promise<Ran> {
  const folder = await mkdtemp(join(tmpdir(), 'deploy-'));
  try {
    const file = join(folder, 'values.env');
    await writeFile(file, Object.entries(values).map(([name, value]) => `${name}=${value}\n`).join(''));
    return await run(XTASK!, ['deploy', ...args, '--dry-run', '--env-file', file]);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const push = (url: string, ...args: string[]) =>
  run('node_modules/.bin/supabase', ['db', 'push', `--remote=${url}`, '--skip-vault', '--yes', ...args]);

const functionNames = async () => (await readdir('supabase/functions')).filter((name) => !name.startsWith('_'));

test('supabase db push brings an empty project to the newest migration, once', async () => {
  const files = (await readdir('supabase/migrations')).map((file) => file.split('_')[0]).sort();
  const { url, sql, drop } = await scratchDatabase(setUpEmptyProject);
  try {
    const rehearsed = await push(url, '--dry-run');
    assert.equal(rehearsed.code, 0, rehearsed.output);
    for (const version of files) assert.match(rehearsed.output, new RegExp(version!));
    assert.equal((await sql`select to_regclass('public.profiles') as found`)[0]!.found, null, 'a dry run changes nothing');

    const pushed = await push(url);
    assert.equal(pushed.code, 0, pushed.output);
    const applied = await sql`select version from supabase_migrations.schema_migrations order by version`;
    assert.deepEqual(applied.map(({ version }) => version), files);

    const again = await push(url);
    assert.equal(again.code, 0, again.output);
    assert.match(again.output, /up to date/i);
  } finally {
    await drop();
  }
});

for (const environment of ['staging', 'production']) {
  test(`with everything set, every worker of ${environment} is ready for Cloudflare`, async () => {
    const values = { ...COMPLETE, SPOTIFY_REDIRECT_URI: `https://app.example${CALLBACK}` };
    const { code, output } = await deploy(values, 'cloudflare', '--env', environment);
    assert.equal(code, 0, output);
    for (const name of [...(await functionNames()), 'gateway']) assert.match(output, new RegExp(`== .*sound-whiskers-${name}-${environment} `));
    assert.equal(output.match(/--dry-run: exiting now/g)?.length, (await functionNames()).length + 1);
    assert.match(output, /https:\/\/app\.example\/health/);
    assert.doesNotMatch(output, /secret[-_](of|token)/, 'a secret is shown');
    assert.equal(existsSync(`target/deploy/${environment}`), false, 'what was handed over is left');
  });
}

test('with everything set, every function is ready for Supabase, and the database is asked what it lacks', async () => {
  const { url, drop } = await scratchDatabase();
  try {
    const values = { ...COMPLETE, SPOTIFY_REDIRECT_URI: SUPABASE_URL + CALLBACK, SUPABASE_DB_URL: url };
    const { code, output } = await deploy(values, 'supabase');
    assert.equal(code, 0, output);
    for (const name of await functionNames()) assert.match(output, new RegExp(`== .* ${name} `));
    assert.match(output, /ready: nothing was changed/);
    assert.doesNotMatch(output, /secret[-_](of|token)/, 'a secret is shown');
    assert.ok(!output.includes(new URL(url).password), "the database's password is shown");
  } finally {
    await drop();
  }
});

test('what is missing is named, all of it at once, and nothing is ready', async () => {
  const { LLM_MODEL, STRIPE_PRICE_ID, ...values } = COMPLETE;
  const { code, output } = await deploy(values, 'cloudflare');
  assert.notEqual(code, 0);
  for (const line of ['ai-playlist: LLM_MODEL missing', 'billing: STRIPE_PRICE_ID missing', 'spotify-oauth: SPOTIFY_REDIRECT_URI missing']) {
    assert.ok(output.includes(line), output);
  }
  assert.match(output, /not ready: 3 of the above/);
});
