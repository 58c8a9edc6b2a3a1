import path from 'node:path';
import { build } from 'esbuild';

export type Runtime = 'workerd' | 'deno';

/** What each runtime wants around a peer, which is a function from its environment to its handler. */
const ENTRIES: Record<Runtime, string> = {
  workerd: `import { env } from 'cloudflare:workers'; export default { fetch: serve(env) };`,
  deno: 'Deno.serve(serve(Deno.env.toObject()));',
};
/** As wrangler and Deno choose among what a package exports. */
const CONDITIONS: Record<Runtime, string[]> = {
  workerd: ['workerd', 'worker', 'browser'],
  deno: ['deno', 'worker', 'browser'],
};

/** Bundles tests/bench/peers/<name>.ts for a runtime, as small as can be, and answers where. */
export async function bundle(name: string, runtime: Runtime, folder: string): Promise<string> {
  const outfile = path.join(folder, 'peers', `${name}.${runtime}.js`);
  await build({
    stdin: { contents: `import { serve } from './${name}.ts'; ${ENTRIES[runtime]}`, resolveDir: path.join(import.meta.dirname, 'peers') },
    outfile,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2024',
    conditions: CONDITIONS[runtime],
    external: ['cloudflare:workers', 'node:*'],
    legalComments: 'none',
    logLevel: 'warning',
  });
  return outfile;
}
