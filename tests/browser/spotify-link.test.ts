// Linking a Spotify account as a listener does it: in a browser, from the page to Spotify and back.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { createClient } from '@supabase/supabase-js';
import type { Browser, Page } from 'playwright-core';
import { launch } from './browser.ts';

type Ready = { web_url: string; supabase_url: string; publishable_key: string };
const ready = JSON.parse(readFileSync(process.env.SOUND_WHISKERS_READY_FILE ?? 'target/ready.json', 'utf8')) as Ready;
const supabase = createClient(ready.supabase_url, ready.publishable_key);

let browser: Browser;

before(async () => {
  browser = await launch();
});
after(() => browser?.close());

async function invoke(name: string, options: { method: 'GET' | 'POST' | 'DELETE'; body?: Record<string, unknown> }): Promise<Record<string, unknown>> {
  const { data, error } = await supabase.functions.invoke(name, options);
  if (error) throw error;
  return data as Record<string, unknown>;
}

/** A new listener's browser, on Spotify's page that asks them. */
async function asked(): Promise<Page> {
  const { error } = await supabase.auth.signUp({ email: `${randomUUID()}@example.com`, password: 'correct horse battery' });
  assert.equal(error, null);
  const { authorize_url } = await invoke('spotify-oauth/start', { method: 'POST' });
  const page = await browser.newPage();
  await page.goto(String(authorize_url));
  return page;
}

const fragment = (page: Page): URLSearchParams => new URLSearchParams(new URL(page.url()).hash.slice(1));
const backAtTheApp = (page: Page) => page.waitForURL((url) => url.origin === ready.web_url && url.hash.startsWith('#spotify_'));

test('a listener agrees, comes back to the page, and is linked until they unlink', async () => {
  const page = await asked();
  assert.match((await page.textContent('body')) ?? '', /Create and change playlists that are not on your profile/);
  await page.getByLabel('Logged in as').selectOption({ label: 'Bob' });
  await page.getByRole('button', { name: 'Agree' }).click();
  await backAtTheApp(page);
  const [code, state] = [fragment(page).get('spotify_code'), fragment(page).get('spotify_state')];
  // What the page will do: it has the code from where no server saw it, and the listener's token.
  const linked = await invoke('spotify-oauth/complete', { method: 'POST', body: { code, state } });
  assert.equal(linked.linked, true);
  assert.equal((await invoke('spotify-oauth/status', { method: 'GET' })).spotify_display_name, 'Bob');
  const { error } = await supabase.functions.invoke('spotify-oauth/link', { method: 'DELETE' });
  assert.equal(error, null);
  assert.deepEqual(await invoke('spotify-oauth/status', { method: 'GET' }), { linked: false });
  await page.close();
});

test('a listener who cancels comes back to the page with the reason', async () => {
  const page = await asked();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await backAtTheApp(page);
  assert.equal(fragment(page).get('spotify_error'), 'access_denied');
  assert.deepEqual(await invoke('spotify-oauth/status', { method: 'GET' }), { linked: false });
  await page.close();
});
