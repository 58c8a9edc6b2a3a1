import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { any, checked, ControlError, fields, flag, kind, listOf, number, object, text as string } from './check.ts';
import { seededRandom } from './random.ts';

const CONTROL = '/__control/';
/** Longer than clients keep idle connections, so that none is closed under a request. */
const KEEP_ALIVE_MS = 65_000;
const MAX_LOG_ENTRIES = 10_000;

export interface Call {
  method: string;
  url: URL;
  headers: IncomingHttpHeaders;
  body: string;
  gone: AbortSignal;
}

export type Headers = Record<string, string>;

export interface Reply {
  status: number;
  headers: Headers;
  body: string | AsyncIterable<string>;
}

export function plain(status: number, body: string, headers: Headers = {}): Reply {
  return { status, body, headers: { 'content-length': String(Buffer.byteLength(body)), ...headers } };
}

export function json(status: number, body: unknown, headers: Headers = {}): Reply {
  return plain(status, JSON.stringify(body), { 'content-type': 'application/json; charset=utf-8', ...headers });
}

/** The parts in which simulators differ. They share the log, the faults, the reset and the server. */
export interface Simulator {
  handle(call: Call): Reply | Promise<Reply>;
  /** By "METHOD name", such as "PUT latency": takes the parsed body and returns JSON, or nothing for a 204. */
  control: Record<string, (body: unknown) => unknown>;
  reset(): void;
  close?(): void;
}

export interface LogEntry {
  method: string;
  path: string;
  query: Record<string, string | string[]>;
  headers: IncomingHttpHeaders;
  body: string;
  received_ms: number;
  first_byte_ms: number | null;
  finished_ms: number | null;
  status: number | null;
  aborted?: true;
}

interface Fault {
  method?: string;
  path_prefix: string;
  times?: number;
  after?: number;
  probability?: number;
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
  delay_ms?: number;
  /** The request is handled at once and its response is delayed: it may be outdated when it is sent. */
  hold_ms?: number;
  reset_connection?: boolean;
  truncate_after_bytes?: number;
}

const numbers = { 'times?': number, 'after?': number, 'probability?': number, 'delay_ms?': number, 'hold_ms?': number, 'truncate_after_bytes?': number };
const status = kind((value) => Number.isInteger(value) && Number(value) >= 200 && Number(value) <= 599, 'an HTTP status');
const FAULTS = listOf(fields({ 'method?': string, path_prefix: string, 'status?': status, 'body?': any, 'headers?': object, 'reset_connection?': flag, ...numbers }));

/** The faults that a test has set. Random numbers are seeded, so that a failing run can be repeated. */
class Faults {
  #armed: { fault: Fault; seen: number; applied: number }[] = [];
  #random = seededRandom(1);

  set(body: unknown): void {
    this.#armed = checked<Fault[]>('faults', body, FAULTS).map((fault) => ({ fault, seen: 0, applied: 0 }));
    this.#random = seededRandom(1);
  }

  next(method: string, path: string): Fault | undefined {
    return this.#armed.find((armed) => {
      const { method: only, path_prefix, after = 0, times = Infinity, probability = 1 } = armed.fault;
      if ((only !== undefined && only.toUpperCase() !== method) || !path.startsWith(path_prefix)) return false;
      armed.seen += 1;
      const applies = armed.seen > after && armed.applied < times && (probability === 1 || this.#random() < probability);
      armed.applied += applies ? 1 : 0;
      return applies;
    })?.fault;
  }
}

/** Fractional epoch milliseconds, from one clock for all simulators, so that their logs can be compared. */
export const nowMs = (): number => Math.round((performance.timeOrigin + performance.now()) * 1000) / 1000;

export const mediaType = ({ headers }: Call): string | undefined => headers['content-type']?.split(';')[0]?.trim().toLowerCase();

/** Waits until the time is over or the client disconnects. A timer of more than 31 bits would fire at once. */
export async function pause(ms: number, gone: AbortSignal): Promise<void> {
  if (ms > 0) await setTimeout(Math.min(ms, 2 ** 31 - 1), undefined, { signal: gone }).catch(() => {});
}

export async function serve(simulator: Simulator, port = 0): Promise<{ url: string; close(): Promise<void> }> {
  let log: LogEntry[] = [];
  const faults = new Faults();
  const control: Simulator['control'] = {
    'POST reset': () => {
      log = [];
      faults.set([]);
      simulator.reset();
    },
    'GET log': () => log,
    'PUT faults': (body) => faults.set(body),
    ...simulator.control,
  };

  async function exchange(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', headers } = message;
    const url = urlOf(message);
    if (url.pathname.startsWith(CONTROL)) {
      const { status, body } = await controlled(control, `${method} ${url.pathname.slice(CONTROL.length)}`, await text(message));
      response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(body === undefined ? '' : JSON.stringify(body));
      return;
    }
    const entry = newEntry(method, url, headers);
    log.push(entry);
    if (log.length > MAX_LOG_ENTRIES) log.shift();
    const gone = new AbortController();
    response.on('close', () => {
      if (entry.finished_ms === null) Object.assign(entry, { aborted: true, finished_ms: nowMs() });
      gone.abort();
    });
    entry.body = await text(message);
    const fault = faults.next(method, url.pathname);
    await pause(fault?.delay_ms ?? 0, gone.signal);
    if (fault?.reset_connection) return drop(response, entry);
    const reply = replyOf(fault) ?? (await simulator.handle({ method, url, headers, body: entry.body, gone: gone.signal }));
    await pause(fault?.hold_ms ?? 0, gone.signal);
    await send(reply, fault, response, entry);
  }

  const server = createServer((message, response) => {
    exchange(message, response).catch((error: unknown) => {
      if (message.complete) console.error(error);
      response.destroy();
    });
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        simulator.close?.();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function newEntry(method: string, url: URL, headers: IncomingHttpHeaders): LogEntry {
  const query: LogEntry['query'] = {};
  for (const name of url.searchParams.keys()) {
    const [first = '', ...more] = url.searchParams.getAll(name);
    query[name] = more.length === 0 ? first : [first, ...more];
  }
  return { method, path: url.pathname, query, headers, body: '', received_ms: nowMs(), first_byte_ms: null, finished_ms: null, status: null };
}

function replyOf(fault: Fault | undefined): Reply | undefined {
  const { status = 200, body = '' } = fault ?? {};
  if (fault?.status === undefined && fault?.body === undefined) return undefined;
  return typeof body === 'string' ? plain(status, body) : json(status, body);
}

async function send(reply: Reply, fault: Fault | undefined, response: ServerResponse, entry: LogEntry): Promise<void> {
  if (response.destroyed) return;
  response.writeHead(reply.status, { ...reply.headers, ...fault?.headers });
  let room = fault?.truncate_after_bytes ?? Infinity;
  for await (const piece of typeof reply.body === 'string' ? [reply.body] : reply.body) {
    if (response.destroyed) return;
    const bytes = Buffer.from(piece);
    entry.status = reply.status;
    entry.first_byte_ms ??= nowMs();
    response.write(bytes.subarray(0, room));
    if (bytes.length > room) return drop(response, entry);
    room -= bytes.length;
  }
  entry.finished_ms = nowMs();
  response.end();
}

/** Drops the connection after the written bytes, without ending the response. */
function drop(response: ServerResponse, entry: LogEntry): void {
  entry.finished_ms = nowMs();
  if (entry.first_byte_ms === null) response.socket?.resetAndDestroy();
  else response.socket?.destroySoon();
}

async function controlled(control: Simulator['control'], name: string, body: string): Promise<{ status: number; body?: unknown }> {
  const act = control[name];
  if (act === undefined) return { status: 404, body: { error: `no control call '${name}'; there are ${Object.keys(control).join(', ')}` } };
  try {
    const result = await act(body === '' ? undefined : JSON.parse(body));
    return { status: result === undefined ? 204 : 200, body: result };
  } catch (error) {
    if (!(error instanceof ControlError || error instanceof SyntaxError)) throw error;
    return { status: 400, body: { error: error.message } };
  }
}

function urlOf(message: IncomingMessage): URL {
  const base = `http://${message.headers.host}`;
  // Joined instead of resolved: a path that begins with two slashes would be read as a host.
  return new URL(`${URL.canParse(base) ? base : 'http://127.0.0.1'}${message.url ?? '/'}`);
}
