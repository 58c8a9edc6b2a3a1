// Deployments by the real wrangler and the real Supabase CLI, to a real database and to simulators of the platforms.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Sql } from 'postgres';
import { scratchDatabase, setUpEmptyProject, setUpProject } from '../database/scratch.ts';
import { ACCOUNT, API_TOKEN, CloudflareApi } from './cloudflare-api.ts';
import { ACCESS_TOKEN, ManagementApi, PROJECT } from './management-api.ts';

const XTASK = process.env.SOUND_WHISKERS_XTASK;
assert.ok(XTASK, 'SOUND_WHISKERS_XTASK says which xtask is tested');

const SUPABASE_URL = `https://${PROJECT}.supabase.co`;
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

/** Every secret value above; no output may contain one. */
const SECRET = /secret[-_](of|token)/;

type Ran = { code: number; output: string };

/** Runs a program as in a user's shell: without variables that indicate CI or confirm every prompt. */
function run(program: string, args: string[], env: Record<string, string> = {}): Promise<Ran> {
  const { promise, resolve } = Promise.withResolvers<Ran>();
  const { CI, SUPABASE_YES, ...inherited } = process.env;
  const child = execFile(program, args, { env: { ...inherited, ...env }, maxBuffer: 32 * 1024 * 1024 }, (error, stdout, stderr) => {
    resolve({ code: error ? Number(error.code ?? 1) : 0, output: stdout + stderr });
  });
  child.stdin?.end();
  return promise;
}

function runOnTerminal(program: string, args: string[], env: Record<string, string> = {}): Promise<Ran> {
  const words = [program, ...args].map((word) => `'${word}'`);
  const script = process.platform === 'darwin' ? ['-q', '/dev/null', program, ...args] : ['-qec', words.join(' '), '/dev/null'];
  return run('script', script, env);
}

async function deploy(values: Record<string, string>, args: string[], env: Record<string, string> = {}, runner = run): Promise<Ran> {
  const folder = await mkdtemp(join(tmpdir(), 'deploy-'));
  try {
    const file = join(folder, 'values.env');
    await writeFile(file, Object.entries(values).map(([name, value]) => `${name}='${value}'\n`).join(''));
    return await runner(XTASK!, ['deploy', ...args, '--env-file', file], env);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const functionNames = async () => (await readdir('supabase/functions')).filter((name) => !name.startsWith('_')).sort();
const migrationVersions = async () => (await readdir('supabase/migrations')).map((file) => file.split('_')[0]!).sort();

for (const environment of ['staging', 'production']) {
  test(`a dry run with everything set finds every worker of ${environment} ready for Cloudflare`, async () => {
    const values = { ...COMPLETE, SPOTIFY_REDIRECT_URI: `https://app.example${CALLBACK}` };
    const { code, output } = await deploy(values, ['cloudflare', '--env', environment, '--dry-run']);
    assert.equal(code, 0, output);
    for (const name of [...(await functionNames()), 'gateway']) assert.match(output, new RegExp(`== .*sound-whiskers-${name}-${environment} `));
    assert.equal(output.match(/--dry-run: exiting now/g)?.length, (await functionNames()).length + 1);
    assert.match(output, /https:\/\/app\.example\/health/);
    assert.doesNotMatch(output, SECRET);
    assert.equal(existsSync(`target/deploy/${environment}`), false, 'the folder of the values is left');
  });
}

test('a dry run with everything set finds every function ready for Supabase, lists the missing migrations and changes nothing', async () => {
  const { url, sql, drop } = await scratchDatabase(setUpEmptyProject);
  try {
    const values = { ...COMPLETE, SPOTIFY_REDIRECT_URI: SUPABASE_URL + CALLBACK, SUPABASE_DB_URL: url };
    const { code, output } = await deploy(values, ['supabase', '--dry-run']);
    assert.equal(code, 0, output);
    for (const name of await functionNames()) assert.match(output, new RegExp(`== .* ${name} `));
    for (const version of await migrationVersions()) assert.ok(output.includes(version), version);
    assert.equal((await sql`select to_regclass('public.profiles') as found`)[0]!.found, null);
    assert.match(output, /ready: nothing was changed/);
    assert.doesNotMatch(output, SECRET);
    assert.ok(!output.includes(new URL(url).password), "the database's password is shown");
  } finally {
    await drop();
  }
});

test('a dry run lists everything that is missing, and what a function would refuse', async () => {
  const { LLM_MODEL, STRIPE_PRICE_ID, ...values } = COMPLETE;
  const { code, output } = await deploy({ ...values, LLM_TEMPERATURE: 'hot' }, ['cloudflare', '--dry-run']);
  assert.notEqual(code, 0);
  const missing = ['ai-playlist: LLM_MODEL', 'billing: STRIPE_PRICE_ID', 'spotify-oauth: SPOTIFY_REDIRECT_URI'].map((it) => `${it} missing`);
  for (const line of [...missing, 'LLM_TEMPERATURE must be a number']) assert.ok(output.includes(line), output);
  assert.match(output, /not ready: 4 of the above/);
});

/** An empty project: a database without a table, and nothing set or deployed. */
async function withProject(setUp: (sql: Sql) => Promise<void>, work: (project: Project) => Promise<void>): Promise<void> {
  const { url, sql, drop } = await scratchDatabase(setUp);
  const api = await new ManagementApi({
    SUPABASE_URL: process.env.SUPABASE_URL!,
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: process.env.SUPABASE_PUBLISHABLE_KEY }),
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: process.env.SUPABASE_SECRET_KEY }),
  }).listen();
  try {
    const values = { ...FOR_SUPABASE, SUPABASE_DB_URL: url, SUPABASE_ACCESS_TOKEN: ACCESS_TOKEN };
    await work({ api, sql, values, deploy: (runner = run, changes = {}) => deploy({ ...values, ...changes }, ['supabase'], api.environment(), runner) });
    assert.deepEqual(api.unexpected, []);
  } finally {
    await api.close();
    await drop();
  }
}

type Project = {
  api: ManagementApi;
  sql: Sql;
  values: Record<string, string>;
  deploy: (runner?: typeof run, changes?: Record<string, string>) => Promise<Ran>;
};

const LEGACY_SECRET = 'secret-of-users-tokens-secret-of-users-tokens';
const FOR_SUPABASE: Record<string, string> = {
  ...COMPLETE,
  SPOTIFY_REDIRECT_URI: SUPABASE_URL + CALLBACK,
  // Characters that an env file or a shell could misread.
  LLM_API_KEY: 'secret-of-the-model$HOME#"`\\n',
  SUPABASE_JWT_SECRET: LEGACY_SECRET,
};

/** The functions' environment without the variables that the platform sets. */
function expectedSecrets(): Record<string, string> {
  const { SUPABASE_URL: _url, SUPABASE_PUBLISHABLE_KEY: _key, SUPABASE_JWT_SECRET: _secret, ...secrets } = FOR_SUPABASE;
  return { ...secrets, JWT_SECRET: LEGACY_SECRET };
}

async function assertDeployed({ api, sql }: Project): Promise<void> {
  const applied = await sql`select version from supabase_migrations.schema_migrations order by version`;
  assert.deepEqual(applied.map(({ version }) => version), await migrationVersions());
  assert.deepEqual(Object.fromEntries(api.secrets), expectedSecrets());
  assert.deepEqual([...api.functions.keys()].sort(), (await functionNames()));
  for (const [name, { verifyJwt, entrypoint, files }] of api.functions) {
    assert.equal(verifyJwt, false, `${name} lets Supabase refuse callers`);
    assert.equal(entrypoint, `supabase/functions/${name}/index.ts`);
    const module = files.get(`supabase/functions/${name}/build/embedded.js`)?.toString() ?? '';
    const wasm = Buffer.from(/wasm = '([^']+)'/.exec(module)?.[1] ?? '', 'base64');
    assert.ok(WebAssembly.validate(wasm), `the bundle of ${name} holds no wasm`);
    assert.ok(wasm.equals(await readFile(`functions/${name}/build/index_bg.wasm`)), `${name} is not the wasm that was built`);
  }
}

async function setUpCron(sql: Sql, jobs: string[]): Promise<void> {
  await sql`create schema cron`;
  await sql`create table cron.job (jobname text, active boolean)`;
  for (const job of jobs) await sql`insert into cron.job values (${job}, true)`;
}

const JOBS = ['delete_old_ai_sessions', 'maintain_ai_sessions_partitions', 'forget_expired', 'trim_catalogue_memory'];

for (const [where, runner] of [['without a terminal', run], ['on a terminal', runOnTerminal]] as const) {
  test(`deploy supabase brings an empty project everything that it needs, ${where}`, async () => {
    await withProject(setUpEmptyProject, async (project) => {
      await setUpCron(project.sql, JOBS);
      const { code, output } = await project.deploy(runner);
      assert.equal(code, 0, output);
      await assertDeployed(project);
      for (const name of await functionNames()) {
        assert.ok(output.includes(`${SUPABASE_URL}/functions/v1/${name}/health: 200 {"status":"ok"}`), output);
      }
      assert.match(output, /deployed, and everything responds/);
      assert.doesNotMatch(output, /warning|deprecated/i);
      assert.doesNotMatch(output, SECRET);
    });
  });
}

test('a function that Supabase refuses fails the deployment, and deploying again completes it', async () => {
  await withProject(setUpEmptyProject, async (project) => {
    const third = (await functionNames())[2]!;
    project.api.failOnce(`POST /functions/deploy?slug=${third}`, 500);
    const failed = await project.deploy();
    assert.equal(failed.code, 1, failed.output);
    assert.match(failed.output, new RegExp(`${third} failed: `));
    assert.match(failed.output, /refused with 500 for the test/, 'the output of the CLI is missing');
    assert.match(failed.output, /what to do: [\s\S]*run the same command again/);
    assert.doesNotMatch(failed.output, /deployed, and everything responds/);
    assert.deepEqual([...project.api.functions.keys()], (await functionNames()).slice(0, 2));

    const completed = await project.deploy();
    assert.equal(completed.code, 0, completed.output);
    await assertDeployed(project);
  });
});

test('the remedy names an access token that Supabase refuses, before any function has changed', async () => {
  await withProject(setUpEmptyProject, async (project) => {
    const { code, output } = await project.deploy(run, { SUPABASE_ACCESS_TOKEN: ACCESS_TOKEN.replace('sbp_0', 'sbp_f') });
    assert.equal(code, 1, output);
    assert.match(output, /secrets failed: /);
    assert.match(output, /Unauthorized/, 'the output of the CLI is missing');
    assert.match(output, /what to do: [\s\S]*SUPABASE_ACCESS_TOKEN/);
    assert.deepEqual([project.api.secrets.size, project.api.functions.size], [0, 0]);
  });
});

test('without pg_cron the deployment warns while it runs and at its end', async () => {
  await withProject(setUpEmptyProject, async (project) => {
    const { code, output } = await project.deploy();
    assert.equal(code, 0, output);
    for (const part of output.split('deployed, and everything responds')) {
      for (const warned of [/warning: .*pg_cron/, /supabase\/README\.md/, ...JOBS]) assert.match(part, new RegExp(warned), output);
    }
  });
});

const NEXT_MONTH = `date_trunc('month', now() at time zone 'UTC') + interval '1 month'`;

/** A problem of the daily jobs, the SQL that causes it, and the deployment's message. */
const WRONG_JOBS: [string, typeof setUpProject, (sql: Sql) => Promise<unknown>, RegExp[]][] = [
  [
    'pg_cron runs without the jobs',
    setUpEmptyProject,
    async (sql) => {
      await setUpCron(sql, JOBS.slice(0, 1));
      await sql`insert into cron.job values (${JOBS[1]!}, false)`;
    },
    [/scheduled jobs failed: (?!.*delete_old_ai_sessions).*maintain_ai_sessions_partitions/, /what to do: [\s\S]*20261126001400_scheduled_jobs\.sql/],
  ],
  [
    "next month's partition of ai_sessions is missing",
    setUpProject,
    async (sql) => {
      await setUpCron(sql, JOBS);
      const [next] = await sql.unsafe(`select 'ai_sessions_' || to_char(${NEXT_MONTH}, 'YYYY_MM') as partition`);
      await sql`alter table public.ai_sessions detach partition public.${sql(next!.partition)}`;
    },
    [/scheduled jobs failed: .*ai_sessions.*\d{4}-\d\d/, /what to do: [\s\S]*select private\.ensure_ai_sessions_partitions\(\)/],
  ],
];

for (const [wrong, setUp, make, said] of WRONG_JOBS) {
  test(`where ${wrong}, the deployment stops and says what to do`, async () => {
    await withProject(setUp, async (project) => {
      await make(project.sql);
      const { code, output } = await project.deploy();
      assert.equal(code, 1, output);
      for (const expected of said) assert.match(output, expected);
      assert.equal(project.api.functions.size, 0);
    });
  });
}

const GATEWAY = 'sound-whiskers-gateway-staging';

/** A worker's environment: the variables that its wrangler.toml requires, and the token of its role. */
async function expectedOf(name: string, values: Record<string, string>): Promise<Record<string, string>> {
  const manifest = await readFile(name === 'gateway' ? 'wrangler.toml' : `functions/${name}/wrangler.toml`, 'utf8');
  const required = /^\[env\.staging\.secrets\]\nrequired = \[([^\]]*)\]/m.exec(manifest)![1]!;
  const names = [...required.matchAll(/"(\w+)"/g)].map(([, variable]) => variable!);
  const expected = Object.fromEntries(names.map((variable) => [variable, values[variable]!]));
  const [, role] = /^role = "fn_(\w+)"/m.exec(await readFile(`functions/${name}/Cargo.toml`, 'utf8')) ?? [];
  return role === undefined ? expected : { ...expected, SUPABASE_FUNCTION_TOKEN: values[`FN_${role.toUpperCase()}_TOKEN`]! };
}

type Account = { api: CloudflareApi; deploy: (runner?: typeof run) => Promise<Ran>; assertDeployed: () => Promise<void> };

async function withAccount(work: (account: Account) => Promise<void>): Promise<void> {
  const { url, drop } = await scratchDatabase();
  const origin = COMPLETE.APP_ORIGINS!;
  const api = await new CloudflareApi(origin, GATEWAY).listen();
  const values = {
    ...COMPLETE,
    SPOTIFY_REDIRECT_URI: origin + CALLBACK,
    SUPABASE_DB_URL: url,
    CLOUDFLARE_ACCOUNT_ID: ACCOUNT,
    CLOUDFLARE_API_TOKEN: API_TOKEN,
  };
  try {
    await work({
      api,
      deploy: (runner = run) => deploy(values, ['cloudflare'], api.environment(), runner),
      async assertDeployed() {
        const names = [...(await functionNames()), 'gateway'];
        assert.deepEqual([...api.scripts.keys()].sort(), names.map((name) => `sound-whiskers-${name}-staging`).sort());
        for (const name of names) {
          const { bindings, modules } = api.scripts.get(`sound-whiskers-${name}-staging`)!;
          const secrets = bindings.filter(({ type }) => type === 'secret_text').map(({ name, text }) => [name, text]);
          assert.deepEqual(Object.fromEntries(secrets), await expectedOf(name, values), name);
          const wasm = await readFile(`functions/${name}/build/index_bg.wasm`);
          assert.ok([...modules.values()].some((module) => module.equals(wasm)), `the wasm of ${name} did not arrive`);
        }
        const gateway = api.scripts.get(GATEWAY)!;
        const bound = gateway.bindings.filter(({ type }) => type === 'service').map(({ service }) => service!);
        assert.deepEqual(bound.sort(), (await functionNames()).map((name) => `sound-whiskers-${name}-staging`).sort());
        assert.ok(gateway.assets?.includes('/index.html'), `${gateway.assets}`);
      },
    });
    assert.deepEqual(api.unexpected, []);
  } finally {
    await api.close();
    await drop();
  }
}

function assertSaysSo({ code, output }: Ran): void {
  assert.equal(code, 0, output);
  assert.match(output, /https:\/\/app\.example\/health: 200/);
  assert.match(output, /deployed, and everything responds/);
  assert.doesNotMatch(output, SECRET);
}

test('deploy cloudflare brings an empty account every worker with its own secrets, on a terminal', async () => {
  await withAccount(async ({ deploy, assertDeployed }) => {
    assertSaysSo(await deploy(runOnTerminal));
    await assertDeployed();
  });
});

test('a worker that Cloudflare refuses fails the deployment, and deploying again completes it, without a terminal', async () => {
  await withAccount(async ({ api, deploy, assertDeployed }) => {
    const third = `sound-whiskers-${(await functionNames())[2]}-staging`;
    api.failOnce(`PUT /scripts/${third}`, 403);
    const failed = await deploy();
    assert.equal(failed.code, 1, failed.output);
    assert.match(failed.output, new RegExp(`${third} failed: `));
    assert.match(failed.output, /refused with 403 for the test/, 'the output of wrangler is missing');
    assert.match(failed.output, /what to do: [\s\S]*CLOUDFLARE_API_TOKEN/);
    assert.equal(api.scripts.size, 2);

    assertSaysSo(await deploy());
    await assertDeployed();
  });
});
