// What the page's state needs of a browser, and services that respond as a test says.

import type { Store } from "../src/state/drafts.ts";

export class Memory implements Store {
  readonly kept = new Map<string, string>();
  get length() {
    return this.kept.size;
  }
  key = (index: number) => [...this.kept.keys()][index] ?? null;
  getItem = (name: string) => this.kept.get(name) ?? null;
  setItem = (name: string, value: string) => void this.kept.set(name, value);
  removeItem = (name: string) => void this.kept.delete(name);
}

const target = new EventTarget();
const listens = {
  addEventListener: target.addEventListener.bind(target),
  removeEventListener: target.removeEventListener.bind(target),
};
const place = { hash: "", search: "", pathname: "/", origin: "http://page" };
const network = { onLine: true, languages: ["en"] };

/** Makes a browser of the test's process. */
export function startBrowser(): void {
  const all = {
    ...listens,
    window: listens,
    document: { ...listens, hidden: false, documentElement: {} },
    location: place,
    history: {
      replaceState: (_: unknown, __: string, url: string) => {
        place.hash = url.includes("#") ? url.slice(url.indexOf("#")) : "";
      },
    },
    localStorage: new Memory(),
    sessionStorage: new Memory(),
    navigator: network,
  };
  for (const [name, value] of Object.entries(all))
    Object.defineProperty(globalThis, name, {
      value,
      configurable: true,
      writable: true,
    });
}

/** Another tab has drafts of its own. */
export function inAnotherTab(): void {
  Object.assign(globalThis, { sessionStorage: new Memory() });
}

export function goOffline(): void {
  network.onLine = false;
}

export function goOnline(): void {
  network.onLine = true;
  target.dispatchEvent(new Event("online"));
}

/** Comes back to the page, as a browser tells it. */
export function come(): void {
  for (const name of ["visibilitychange", "focus"])
    target.dispatchEvent(new Event(name));
}

/** Closes the page; returns whether the browser asks the user first. */
export function asksBeforeClosing(): boolean {
  const event = new Event("beforeunload", { cancelable: true });
  return !target.dispatchEvent(event);
}

export type Sent = { path: string; key: string | null };
type Answer = (sent: Sent) => Response | Promise<Response>;

const CONFIG = {
  supabase_url: "http://supabase",
  supabase_publishable_key: "key",
  functions_url: "http://functions",
};

/** Answers requests of generations; others find nothing. Without a network all fail. */
export function respondWith(answer: Answer): Sent[] {
  const sent: Sent[] = [];
  globalThis.fetch = async (input, init) => {
    const url = String(input);
    if (url === "config.json") return Response.json(CONFIG);
    if (!network.onLine) throw new TypeError("Failed to fetch");
    if (!url.startsWith(CONFIG.functions_url))
      return Response.json({}, { status: 404 });
    const it = {
      path: new URL(url).pathname,
      key: new Headers(init?.headers).get("Idempotency-Key"),
    };
    sent.push(it);
    return answer(it);
  };
  return sent;
}

export function sessionOf(id: string) {
  return {
    access_token: id,
    refresh_token: id,
    expires_in: 3600,
    expires_at: Date.now() / 1000 + 3600,
    token_type: "bearer",
    user: { id, email: `${id}@example.com` },
  };
}

export const done = (playlist_id: string) =>
  new Response(
    `event: done\ndata: ${JSON.stringify({ name: "Rain", description: "", tracks: [], target: 1, stop_reason: "completed", playlist_id, version: 1 })}\n\n`,
  );
