// A user's browser on the running stack, which detects what must never happen on any screen.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Session, SupabaseClient } from '@supabase/supabase-js';
import { createClient } from '@supabase/supabase-js';
import type { AxeResults } from 'axe-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { Sql } from 'postgres';
import postgres from 'postgres';

type Ready = {
  web_url: string;
  functions_url: string;
  supabase_url: string;
  publishable_key: string;
  mail_url: string;
  database_url: string;
  simulators: { llm: string; spotify: string; stripe: string };
};

export const ready = JSON.parse(readFileSync(process.env.SOUND_WHISKERS_READY_FILE ?? 'target/ready.json', 'utf8')) as Ready;
export const PASSWORD = 'correct horse battery';
export const PHONE = { width: 390, height: 844 };
export const DESKTOP = { width: 1280, height: 900 };
/** More than any step takes, even on a busy machine. */
const PATIENCE_MS = 15_000;
const SHOTS = 'target/screenshots';

export async function control(simulator: keyof Ready['simulators'], method: string, name: string, body: unknown): Promise<void> {
  const response = await fetch(`${ready.simulators[simulator]}/__control/${name}`, { method, body: JSON.stringify(body) });
  assert.ok(response.ok, `${method} ${name}: ${response.status}`);
}

export async function resetSimulators(): Promise<void> {
  for (const name of ['llm', 'spotify', 'stripe'] as const) await control(name, 'POST', 'reset', {});
}

/** How the model talks: slowly enough to watch, or at once. */
export function modelTakes(first_token_ms: number, chunk_ms: number): Promise<void> {
  return control('llm', 'PUT', 'script', [{ reply: REPLY, first_token_ms, chunk_chars: 40, chunk_ms }]);
}

const REPLY = {
  kind: 'playlist',
  language: 'en',
  name: 'Rainy evening',
  description: 'For the window seat.',
  summary: 'Calm songs.',
  tracks: [
    { artist: 'Nirvana', title: 'Come as You Are', year: 1991 },
    { artist: 'Radiohead', title: 'Karma Police', year: 1997 },
    { artist: 'Glass Orchard', title: 'Broken Satellites', year: 2011 },
    { artist: 'The Beatles', title: 'Let It Be', year: 1970 },
  ],
};

/** The database, as its owner. */
export async function database<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
  const sql = postgres(ready.database_url, { max: 1, onnotice: () => {} });
  try {
    return await work(sql);
  } finally {
    await sql.end();
  }
}

export type Listener = { email: string; supabase: SupabaseClient; session: Session };

/** A user with an account who has not signed in to a browser. */
export async function listener(): Promise<Listener> {
  const supabase = createClient(ready.supabase_url, ready.publishable_key, { auth: { persistSession: false, autoRefreshToken: false } });
  const email = `${crypto.randomUUID()}@example.com`;
  const { data, error } = await supabase.auth.signUp({ email, password: PASSWORD });
  assert.equal(error, null);
  assert.ok(data.session);
  return { email, supabase, session: data.session };
}

const SONGS = [
  ['Dżem', 'Whisky'],
  ['Glen Hansard', 'Falling Slowly'],
  ['Coldplay', 'Yellow'],
  ['Adele', 'Someone Like You'],
] as const;

type Found = { track_uri: string; title: string; artist: string; album: string; duration_ms: number; explicit: boolean };

/** A track of the catalogue, because Spotify rejects others. */
async function track({ session }: Listener, artist: string, title: string): Promise<Found> {
  const headers = { Authorization: `Bearer ${session.access_token}` };
  const response = await fetch(`${ready.functions_url}/spotify-search?${new URLSearchParams({ artist, title, limit: '10' })}`, { headers });
  const found = ((await response.json()) as { tracks: Found[] }).tracks.find((it) => it.title === title);
  assert.ok(found, title);
  return { track_uri: found.track_uri, title, artist: found.artist, album: found.album, duration_ms: found.duration_ms, explicit: found.explicit };
}

/** A playlist made without the page. */
export async function playlistOf(who: Listener, name: string, count: number = SONGS.length): Promise<string> {
  const { supabase, session } = who;
  const created = await supabase.from('playlists').insert({ owner_id: session.user.id, name }).select('id').single();
  assert.equal(created.error, null);
  const playlist_id = String(created.data?.id);
  const tracks = await Promise.all(SONGS.slice(0, count).map(([artist, title]) => track(who, artist, title)));
  const added = await supabase.rpc('add_tracks', { playlist_id, tracks });
  assert.equal(added.error, null);
  return playlist_id;
}

/** A playlist that the model has made, without the page. */
export async function generated({ session }: Listener, target_count: number): Promise<string> {
  const headers = { Authorization: `Bearer ${session.access_token}`, 'Content-Type': 'application/json' };
  const body = JSON.stringify({ prompt: 'rain', target_count, save: true });
  const response = await fetch(`${ready.functions_url}/ai-playlist`, { method: 'POST', headers, body });
  assert.equal(response.status, 200);
  return ((await response.json()) as { playlist_id: string }).playlist_id;
}

export async function titlesOf({ supabase }: Listener, playlist_id: string): Promise<string[]> {
  const { data } = await supabase.from('playlist_tracks').select('title').eq('playlist_id', playlist_id).order('position');
  return (data ?? []).map(({ title }) => title);
}

export type Visit = { page: Page; context: BrowserContext; end: () => Promise<void> };
type VisitOptions = { size?: { width: number; height: number }; locale?: string; url?: string; who?: Listener; others?: string[]; count?: number };

/**
 * A browser of its own, at the page. `end` fails the test if there was an error in the console, or a request to
 * anywhere but the page, the functions, Supabase, `others`, and the services' own pages that the listener was sent to.
 * `who` has signed in here before; `count`: how long a playlist was asked for here the last time.
 */
export async function visit(
  browser: Browser,
  { size = DESKTOP, locale = 'en-GB', url = ready.web_url, who, others = [], count }: VisitOptions = {},
): Promise<Visit> {
  const touch = size.width < 600;
  const draft = { name: 'sound-whiskers.draft.wish', value: JSON.stringify({ count }) };
  const session = who ? [{ name: 'sound-whiskers.session', value: JSON.stringify(who.session) }] : [];
  const storageState = { cookies: [], origins: [{ origin: new URL(url).origin, localStorage: count ? [...session, draft] : session }] };
  const context = await browser.newContext({ viewport: size, locale, hasTouch: touch, isMobile: touch, storageState });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const known = [url, ready.web_url, ready.supabase_url, ...others].map((it) => new URL(it).origin);
  const wrong: string[] = [];
  page.on('pageerror', (error) => wrong.push(`uncaught: ${error.message}`));
  page.on('console', (message) => {
    // Chromium logs every refusal; the tests check on the screen whether it was expected.
    const refusal = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !refusal) wrong.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    const own = known.includes(new URL(page.url() === 'about:blank' ? url : page.url()).origin);
    if (own && !request.isNavigationRequest() && !known.includes(new URL(request.url()).origin)) wrong.push(`request to ${request.url()}`);
  });
  await page.goto(url);
  const end = async () => {
    await context.close();
    assert.deepEqual(wrong, []);
  };
  return { page, context, end };
}

export async function signIn(page: Page, email: string, password = PASSWORD): Promise<void> {
  await page.goto(`${new URL(page.url()).origin}/#/sign-in`);
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('link', { name: 'You', exact: true }).waitFor();
}

/** Presses a button and confirms the dialog that it opens, which names the account. */
export async function goOn(page: Page, button: string, further: string, { email }: Listener): Promise<void> {
  await page.getByRole('button', { name: button }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText(`Signed in as ${email}`).waitFor();
  await dialog.getByRole('button', { name: further }).click();
}

export const linkSpotify = (page: Page, who: Listener): Promise<void> => goOn(page, 'Link Spotify', 'Continue to Spotify', who);
export const upgrade = (page: Page, who: Listener): Promise<void> => goOn(page, 'Upgrade to Pro', 'Continue to payment', who);

/** Makes the sign-in an hour old. */
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

/** Goes to a place in the app, without loading the page anew. */
export async function goTo(page: Page, place: string): Promise<void> {
  await page.evaluate((hash) => {
    location.hash = hash;
  }, `#/${place}`);
}

export async function shot(page: Page, name: string): Promise<void> {
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: `${SHOTS}/${name}.png` });
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** No rule of axe is broken, in either theme. */
export async function isAccessible(page: Page, what: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.evaluate(AXE);
    const results = (await page.evaluate('axe.run()')) as AxeResults;
    const found = results.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join(' | ')}`);
    assert.deepEqual(found, [], `${what}, ${colorScheme}`);
  }
  // One after the other: colours would glide back, and a picture taken meanwhile would show them half way.
  await page.emulateMedia({ colorScheme: null });
  await page.evaluate(() => new Promise(requestAnimationFrame));
  await page.emulateMedia({ reducedMotion: null });
}

export async function tracksOn(page: Page): Promise<string[]> {
  return page.locator('.track-item:not(.track-waiting) .track-title .clip').allTextContents();
}

/** A notice with these words, wherever it stands; the fold for support may hold them once more. */
export async function says(page: Page, words: string): Promise<void> {
  await page.getByText(words).first().waitFor();
}

/** Returns the link in the newest mail to an address. */
export async function linkTo(address: string, mail_url = ready.mail_url): Promise<string> {
  for (;;) {
    const mails = (await (await fetch(mail_url, { headers: { Accept: 'application/json' } })).json()) as { to: string; text: string }[];
    const [link] = /https?:\/\/\S+token_hash=\S+/.exec(mails.find(({ to }) => to === address)?.text ?? '') ?? [];
    if (link) return link;
  }
}

/** Chooses from the menu of a track, or of anything else that has one. */
export async function choose(page: Page, what: string, item: string): Promise<void> {
  await page.getByRole('button', { name: `More for ${what}` }).click();
  await page.getByRole('menuitem', { name: item }).click();
}

/** Returns whether the focus is on a usable element. */
export async function keepsFocus(page: Page, what: string): Promise<void> {
  await page.evaluate(() => new Promise(requestAnimationFrame));
  assert.notEqual(await page.evaluate(() => document.activeElement?.tagName), 'BODY', what);
}
