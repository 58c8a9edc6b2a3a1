import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { control, logWhen, readLog, requestToken, startForTests } from './helpers.ts';
import type { Simulators } from './start.ts';

describe('control API of every simulator', () => {
  let simulators: Simulators;
  let base: string;

  before(async () => {
    simulators = await startForTests();
    base = simulators.urls.spotify;
  });
  beforeEach(() => control(base, 'POST reset'));
  after(() => simulators.close());

  it('logs requests with query, headers, body, times and status', async () => {
    await fetch(`${base}/v1/search?q=a&type=x&type=y`, { headers: { 'x-mark': 'seen' } }).then((response) => response.text());
    await requestToken(base).then((response) => response.text());
    const [search, token] = await readLog(base);
    assert.deepEqual(search?.query, { q: 'a', type: ['x', 'y'] });
    assert.equal(search?.headers['x-mark'], 'seen');
    assert.equal(search?.status, 401);
    assert.equal(token?.body, 'grant_type=client_credentials');
    assert.equal(token?.path, '/api/token');
    assert.ok(token && token.received_ms <= Number(token.first_byte_ms) && Number(token.first_byte_ms) <= Number(token.finished_ms));
  });

  it('does not log control calls and forgets the log at a reset', async () => {
    await requestToken(base).then((response) => response.text());
    assert.equal((await readLog(base)).length, 1);
    await control(base, 'POST reset');
    assert.deepEqual(await readLog(base), []);
  });

  it('answers the first matching fault, with text raw and anything else as JSON', async () => {
    await control(base, 'PUT faults', [
      { path_prefix: '/v1/other', status: 500 },
      { method: 'GET', path_prefix: '/v1/search', status: 403, body: 'Check settings', headers: { 'content-type': 'text/plain' }, times: 1 },
      { path_prefix: '/v1', status: 429, body: { error: { status: 429 } }, headers: { 'retry-after': '7' } },
    ]);
    const first = await fetch(`${base}/v1/search`);
    assert.deepEqual([first.status, await first.text(), first.headers.get('content-type')], [403, 'Check settings', 'text/plain']);
    const second = await fetch(`${base}/v1/search`);
    assert.deepEqual([second.status, await second.json(), second.headers.get('retry-after')], [429, { error: { status: 429 } }, '7']);
  });

  it('lets requests pass before and after a fault is due', async () => {
    await control(base, 'PUT faults', [{ path_prefix: '/api/token', after: 1, times: 2, status: 503 }]);
    const statuses: number[] = [];
    for (let i = 0; i < 4; i += 1) {
      const response = await requestToken(base);
      statuses.push(response.status);
      await response.text();
    }
    assert.deepEqual(statuses, [200, 503, 503, 200]);
  });

  it('strikes by probability, the same way every time', async () => {
    const run = async (): Promise<number[]> => {
      await control(base, 'PUT latency', { token_ms: 0, jitter_ms: 0 });
      await control(base, 'PUT faults', [{ path_prefix: '/api/token', probability: 0.5, status: 500 }]);
      const statuses: number[] = [];
      for (let i = 0; i < 12; i += 1) {
        const response = await requestToken(base);
        statuses.push(response.status);
        await response.text();
      }
      return statuses;
    };
    const first = await run();
    assert.ok(first.includes(200) && first.includes(500));
    assert.deepEqual(await run(), first);
  });

  it('delays and then answers normally', async () => {
    await control(base, 'PUT faults', [{ path_prefix: '/api/token', delay_ms: 60 }]);
    assert.equal((await requestToken(base)).status, 200);
    const [entry] = await readLog(base);
    assert.ok(Number(entry?.first_byte_ms) - Number(entry?.received_ms) >= 60);
  });

  it('holds an answer back that was computed at once', async () => {
    await control(base, 'PUT faults', [{ path_prefix: '/api/token', hold_ms: 3_600_000, times: 1 }]);
    const client = new AbortController();
    const held = requestToken(base, { signal: client.signal });
    await logWhen(base, (log) => log.length === 1);
    assert.equal((await requestToken(base)).status, 200);
    client.abort();
    await assert.rejects(held);
    await control(base, 'PUT faults', [{ path_prefix: '/api/token', hold_ms: 60 }]);
    const late = await requestToken(base);
    assert.equal(late.status, 200);
    assert.ok(((await late.json()) as { access_token: string }).access_token);
    const entry = (await readLog(base)).at(-1);
    assert.ok(Number(entry?.first_byte_ms) - Number(entry?.received_ms) >= 60);
  });

  it('resets connections and truncates answers', async () => {
    await control(base, 'PUT faults', [
      { path_prefix: '/api/token', reset_connection: true, times: 1 },
      { path_prefix: '/api/token', truncate_after_bytes: 10 },
    ]);
    await assert.rejects(requestToken(base));
    const truncated = await requestToken(base);
    assert.equal(truncated.status, 200);
    await assert.rejects(truncated.text());
  });

  it('marks a request whose client went away', async () => {
    await control(base, 'PUT faults', [{ path_prefix: '/api/token', delay_ms: 3_600_000 }]);
    const client = new AbortController();
    const request = requestToken(base, { signal: client.signal });
    await logWhen(base, (log) => log.length === 1);
    client.abort();
    await assert.rejects(request);
    const [entry] = await logWhen(base, (log) => log[0]?.aborted === true);
    assert.equal(entry?.status, null);
    assert.ok(entry?.finished_ms);
  });

  it('refuses misspelt and malformed control bodies by name', async () => {
    await assert.rejects(control(base, 'PUT faults', [{ path_prefix: '/', staus: 500 }]), /has no field 'staus'/);
    await assert.rejects(control(base, 'PUT faults', [{ status: 500 }]), /path_prefix is missing/);
    await assert.rejects(control(base, 'PUT nonsense', {}), /404.*PUT faults/);
  });
});
