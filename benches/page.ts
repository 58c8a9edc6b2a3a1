// What a visitor waits for: a first visit over a slow network with a slow processor, until the composer works; and whether
// the page stays smooth while a long playlist streams in.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { launch } from '../tests/browser/browser.ts';
import { inTurn, listeners, ready, report, variable } from './harness.ts';
import type { Ratio, Samples, Values } from './harness.ts';

const ROUNDS = 7;
/** Chromium's "slow 3G". */
const NETWORK = { offline: false, latency: 400, downloadThroughput: 50_000, uploadThroughput: 50_000 };
const SLOWER = 4;
const GOAL_MS = 2_500;
const TRACKS = 50;
const TYPES: Record<string, string> = { html: 'text/html', js: 'text/javascript', css: 'text/css', svg: 'image/svg+xml', woff2: 'font/woff2' };

/** Serves files compressed, like the file host of a deployment. Returns the server's address. */
async function hosted(folder: string): Promise<string> {
  const { supabase_url, publishable_key, functions_url, simulators } = ready;
  const config = { supabase_url, supabase_publishable_key: publishable_key, functions_url, spotify_player_origin: simulators.spotify };
  const server = createServer((request, response) => {
    const name = request.url === '/' ? 'index.html' : (request.url ?? '').slice(1);
    try {
      const body = name === 'config.json' ? JSON.stringify(config) : readFileSync(path.join(folder, name));
      response.setHeader('Content-Type', TYPES[name.split('.').at(-1) ?? ''] ?? 'application/json');
      if (name.endsWith('.woff2')) return void response.end(body);
      response.setHeader('Content-Encoding', 'gzip').end(gzipSync(body));
    } catch {
      response.writeHead(404).end();
    }
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  server.unref();
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What the browser reports of a page from its beginning; TypeScript does not know these entries. */
type Seen = { interactive?: number; tasks: number[]; shifts: number };

/** Runs in the page. `presses`: the button of the empty composer, from when it is there until the composer says that words are needed. */
function watch(presses: boolean): void {
  const seen: Seen = { tasks: [], shifts: 0 };
  Object.assign(globalThis, { seen });
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) seen.tasks.push(duration);
  }).observe({ type: 'longtask', buffered: true });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as (PerformanceEntry & { value: number; hadRecentInput: boolean })[]) if (!entry.hadRecentInput) seen.shifts += entry.value;
  }).observe({ type: 'layout-shift', buffered: true });
  const look = () => {
    if (document.querySelector('textarea[aria-invalid]')) seen.interactive = performance.now();
    else document.querySelector<HTMLElement>('form [type=submit]')?.click();
    if (seen.interactive === undefined) setTimeout(look, 10);
  };
  if (presses) look();
}

const seenOn = (page: Page) => page.evaluate(() => (globalThis as unknown as { seen: Seen }).seen);

const browser = await launch();

async function firstVisit(url: string): Promise<Values> {
  const context = await browser.newContext({ serviceWorkers: 'block', locale: 'en-GB' });
  const page = await context.newPage();
  const network = await context.newCDPSession(page);
  await network.send('Network.enable');
  await network.send('Network.emulateNetworkConditions', NETWORK);
  await network.send('Emulation.setCPUThrottlingRate', { rate: SLOWER });
  let bytes = 0;
  network.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength));
  await page.addInitScript(watch, true);
  await page.goto(url, { waitUntil: 'commit' });
  await page.waitForFunction(() => (globalThis as unknown as { seen?: Seen }).seen?.interactive !== undefined);
  const [{ interactive, tasks }, transferred] = [await seenOn(page), bytes / 1024];
  await page.locator('textarea').pressSequentially('rain');
  if ((await page.locator('textarea').inputValue()) !== 'rain') throw new Error('the composer does not take what is typed');
  await context.close();
  return { 'interactive, ms': interactive as number, 'transferred until then, KB': transferred, 'longest task until then, ms': Math.max(0, ...tasks) };
}

/** A playlist of 50, from the wish to the end. */
async function stream(url: string, token: string): Promise<Values> {
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { sub: string; exp: number };
  const session = { access_token: token, refresh_token: 'none', token_type: 'bearer', expires_in: 3_600, expires_at: claims.exp, user: { id: claims.sub, email: 'a@example.com' } };
  const context = await browser.newContext({ serviceWorkers: 'block', locale: 'en-GB' });
  await context.addInitScript(([session, wish]) => {
    localStorage.setItem('sound-whiskers.session', session as string);
    localStorage.setItem('sound-whiskers.draft.wish', wish as string);
  }, [JSON.stringify(session), JSON.stringify({ count: TRACKS, prompt: 'a cozy rainy evening' })]);
  const page = await context.newPage();
  const network = await context.newCDPSession(page);
  await page.goto(url);
  await page.locator('textarea').waitFor();
  await network.send('Emulation.setCPUThrottlingRate', { rate: SLOWER });
  await page.evaluate(watch, false);
  await page.locator('textarea').press('Enter');
  await page.getByRole('button', { name: 'Send to Spotify' }).waitFor({ timeout: 120_000 });
  const { tasks, shifts } = await seenOn(page);
  await context.close();
  return { 'longest task while 50 songs arrive, ms': Math.max(0, ...tasks), 'layout shift while 50 songs arrive': shifts };
}

const ours = await hosted(variable('BENCH_PAGE'));
const before = process.env.BENCH_AGAINST_PAGE === undefined ? undefined : await hosted(process.env.BENCH_AGAINST_PAGE);
const samples: Samples = {};
const candidates: Record<string, () => Promise<Values>> = { ours: () => firstVisit(ours), 'the goal': async () => ({ 'interactive, ms': GOAL_MS }) };
if (before !== undefined) candidates.before = () => firstVisit(before);
await firstVisit(ours);
await inTurn(ROUNDS, candidates, samples);
const next = await listeners(ROUNDS);
await inTurn(ROUNDS, { ours: () => stream(ready.web_url, next()) }, samples);
await browser.close();
const interactive = (to: string, atMost?: number): Ratio => ({ what: 'interactive, ms', of: 'ours', to, atMost });
report(
  'page',
  `A first visit over 400 kbit/s with 400 ms of latency, with a processor slowed down ${SLOWER} times: interactive is the composer once its button, pressed ` +
    `without words, asks for them. Then a playlist of ${TRACKS} over a fast network, with the same processor. ${ROUNDS} rounds in turn.`,
  samples,
  [interactive('the goal', 1), interactive('before')],
);
