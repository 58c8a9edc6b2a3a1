// glue.js reads a whole response up to the limit, however it is split.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';

type Exchange = { status: number; ended: number; headers(): string; take(): Uint8Array; read(ticket: number): void; abort(): void };
type Glue = {
  connect(resume: (ticket: number, outcome: number) => void, responseNames: string, common: string): void;
  accept(max: number, names: string): void;
  receive(request: Request): Promise<[string, Uint8Array, number, number]>;
  answer(ticket: number, status: number, headers: string, requestId: string, body: Uint8Array): Response;
  exchange(ticket: number, method: string, url: string, headers: string, body: Uint8Array, silence: number, total: number, max: number, isDocument: boolean): Exchange;
};

const DONE = 0;
const BROKE = 1;
const TOO_LATE = 2;
const TOO_LARGE = 3;
const TEXT = Array.from({ length: 1_000 }, (_, line) => `line ${line}\n`).join('');
const waiting = new Map<number, (outcome: number) => void>();
let lastTicket = 0;
let glue: Glue;

const PULSE = ': alive\n';
const PULSES = 8;

// Without a content length, in pieces of 300 bytes; the last piece comes together with the end.
const server = createServer((request, response) => {
  if (request.url === '/moved') return void response.writeHead(307, { 'Retry-After': '7', Location: '/' }).end();
  response.writeHead(200, { 'Retry-After': '7' });
  if (request.url === '/stays-open') {
    response.write(TEXT);
    // The pieces are much further apart than the reader's batches, and much closer than its idle timeout.
    let pulses = 0;
    const timer = setInterval(() => (pulses++ < PULSES ? response.write(PULSE) : clearInterval(timer)), 500);
    return void request.socket.once('close', () => {
      clearInterval(timer);
      server.emit('left');
    });
  }
  const send = (at: number): void => {
    if (at + 300 >= TEXT.length) return void response.end(TEXT.slice(at));
    response.write(TEXT.slice(at, at + 300), () => setImmediate(send, at + 300));
  };
  send(0);
});

before(async () => {
  glue = (await import(new URL('../../shared/src/runtime/wasm/glue.js', import.meta.url).href)) as Glue;
  glue.connect((ticket, outcome) => waiting.get(ticket)?.(outcome), 'retry-after\n', 'cache-control\nno-store\nx-content-type-options\nnosniff\n');
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
after(() => server.close());

function settled(begin: (ticket: number) => void): Promise<number> {
  const ticket = ++lastTicket;
  return new Promise((resolve) => {
    waiting.set(ticket, resolve);
    begin(ticket);
  });
}

async function exchanged(max: number, isDocument: boolean, path = '/', silence = 5_000, status = 200): Promise<Exchange> {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
  let exchange: Exchange | undefined;
  const outcome = await settled((ticket) => {
    exchange = glue.exchange(ticket, 'GET', url, 'accept\ntext/plain\n', new Uint8Array(0), silence, 60_000, max, isDocument);
  });
  assert(exchange && outcome === DONE);
  assert.equal(exchange.status, status);
  assert.equal(exchange.headers(), 'retry-after\n7\n');
  return exchange;
}

test('a document is returned whole, or with its head and without a body if it is too long', async () => {
  const whole = await exchanged(TEXT.length, true);
  assert.deepEqual([whole.ended, new TextDecoder().decode(whole.take())], [DONE, TEXT]);
  const tooLong = await exchanged(TEXT.length - 1, true);
  assert.equal(tooLong.ended, TOO_LARGE);
  tooLong.abort();
});

async function textOf(exchange: Exchange, length = Infinity): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  while (text.length < length) {
    assert.equal(await settled((ticket) => exchange.read(ticket)), DONE, `after ${text.length} bytes`);
    const piece = exchange.take();
    if (piece.length === 0) break;
    text += decoder.decode(piece, { stream: true });
  }
  return text;
}

test('a stream is returned up to its last byte', async () => {
  const exchange = await exchanged(TEXT.length, false);
  assert.equal(await textOf(exchange), TEXT);
  exchange.abort();
});

test('a few bytes are returned while the stream stays open, and count as activity', async () => {
  const exchange = await exchanged(TEXT.length * 2, false, '/stays-open', 3_000);
  const expected = TEXT + PULSE.repeat(PULSES);
  assert.equal(await textOf(exchange, expected.length), expected);
  // An idle stream ends, too.
  assert.equal(await settled((ticket) => exchange.read(ticket)), TOO_LATE);
  exchange.abort();
});

// Following it would send the credentials to its target.
test('a redirect is returned and not followed', async () => {
  for (const isDocument of [true, false]) (await exchanged(TEXT.length, isDocument, '/moved', 5_000, 307)).abort();
});

test('an abort closes the connection of a stream', { timeout: 60_000 }, async () => {
  const exchange = await exchanged(TEXT.length * 2, false, '/stays-open');
  const isClosed = once(server, 'left');
  exchange.abort();
  await isClosed;
});

test('a response has its own id and the common headers, except for those that it sets itself', () => {
  const responses = ['', 'no-cache', '', 'no-cache'].map((own, n) => {
    const headers = own ? `cache-control\n${own}\nvary\nOrigin\nvary\nAccept\n` : '';
    return glue.answer(0, 200, headers, `id-${n}`, new TextEncoder().encode('text'));
  });
  for (const [n, { headers: shown }] of responses.entries()) {
    assert.equal(shown.get('x-request-id'), `id-${n}`);
    const expected = n % 2 === 1 ? ['no-cache', 'nosniff', 'Origin, Accept'] : ['no-store', 'nosniff', null];
    assert.deepEqual(['cache-control', 'x-content-type-options', 'vary'].map((name) => shown.get(name)), expected);
  }
});

test('a request body is read whole up to the limit, with and without its length, and a broken one is told', async () => {
  glue.accept(1_000, 'content-type\n');
  const stream = (pieces: number, breaks: boolean) =>
    new ReadableStream({
      start(controller) {
        for (let n = 0; n < pieces; n += 1) controller.enqueue(new Uint8Array(100).fill(n));
        if (breaks) controller.error(new Error('gone'));
        else controller.close();
      },
    });
  for (const [name, body, length, outcome, size] of [
    ['none', undefined, undefined, DONE, 0],
    ['of the limit', 'x'.repeat(1_000), '1000', DONE, 1_000],
    ['above the limit', 'x'.repeat(1_001), '1001', TOO_LARGE, 0],
    ['of no length', 'x', '5, 5', TOO_LARGE, 0],
    ['in pieces', stream(10, false), undefined, DONE, 1_000],
    ['in pieces above the limit', stream(11, false), undefined, TOO_LARGE, 0],
    ['broken off', stream(3, true), undefined, BROKE, 0],
  ] as const) {
    const request = new Request('http://localhost/', { method: 'POST', body, duplex: 'half' } as RequestInit);
    // A Request made here has no Content-Length, so the header comes from beside it.
    const headers = new Headers([['Content-Type', 'text/plain'], ...(length === undefined ? [] : [['Content-Length', length]])] as [string, string][]);
    const received = new Proxy(request, {
      get: (it, member) => {
        const value = member === 'headers' ? headers : Reflect.get(it, member, it);
        return typeof value === 'function' ? value.bind(it) : value;
      },
    });
    const [, bytes, ended] = await glue.receive(received);
    assert.deepEqual([ended, bytes.length], [outcome, size], name);
  }
});

test('a request body that does not arrive within half a minute is too late', { timeout: 10_000 }, async (it) => {
  it.mock.timers.enable({ apis: ['setTimeout'] });
  glue.accept(1_000, '');
  const body = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(9)) }); // It never ends.
  const received = glue.receive(new Request('http://localhost/', { method: 'POST', body, duplex: 'half' } as RequestInit));
  it.mock.timers.tick(30_000);
  const [, bytes, ended] = await received;
  assert.deepEqual([ended, bytes.length], [TOO_LATE, 0]);
});
