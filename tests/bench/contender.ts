// One worker alone in a fresh runtime: ours and its peers are served in the same way.

import { once } from 'node:events';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, openSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { BuiltFunction } from './stack.ts';

const BIN = path.resolve('node_modules/.bin');
/** One that does not listen by then never will. */
const START_TIMEOUT_MS = 20_000;

export type Contender = { port: number; pid: number; stop: () => Promise<void> };

/** A command that serves a port, and what is in its environment. */
export type Start = { command: string; arguments: string[]; environment: Record<string, string> };

/** What workerd is told of a worker. */
export type Worker = {
  modules: { name: string; kind: 'esModule' | 'wasm'; file: string }[];
  compatibilityDate: string;
  compatibilityFlags: string[];
  variables: Record<string, string>;
};

export function ourWorker(built: BuiltFunction): Worker {
  return {
    modules: [
      { name: 'index.js', kind: 'esModule', file: path.join(built.workerd, 'index.js') },
      { name: 'index_bg.wasm', kind: 'wasm', file: path.join(built.workerd, 'index_bg.wasm') },
    ],
    compatibilityDate: built.compatibility_date,
    compatibilityFlags: built.compatibility_flags,
    variables: built.variables,
  };
}

/** With the date and the flags of the function that it is compared with. */
export function peerWorker(file: string, built: BuiltFunction, variables: Record<string, string>): Worker {
  return { ...ourWorker(built), modules: [{ name: 'index.js', kind: 'esModule', file }], variables };
}

/** Values travel in the environment, so that no file holds a secret. */
export function workerd(name: string, worker: Worker, folder: string): (port: number) => Start {
  const quoted = (text: string) => JSON.stringify(text);
  const modules = worker.modules.map(({ name, kind, file }) => `(name = ${quoted(name)}, ${kind} = embed ${quoted(file)})`);
  const bindings = Object.keys(worker.variables).map((name) => `(name = ${quoted(name)}, fromEnvironment = ${quoted(name)})`);
  const config = (port: number) => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "worker", worker = (
      modules = [${modules.join(', ')}],
      compatibilityDate = ${quoted(worker.compatibilityDate)},
      compatibilityFlags = [${worker.compatibilityFlags.map(quoted).join(', ')}],
      bindings = [${bindings.join(', ')}],
    )),
    (name = "internet", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "worker")],
);
`;
  return (port) => {
    const file = path.join(folder, `${name}.capnp`);
    writeFileSync(file, config(port));
    return { command: 'workerd', arguments: ['serve', '--experimental', '--import-path=/', file], environment: worker.variables };
  };
}

/** What calls `Deno.serve` without saying where. */
export function deno(file: string, variables: Record<string, string>): (port: number) => Start {
  // What it keeps of earlier runs would make a cold start a warm one.
  const flags = ['--no-config', '--no-lock', '--no-remote', '--no-npm', '--no-code-cache', '--allow-net', '--allow-env'];
  return (port) => ({
    command: 'deno',
    arguments: ['run', ...flags, file],
    environment: { ...variables, DENO_SERVE_ADDRESS: `tcp:127.0.0.1:${port}`, DENO_NO_UPDATE_CHECK: '1' },
  });
}

/** Nobody outlives a measurement that fails. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts it and waits until it takes connections. Its log lines go nowhere, what it complains of to a file. */
export async function start(name: string, at: (port: number) => Start, folder: string): Promise<Contender> {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const { command, arguments: list, environment } = at(port);
  const complaints = path.join(folder, `${name}.log`);
  const child = spawn(path.join(BIN, command), list, {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...environment },
    stdio: ['ignore', 'ignore', openSync(complaints, 'w')],
  });
  const ended = once(child, 'exit');
  running.add(child);
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
    running.delete(child);
  };
  const begun = performance.now();
  while (!(await listens(port))) {
    if (child.exitCode !== null || child.pid === undefined || performance.now() - begun > START_TIMEOUT_MS) {
      await stop();
      throw new Error(`${name} does not listen: see ${complaints}`);
    }
    await pause(1);
  }
  return { port, pid: child.pid as number, stop };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const answer = (isThere: boolean) => {
      socket.destroy();
      resolve(isThere);
    };
    socket.on('connect', () => answer(true)).on('error', () => answer(false));
  });
}
