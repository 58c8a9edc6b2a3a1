// Signing up where Auth is set to confirm addresses, which hosted projects are: by way of a real mail.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { launch } from './browser.ts';
import { fileServer, listen } from './file-server.ts';
import { linkTo, PASSWORD, ready, says, visit } from './support.ts';

/** An Auth of its own over the stack's database: its users are the same, its rule is another one. */
const state = mkdtempSync(join(tmpdir(), 'sound-whiskers-confirmation-'));
const config = { supabase_url: '', supabase_publishable_key: '', functions_url: ready.functions_url };
const server = fileServer(() => config);
let supabase: ChildProcess;
let browser: Browser;
let site: string;

before(async () => {
  site = `http://127.0.0.1:${await listen(server)}`;
  const settings = { PORT: '0', STATE_DIR: state, FUNCTIONS_ORIGIN: new URL(ready.functions_url).origin, SITE_URL: site, MIGRATIONS_DIR: 'supabase/migrations', CONFIRM_EMAIL: 'true' };
  const env = { ...process.env, DATABASE_URL: ready.database_url, ...settings };
  supabase = spawn(process.execPath, ['tests/local-supabase/main.ts'], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  assert.ok(supabase.stdout);
  for await (const line of createInterface(supabase.stdout)) {
    config.supabase_url = (JSON.parse(line) as { url: string }).url;
    break;
  }
  config.supabase_publishable_key = JSON.parse(readFileSync(join(state, 'keys.json'), 'utf8')).publishable_key;
  browser = await launch();
});
after(async () => {
  await browser?.close();
  server.close();
  supabase?.kill();
  rmSync(state, { recursive: true });
});

test('an address is confirmed by the link in a mail, and what was written before is still there', async () => {
  const email = `${crypto.randomUUID()}@example.com`;
  const { page, end } = await visit(browser, { url: site, others: [config.supabase_url] });
  await page.getByLabel('Your wish').fill('songs for a rainy tram ride');
  await page.getByRole('button', { name: 'Make my playlist' }).click();
  await page.getByRole('link', { name: 'Create an account' }).click();
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByText(`We have sent a link to ${email}`).waitFor();
  await page.getByRole('button', { name: 'Send it again' }).click();
  await says(page, 'A mail was sent only a moment ago.');

  await page.getByRole('link', { name: 'Back to sign in' }).click();
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click();
  await says(page, 'Your e-mail address is not confirmed yet.');

  await page.goto(await linkTo(email, `${config.supabase_url}/mail`));
  await page.getByText('Confirm that this e-mail address is yours.').waitFor();
  await page.getByRole('button', { name: 'Confirm' }).click();
  await page.getByText('Your e-mail address is confirmed. Welcome!').waitFor();
  await page.getByText('3 of 3 AI playlists left').waitFor();
  assert.equal(await page.getByLabel('Your wish').inputValue(), 'songs for a rainy tram ride');
  assert.equal(page.url(), `${site}/#/`);
  await end();
});
