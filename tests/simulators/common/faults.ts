import { any, checked, fields, flag, kind, listOf, number, object, text } from './check.ts';
import { seededRandom } from './random.ts';

export interface Fault {
  method?: string;
  path_prefix: string;
  /** The number of requests that it applies to at most. */
  times?: number;
  /** The number of matching requests that pass first. */
  after?: number;
  probability?: number;
  status?: number;
  /** A string is sent as it is, anything else as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
  /** The request is handled that much later. */
  delay_ms?: number;
  /** The request is handled at once and its response is sent that much later: by then it may be out of date. */
  hold_ms?: number;
  reset_connection?: boolean;
  truncate_after_bytes?: number;
}

const numbers = { 'times?': number, 'after?': number, 'probability?': number, 'delay_ms?': number, 'hold_ms?': number, 'truncate_after_bytes?': number };
const status = kind((value) => Number.isInteger(value) && Number(value) >= 200 && Number(value) <= 599, 'an HTTP status');
const FAULTS = listOf(fields({ 'method?': text, path_prefix: text, 'status?': status, 'body?': any, 'headers?': object, 'reset_connection?': flag, ...numbers }));

/** The faults that a test has set. The random numbers are seeded, so that a failing run can be repeated. */
export class Faults {
  #armed: { fault: Fault; seen: number; applied: number }[] = [];
  #random = seededRandom(1);

  set(body: unknown): void {
    this.#armed = checked<Fault[]>('faults', body, FAULTS).map((fault) => ({ fault, seen: 0, applied: 0 }));
    this.#random = seededRandom(1);
  }

  /** The first fault that applies to this request. */
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
