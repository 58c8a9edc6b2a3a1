import type { Thing } from './types.ts';

/** The objects of one kind, in the order of their creation, found by id and by customer. */
export class Collection<T extends Thing> {
  #byId = new Map<string, T>();
  #byCustomer = new Map<string, Set<string>>();
  #customerOf = new Map<string, string>();

  get(id: string): T | undefined {
    return this.#byId.get(id);
  }

  put(thing: T): void {
    this.#byId.set(thing.id, thing);
    const before = this.#customerOf.get(thing.id);
    if (before === thing.customer) {
      return;
    }
    this.#byCustomer.get(before ?? '')?.delete(thing.id);
    if (typeof thing.customer === 'string') {
      const ids = this.#byCustomer.get(thing.customer) ?? new Set();
      this.#byCustomer.set(thing.customer, ids.add(thing.id));
      this.#customerOf.set(thing.id, thing.customer);
    }
  }

  all(): T[] {
    return [...this.#byId.values()];
  }

  of(customer: string): T[] {
    return [...(this.#byCustomer.get(customer) ?? [])].map((id) => this.#byId.get(id) as T);
  }

  clear(): void {
    this.#byId = new Map();
    this.#byCustomer = new Map();
    this.#customerOf = new Map();
  }
}

/** Newest first; of those from the same second, the one that was created later. */
export function newestFirst<T extends Thing>(things: T[]): T[] {
  const created = (thing: T): number => Number(thing.created ?? 0);
  return things.reverse().sort((a, b) => created(b) - created(a));
}
