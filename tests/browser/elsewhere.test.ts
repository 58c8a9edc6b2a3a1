// The page on a file server of its own, as a front end that is hosted apart from the functions.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { launch } from './browser.ts';
import { fileServer, listen } from './file-server.ts';
import { goTo, listener, modelTakes, playlistOf, ready, resetSimulators, says, signIn, tracksOn, visit } from './support.ts';

/** One of APP_ORIGINS, and for a browser another one than the functions'. */
const ELSEWHERE = `http://localhost:${new URL(ready.web_url).port}`;
/** Not one of APP_ORIGINS. */
const UNKNOWN = 'http://unknown.localhost';

const config = { supabase_url: ready.supabase_url, supabase_publishable_key: ready.publishable_key, functions_url: ready.functions_url };
const server = fileServer(() => config);
let browser: Browser;

before(async () => {
  await resetSimulators();
  const port = await listen(server);
  // The names lead to this server, whatever else listens at that port.
  const names = [`MAP localhost:${new URL(ELSEWHERE).port} 127.0.0.1:${port}`, `MAP unknown.localhost:80 127.0.0.1:${port}`];
  browser = await launch(`--host-resolver-rules=${names.join(', ')}`);
});
after(async () => {
  await browser?.close();
  server.close();
  await resetSimulators();
});

test('hosted elsewhere, the page generates, saves, and pays', async () => {
  const who = await listener();
  const { page, end } = await visit(browser, { url: ELSEWHERE });
  assert.equal(await page.evaluate(() => origin), ELSEWHERE);
  await signIn(page, who.email);
  await goTo(page, '');
  await page.getByText('3 of 3 AI playlists left').waitFor();
  await modelTakes(0, 0);
  await page.getByLabel('Your wish').fill('a cozy rainy evening');
  await page.getByLabel('Length').fill('3');
  await page.getByRole('button', { name: 'Make my playlist' }).click();
  await page.getByRole('link', { name: 'Open it' }).click();
  await page.getByRole('button', { name: 'Export to Spotify' }).waitFor();
  assert.equal((await tracksOn(page)).length, 3);
  await goTo(page, 'account');
  await page.getByRole('button', { name: 'Upgrade to Pro' }).click();
  await page.getByRole('button', { name: 'Pay', exact: true }).click();
  await page.getByText('You are on Pro now.').waitFor();
  assert.equal(new URL(page.url()).origin, ELSEWHERE);
  await end();
});

test('hosted elsewhere, a refusal is still read with all that it says', async () => {
  const who = await listener();
  const id = await playlistOf(who, 'Sunday', 1);
  const { page, end } = await visit(browser, { url: ELSEWHERE, who });
  await goTo(page, `playlists/${id}`);
  const answered = page.waitForResponse((response) => response.url().endsWith('/spotify-export') && response.request().method() === 'POST');
  await page.getByRole('button', { name: 'Export to Spotify' }).click();
  await says(page, 'Your Spotify account is not linked.');
  await page.getByText('Details for support').click();
  await page.getByText((await answered).headers()['x-request-id'] ?? 'no id').waitFor();
  await end();
});

test('a page of an origin that nobody has named gets nothing from the functions', async () => {
  const who = await listener();
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(UNKNOWN);
  await signIn(page, who.email);
  await goTo(page, 'account');
  await says(page, 'We cannot be reached.');
  await context.close();
});
