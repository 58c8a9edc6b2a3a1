// A request that was made while signed out. It waits for the sign-in that this tab asks for, or for the account that was
// created for it, which may be confirmed in another tab. No other account gets it.

import { signal } from "@preact/signals";
import { drafts, visit } from "./drafts.ts";
import type { Order } from "./generation.ts";

/** `by`: the id of the account that was created for it. */
type Wanted = { order: Order; at: number; by?: string };

const NAME = "wanted";
/** Long enough for a mail to arrive. Later another person may use the browser. */
const WAITS_MS = 1_800_000;
const changes = signal(0);

function read(): Wanted | null {
  const it = [visit, drafts]
    .map((store) => store.read<Wanted | null>(NAME, null))
    .find((it) => it && Date.now() - it.at < WAITS_MS);
  return it ?? null;
}

export function want(order: Order): void {
  visit.write(NAME, { order, at: Date.now() });
  changes.value += 1;
}

/** Leaves the request to an account that has to be confirmed. */
export function wantFor(user_id: string): void {
  const it = read();
  if (!it) return;
  for (const store of [visit, drafts])
    store.write(NAME, { ...it, at: Date.now(), by: user_id });
}

/** Returns the request that waits. */
export function wanted(): Order | null {
  changes.value;
  return read()?.order ?? null;
}

export function unwant(): void {
  for (const store of [visit, drafts]) store.forget(NAME);
  changes.value += 1;
}

/** Returns the request that waits for this account, and forgets it. */
export function takeWanted(user_id: string): Order | null {
  const it = read();
  if (!it || (it.by && it.by !== user_id)) return null;
  unwant();
  return it.order;
}
