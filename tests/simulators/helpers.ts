import assert from 'node:assert/strict';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { after, before, beforeEach } from 'node:test';
import type { LogEntry } from './common/server.ts';

export type Json = Record<string, any>;

export const API_KEY = 'llm-key';
export const STRIPE_KEY = 'sk_test_simulated';
export const PRICE_ID = 'price_pro';
export const WEBHOOK_SECRET = 'whsec_simulated';
export const REDIRECT_URI = 'http://127.0.0.1:8787/functions/v1/spotify-oauth/callback';
export const LOCALHOST = REDIRECT_URI.replace('127.0.0.1', 'localhost');
export const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

const ENV = {
  ...{ SPOTIFY_CLIENT_ID: 'client-id', SPOTIFY_CLIENT_SECRET: 'client-secret', SPOTIFY_REDIRECT_URIS: `${REDIRECT_URI},${LOCALHOST}` },
  ...{ LLM_API_KEY: API_KEY, STRIPE_SECRET_KEY: STRIPE_KEY, STRIPE_PRICE_ID: PRICE_ID },
};

export function run(env: Record<string, string> = {}): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [path.join(import.meta.dirname, 'main.ts')], { env: { PATH: process.env.PATH, ...ENV, ...env } });
}

/** Starts the simulators for a file's tests, resets the named one before each test, and ends them by closing their stdin. */
export function simulated(name: 'spotify' | 'llm' | 'stripe'): { readonly url: string } {
  const one = { url: '' };
  const child = run();
  before(async () => {
    const [line] = await once(createInterface({ input: child.stdout }), 'line');
    one.url = JSON.parse(String(line)).simulators[name];
  });
  beforeEach(async () => {
    await control(one.url, 'POST reset');
    if (name === 'spotify') await control(one.url, 'PUT latency', { search_ms: 0, token_ms: 0, jitter_ms: 0 });
  });
  after(async () => {
    child.stdin.end();
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  });
  return one;
}

export async function control(base: string, call: string, body?: unknown): Promise<any> {
  const [method = '', name] = call.split(' ');
  const response = await fetch(`${base}/__control/${name}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${call}: ${response.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

/** Waits until the log satisfies the condition: only the log shows work after the response. */
export const logWhen = async (base: string, holds: (log: LogEntry[]) => boolean): Promise<LogEntry[]> => eventually(() => control(base, 'GET log'), holds);

export async function eventually<T>(look: () => Promise<T>, holds: (found: T) => boolean): Promise<T> {
  for (let found = await look(); ; found = await look()) {
    if (holds(found)) return found;
  }
}

/** Sends invalid requests, and compares the parts of each response that `of` selects with the expected ones. */
export async function compare<T>(cases: [given: T, expected: unknown][], of: (given: T) => Promise<unknown>): Promise<void> {
  for (const [given, expected] of cases) assert.deepEqual([given, await of(given)], [given, expected]);
}

export async function stripe(base: string, call: string, form?: string, headers: Record<string, string> = {}): Promise<{ status: number; json: Json; headers: Headers }> {
  const [method = '', path = ''] = call.split(' ');
  const all = { authorization: `Bearer ${STRIPE_KEY}`, ...(form === undefined ? {} : FORM), ...headers };
  const response = await fetch(base + path, { method, headers: all, ...(form === undefined ? {} : { body: form }) });
  return { status: response.status, json: (await response.json()) as Json, headers: response.headers };
}

export const SESSION = new URLSearchParams({
  mode: 'subscription',
  success_url: 'https://app.example/paid?session={CHECKOUT_SESSION_ID}',
  cancel_url: 'https://app.example/back',
  'line_items[0][price]': PRICE_ID,
  'line_items[0][quantity]': '1',
}).toString();

/** Creates a customer with a subscription, in the state after a paid checkout. */
export async function subscriber(base: string, given: Json = {}): Promise<{ customer: string; subscription: string }> {
  const { customer } = await control(base, 'POST act', { action: 'create_customer', user_id: 'u1' });
  const { subscription } = await control(base, 'POST act', { action: 'subscribe', customer: customer.id, ...given });
  return { customer: customer.id, subscription: subscription.id };
}

export const eventTypes = async (base: string): Promise<string[]> => (await control(base, 'GET events')).map(({ type }: Json) => type);

interface Received { headers: IncomingHttpHeaders; body: string }

export interface Receiver {
  url: string;
  received: Received[];
  /** Returns the response; the receiver never responds if it is undefined. */
  responds: (received: Received) => { status: number; headers?: Record<string, string>; body?: string } | undefined;
  until(count: number): Promise<Received[]>;
  close(): Promise<void>;
}

export async function receive(): Promise<Receiver> {
  const server = createServer(async (message, response) => {
    const one = { headers: message.headers, body: await text(message) };
    receiver.received.push(one);
    const reply = receiver.responds(one);
    if (reply !== undefined) response.writeHead(reply.status, reply.headers ?? {}).end(reply.body ?? 'thanks');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhook`,
    received: [],
    responds: () => ({ status: 200 }),
    until: (count) => eventually(() => new Promise((resolve) => setImmediate(resolve, receiver.received)), (received) => received.length >= count),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return receiver;
}
