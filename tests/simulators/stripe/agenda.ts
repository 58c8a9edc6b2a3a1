/** When something is due next for each object, with the earliest at hand. */
export class Agenda {
  #due = new Map<string, number>();
  #earliest: { id: string; at: number } | undefined;
  #known = true;

  set(id: string, at: number | undefined): void {
    if (at === undefined) {
      this.#due.delete(id);
    } else {
      this.#due.set(id, at);
    }
    if (this.#earliest?.id === id) {
      this.#known = false;
    } else if (this.#known && at !== undefined && at < (this.#earliest?.at ?? Infinity)) {
      this.#earliest = { id, at };
    }
  }

  next(): { id: string; at: number } | undefined {
    if (!this.#known) {
      this.#earliest = undefined;
      for (const [id, at] of this.#due) {
        if (at < (this.#earliest?.at ?? Infinity)) {
          this.#earliest = { id, at };
        }
      }
      this.#known = true;
    }
    return this.#earliest;
  }

  clear(): void {
    this.#due = new Map();
    this.#earliest = undefined;
    this.#known = true;
  }
}
