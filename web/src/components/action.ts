import { useRef, useState } from "preact/hooks";
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
  // Unlike the state, it is known to a second click or event before the next rendering.
  const isBusy = useRef(false);
  const run = async (work: () => Promise<void>) => {
    if (isBusy.current) return;
    isBusy.current = true;
    setBusy(true);
    setFailure(null);
    try {
      await work();
    } catch (error) {
      setFailure(asFailure(error));
    } finally {
      isBusy.current = false;
      setBusy(false);
    }
  };
  return { busy, failure, run, clear: () => setFailure(null) };
}
