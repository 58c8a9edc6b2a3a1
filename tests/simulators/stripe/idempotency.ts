import { checkFields } from '../common/check.ts';
import { StripeError } from './error.ts';

const KEPT_SECONDS = 24 * 3600;
export const MAX_KEY = 255;

export interface Reply {
  status: number;
  /** As it was at that time, whatever has become of the object since. */
  text: string;
  requestId: string;
}

interface Entry {
  path: string;
  parameters: string;
  at: number;
  reply?: Reply;
  /** The first request has not been answered yet. */
  running: boolean;
}

/** The first answers under each key, for a day. */
export class Idempotency {
  #entries = new Map<string, Entry>();
  #failures = { path_prefix: '', times: 0 };

  reset(): void {
    this.#entries = new Map();
    this.#failures = { path_prefix: '', times: 0 };
  }

  /** Orders requests that do what they should and are answered 500 all the same. */
  fail(body: unknown): void {
    const order = checkFields('idempotency_failures', body, { path_prefix: 'string', times: 'number' }, ['path_prefix']);
    this.#failures = { path_prefix: order.path_prefix as string, times: (order.times as number | undefined) ?? 1 };
  }

  /** True when this request is one of those. */
  fails(path: string): boolean {
    if (this.#failures.times < 1 || !path.startsWith(this.#failures.path_prefix)) {
      return false;
    }
    this.#failures.times -= 1;
    return true;
  }

  /** The answer that was given before, if there was one. */
  before(key: string, path: string, parameters: string, now: number): Reply | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || now - entry.at >= KEPT_SECONDS) {
      return undefined;
    }
    const advice = `Try using a key other than '${key}' if you meant to execute a different request.`;
    if (entry.path !== path) {
      const message = `Keys for idempotent requests can only be used for the same endpoint they were first used for ('${path}' vs '${entry.path}'). ${advice}`;
      throw new StripeError(400, message, { type: 'idempotency_error' });
    }
    if (entry.parameters !== parameters) {
      const message = `Keys for idempotent requests can only be used with the same parameters they were first used with. ${advice}`;
      throw new StripeError(400, message, { type: 'idempotency_error' });
    }
    if (entry.running) {
      throw new StripeError(
        409,
        `There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): ${key}. Please try again later.`,
        { code: 'idempotency_key_in_use' },
      );
    }
    return entry.reply;
  }

  /** Keeps an answer that is still to be given; what it returns is to be called when it has been. */
  keep(key: string, path: string, parameters: string, at: number, reply: Reply): () => void {
    const entry: Entry = { path, parameters, at, reply, running: true };
    this.#entries.set(key, entry);
    return () => {
      entry.running = false;
    };
  }
}
