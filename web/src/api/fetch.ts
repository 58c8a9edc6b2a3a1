/** The longest time that Auth and the data API may take; without a limit, browsers wait for minutes. */
const TIMEOUT_MS = 20_000;

export const fetchInTime: typeof fetch = (input, init) =>
  fetch(input, {
    ...init,
    signal: init?.signal ?? AbortSignal.timeout(TIMEOUT_MS),
  });

/** Waits for the work, and throws as soon as it is aborted. */
export function unlessAborted(
  work: Promise<unknown> | undefined,
  signal: AbortSignal,
): Promise<unknown> {
  const aborted = new Promise((_, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason)),
  );
  return Promise.race([work, aborted]);
}
