// From a wish to a playlist, as a listener sees it, and all that may come between.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { launch } from './browser.ts';
import type { Listener, Visit } from './support.ts';
import { control, DESKTOP, generated, goTo, listener, modelTakes, PHONE, resetSimulators, says, shot, signIn, titlesOf, tracksOn, visit } from './support.ts';

let browser: Browser;
before(async () => {
  browser = await launch();
});
beforeEach(resetSimulators);
after(async () => {
  await browser?.close();
  await resetSimulators();
});

/** What moved on the screen without anybody having touched it; TypeScript does not know it yet. */
type Shift = PerformanceEntry & { value: number; hadRecentInput: boolean; sources: { node?: Node }[] };

const FOUND = ['Come as You Are', 'Karma Police', 'Let It Be'];

async function atTheComposer(size = DESKTOP): Promise<Visit & { who: Listener }> {
  const who = await listener();
  const it = await visit(browser, { size, who });
  await it.page.getByText('3 of 3 AI playlists left').waitFor();
  return { ...it, who };
}

async function wish(page: Page, { save = true } = {}): Promise<void> {
  await page.getByLabel('Your wish').fill('a cozy rainy evening');
  await page.getByLabel('Length').fill('3');
  await page.getByLabel('Save it to my playlists').setChecked(save);
  await page.getByRole('button', { name: 'Make my playlist' }).click();
}

const isReady = (page: Page) => page.getByRole('heading', { level: 1, name: 'Rainy evening' }).waitFor();

for (const [name, size] of [
  ['desktop', DESKTOP],
  ['phone', PHONE],
] as const) {
  test(`on a ${name}, tracks appear one by one, nothing moves, and the playlist is saved`, async () => {
    const { page, who, end } = await atTheComposer(size);
    await modelTakes(900, 250);
    await page.evaluate(() => {
      const kept = Object.assign(globalThis, { moves: [] as string[], counts: [] as number[] });
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries() as Shift[]) {
          const what = entry.sources.map(({ node }) => (node instanceof Element ? node.outerHTML : node?.textContent)).join();
          if (!entry.hadRecentInput) kept.moves.push(`${entry.value}: ${what}`);
        }
      }).observe({ type: 'layout-shift' });
      new MutationObserver(() => {
        const count = document.querySelectorAll('.track:not(.track-waiting)').length;
        if (kept.counts.at(-1) !== count) kept.counts.push(count);
      }).observe(document.body, { childList: true, subtree: true });
    });
    await wish(page);
    await page.getByText('Thinking of songs').waitFor();
    assert.equal(await page.locator('.track-waiting').count(), 3);
    await page.getByText(/^[12] of 3$/).waitFor();
    assert.equal(await page.getByRole('progressbar', { name: 'Tracks found' }).getAttribute('max'), '3');
    await shot(page, `running-${name}`);
    await isReady(page);
    assert.deepEqual((await tracksOn(page)).sort(), FOUND);
    await page.getByRole('status').filter({ hasText: 'Rainy evening is ready: 3 tracks.' }).waitFor({ state: 'attached' });
    const { moves, counts } = await page.evaluate(() => {
      const { moves, counts } = globalThis as unknown as { moves: string[]; counts: number[] };
      return { moves, counts };
    });
    assert.deepEqual(moves, [], 'layout shifts');
    assert.deepEqual(counts, [0, 1, 2, 3].slice(counts[0] === 0 ? 0 : 1));
    const shown = await tracksOn(page);
    await page.getByRole('link', { name: 'Open it' }).click();
    await page.getByRole('button', { name: 'Export to Spotify' }).waitFor();
    assert.deepEqual(await tracksOn(page), shown);
    assert.deepEqual(await titlesOf(who, page.url().split('/').at(-1) ?? ''), shown);
    await end();
  });
}

test('a generation is cancelled at any time, costs nothing, and the wish is still there', async () => {
  const { page, who, end } = await atTheComposer();
  await modelTakes(30_000, 10);
  await wish(page);
  await page.getByText('Thinking of songs').waitFor();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByText('Cancelled. Nothing was used up.').waitFor();
  assert.equal(await page.getByLabel('Your wish').inputValue(), 'a cozy rainy evening');
  // The function notices by itself that nobody listens, and lets the slot go.
  for (;;) {
    const { data } = await who.supabase.rpc('usage');
    if ((data as { ai: { used: number } }).ai.used === 0) break;
  }
  await end();
});

test('a generation that is cancelled once enough was there counts, and what was found is offered, also after a reload', async () => {
  const { page, who, end } = await atTheComposer();
  await modelTakes(0, 1_500);
  await wish(page);
  // Of three, one is enough.
  await page.locator('.track:not(.track-waiting)').first().waitFor();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByText('Cancelled. It counts as one AI playlist, for enough of it was there.').waitFor();
  await page.reload();
  await page.getByRole('button', { name: 'Get my playlist' }).click();
  // The model had not named it yet.
  await page.getByRole('heading', { level: 1, name: 'a cozy rainy evening' }).waitFor();
  assert.equal((await tracksOn(page))[0], FOUND[0]);
  const { data } = await who.supabase.rpc('usage');
  assert.equal((data as { ai: { used: number } }).ai.used, 1);
  await end();
});

test('the options that were chosen are sent', async () => {
  const { page, end } = await atTheComposer();
  await modelTakes(0, 0);
  await page.getByText('More options').click();
  await page.getByLabel('Released from').fill('1990');
  await page.getByLabel('until').fill('1999');
  await page.getByLabel('Leave out these artists').fill('Ed Sheeran, Adele');
  await page.getByLabel('Explicit lyrics are fine').uncheck();
  const sent = page.waitForRequest('**/functions/v1/ai-playlist');
  await wish(page, { save: false });
  const { era, exclude_artists, allow_explicit, target_count, save } = (await sent).postDataJSON();
  assert.deepEqual([era, exclude_artists, allow_explicit, target_count, save], [{ from: 1990, to: 1999 }, ['Ed Sheeran', 'Adele'], false, 3, false]);
  await page.getByRole('button', { name: 'New playlist' }).waitFor();
  await end();
});

test('a year that cannot be is said at the field, and nothing is sent', async () => {
  const { page, end } = await atTheComposer();
  await page.getByText('More options').click();
  await page.getByLabel('Released from').fill('2005');
  await page.getByLabel('until').fill('1999');
  await wish(page);
  await page.getByText('The first year must not be after the last one.').waitFor();
  await end();
});

test('a result that is not saved yet survives a reload, and is saved under the name that it is given', async () => {
  const { page, who, end } = await atTheComposer();
  await modelTakes(0, 0);
  await wish(page, { save: false });
  await isReady(page);
  await page.getByText('Not saved yet').waitFor();
  await page.reload();
  await isReady(page);
  await page.getByRole('button', { name: 'New playlist' }).click();
  await page.getByText('This playlist is not saved yet.').waitFor();
  await page.getByRole('button', { name: 'Keep it' }).click();
  const shown = await tracksOn(page);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByLabel('Name').fill('Window seat');
  await page.getByRole('dialog').getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Saved', { exact: true }).waitFor();
  await page.getByRole('link', { name: 'Open it' }).click();
  await page.getByRole('heading', { name: 'Window seat' }).waitFor();
  assert.deepEqual(await titlesOf(who, page.url().split('/').at(-1) ?? ''), shown);
  await end();
});

test('one track is swapped without using up a generation', async () => {
  const { page, who, end } = await atTheComposer();
  await modelTakes(0, 0);
  await wish(page);
  await isReady(page);
  const before = await tracksOn(page);
  await page.getByRole('button', { name: `Swap ${before[1]} for` }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Artist').fill('Coldplay');
  await dialog.getByRole('button', { name: 'Search' }).click();
  const use = dialog.getByRole('button', { name: /^Use .*Yellow/ }).first();
  const title = String(await use.getAttribute('aria-label')).slice('Use '.length);
  await use.click();
  await page.getByText(`${title} is in now.`).waitFor();
  const after = await tracksOn(page);
  assert.deepEqual(after, before.with(1, title));
  await page.getByRole('link', { name: 'Open it' }).click();
  await page.getByRole('button', { name: 'Export to Spotify' }).waitFor();
  assert.deepEqual(await tracksOn(page), after);
  const { data } = await who.supabase.rpc('usage');
  assert.equal((data as { ai: { used: number } }).ai.used, 1);
  await end();
});

test('a result is refined: what there was goes along, and the new one takes its place', async () => {
  const { page, end } = await atTheComposer();
  await modelTakes(0, 0);
  await wish(page);
  await isReady(page);
  await page.getByRole('button', { name: 'calmer' }).click();
  const sent = page.waitForRequest('**/functions/v1/ai-playlist');
  await page.getByRole('button', { name: 'Refine' }).click();
  const { prompt, refine } = (await sent).postDataJSON();
  assert.equal(prompt, 'a cozy rainy evening');
  assert.equal(refine.instruction, 'calmer');
  assert.deepEqual(refine.previous.map((song: { title: string }) => song.title).sort(), FOUND);
  await page.getByRole('heading', { level: 1, name: /^Mood/ }).waitFor();
  assert.equal(await page.getByLabel('What should be different').inputValue(), '');
  await end();
});

test('a refinement that fails leaves the playlist and the words as they were', async () => {
  const { page, end } = await atTheComposer();
  await modelTakes(0, 0);
  await wish(page);
  await isReady(page);
  await control('llm', 'PUT', 'faults', [{ path_prefix: '/v1', status: 500 }]);
  await page.getByLabel('What should be different').fill('much calmer');
  await page.getByRole('button', { name: 'Refine' }).click();
  await says(page, 'The language model is not available.');
  assert.deepEqual((await tracksOn(page)).sort(), FOUND);
  assert.equal(await page.getByLabel('What should be different').inputValue(), 'much calmer');
  await end();
});

test('a playlist whose answer was lost on the way is brought back, and paid for once', async () => {
  const { page, who, end } = await atTheComposer();
  await modelTakes(0, 0);
  await page.route(
    '**/functions/v1/ai-playlist',
    async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: (await response.text()).split('event: done')[0] });
    },
    { times: 1 },
  );
  await wish(page);
  await page.getByText('The connection was lost while your playlist was being made.').waitFor();
  // As somebody does who does not trust the page any more.
  await page.reload();
  await page.getByRole('button', { name: 'Get my playlist' }).click();
  await isReady(page);
  assert.deepEqual((await tracksOn(page)).sort(), FOUND);
  const { data } = await who.supabase.rpc('usage');
  assert.equal((data as { ai: { used: number } }).ai.used, 1);
  await end();
});

test('without a network the page says so and goes on when there is one', async () => {
  const { page, context, end } = await atTheComposer();
  await modelTakes(0, 0);
  await context.setOffline(true);
  await wish(page);
  await page.getByText('The connection was lost while your playlist was being made.').waitFor();
  await context.setOffline(false);
  await page.getByRole('button', { name: 'Get my playlist' }).click();
  await isReady(page);
  await end();
});

test('a wish that is not about music is answered with examples that can be taken', async () => {
  const { page, end } = await atTheComposer();
  const reply = { kind: 'refusal', language: 'en', name: '', description: '', summary: '', tracks: [] };
  await control('llm', 'PUT', 'script', { reply });
  await wish(page);
  await says(page, 'That does not sound like a wish for music.');
  const example = page.getByRole('alert').getByRole('listitem').first();
  const text = await example.innerText();
  await example.getByRole('button').click();
  assert.equal(await page.getByLabel('Your wish').inputValue(), text);
  await end();
});

test('a failure says what happened, what to do, and how support finds it', async () => {
  const { page, end } = await atTheComposer();
  await control('llm', 'PUT', 'faults', [{ path_prefix: '/v1', status: 500 }]);
  const answered = page.waitForResponse('**/functions/v1/ai-playlist');
  await wish(page);
  const alert = page.getByRole('alert');
  await alert.getByText('The language model is not available. Nothing was used up.').waitFor();
  await alert.getByText('Details for support').click();
  await alert.getByText('llm_unavailable').waitFor();
  await alert.getByText((await answered).headers()['x-request-id'] ?? 'no id').waitFor();
  await resetSimulators();
  await modelTakes(0, 0);
  await alert.getByRole('button', { name: 'Try again' }).click();
  await isReady(page);
  await end();
});

test('who has used up the plan is told when the next one is free, and where to upgrade', async () => {
  const { page, who, end } = await atTheComposer();
  for (let n = 0; n < 3; n += 1) await generated(who, 1);
  await wish(page);
  await page.getByText('Your AI playlists are used up for now.').waitFor();
  await page.getByText('Trying again may help in 30 days.').waitFor();
  await page.getByText(/0 of 3 AI playlists left; the next one is free on \d/).waitFor();
  await page.getByRole('button', { name: 'Upgrade to Pro' }).click();
  await page.getByText('3 of 3 used').waitFor();
  await end();
});

test('a session that ends meanwhile is renewed, and one that cannot be renewed asks to sign in with everything kept', async () => {
  const { page, who, end } = await atTheComposer();
  await modelTakes(0, 0);
  const refused = { code: 'token_expired', message: 'Your session has expired. Sign in again.', request_id: crypto.randomUUID() };
  await page.route('**/functions/v1/ai-playlist', (route) => route.fulfill({ status: 401, json: refused }), { times: 1 });
  await wish(page, { save: false });
  await isReady(page);
  await page.getByRole('button', { name: 'New playlist' }).click();
  await page.getByRole('button', { name: 'Let it go' }).click();

  await page.route('**/functions/v1/ai-playlist', (route) => route.fulfill({ status: 401, json: refused }));
  await page.route('**/auth/v1/token*grant_type=refresh_token*', (route) =>
    route.fulfill({ status: 400, json: { error_code: 'refresh_token_not_found', msg: 'Invalid Refresh Token' } }),
  );
  await page.getByRole('button', { name: 'Make my playlist' }).click();
  await says(page, 'Your session has expired.');
  await page.unrouteAll();
  await signIn(page, who.email);
  await goTo(page, '');
  assert.equal(await page.getByLabel('Your wish').inputValue(), 'a cozy rainy evening');
  await end();
});

test('a result is shown to whom it belongs, and not to who signs in next', async () => {
  const { page, who, end } = await atTheComposer();
  await modelTakes(0, 0);
  await wish(page, { save: false });
  await isReady(page);
  // As when a session has ended by itself: nobody has signed out.
  const forgetSession = () => page.evaluate(() => localStorage.removeItem('sound-whiskers.session'));
  await forgetSession();
  await page.reload();
  await page.getByText('Sign in first.').waitFor();
  await signIn(page, who.email);
  await goTo(page, '');
  await isReady(page);
  await forgetSession();
  await page.reload();
  await signIn(page, (await listener()).email);
  await goTo(page, '');
  await page.getByText('3 of 3 AI playlists left').waitFor();
  await end();
});
