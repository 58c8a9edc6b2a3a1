// A panic ends its instance and the requests that wait for it.

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

/** The entry that all functions share, with an instance that panics on demand. */
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

async function assertInternal(response: Response): Promise<void> {
  assert.equal(response.status, 500);
  const body = (await response.json()) as { code: string; request_id: string };
  assert.match(readFileSync('shared/src/api/codes.rs', 'utf8'), new RegExp(`= 500 "${body.code}" `)); // Of the closed list.
  assert.equal(response.headers.get('x-request-id'), body.request_id);
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
}

const instanceOf = async (response: Response) => ((await response.json()) as { instance: number }).instance;

test('an instance is kept until it panics; the panic returns an internal error, and the next request gets a new instance', async () => {
  const { ask } = await started();
  for (let i = 0; i < 2; i += 1) assert.equal(await instanceOf(await ask('/')), 1);
  await assertInternal(await ask('/panic'));
  assert.equal(await instanceOf(await ask('/')), 2);
  assert.equal(await instanceOf(await ask('/')), 2);
});

test('a panic fails all requests that wait for its instance, and a completion of that instance wakes no other', async () => {
  const { ask, instances } = await started();
  const responses = await Promise.all([ask('/wait'), ask('/wait'), ask('/panic-later')]);
  for (const response of responses) await assertInternal(response);
  assert.equal(await instanceOf(await ask('/')), 2);
  const waited = ask('/wait'); // Never settled; its timer fires after those of the first instance.
  while (instances[1]?.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(instances, [[1], [2]]);
  await assertInternal(await Promise.race([waited, ask('/panic')]));
});
