import { useState } from "preact/hooks";
import type { Failure } from "../api/failure.ts";
import { asFailure } from "../api/failure.ts";

export type Action = {
  busy: boolean;
  failure: Failure | null;
  run: (work: () => Promise<void>) => Promise<void>;
  clear: () => void;
};

/** An action that takes time and may fail; it ignores clicks while it runs. */
export function useAction(): Action {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const run = async (work: () => Promise<void>) => {
    if (busy) return;
    setBusy(true);
    setFailure(null);
    try {
      await work();
    } catch (error) {
      setFailure(asFailure(error));
    } finally {
      setBusy(false);
    }
  };
  return { busy, failure, run, clear: () => setFailure(null) };
}
