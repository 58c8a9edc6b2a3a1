// A user's playlists: finding, naming, editing, deleting and restoring them.

import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import type { Page } from "playwright-core";
import { launch } from "./browser.ts";
import { choose, goTo, keepsFocus, says, tracksOn } from "./page.ts";
import type { Listener, Visit } from "./support.ts";
import { arrival, control, DESKTOP, generated, PHONE, playlistOf, ready, resetSimulators, SIZES, titlesOf, visit } from "./support.ts";

const browser = await launch();
beforeEach(resetSimulators);
after(() => browser.close());

const IN_ORDER = ["Whisky", "Falling Slowly", "Yellow", "Someone Like You"];

const atPlaylists = (size = DESKTOP) => arrival(browser, "", { size });

async function atPlaylist(size = DESKTOP): Promise<Visit & { who: Listener; id: string }> {
  const it = await atPlaylists(size);
  const id = await playlistOf(it.who, "Sunday");
  await goTo(it.page, `playlists/${id}`);
  await it.page.getByRole("heading", { name: "Sunday" }).waitFor();
  return { ...it, id };
}

/** Waits until the database has the tracks that the page shows. */
async function inOrder(page: Page, who: Listener, id: string, titles: string[]): Promise<void> {
  assert.deepEqual(await tracksOn(page), titles);
  while ((await titlesOf(who, id)).join() !== titles.join());
}

for (const [name, size] of SIZES) {
  test(`on a ${name}, a playlist is created, found, described, deleted and restored`, async () => {
    const { page, who } = await atPlaylists(size);
    await goTo(page, "playlists");
    await page.getByRole("heading", { name: "No playlists yet" }).waitFor();
    await page.getByRole("button", { name: "Start empty" }).click();
    await page.getByLabel("Name").fill("  Tram ride ");
    await page.getByRole("button", { name: "Create" }).click();
    await page.getByRole("heading", { name: "Tram ride" }).waitFor();
    await page.getByText("No songs yet").waitFor();

    await choose(page, "this playlist", "Edit details");
    await page.getByLabel("Name").fill("Night tram");
    await page.getByLabel("Description").fill("Line 4, last one");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { name: "Night tram" }).waitFor();

    await playlistOf(who, "Sunday");
    await page.getByRole("link", { name: "Library" }).click();
    await page.getByText(/^4 songs/).waitFor();
    await page.getByLabel("Search your playlists").fill("LINE 4");
    await page.getByRole("link", { name: "Sunday" }).waitFor({ state: "detached" });
    await page.getByRole("link", { name: "Night tram" }).waitFor();
    await page.getByLabel("Search your playlists").fill("polka");
    await page.getByText("Nothing here is called “polka”.").waitFor();
    await page.getByLabel("Search your playlists").fill("");

    await choose(page, "Sunday", "Delete");
    await page.getByText("Sunday was deleted.").waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByRole("link", { name: "Sunday" }).waitFor();
    await page.getByRole("link", { name: "Sunday" }).click();
    await page.getByRole("heading", { level: 1, name: "Sunday" }).waitFor();
    await choose(page, "this playlist", "Delete");
    await page.getByText("Recently deleted (1)").click();
    await page.getByRole("button", { name: "Restore Sunday" }).click();
    await page.getByText("Sunday is back.").waitFor();
    await page.getByRole("link", { name: "Sunday" }).click();
    await page.getByText("Whisky").first().waitFor();
    assert.deepEqual(await tracksOn(page), IN_ORDER);
  });

  test(`on a ${name}, a track is dragged to its place`, async () => {
    const { page, who, id } = await atPlaylist(size);
    const box = async (at: number) => (await page.locator(".grip").nth(at).boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    const [from, to] = [await box(0), await box(2)];
    const middle = (it: typeof from) => [it.x + it.width / 2, it.y + it.height / 2] as const;
    await page.mouse.move(...middle(from));
    await page.mouse.down();
    await page.mouse.move(...middle(await box(1)), { steps: 4 });
    await page.mouse.move(...middle(to), { steps: 4 });
    await page.mouse.up();
    await inOrder(page, who, id, ["Falling Slowly", "Yellow", "Whisky", "Someone Like You"]);
  });
}

test("a long playlist scrolls while a track is dragged to its end", async () => {
  const { page, who } = await atPlaylists(PHONE);
  const id = await generated(who, 20);
  await goTo(page, `playlists/${id}`);
  await page.locator(".grip").nth(19).waitFor();
  const titles = await tracksOn(page);
  const box = await page.locator(".grip").first().boundingBox();
  assert.ok(box);
  await page.mouse.move(box.x + 8, box.y + 8);
  await page.mouse.down();
  await page.mouse.move(box.x + 8, PHONE.height - 20, { steps: 4 });
  await page.waitForFunction(() => (document.querySelector(".track-item:last-child")?.getBoundingClientRect().bottom ?? 1e9) < innerHeight / 2);
  await page.mouse.up();
  await page.getByRole("button", { name: `Move ${titles[0]}, 20 of 20` }).waitFor();
  await inOrder(page, who, id, [...titles.slice(1), String(titles[0])]);
});

test("a name in use is reported, and the input survives a reload", async () => {
  const { page, who } = await atPlaylists();
  await playlistOf(who, "Sunday", 1);
  await goTo(page, "playlists");
  await page.getByRole("button", { name: "Start empty" }).click();
  await page.getByLabel("Name").fill("sunday");
  await page.getByLabel("Description").fill("another one");
  await page.getByRole("button", { name: "Create" }).click();
  await says(page, "You already have a playlist with this name.");
  await page.reload();
  await page.getByRole("button", { name: "Start empty" }).click();
  assert.deepEqual([await page.getByLabel("Name").inputValue(), await page.getByLabel("Description").inputValue()], ["sunday", "another one"]);
});

test("tracks are moved by keyboard alone, and each move is announced", async () => {
  const { page, who, id } = await atPlaylist();
  await page.getByRole("button", { name: "Move Whisky, 1 of 4" }).focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.getByText("Whisky is now 3 of 4.").waitFor({ state: "attached" });
  await page.keyboard.press("End");
  await page.keyboard.press("ArrowDown");
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("aria-label")), "Move Whisky, 4 of 4");
  await page.keyboard.press("ArrowUp");
  await inOrder(page, who, id, ["Falling Slowly", "Yellow", "Whisky", "Someone Like You"]);
  await page.keyboard.press("Home");
  await inOrder(page, who, id, IN_ORDER);
});

test("tracks are found in the catalogue and added", async () => {
  const { page, who, id } = await atPlaylist();
  await page.getByRole("button", { name: "Add songs" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Title").fill("Karma Police");
  await page.keyboard.press("Enter");
  await dialog.getByRole("button", { name: "Add Karma Police", exact: true }).first().click();
  await page.getByText("Karma Police was added.").waitFor();
  await dialog.getByText("Already here").first().waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await inOrder(page, who, id, [...IN_ORDER, "Karma Police"]);
});

test("an empty search and a failed one are reported and keep the words", async () => {
  const { page } = await atPlaylist();
  await page.getByRole("button", { name: "Add songs" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Title").fill("qqqzzzxxx");
  await page.keyboard.press("Enter");
  await dialog.getByText("Nothing was found.").waitFor();
  await control("spotify", "PUT", "faults", [{ path_prefix: "/v1/search", status: 500 }]);
  await page.keyboard.press("Enter");
  await says(page, "Spotify does not respond properly.");
  assert.equal(await dialog.getByLabel("Title").inputValue(), "qqqzzzxxx");
});

test("a search while Spotify is busy says that it lists only recent results", async () => {
  const { page } = await atPlaylist();
  const headers = { "Access-Control-Allow-Origin": "*" };
  await page.route(/spotify-search/, (route) => route.fulfill({ headers, json: { tracks: [], is_partial: true } }));
  await page.getByRole("button", { name: "Add songs" }).click();
  await page.getByRole("dialog").getByLabel("Title").fill("Karma Police");
  await page.keyboard.press("Enter");
  await says(page, "Spotify is busy: only songs found lately are listed.");
});

test("a name with markup is shown as text", async () => {
  const { page, who } = await atPlaylists();
  const name = '<img src=x onerror="document.title=1"> & "friends"';
  await playlistOf(who, name, 1);
  await goTo(page, "playlists");
  await page.getByRole("link", { name }).click();
  await page.getByRole("heading", { name }).waitFor();
  assert.equal(await page.locator("main img").count(), 0);
});

test("a deleted playlist that cannot be restored shows the reason", async () => {
  const { page, who } = await atPlaylists();
  const id = await playlistOf(who, "Sunday", 1);
  await goTo(page, `playlists/${id}`);
  await choose(page, "this playlist", "Delete");
  await page.getByText("Sunday was deleted.").waitFor();
  await playlistOf(who, "Sunday", 1);
  await page.getByRole("button", { name: "Undo" }).click();
  await says(page, "You already have a playlist with this name. Choose another name.");
});

const EDITS = [
  ["a move", async (page: Page) => choose(page, "Falling Slowly", "Move up"), ["Falling Slowly", "Whisky", "Yellow", "Someone Like You"]],
  ["a removal", async (page: Page) => choose(page, "Falling Slowly", "Remove"), ["Whisky", "Yellow", "Someone Like You"]],
] as const;

/** Chooses a song in the open dialog, and closes it. */
async function take(page: Page, button: string): Promise<void> {
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Artist").fill("Radiohead");
  await page.keyboard.press("Enter");
  await dialog.getByRole("button", { name: button, exact: true }).click();
  await page.getByRole("button", { name: "Undo" }).waitFor();
  if (await dialog.isVisible()) await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
}
const add = async (page: Page) => {
  await page.getByRole("button", { name: "Add songs" }).click();
  await take(page, "Add Karma Police");
};
const swap = async (page: Page) => {
  await choose(page, "Whisky", "Swap");
  // The dialog searches for this by itself.
  await page.getByRole("dialog").getByText("Already here").first().waitFor();
  await take(page, "Use Karma Police");
};
const IN_A_DIALOG = [
  ["an addition", add, [...IN_ORDER, "Karma Police"]],
  ["a swap", swap, ["Karma Police", ...IN_ORDER.slice(1)]],
] as const;

for (const [what, edit, edited] of [...EDITS, ...IN_A_DIALOG]) {
  test(`${what} is undone by its toast and by Ctrl+Z, redone by Ctrl+Shift+Z, and never loses the focus`, async () => {
    const { page, who, id } = await atPlaylist();
    const [byToast, byKey] = [() => page.getByRole("button", { name: "Undo" }).click(), () => page.keyboard.press("Control+z")];
    for (const undo of [byToast, byKey]) {
      await edit(page);
      await keepsFocus(page, what);
      await inOrder(page, who, id, [...edited]);
      await undo();
      await page.getByRole("button", { name: "Undo" }).waitFor({ state: "detached" });
      await keepsFocus(page, "undo");
      await inOrder(page, who, id, IN_ORDER);
    }
    await page.keyboard.press("Control+Shift+z");
    await inOrder(page, who, id, [...edited]);
    await byKey();
    await inOrder(page, who, id, IN_ORDER);
  });
}

const away = { status: 503, json: { code: "PGRST001", message: "away" } };
const refuse = (page: Page, is: boolean) => (is ? page.route("**/rest/v1/rpc/**", (route) => route.fulfill(away)) : page.unrouteAll());
const FAILURES = [
  ["the server refuses", refuse, "Our database does not respond."],
  ["is made offline", (page: Page, is: boolean) => page.context().setOffline(is), "You are offline."],
] as const;

for (const [[what, edit, edited], [why, fail, said]] of [
  [EDITS[0], FAILURES[0]],
  [EDITS[1], FAILURES[1]],
] as const) {
  test(`${what} that ${why} is reverted, reported at its row, and can be retried; nothing else is lost`, async () => {
    const { page, who, id } = await atPlaylist();
    await fail(page, true);
    await edit(page);
    const row = page.getByRole("listitem").filter({ hasText: "Falling Slowly" });
    await row.getByText(`This change is not saved. ${said}`).waitFor();
    assert.equal(await page.getByRole("button", { name: "Undo" }).count(), 0);
    await inOrder(page, who, id, IN_ORDER);
    await fail(page, false);
    await row.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("alert").waitFor({ state: "detached" });
    await inOrder(page, who, id, [...edited]);
  });
}

test("an edit that fails after its playlist was left is reported there, and waits at its row", async () => {
  const { page, who, id } = await atPlaylist();
  const { promise: left, resolve: leave } = Promise.withResolvers<void>();
  await page.route("**/rest/v1/rpc/remove_tracks", (route) => left.then(() => route.fulfill(away)));
  await choose(page, "Falling Slowly", "Remove");
  await goTo(page, "playlists");
  leave();
  await says(page, "This change is not saved. Our database does not respond.");
  await page.unrouteAll();
  await goTo(page, `playlists/${id}`);
  await page.getByRole("button", { name: "Try again" }).click();
  await inOrder(page, who, id, [...EDITS[1][2]]);
});

test("all songs that are not kept are removed together, and one undo restores them in their places", async () => {
  const { page, who, id } = await atPlaylist();
  await page.getByRole("button", { name: "Keep Falling Slowly" }).click();
  await choose(page, "this playlist", "Remove the others (3)");
  await page.getByText("3 songs were removed.").waitFor();
  await inOrder(page, who, id, ["Falling Slowly"]);
  await page.keyboard.press("Control+z");
  await inOrder(page, who, id, IN_ORDER);
});

test("two removals at once are both undone, whatever the order", async () => {
  const { page, who, id } = await atPlaylist();
  await choose(page, "Whisky", "Remove");
  await choose(page, "Yellow", "Remove");
  await page.locator(".toast", { hasText: "Whisky" }).getByRole("button", { name: "Undo" }).click();
  await page.locator(".toast", { hasText: "Yellow" }).getByRole("button", { name: "Undo" }).click();
  await page.getByText("Yellow", { exact: true }).waitFor();
  await inOrder(page, who, id, IN_ORDER);
});

test("two devices each remove the chosen track, and show the stored list", async () => {
  const one = await atPlaylist();
  const { who, id } = one;
  const two = await visit(browser, { who, url: `${ready.web_url}/#/playlists/${id}` });
  await two.page.getByText("Whisky").first().waitFor();
  await choose(one.page, "Whisky", "Remove");
  await inOrder(one.page, who, id, ["Falling Slowly", "Yellow", "Someone Like You"]);
  await choose(two.page, "Falling Slowly", "Remove");
  await two.page.getByText("Whisky", { exact: true }).waitFor({ state: "detached" });
  await inOrder(two.page, who, id, ["Yellow", "Someone Like You"]);

  // The first device becomes visible again, and then loses a response.
  await one.page.evaluate(() => dispatchEvent(new Event("focus")));
  await one.page.getByText("Falling Slowly", { exact: true }).waitFor({ state: "detached" });
  await inOrder(one.page, who, id, ["Yellow", "Someone Like You"]);
  await one.page.route(
    "**/rest/v1/rpc/move_track",
    async (route) => {
      await route.fetch();
      await route.abort();
    },
    { times: 1 },
  );
  await choose(one.page, "Yellow", "Move down");
  await inOrder(one.page, who, id, ["Someone Like You", "Yellow"]);
  const { version } = (await who.supabase.from("playlists").select("version").eq("id", id).single()).data ?? {};
  assert.equal(version, 4);
  assert.equal(await one.page.getByRole("alert").count(), 0);
});

test("a playlist that was renamed or deleted on another device is shown so when the page becomes visible again", async () => {
  const { page, who, id } = await atPlaylist();
  const changeElsewhere = async (change: { name: string } | { is_deleted: true }) => {
    await who.supabase.from("playlists").update(change).eq("id", id);
    await page.evaluate(() => dispatchEvent(new Event("focus")));
  };
  await changeElsewhere({ name: "Monday" });
  await page.getByRole("heading", { name: "Monday" }).waitFor();
  await changeElsewhere({ is_deleted: true });
  await says(page, "This playlist is not here any more.");
});

test("every track links to Spotify in a new window, and its menu has all actions", async () => {
  const { page } = await atPlaylist(PHONE);
  assert.equal(await page.getByRole("link", { name: "Songs from Spotify" }).getAttribute("href"), "https://open.spotify.com");
  await page.getByRole("button", { name: "More for Whisky" }).click();
  const link = page.getByRole("menuitem", { name: "Open in Spotify" });
  const [href, ...window] = await Promise.all(["href", "target", "rel"].map((name) => link.getAttribute(name)));
  assert.match(href ?? "", /^https:\/\/open\.spotify\.com\/track\/\w{22}$/);
  assert.deepEqual(window, ["_blank", "noopener noreferrer"]);
  await page.getByText(/^Dżem · /).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("menu").waitFor({ state: "detached" });
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("aria-label")), "More for Whisky");
  const [row, words] = await Promise.all([".track", ".track-words"].map((it) => page.locator(it).first().boundingBox()));
  assert.ok((words?.width ?? 0) >= 0.6 * (row?.width ?? 1), `${words?.width} of ${row?.width}`);
  assert.equal(await page.title(), "Sunday – Sound Whiskers");
});

test("the library is sorted by name, and the choice is kept", async () => {
  const { page, who } = await atPlaylists();
  for (const name of ["Zebra", "Ananas", "Moss"]) await playlistOf(who, name, 1);
  await goTo(page, "playlists");
  const names = () => page.locator(".tile h2").allTextContents();
  await page.getByText("Moss").waitFor();
  assert.equal((await names())[0], "Moss");
  await page.getByLabel("Order").selectOption("By name");
  await page.reload();
  await page.getByText("Moss").waitFor();
  assert.deepEqual(await names(), ["Ananas", "Moss", "Zebra"]);
});
