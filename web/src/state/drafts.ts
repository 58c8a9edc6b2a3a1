// What somebody has typed or begun, kept until it is done: over reloads, over signing in, over a closed tab.

import { useState } from 'preact/hooks';

const PREFIX = 'sound-whiskers.draft.';

/** The part of `Storage` that is used; a browser may refuse it all. */
export type Store = Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>;

export class Drafts {
  readonly #store: () => Store;
  /** For browsers that keep nothing: at least until the page is left. */
  readonly #memory = new Map<string, string>();

  constructor(store: () => Store) {
    this.#store = store;
  }

  read<T>(name: string, fallback: T): T {
    try {
      const text = this.#memory.get(name) ?? this.#store().getItem(PREFIX + name);
      return text === null || text === undefined ? fallback : (JSON.parse(text) as T);
    } catch {
      return fallback;
    }
  }

  write(name: string, value: unknown): void {
    const text = JSON.stringify(value);
    try {
      this.#store().setItem(PREFIX + name, text);
      this.#memory.delete(name);
    } catch {
      this.#memory.set(name, text);
    }
  }

  forget(name: string): void {
    this.#memory.delete(name);
    try {
      this.#store().removeItem(PREFIX + name);
    } catch {
      // It could not be kept there either.
    }
  }

  /** Somebody else may sit here next. */
  forgetAll(): void {
    this.#memory.clear();
    try {
      const store = this.#store();
      const names = Array.from({ length: store.length }, (_, index) => store.key(index) ?? '');
      for (const name of names.filter((it) => it.startsWith(PREFIX))) store.removeItem(name);
    } catch {
      // Nothing was kept.
    }
  }
}

export const drafts = new Drafts(() => localStorage);

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
