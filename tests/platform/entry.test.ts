// What becomes of an instance that panics, and of the requests that wait for it.

import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { build } from 'esbuild';
import type { Plugin } from 'esbuild';

type Serve = (request: Request, env: object, context: object) => Response | Promise<Response>;
type Bundle = { start: (module: unknown) => Serve; instances: number[][] };

/** The entry of every function, with an instance that panics when it is told to. */
async function started(): Promise<{ ask: (path: string) => Promise<Response>; instances: number[][] }> {
  const outfile = path.join(mkdtempSync(path.join(tmpdir(), 'entry-')), 'entry.mjs');
  const bindings = path.resolve('tests/platform/bindings.js');
  const stdin = { contents: "export * from './entry.js'; export { instances } from './bindings.js';", resolveDir: 'shared/src/runtime/wasm' };
  const plugin: Plugin = { name: 'bindings', setup: (it) => it.onResolve({ filter: /^\.\/bindings\.js$/ }, () => ({ path: bindings })) };
  await build({ stdin, bundle: true, format: 'esm', platform: 'neutral', outfile, plugins: [plugin] });
  globalThis.addEventListener ??= () => {}; // Node has no global events.
  const { start, instances } = (await import(pathToFileURL(outfile).href)) as Bundle;
  const serve = start(null);
  return { instances, ask: async (at) => serve(new Request(`https://functions.example${at}`), {}, {}) };
}

async function assertInternal(answer: Response): Promise<void> {
  assert.equal(answer.status, 500);
  const body = (await answer.json()) as { code: string; request_id: string };
  assert.match(readFileSync('shared/src/api/codes.rs', 'utf8'), new RegExp(`= 500 "${body.code}" `)); // Of the closed list.
  assert.equal(answer.headers.get('x-request-id'), body.request_id);
  assert.equal(answer.headers.get('cache-control'), 'no-store');
  assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
}

const instanceOf = async (answer: Response) => ((await answer.json()) as { instance: number }).instance;

test('an instance is kept until it panics; the panic is a response, and the next request has a new instance', async () => {
  const { ask } = await started();
  for (let i = 0; i < 2; i += 1) assert.equal(await instanceOf(await ask('/')), 1);
  await assertInternal(await ask('/panic'));
  assert.equal(await instanceOf(await ask('/')), 2);
  assert.equal(await instanceOf(await ask('/')), 2);
});

test('a panic in the middle fails all requests that wait for that instance, and what it waited for wakes no other instance', async () => {
  const { ask, instances } = await started();
  const answers = await Promise.all([ask('/wait'), ask('/wait'), ask('/panic-later')]);
  for (const answer of answers) await assertInternal(answer);
  assert.equal(await instanceOf(await ask('/')), 2);
  const waited = ask('/wait'); // Never settled; its timer fires after those of the first instance.
  while (instances[1]?.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(instances, [[1], [2]]);
  await assertInternal(await Promise.race([waited, ask('/panic')]));
});
