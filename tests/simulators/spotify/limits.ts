import { checkFields } from '../common/check.ts';
import { nowMs } from '../common/clock.ts';

const WINDOW_MS = 30_000;

/** The API's rolling 30-second window over all requests of an app, or its quota for a day. Without a limit until one is set. */
export class RateLimit {
  #requests = Infinity;
  #retryAfterSeconds: number | undefined;
  #quotaExceeded = false;
  #times: number[] = [];

  set(body: unknown): void {
    const limits = checkFields('limits', body, { requests_per_30s: 'number', retry_after_seconds: 'number', quota_exceeded: 'boolean' }, ['requests_per_30s']);
    this.clear();
    this.#requests = limits.requests_per_30s as number;
    this.#retryAfterSeconds = limits.retry_after_seconds as number | undefined;
    this.#quotaExceeded = limits.quota_exceeded === true;
  }

  /** What a refusal names where it is the day's quota that is used up. */
  reason(): string | undefined {
    return this.#quotaExceeded ? 'QUOTA_EXCEEDED' : undefined;
  }

  clear(): void {
    this.#requests = Infinity;
    this.#retryAfterSeconds = undefined;
    this.#quotaExceeded = false;
    this.#times = [];
  }

  /** Counts a request; the seconds to wait when it is one too many. Refused requests do not count. */
  take(): number | undefined {
    if (this.#requests === Infinity) {
      return undefined;
    }
    const now = nowMs();
    this.#times = this.#times.filter((time) => time > now - WINDOW_MS);
    if (this.#times.length < this.#requests) {
      this.#times.push(now);
      return undefined;
    }
    const untilRoomMs = (this.#times[0] ?? now) + WINDOW_MS - now;
    return this.#retryAfterSeconds ?? Math.max(1, Math.ceil(untilRoomMs / 1000));
  }
}
