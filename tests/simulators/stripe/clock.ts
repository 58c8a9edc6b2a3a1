import { nowMs } from '../common/clock.ts';
import type { Interval } from './types.ts';

/** Simulated time in whole seconds: the real time, and what tests have put it forward by. */
export class Clock {
  #aheadSeconds = 0;
  #frozen: number | undefined;

  now(): number {
    return this.#frozen ?? Math.floor(nowMs() / 1000 + this.#aheadSeconds);
  }

  advance(seconds: number): void {
    this.#aheadSeconds += seconds;
  }

  reset(): void {
    this.#aheadSeconds = 0;
  }

  /** Does something as of a time that has already passed. */
  at(seconds: number, act: () => void): void {
    this.#frozen = seconds;
    try {
      act();
    } finally {
      this.#frozen = undefined;
    }
  }
}

/** The end of the n-th period: months have their days, so that the 31st is followed by the 28th and then by the 31st. */
export function periodEnd(anchor: number, interval: Interval, count: number): number {
  const date = new Date(anchor * 1000);
  if (interval === 'day' || interval === 'week') {
    date.setUTCDate(date.getUTCDate() + count * (interval === 'week' ? 7 : 1));
    return date.getTime() / 1000;
  }
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + count * (interval === 'year' ? 12 : 1));
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, last));
  return date.getTime() / 1000;
}

/** The first period's end after a time, in the rhythm that the anchor sets. */
export function nextPeriodEnd(anchor: number, interval: Interval, every: number, after: number): number {
  const days = { day: 1, week: 7, month: 28, year: 365 }[interval] * every;
  // starts a little before where it must be: no month is shorter than 28 days, no average longer than 31
  let periods = Math.max(1, Math.floor((after - anchor) / 86_400 / (days * 1.12)) - 1);
  while (periodEnd(anchor, interval, periods * every) <= after) {
    periods += 1;
  }
  return periodEnd(anchor, interval, periods * every);
}
