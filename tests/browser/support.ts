// A user's browser on the running stack, which detects what must never happen on any screen.

import assert from "node:assert/strict";
import { afterEach } from "node:test";
import type { Session } from "@supabase/supabase-js";
import type { Browser, BrowserContext, Page } from "playwright-core";
import type { Sql } from "postgres";
import postgres from "postgres";
import type { Client } from "../compat/support.ts";
import { control, PASSWORD, REPLY, ready, resetSimulators, signedUp } from "../compat/support.ts";

export { control, PASSWORD, ready, resetSimulators };

export type Size = { width: number; height: number };
export const PHONE: Size = { width: 390, height: 844 };
export const DESKTOP: Size = { width: 1280, height: 900 };
export const SIZES: [name: string, size: Size][] = [
  ["desktop", DESKTOP],
  ["phone", PHONE],
];
const PATIENCE_MS = 60_000;

export function modelTakes(first_token_ms: number, chunk_ms: number, chunk_chars = 40): Promise<void> {
  return control("llm", "PUT", "script", [{ reply: REPLY, first_token_ms, chunk_chars, chunk_ms }]);
}

export async function database<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
  const sql = postgres(ready.database_url, { max: 1, onnotice: () => {} });
  try {
    return await work(sql);
  } finally {
    await sql.end();
  }
}

export type Listener = { email: string; supabase: Client; session: Session };

export async function listener(): Promise<Listener> {
  const { supabase, session } = await signedUp();
  return { email: String(session.user.email), supabase, session };
}

const SONGS = [
  ["Dżem", "Whisky"],
  ["Glen Hansard", "Falling Slowly"],
  ["Coldplay", "Yellow"],
  ["Adele", "Someone Like You"],
] as const;

type Found = { track_uri: string; title: string; artist: string; album: string; duration_ms: number; explicit: boolean };

async function track({ session }: Listener, artist: string, title: string): Promise<Found> {
  const headers = { Authorization: `Bearer ${session.access_token}` };
  const response = await fetch(`${ready.functions_url}/spotify-search?${new URLSearchParams({ artist, title, limit: "10" })}`, { headers });
  const found = ((await response.json()) as { tracks: Found[] }).tracks.find((it) => it.title === title);
  assert.ok(found, title);
  return { track_uri: found.track_uri, title, artist: found.artist, album: found.album, duration_ms: found.duration_ms, explicit: found.explicit };
}

export async function playlistOf(who: Listener, name: string, count: number = SONGS.length): Promise<string> {
  const { supabase, session } = who;
  const created = await supabase.from("playlists").insert({ owner_id: session.user.id, name }).select("id").single();
  assert.equal(created.error, null);
  const playlist_id = String(created.data?.id);
  const tracks = await Promise.all(SONGS.slice(0, count).map(([artist, title]) => track(who, artist, title)));
  const added = await supabase.rpc("add_tracks", { playlist_id, tracks });
  assert.equal(added.error, null);
  return playlist_id;
}

export async function generated({ session }: Listener, target_count: number): Promise<string> {
  const headers = { Authorization: `Bearer ${session.access_token}`, "Content-Type": "application/json" };
  const body = JSON.stringify({ prompt: "rain", target_count, save: true });
  const response = await fetch(`${ready.functions_url}/ai-playlist`, { method: "POST", headers, body });
  assert.equal(response.status, 200);
  return ((await response.json()) as { playlist_id: string }).playlist_id;
}

export async function titlesOf({ supabase }: Listener, playlist_id: string): Promise<string[]> {
  const { data } = await supabase.from("playlist_tracks").select("title").eq("playlist_id", playlist_id).order("position");
  return (data ?? []).map(({ title }) => String(title));
}

export async function usedBy({ supabase }: Listener): Promise<number> {
  const { data } = await supabase.rpc("usage");
  return (data as { ai: { used: number } }).ai.used;
}

/** The clean-up and the final assertions of a test. */
const visits: { context: BrowserContext; page: Page; wrong: string[] }[] = [];

export type Visit = { page: Page; context: BrowserContext };
type VisitOptions = { size?: Size; locale?: string; url?: string; who?: Listener; others?: string[]; count?: number; offline?: true };

/**
 * Opens the page in a new browser context until the test ends. The test fails if the console shows an error, or if the page
 * sends a request to a host other than the page, the functions, Supabase, Spotify's pictures and player, `others`, and the
 * services' pages that the user was redirected to. `who` is signed in; `count` is the last requested length; `offline` allows
 * the service worker, whose requests tests cannot intercept.
 */
export async function visit(
  browser: Browser,
  { size = DESKTOP, locale = "en-GB", url = ready.web_url, who, others = [], count, offline }: VisitOptions = {},
): Promise<Visit> {
  const touch = size.width < 600;
  const draft = { name: "sound-whiskers.draft.wish", value: JSON.stringify({ count }) };
  const session = who ? [{ name: "sound-whiskers.session", value: JSON.stringify(who.session) }] : [];
  const storageState = { cookies: [], origins: [{ origin: new URL(url).origin, localStorage: count ? [...session, draft] : session }] };
  const context = await browser.newContext({
    viewport: size,
    locale,
    hasTouch: touch,
    isMobile: touch,
    storageState,
    serviceWorkers: offline ? "allow" : "block",
  });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const known = [url, ready.web_url, ready.supabase_url, ready.simulators.spotify, ...others].map((it) => new URL(it).origin);
  const wrong: string[] = [];
  page.on("pageerror", (error) => wrong.push(`uncaught: ${error.message}`));
  page.on("console", (message) => {
    // Chromium logs every response that is a refusal; whether it was expected, the tests see on the screen.
    const refusal = message.text().startsWith("Failed to load resource");
    if (message.type() === "error" && !refusal) wrong.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    const own = known.includes(new URL(page.url() === "about:blank" ? url : page.url()).origin);
    if (own && !request.isNavigationRequest() && !known.includes(new URL(request.url()).origin)) wrong.push(`request to ${request.url()}`);
  });
  visits.push({ context, page, wrong });
  // The functions do not know pages on other origins.
  if (others.length > 0) await context.route("**/billing/price", (route) => route.fulfill({ status: 503, headers: { "Access-Control-Allow-Origin": "*" } }));
  await page.goto(url);
  return { page, context };
}

afterEach(async (it) => {
  for (const { context, page, wrong } of visits.splice(0)) {
    // @types/node does not know `passed` yet.
    if (!(it as unknown as { passed: boolean }).passed) console.log(`${page.url()} shows:\n${await page.locator("body").ariaSnapshot()}`, wrong);
    await context.close();
    assert.deepEqual(wrong, []);
  }
});

/** Opens a place in the app as a new user, and waits until it shows the remaining quota. */
export async function arrival(browser: Browser, place = "", options: VisitOptions = {}): Promise<Visit & { who: Listener }> {
  const who = await listener();
  const it = await visit(browser, { ...options, who, url: `${ready.web_url}/#/${place}` });
  await it.page
    .getByText(/3 of 3 (AI playlists )?left/)
    .first()
    .waitFor();
  return { ...it, who };
}

export async function stays({ session, supabase, email }: Listener): Promise<Listener> {
  await database(
    (sql) =>
      sql`update auth.mfa_amr_claims set updated_at = now() - interval '1 hour' where session_id in (select id from auth.sessions where user_id = ${session.user.id})`,
  );
  const { data, error } = await supabase.auth.refreshSession();
  assert.equal(error, null);
  assert.ok(data.session);
  return { email, supabase, session: data.session };
}

export async function linkTo(address: string, mail_url = ready.mail_url): Promise<string> {
  for (;;) {
    const mails = (await (await fetch(mail_url, { headers: { Accept: "application/json" } })).json()) as { to: string; text: string }[];
    const [link] = /https?:\/\/\S+token_hash=\S+/.exec(mails.find(({ to }) => to === address)?.text ?? "") ?? [];
    if (link) return link;
  }
}
