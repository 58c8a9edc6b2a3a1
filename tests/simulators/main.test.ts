import assert from 'node:assert/strict';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const ENV = { SPOTIFY_CLIENT_ID: 'id', SPOTIFY_CLIENT_SECRET: 'secret', LLM_API_KEY: 'key', STRIPE_SECRET_KEY: 'sk_test_key', STRIPE_PRICE_ID: 'price_pro' };

const run = (env: Record<string, string>): ChildProcessWithoutNullStreams => spawn(process.execPath, [MAIN], { env: { PATH: process.env.PATH, ...env } });

async function ready(child: ChildProcessWithoutNullStreams): Promise<Record<'spotify' | 'llm' | 'stripe', string>> {
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return (JSON.parse(String(line)) as { simulators: Record<'spotify' | 'llm' | 'stripe', string> }).simulators;
}

describe('simulators’ process', () => {
  it('announces all servers in one line and ends when stdin ends', async () => {
    const child = run(ENV);
    for (const url of Object.values(await ready(child))) assert.equal((await fetch(`${url}/__control/log`)).status, 200);
    child.stdin.end();
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  });

  it('names a missing variable and a port that is taken', async () => {
    const failure = async (env: Record<string, string>): Promise<string> => {
      const child = run(env);
      const [message] = await once(child.stderr, 'data');
      assert.deepEqual(await once(child, 'exit'), [1, null]);
      return String(message);
    };
    assert.match(await failure({ ...ENV, LLM_API_KEY: '' }), /LLM_API_KEY is not set/);
    assert.match(await failure({ ...ENV, STRIPE_WEBHOOK_URL: 'http://127.0.0.1:1/' }), /STRIPE_WEBHOOK_SECRET is not set/);
    const child = run(ENV);
    const { spotify } = await ready(child);
    assert.match(await failure({ ...ENV, SPOTIFY_SIM_PORT: new URL(spotify).port }), /EADDRINUSE/);
    child.stdin.end();
    await once(child, 'exit');
  });
});
