import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { ControlError } from './check.ts';
import type { Fault } from './faults.ts';
import { Faults } from './faults.ts';

const CONTROL = '/__control/';
/** Longer than clients keep idle connections, so that none is closed under a request. */
const KEEP_ALIVE_MS = 65_000;
const MAX_LOG_ENTRIES = 10_000;

export interface Call {
  method: string;
  url: URL;
  headers: IncomingHttpHeaders;
  body: string;
  /** Aborted when the client goes away. */
  gone: AbortSignal;
}

export type Headers = Record<string, string>;

export interface Reply {
  status: number;
  headers: Headers;
  /** One that throws `CUT` drops the connection after what it has yielded. */
  body: string | AsyncIterable<string>;
}

export const CUT = new Error('the connection is dropped');

export function plain(status: number, body: string, headers: Headers = {}): Reply {
  return { status, body, headers: { 'content-length': String(Buffer.byteLength(body)), ...headers } };
}

export function json(status: number, body: unknown, headers: Headers = {}): Reply {
  return plain(status, JSON.stringify(body), { 'content-type': 'application/json; charset=utf-8', ...headers });
}

/** What makes a service a simulator; log, faults, reset and the server come from here. */
export interface Simulator {
  handle(call: Call): Reply | Promise<Reply>;
  /** By "METHOD name", as in "PUT latency": takes the parsed body; returns JSON, or nothing for 204. */
  control: Record<string, (body: unknown) => unknown>;
  reset(): void;
  /** Ends what goes on beside the requests. */
  close?(): void;
}

export interface LogEntry {
  method: string;
  path: string;
  /** A name that was sent more than once has a list. */
  query: Record<string, string | string[]>;
  headers: IncomingHttpHeaders;
  body: string;
  received_ms: number;
  first_byte_ms: number | null;
  finished_ms: number | null;
  status: number | null;
  /** The client went away before the answer was complete. */
  aborted?: true;
}

/** One clock for all simulators, so that their logs can be compared: epoch milliseconds with fractions. */
export function nowMs(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1000) / 1000;
}

/** Waits, or returns at once when the client goes away. A timer that is asked for more than 31 bits would fire at once. */
export async function pause(ms: number, gone: AbortSignal): Promise<void> {
  if (ms > 0) {
    await setTimeout(Math.min(ms, 2 ** 31 - 1), undefined, { signal: gone }).catch(() => {});
  }
}

/** Serves a simulator on 127.0.0.1; port 0 takes a free one. */
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
      await answerControl(control, `${method} ${url.pathname.slice(CONTROL.length)}`, await text(message), response);
      return;
    }
    const entry = newEntry(method, url, headers);
    log.push(entry);
    if (log.length > MAX_LOG_ENTRIES) {
      log.shift();
    }
    const gone = new AbortController();
    response.on('close', () => {
      if (entry.finished_ms === null) {
        entry.aborted = true;
        entry.finished_ms = nowMs();
      }
      gone.abort();
    });
    entry.body = await text(message);
    const fault = faults.strike(method, url.pathname);
    await pause(fault?.delay_ms ?? 0, gone.signal);
    if (fault?.reset_connection) {
      drop(response, entry);
      return;
    }
    const call = { method, url, headers, body: entry.body, gone: gone.signal };
    const reply = replyOf(fault) ?? (await simulator.handle(call));
    await pause(fault?.hold_ms ?? 0, gone.signal);
    await send(reply, fault, response, entry);
  }

  const server = createServer((message, response) => {
    exchange(message, response).catch((error: unknown) => {
      if (message.complete) {
        console.error(error);
      }
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
    const values = url.searchParams.getAll(name);
    query[name] = values.length === 1 ? String(values[0]) : values;
  }
  const times = { received_ms: nowMs(), first_byte_ms: null, finished_ms: null };
  return { method, path: url.pathname, query, headers, body: '', ...times, status: null };
}

/** What a fault answers in the service's stead. */
function replyOf(fault: Fault | undefined): Reply | undefined {
  if (fault === undefined || (fault.status === undefined && fault.body === undefined)) {
    return undefined;
  }
  const { status = 200, body = '' } = fault;
  return typeof body === 'string' ? plain(status, body) : json(status, body);
}

async function send(reply: Reply, fault: Fault | undefined, response: ServerResponse, entry: LogEntry): Promise<void> {
  if (response.destroyed) {
    return;
  }
  response.writeHead(reply.status, { ...reply.headers, ...fault?.headers });
  let room = fault?.truncate_after_bytes ?? Infinity;
  try {
    for await (const piece of typeof reply.body === 'string' ? [reply.body] : reply.body) {
      if (response.destroyed) {
        return;
      }
      const bytes = Buffer.from(piece);
      entry.status = reply.status;
      entry.first_byte_ms ??= nowMs();
      response.write(bytes.subarray(0, room));
      if (bytes.length > room) {
        throw CUT;
      }
      room -= bytes.length;
    }
    entry.finished_ms = nowMs();
    response.end();
  } catch (error) {
    if (error !== CUT) {
      throw error;
    }
    drop(response, entry);
  }
}

/** Drops the connection after what has been written, without a proper end. */
function drop(response: ServerResponse, entry: LogEntry): void {
  entry.finished_ms = nowMs();
  if (entry.first_byte_ms === null) {
    response.socket?.resetAndDestroy();
  } else {
    response.socket?.destroySoon();
  }
}

async function answerControl(control: Simulator['control'], name: string, body: string, response: ServerResponse): Promise<void> {
  const send = (status: number, result: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
    response.end(result === undefined ? '' : JSON.stringify(result));
  };
  const act = control[name];
  if (act === undefined) {
    send(404, { error: `no control call '${name}'; there are ${Object.keys(control).join(', ')}` });
    return;
  }
  try {
    const result = await act(body === '' ? undefined : JSON.parse(body));
    send(result === undefined ? 204 : 200, result);
  } catch (error) {
    if (!(error instanceof ControlError || error instanceof SyntaxError)) {
      throw error;
    }
    send(400, { error: error.message });
  }
}

function urlOf(message: IncomingMessage): URL {
  const base = `http://${message.headers.host}`;
  // Joined, not resolved: a path that begins with two slashes is no host.
  return new URL(`${URL.canParse(base) ? base : 'http://127.0.0.1'}${message.url ?? '/'}`);
}
