// Keeps unfinished input through reloads, signing in and closed tabs until it is used.

import { useState } from "preact/hooks";

const PREFIX = "sound-whiskers.draft.";

/** The used part of `Storage`; a browser may refuse all of it. */
export type Store = Pick<
  Storage,
  "getItem" | "setItem" | "removeItem" | "key" | "length"
>;

export class Drafts {
  readonly #store: () => Store;
  /** The fallback for browsers without storage; it lasts until the page is closed. */
  readonly #memory = new Map<string, string>();

  constructor(store: () => Store) {
    this.#store = store;
  }

  read<T>(name: string, fallback: T): T {
    try {
      const text =
        this.#memory.get(name) ?? this.#store().getItem(PREFIX + name);
      return text === null || text === undefined
        ? fallback
        : (JSON.parse(text) as T);
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
      // The storage is not available.
    }
  }

  /** Removes all drafts, because another user may use this browser next. */
  forgetAll(): void {
    this.#memory.clear();
    try {
      const store = this.#store();
      const names = Array.from(
        { length: store.length },
        (_, index) => store.key(index) ?? "",
      );
      for (const name of names.filter((it) => it.startsWith(PREFIX)))
        store.removeItem(name);
    } catch {
      // The storage is not available.
    }
  }
}

export const drafts = new Drafts(() => localStorage);
/** Drafts of this tab, until it is closed. */
export const visit = new Drafts(() => sessionStorage);

/** Component state that is kept as a draft; the third element removes it. */
export function useDraft<T>(
  name: string,
  initial: T,
): [T, (value: T) => void, () => void] {
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
