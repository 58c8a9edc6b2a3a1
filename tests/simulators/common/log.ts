import type { IncomingHttpHeaders } from 'node:http';
import { nowMs } from './clock.ts';

const MAX_ENTRIES = 10_000;
const MAX_BODY_CHARS = 32_000_000;

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

/** The requests since the last reset; the oldest are dropped when there are too many. */
export class RequestLog {
  #entries: LogEntry[] = [];
  #bodyChars = 0;

  add(request: { method: string; url: URL; headers: IncomingHttpHeaders }): LogEntry {
    const entry: LogEntry = {
      method: request.method,
      path: request.url.pathname,
      query: queryObject(request.url.searchParams),
      headers: request.headers,
      body: '',
      received_ms: nowMs(),
      first_byte_ms: null,
      finished_ms: null,
      status: null,
    };
    this.#entries.push(entry);
    this.#dropOldest();
    return entry;
  }

  setBody(entry: LogEntry, body: string): void {
    entry.body = body;
    this.#bodyChars += body.length;
    this.#dropOldest();
  }

  entries(): readonly LogEntry[] {
    return this.#entries;
  }

  clear(): void {
    this.#entries = [];
    this.#bodyChars = 0;
  }

  #dropOldest(): void {
    while (this.#entries.length > MAX_ENTRIES || (this.#bodyChars > MAX_BODY_CHARS && this.#entries.length > 1)) {
      this.#bodyChars -= this.#entries.shift()?.body.length ?? 0;
    }
  }
}

function queryObject(params: URLSearchParams): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = {};
  for (const name of new Set(params.keys())) {
    const values = params.getAll(name);
    query[name] = values.length === 1 ? (values[0] as string) : values;
  }
  return query;
}
