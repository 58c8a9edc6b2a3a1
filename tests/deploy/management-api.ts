// A simulator of the part of Supabase's Management API that `supabase secrets set` and `supabase functions deploy` use,
// and of the Edge Runtime: Deno serves the deployed functions with the secrets that were set. It refuses what Supabase
// refuses, and every unknown request.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { createForwarder } from '../local-supabase/forward.ts';
import { form, PlatformSimulator } from './simulator.ts';
import type { Call, Reply } from './simulator.ts';

export const PROJECT = 'abcdefghijklmnopqrst';
export const ACCESS_TOKEN = `sbp_${'0123456789abcdef'.repeat(2)}01234567`;

/** The variables that the platform sets for every function. */
export type Injected = { SUPABASE_URL: string; SUPABASE_PUBLISHABLE_KEYS: string; SUPABASE_SECRET_KEYS: string };

export type Deployed = { verifyJwt: boolean; entrypoint: string; files: Map<string, Buffer> };

export class ManagementApi extends PlatformSimulator {
  readonly secrets = new Map<string, string>();
  readonly functions = new Map<string, Deployed>();
  readonly #injected: Injected;
  readonly #folder = mkdtempSync(join(tmpdir(), 'management-api-'));
  #runtime: Promise<EdgeRuntime> | null = null;

  constructor(injected: Injected) {
    super();
    this.#injected = injected;
  }

  /** The settings that direct the CLI, and Node's requests to the project's functions, to this simulator. */
  environment(): Record<string, string> {
    const { origin } = this;
    const profile = { name: 'loopback', api_url: origin, dashboard_url: origin, project_host: 'supabase.invalid', pooler_host: 'supabase.invalid' };
    const file = join(this.#folder, 'profile.yaml');
    writeFileSync(file, Object.entries(profile).map(([name, value]) => `${name}: ${value}\n`).join(''));
    return { SUPABASE_PROFILE: file, ...this.redirect(`https://${PROJECT}.supabase.co`) };
  }

  override async close(): Promise<void> {
    await (await this.#runtime)?.stop();
    await super.close();
    await rm(this.#folder, { recursive: true });
  }

  protected override async reply(call: Call): Promise<Reply> {
    const { method, url, request, body } = call;
    if (request.headers.authorization !== `Bearer ${ACCESS_TOKEN}`) return { status: 401, body: { message: 'Unauthorized' } };
    const project = `/v1/projects/${PROJECT}`;
    if (!url.pathname.startsWith(project)) throw new Error('there is no such endpoint');
    const slug = url.searchParams.get('slug');
    const name = `${method} ${url.pathname.slice(project.length)}${slug === null ? '' : `?slug=${slug}`}`;
    const failure = this.failure(name);
    if (failure !== undefined) return { status: failure, body: { message: `refused with ${failure} for the test` } };
    if (name === 'GET ') return { status: 200, body: PROJECT_DOCUMENT };
    if (name === 'POST /secrets') return this.#setSecrets(JSON.parse(body.toString()));
    if (slug !== null && name === `POST /functions/deploy?slug=${slug}`) return this.#deploy(slug, await form(call));
    throw new Error('there is no such endpoint');
  }

  #setSecrets(secrets: { name: unknown; value: unknown }[]): Reply {
    for (const { name, value } of secrets) {
      if (typeof name !== 'string' || typeof value !== 'string') throw new Error('a secret is a name and a value');
      if (!/^(?!SUPABASE_)\w+$/.test(name)) throw new Error(`no secret can have the name ${name}`);
    }
    for (const { name, value } of secrets) this.secrets.set(name as string, value as string);
    this.#restart();
    return { status: 201, body: {} };
  }

  async #deploy(slug: string, form: FormData): Promise<Reply> {
    const metadata = JSON.parse(String(form.get('metadata')));
    const files = new Map<string, Buffer>();
    for (const file of form.getAll('file')) {
      if (typeof file === 'string') throw new Error('a file without a name');
      if (normalize(file.name).startsWith('..')) throw new Error(`a file outside of the bundle: ${file.name}`);
      files.set(file.name, Buffer.from(await file.arrayBuffer()));
    }
    if (metadata.name !== slug || !files.has(metadata.entrypoint_path) || !files.has(metadata.import_map_path)) {
      throw new Error(`the metadata does not fit: ${JSON.stringify(metadata)}, ${[...files.keys()]}`);
    }
    this.functions.set(slug, { verifyJwt: metadata.verify_jwt, entrypoint: metadata.entrypoint_path, files });
    this.#restart();
    const now = Date.now();
    const { verify_jwt } = metadata;
    return { status: 201, body: { id: slug, slug, name: slug, version: 1, status: 'ACTIVE', verify_jwt, created_at: now, updated_at: now } };
  }

  #restart(): void {
    void this.#runtime?.then((runtime) => runtime.stop());
    this.#runtime = null;
  }

  protected override async serveDeployed(url: URL, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    if (!url.pathname.startsWith('/functions/v1/')) return false;
    this.#runtime ??= serve(this.#folder, this.functions, { ...Object.fromEntries(this.secrets), ...this.#injected });
    createForwarder((await this.#runtime).origin)(request, response);
    return true;
  }
}

type EdgeRuntime = { origin: string; stop: () => Promise<void> };

async function serve(parent: string, deployed: Map<string, Deployed>, variables: Record<string, string>): Promise<EdgeRuntime> {
  const folder = await mkdtemp(join(parent, 'runtime-'));
  const functions = [];
  for (const [name, { entrypoint, files }] of deployed) {
    for (const [path, content] of files) {
      const file = join(folder, name, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
    }
    functions.push({ name, entry: join(folder, name, entrypoint) });
  }
  const settings = JSON.stringify({ port: 0, web: folder, page: {}, functions });
  const args = ['run', '--no-config', '--no-lock', '--no-remote', '--no-npm', '--allow-net', '--allow-env', `--allow-read=${folder}`];
  const env = { PATH: process.env.PATH, DENO_DIR: join(folder, 'cache'), ...variables, DENO_SERVE: settings };
  const child = spawn('node_modules/.bin/deno', [...args, 'xtask/stack/assets/deno-serve.ts'], { env, stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  const exit = once(child, 'exit');
  const line = await Promise.race([once(child.stdout, 'data'), exit.then(([code]) => [`Deno ended with ${code}`])]);
  const [, port] = /^ready on port (\d+)/.exec(String(line)) ?? [];
  if (port === undefined) throw new Error(`the deployed function does not start: ${line}`);
  child.stdout.resume();
  const stop = async () => {
    // The npm package's launcher, and Deno itself.
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, 'SIGKILL');
    await exit;
  };
  return { origin: `http://127.0.0.1:${port}`, stop };
}

const PROJECT_DOCUMENT = {
  ...{ id: PROJECT, ref: PROJECT, organization_id: 'organization', organization_slug: 'organization' },
  ...{ name: 'sound-whiskers', region: 'eu-central-1', created_at: '2026-11-01T00:00:00Z', status: 'ACTIVE_HEALTHY' },
  database: { host: `db.${PROJECT}.supabase.co`, version: '17.6.1', postgres_engine: '17', release_channel: 'ga' },
};
