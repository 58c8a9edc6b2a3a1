// Fetches the screens that are not in the first file.

import { signal } from "@preact/signals";

type Screens = typeof import("../pages/later.ts");

export const later = signal<Screens | "failed" | null>(null);

/** Fetches them, unless they are there; a failure is shown by the screen that needs them. */
export async function fetchLater(): Promise<void> {
  if (typeof later.value === "object" && later.value) return;
  later.value = await import("../pages/later.ts").catch(() => "failed");
}
