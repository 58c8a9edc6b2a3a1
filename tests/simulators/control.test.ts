import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { control, run, simulated } from './helpers.ts';

describe('control API of every simulator', () => {
  const llm = simulated('llm');
  const ask = (init: RequestInit = {}): Promise<Response> => fetch(`${llm.url}/v1/chat/completions`, init);
  const statuses = async (count: number): Promise<number[]> => {
    const found: number[] = [];
    for (let i = 0; i < count; i += 1) found.push((await ask()).status);
    return found;
  };

  it('logs requests but not control calls, and clears the log at a reset', async () => {
    await fetch(`${llm.url}/v1/models?q=a&type=x&type=y`, { method: 'POST', headers: { 'x-mark': 'seen' }, body: 'text' });
    const [entry] = await control(llm.url, 'GET log');
    assert.deepEqual([entry.method, entry.path, entry.query, entry.body, entry.status], ['POST', '/v1/models', { q: 'a', type: ['x', 'y'] }, 'text', 404]);
    assert.equal(entry.headers['x-mark'], 'seen');
    assert.ok(entry.received_ms <= entry.first_byte_ms && entry.first_byte_ms <= entry.finished_ms);
    await control(llm.url, 'POST reset');
    assert.deepEqual(await control(llm.url, 'GET log'), []);
  });

  it('applies the first fault that matches, with text raw and anything else as JSON', async () => {
    await control(llm.url, 'PUT faults', [
      { path_prefix: '/v1/other', status: 500 },
      { method: 'POST', path_prefix: '/v1', status: 500 },
      { method: 'GET', path_prefix: '/v1', status: 403, body: 'Check settings', headers: { 'content-type': 'text/plain' }, times: 1 },
      { path_prefix: '/v1', status: 429, body: { error: 7 }, headers: { 'retry-after': '7' } },
    ]);
    const [first, second] = [await ask(), await ask()];
    assert.deepEqual([first.status, await first.text(), first.headers.get('content-type')], [403, 'Check settings', 'text/plain']);
    assert.deepEqual([second.status, await second.json(), second.headers.get('retry-after')], [429, { error: 7 }, '7']);
  });

  it('applies a fault by count and by probability, deterministically', async () => {
    const run = async (): Promise<number[]> => {
      await control(llm.url, 'PUT faults', [{ path_prefix: '/v1', probability: 0.5, status: 500 }]);
      return statuses(12);
    };
    await control(llm.url, 'PUT faults', [{ path_prefix: '/v1', after: 1, times: 2, status: 503 }]);
    assert.deepEqual(await statuses(4), [405, 503, 503, 405]);
    const first = await run();
    assert.ok(first.includes(405) && first.includes(500));
    assert.deepEqual(await run(), first);
  });

  it('resets connections and truncates responses', async () => {
    await control(llm.url, 'PUT faults', [{ path_prefix: '/v1', reset_connection: true, times: 1 }, { path_prefix: '/v1', truncate_after_bytes: 10 }]);
    await assert.rejects(ask());
    const truncated = await ask();
    assert.equal(truncated.status, 405);
    await assert.rejects(truncated.text());
  });

  it('refuses misspelt and malformed bodies and names the field', async () => {
    for (const [call, body, message] of [
      ['PUT faults', [{ path_prefix: '/', staus: 500 }], /faults\[0\] has no field 'staus'/],
      ['PUT faults', [{ status: 500 }], /faults\[0\]\.path_prefix is missing/],
      ['PUT faults', [{ path_prefix: '/', status: 99 }], /status must be an HTTP status/], ['PUT faults', {}, /faults must be a list/],
      ['PUT nonsense', {}, /404.*PUT faults/],
    ] as const) {
      await assert.rejects(control(llm.url, call, body), message);
    }
  });

  it('start only with all variables and free ports, and name those that are missing or in use', async () => {
    for (const [env, message] of [
      [{ LLM_API_KEY: '' }, /LLM_API_KEY is not set/], [{ STRIPE_WEBHOOK_URL: 'http://127.0.0.1:1/' }, /STRIPE_WEBHOOK_SECRET is not set/],
      [{ SPOTIFY_SIM_PORT: new URL(llm.url).port }, /EADDRINUSE/],
    ] as [Record<string, string>, RegExp][]) {
      const child = run(env);
      const [said] = await once(child.stderr, 'data');
      assert.deepEqual(await once(child, 'exit'), [1, null]);
      assert.match(String(said), message);
    }
  });
});
