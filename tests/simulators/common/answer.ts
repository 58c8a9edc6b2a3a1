import type { ServerResponse } from 'node:http';
import { nowMs } from './clock.ts';
import type { LogEntry } from './log.ts';

export type Headers = Record<string, string>;

/** Writes one answer, keeps its times in the log and lets a fault spoil it on the way out. */
export class Answer {
  readonly #response: ServerResponse;
  readonly #entry: LogEntry;
  #extraHeaders: Headers = {};
  #truncateAfterBytes = Infinity;
  #sentBytes = 0;
  #over = false;
  #holdMs = 0;
  /** What waits to be sent while the answer is held. */
  #held: (() => void)[] | undefined;
  readonly #gone = new AbortController();

  constructor(response: ServerResponse, entry: LogEntry) {
    this.#response = response;
    this.#entry = entry;
    response.on('close', () => {
      if (!this.#over) {
        this.#over = true;
        entry.aborted = true;
        entry.finished_ms = nowMs();
      }
      this.#gone.abort();
    });
  }

  spoil(headers: Headers = {}, truncateAfterBytes = Infinity): void {
    this.#extraHeaders = headers;
    this.#truncateAfterBytes = truncateAfterBytes;
  }

  /** Keeps back all that is sent from now on for so long, counted from the first of it: the answer is computed, but late. */
  hold(ms: number): void {
    this.#holdMs = ms;
  }

  /** Nothing more can be sent: the answer is complete, was cut, or the client went away. */
  get over(): boolean {
    return this.#over;
  }

  json(status: number, body: unknown, headers: Headers = {}): void {
    this.text(status, JSON.stringify(body), { 'content-type': 'application/json; charset=utf-8', ...headers });
  }

  text(status: number, body: string, headers: Headers = {}): void {
    this.open(status, { 'content-length': String(Buffer.byteLength(body)), ...headers });
    this.write(body);
    this.end();
  }

  open(status: number, headers: Headers): void {
    if (this.#over || this.#defers(() => this.open(status, headers))) {
      return;
    }
    this.#entry.status = status;
    this.#response.writeHead(status, { ...headers, ...this.#extraHeaders });
  }

  write(text: string): void {
    if (this.#over || text === '' || this.#defers(() => this.write(text))) {
      return;
    }
    this.#entry.first_byte_ms ??= nowMs();
    const bytes = Buffer.from(text);
    const room = this.#truncateAfterBytes - this.#sentBytes;
    this.#sentBytes += bytes.length;
    if (bytes.length <= room) {
      this.#response.write(bytes);
      return;
    }
    this.#finish();
    this.#response.write(bytes.subarray(0, room));
    this.#response.socket?.destroySoon();
  }

  end(): void {
    if (this.#over || this.#defers(() => this.end())) {
      return;
    }
    this.#entry.first_byte_ms ??= nowMs();
    this.#finish();
    this.#response.end();
  }

  /** Drops the connection after what has been written, without a proper end. */
  cut(): void {
    if (this.#over || this.#defers(() => this.cut())) {
      return;
    }
    this.#finish();
    if (this.#response.headersSent) {
      this.#response.socket?.destroySoon();
    } else {
      this.#response.socket?.resetAndDestroy();
    }
  }

  /** Waits, or returns at once when the client goes away. */
  async pause(ms: number): Promise<void> {
    if (ms <= 0 || this.#gone.signal.aborted) {
      return;
    }
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#gone.signal.removeEventListener('abort', done);
        resolve();
      };
      // setTimeout fires at once when asked for more than 31 bits
      const timer = setTimeout(done, Math.min(ms, 2 ** 31 - 1));
      this.#gone.signal.addEventListener('abort', done);
    });
  }

  /** Puts a step of sending aside where the answer is held. */
  #defers(step: () => void): boolean {
    if (this.#holdMs > 0) {
      const held: (() => void)[] = [];
      void this.pause(this.#holdMs).then(() => {
        this.#held = undefined;
        held.forEach((late) => late());
      });
      this.#held = held;
      this.#holdMs = 0;
    }
    this.#held?.push(step);
    return this.#held !== undefined;
  }

  #finish(): void {
    this.#over = true;
    this.#entry.finished_ms = nowMs();
  }
}
