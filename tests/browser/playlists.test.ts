// A listener's playlists: finding, naming, deleting and getting them back, and what is in them.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { launch } from './browser.ts';
import type { Listener, Visit } from './support.ts';
import { control, DESKTOP, generated, goTo, listener, PHONE, playlistOf, resetSimulators, says, titlesOf, tracksOn, visit } from './support.ts';

let browser: Browser;
before(async () => {
  browser = await launch();
});
beforeEach(resetSimulators);
after(() => browser?.close());

const SIZES = [
  ['desktop', DESKTOP],
  ['phone', PHONE],
] as const;
const IN_ORDER = ['Whisky', 'Falling Slowly', 'Yellow', 'Someone Like You'];

async function atPlaylists(size = DESKTOP): Promise<Visit & { who: Listener }> {
  const who = await listener();
  const it = await visit(browser, { size, who });
  await it.page.getByText('3 of 3 AI playlists left').waitFor();
  return { ...it, who };
}

async function atPlaylist(size = DESKTOP): Promise<Visit & { who: Listener; id: string }> {
  const it = await atPlaylists(size);
  const id = await playlistOf(it.who, 'Sunday');
  await goTo(it.page, `playlists/${id}`);
  await it.page.getByRole('heading', { name: 'Sunday' }).waitFor();
  return { ...it, id };
}

/** What the page shows is what the database has, as soon as it has been told. */
async function inOrder(page: Page, who: Listener, id: string, titles: string[]): Promise<void> {
  assert.deepEqual(await tracksOn(page), titles);
  while ((await titlesOf(who, id)).join() !== titles.join());
}

for (const [name, size] of SIZES) {
  test(`on a ${name}, a playlist is created, found, described, deleted, and got back`, async () => {
    const { page, who, end } = await atPlaylists(size);
    await goTo(page, 'playlists');
    await page.getByRole('heading', { name: 'No playlists yet' }).waitFor();
    await page.getByRole('button', { name: 'New playlist' }).click();
    await page.getByLabel('Name').fill('  Tram ride ');
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByRole('heading', { name: 'Tram ride' }).waitFor();
    await page.getByText('Nothing in here yet').waitFor();

    await page.getByRole('button', { name: 'Edit details' }).click();
    await page.getByLabel('Name').fill('Night tram');
    await page.getByLabel('Description').fill('Line 4, last one');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'Night tram' }).waitFor();

    await playlistOf(who, 'Sunday');
    await page.getByRole('link', { name: 'All playlists' }).click();
    await page.getByText('4 tracks').waitFor();
    await page.getByLabel('Search your playlists').fill('LINE 4');
    await page.getByRole('link', { name: 'Sunday' }).waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'Night tram' }).waitFor();
    await page.getByLabel('Search your playlists').fill('polka');
    await page.getByText('Nothing here is called “polka”.').waitFor();
    await page.getByLabel('Search your playlists').fill('');

    await page.getByRole('button', { name: 'Delete: Sunday' }).click();
    await page.getByText('Sunday was deleted.').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('link', { name: 'Sunday' }).waitFor();
    await page.getByRole('link', { name: 'Sunday' }).click();
    await page.getByRole('heading', { level: 1, name: 'Sunday' }).waitFor();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByText('Recently deleted (1)').click();
    await page.getByRole('button', { name: 'Restore Sunday' }).click();
    await page.getByText('Sunday is back.').waitFor();
    await page.getByRole('link', { name: 'Sunday' }).click();
    await page.getByText('Whisky').first().waitFor();
    assert.deepEqual(await tracksOn(page), IN_ORDER);
    await end();
  });

  test(`on a ${name}, a track is dragged to its place`, async () => {
    const { page, who, id, end } = await atPlaylist(size);
    const box = async (at: number) => (await page.locator('.grip').nth(at).boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    const [from, to] = [await box(0), await box(2)];
    const middle = (it: typeof from) => [it.x + it.width / 2, it.y + it.height / 2] as const;
    await page.mouse.move(...middle(from));
    await page.mouse.down();
    await page.mouse.move(...middle(await box(1)), { steps: 4 });
    await page.mouse.move(...middle(to), { steps: 4 });
    await page.mouse.up();
    await inOrder(page, who, id, ['Falling Slowly', 'Yellow', 'Whisky', 'Someone Like You']);
    await end();
  });
}

test('in a long playlist, the window goes along with a track that is dragged to its end', async () => {
  const { page, who, end } = await atPlaylists(PHONE);
  const id = await generated(who, 20);
  await goTo(page, `playlists/${id}`);
  await page.locator('.grip').nth(19).waitFor();
  const titles = await tracksOn(page);
  const box = await page.locator('.grip').first().boundingBox();
  assert.ok(box);
  await page.mouse.move(box.x + 8, box.y + 8);
  await page.mouse.down();
  await page.mouse.move(box.x + 8, PHONE.height - 20, { steps: 4 });
  await page.waitForFunction(() => innerHeight + scrollY >= document.documentElement.scrollHeight - 1);
  await page.mouse.up();
  await page.getByRole('button', { name: `Move ${titles[0]}, 20 of 20` }).waitFor();
  await inOrder(page, who, id, [...titles.slice(1), String(titles[0])]);
  await end();
});

test('a name that is taken is said, and what was typed is still there after a reload', async () => {
  const { page, who, end } = await atPlaylists();
  await playlistOf(who, 'Sunday', 1);
  await goTo(page, 'playlists');
  await page.getByRole('button', { name: 'New playlist' }).click();
  await page.getByLabel('Name').fill('sunday');
  await page.getByLabel('Description').fill('another one');
  await page.getByRole('button', { name: 'Create' }).click();
  await says(page, 'You already have a playlist with this name.');
  await page.reload();
  await page.getByRole('button', { name: 'New playlist' }).click();
  assert.deepEqual([await page.getByLabel('Name').inputValue(), await page.getByLabel('Description').inputValue()], ['sunday', 'another one']);
  await end();
});

test('tracks are moved by keyboard alone, and each move is said', async () => {
  const { page, who, id, end } = await atPlaylist();
  await page.getByRole('button', { name: 'Move Whisky, 1 of 4' }).focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.getByText('Whisky is now 3 of 4.').waitFor({ state: 'attached' });
  await page.keyboard.press('End');
  await page.keyboard.press('ArrowDown');
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('aria-label')), 'Move Whisky, 4 of 4');
  await page.keyboard.press('ArrowUp');
  await inOrder(page, who, id, ['Falling Slowly', 'Yellow', 'Whisky', 'Someone Like You']);
  await page.keyboard.press('Home');
  await inOrder(page, who, id, IN_ORDER);
  await end();
});

test('a move that the server refuses is taken back and said', async () => {
  const { page, who, id, end } = await atPlaylist();
  await page.route('**/rest/v1/rpc/move_track', (route) =>
    route.fulfill({ status: 503, json: { code: 'PGRST001', message: 'away', details: null, hint: null } }),
  );
  await page.getByRole('button', { name: 'Move Whisky, 1 of 4' }).focus();
  await page.keyboard.press('End');
  await says(page, 'Our database does not answer.');
  await inOrder(page, who, id, IN_ORDER);
  await end();
});

test('a track is removed, and undone it is where it was', async () => {
  const { page, who, id, end } = await atPlaylist();
  await page.getByRole('button', { name: 'Remove Falling Slowly' }).click();
  await page.getByText('Falling Slowly was removed.').waitFor();
  await inOrder(page, who, id, ['Whisky', 'Yellow', 'Someone Like You']);
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByRole('button', { name: 'Remove Falling Slowly' }).waitFor();
  await inOrder(page, who, id, IN_ORDER);
  await end();
});

test('tracks are found in the catalogue, added and swapped', async () => {
  const { page, who, id, end } = await atPlaylist();
  await page.getByRole('button', { name: 'Add tracks' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Title').fill('Karma Police');
  await page.keyboard.press('Enter');
  await dialog.getByRole('button', { name: 'Add Karma Police', exact: true }).first().click();
  await page.getByText('Karma Police was added.').waitFor();
  await dialog.getByText('In it').first().waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await inOrder(page, who, id, [...IN_ORDER, 'Karma Police']);

  await page.getByRole('button', { name: 'Swap Someone Like You for' }).click();
  await dialog.getByLabel('Artist').fill('Nirvana');
  await dialog.getByLabel('Title').fill('Come as You Are');
  await dialog.getByRole('button', { name: 'Search' }).click();
  await dialog.getByRole('button', { name: 'Use Come as You Are', exact: true }).first().click();
  await dialog.waitFor({ state: 'detached' });
  await inOrder(page, who, id, ['Whisky', 'Falling Slowly', 'Yellow', 'Come as You Are', 'Karma Police']);
  await end();
});

test('a search that finds nothing, and one that fails, say so and keep the words', async () => {
  const { page, end } = await atPlaylist();
  await page.getByRole('button', { name: 'Add tracks' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Title').fill('qqqzzzxxx');
  await page.keyboard.press('Enter');
  await dialog.getByText('Nothing was found.').waitFor();
  await control('spotify', 'PUT', 'faults', [{ path_prefix: '/v1/search', status: 500 }]);
  await page.keyboard.press('Enter');
  await says(page, 'Spotify does not answer properly.');
  assert.equal(await dialog.getByLabel('Title').inputValue(), 'qqqzzzxxx');
  await end();
});

test('every track leads to Spotify, in a window of its own', async () => {
  const { page, end } = await atPlaylist();
  await page.getByText('Tracks and artists from Spotify').waitFor();
  const link = page.getByRole('link', { name: 'Play Whisky on Spotify' });
  const [href, ...window] = await Promise.all(['href', 'target', 'rel'].map((name) => link.getAttribute(name)));
  assert.match(href ?? '', /^https:\/\/open\.spotify\.com\/track\/\w{22}$/);
  assert.deepEqual(window, ['_blank', 'noopener noreferrer']);
  await end();
});

test('a playlist of somebody else is not there', async () => {
  const other = await listener();
  const id = await playlistOf(other, 'Not yours', 1);
  const { page, end } = await atPlaylists();
  await goTo(page, `playlists/${id}`);
  await says(page, 'This playlist is not here any more.');
  await end();
});

test('a name is text, whatever is in it', async () => {
  const { page, who, end } = await atPlaylists();
  const name = '<img src=x onerror="document.title=1"> & "friends"';
  await playlistOf(who, name, 1);
  await goTo(page, 'playlists');
  await page.getByRole('link', { name }).click();
  await page.getByRole('heading', { name }).waitFor();
  assert.equal(await page.locator('main img').count(), 0);
  await end();
});

test('where a deleted playlist cannot be got back, the reason is said', async () => {
  const { page, who, end } = await atPlaylists();
  const id = await playlistOf(who, 'Sunday', 1);
  await goTo(page, `playlists/${id}`);
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByText('Sunday was deleted.').waitFor();
  await playlistOf(who, 'Sunday', 1);
  await page.getByRole('button', { name: 'Undo' }).click();
  await says(page, 'You already have a playlist with this name. Choose another name.');
  await end();
});
