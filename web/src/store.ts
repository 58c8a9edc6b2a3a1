import { useLayoutEffect, useState } from 'preact/hooks';
import { drafts } from './drafts.ts';

/** A value that screens follow. */
export class Store<T> {
  #value: T;
  readonly #followers = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set value(value: T) {
    this.#value = value;
    for (const follow of [...this.#followers]) follow();
  }

  follow(follow: () => void): () => void {
    this.#followers.add(follow);
    return () => this.#followers.delete(follow);
  }
}

export function useStore<T>(store: Store<T>): T {
  const [, setTurn] = useState(0);
  const shown = store.value;
  useLayoutEffect(() => {
    const stop = store.follow(() => setTurn((turn) => turn + 1));
    // It may have changed between the drawing and this line.
    if (shown !== store.value) setTurn((turn) => turn + 1);
    return stop;
  }, [store]);
  return shown;
}

/** State that is kept as a draft; the third answer forgets it. */
export function useDraft<T>(name: string, initial: T): [T, (value: T) => void, () => void] {
  const [value, setValue] = useState(() => drafts.read(name, initial));
  const change = (next: T) => {
    setValue(next);
    drafts.write(name, next);
  };
  const forget = () => {
    setValue(initial);
    drafts.forget(name);
  };
  return [value, change, forget];
}
