/** One clock for all simulators, so that entries of different logs can be compared. Epoch milliseconds with fractions. */
export function nowMs(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1000) / 1000;
}
