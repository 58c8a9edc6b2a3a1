/** The middle of some measurements, and where the middle half of them lies. */
export type Summary = { median: number; spread: [number, number] };

export function quantile(values: number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.round(q * (sorted.length - 1))] ?? Number.NaN;
}

export function summary(values: number[]): Summary {
  return { median: quantile(values, 0.5), spread: [quantile(values, 0.25), quantile(values, 0.75)] };
}
