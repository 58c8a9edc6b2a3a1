// A worker in its own runtime: this product and its peers are served in the same way.

import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, openSync, readdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import autocannon from 'autocannon';
import { build } from 'esbuild';
import event from './event.json' with { type: 'json' };
import { builtFunction, ready, work } from './harness.ts';

export type Environment = Record<string, string>;
export type Handler = (request: Request) => Promise<Response>;
export type Runtime = 'workerd' | 'deno';
export type Running = { port: number; pid: number; stop: () => Promise<void> };
export type Candidate = { name: string; runtime: Runtime; files: string[]; like: string; variables: Environment };

const CONNECTIONS = 16;
/** The wrapper of a peer for each runtime, and the runtime's conditions of package exports. */
const PEERS = {
  workerd: { entry: `import { env } from 'cloudflare:workers'; export default { fetch: serve(env) };`, conditions: ['workerd', 'worker', 'browser'] },
  deno: { entry: 'Deno.serve(serve(Deno.env.toObject()));', conditions: ['deno', 'worker', 'browser'] },
};

export function ours(like: string, runtime: Runtime, name = `ours-${like}`, built = builtFunction(like)): Candidate {
  const { workerd, deno, variables } = built;
  const modules = path.join(path.dirname(deno), 'build');
  const files = {
    workerd: () => ['index.js', 'index_bg.wasm'].map((file) => path.join(workerd, file)),
    deno: () => [deno, ...readdirSync(modules).filter((file) => file.endsWith('.js')).map((file) => path.join(modules, file))],
  };
  return { name, runtime, files: files[runtime](), like, variables };
}

/** Bundles peers/<file>.ts, to be served with the date, flags and variables of the function that it is compared with. */
export async function peer(file: string, like: string, runtime: Runtime): Promise<Candidate> {
  const outfile = path.join(work, `${file}.${runtime}.js`);
  const { entry, conditions } = PEERS[runtime];
  const stdin = { contents: `import { serve } from './${file}.ts'; ${entry}`, resolveDir: path.join(import.meta.dirname, 'peers') };
  const external = ['cloudflare:workers', 'node:*'];
  await build({ stdin, outfile, bundle: true, minify: true, format: 'esm', target: 'es2024', conditions, external, legalComments: 'none', logLevel: 'warning' });
  const variables = { ...builtFunction(like).variables, SUPABASE_SECRET_KEY: ready.secret_key };
  return { name: `peer-${file}`, runtime, files: [outfile], like, variables };
}

/** Values are passed in the environment, so that no file contains a secret. */
function config({ files, like, variables }: Candidate, port: number): string {
  const quoted = (text: string) => JSON.stringify(text);
  const { compatibility_date, compatibility_flags } = builtFunction(like);
  const modules = files.map((file) => {
    const isWasm = file.endsWith('.wasm');
    return `(name = "${isWasm ? 'index_bg.wasm' : 'index.js'}", ${isWasm ? 'wasm' : 'esModule'} = embed ${quoted(file)})`;
  });
  const bindings = Object.keys(variables).map((name) => `(name = ${quoted(name)}, fromEnvironment = ${quoted(name)})`);
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "worker", worker = (modules = [${modules.join(', ')}], compatibilityDate = ${quoted(compatibility_date)},
      compatibilityFlags = [${compatibility_flags.map(quoted).join(', ')}], bindings = [${bindings.join(', ')}])),
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "worker")],
);
`;
}

/** Starts a candidate and waits until it accepts connections; its log is discarded. */
export async function start(candidate: Candidate): Promise<Running> {
  const file = path.join(work, candidate.name);
  mkdirSync(work, { recursive: true });
  const port = await freePort();
  writeFileSync(`${file}.capnp`, config(candidate, port));
  const command = {
    workerd: ['serve', '--experimental', '--import-path=/', `${file}.capnp`],
    // Deno's cache of earlier runs would make a cold start warm.
    deno: ['run', '--no-config', '--no-lock', '--no-remote', '--no-npm', '--no-code-cache', '--allow-net', '--allow-env', candidate.files[0] as string],
  };
  const own = { PATH: process.env.PATH, HOME: process.env.HOME, DENO_SERVE_ADDRESS: `tcp:127.0.0.1:${port}`, DENO_NO_UPDATE_CHECK: '1' };
  const child = spawn(path.resolve('node_modules/.bin', candidate.runtime), command[candidate.runtime], {
    env: { ...own, ...candidate.variables },
    stdio: ['ignore', 'ignore', openSync(`${file}.log`, 'w')],
  });
  const ended = once(child, 'exit');
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  while (!(await listens(port))) {
    if (child.exitCode !== null) throw new Error(`${candidate.name} does not listen: see ${file}.log`);
  }
  const stop = async () => {
    kill();
    await ended;
    process.off('exit', kill);
  };
  return { port, pid: child.pid as number, stop };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

async function listens(port: number): Promise<boolean> {
  await pause(1);
  const socket = connect(port, '127.0.0.1');
  return once(socket, 'connect').then(() => true, () => false).finally(() => socket.destroy());
}

/** An event as Stripe writes and signs it; by default one of real size that changes no plan. */
export function stripeEvent(secret = ready.stripe_webhook_secret, of: object = event): { body: string; headers: Record<string, string> } {
  const [seconds, body] = [Math.floor(Date.now() / 1000), JSON.stringify(of, null, 2)];
  const v1 = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
  return { body, headers: { 'Content-Type': 'application/json; charset=utf-8', 'Stripe-Signature': `t=${seconds},v1=${v1}` } };
}

/** Sends events one after the other over each of 16 connections, for a duration or a number. */
export async function load({ port }: Running, until: { duration: number } | { amount: number }): Promise<{ requests: number; seconds: number }> {
  const url = `http://127.0.0.1:${port}/functions/v1/stripe-webhook`;
  const { errors, non2xx, requests, duration } = await autocannon({ url, method: 'POST', connections: CONNECTIONS, ...stripeEvent(), ...until });
  if (errors + non2xx > 0) throw new Error(`${errors} requests failed, ${non2xx} were refused`);
  return { requests: requests.total, seconds: duration };
}
