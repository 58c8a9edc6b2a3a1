// Refining a playlist: kept songs, other songs, its versions, and earlier prompts.

import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import type { Page } from "playwright-core";
import { launch } from "./browser.ts";
import { choose, goTo, isAccessible, keepsFocus, says, shot, tracksOn, wish } from "./page.ts";
import { arrival, control, DESKTOP, generated, PHONE, playlistOf, resetSimulators, SIZES, titlesOf, usedBy } from "./support.ts";

const browser = await launch();
beforeEach(resetSimulators);
after(async () => {
  await browser.close();
  await resetSimulators();
});

const KEPT = "Keep Falling Slowly";
const NEW = [
  ["Nirvana", "Come as You Are", "Slow and heavy like the rain"],
  ["Radiohead", "Karma Police", ""],
  ["The Beatles", "Let It Be", "A piano that comforts"],
  ["Dżem", "Whisky", ""],
] as const;

/** Makes the model suggest these songs next. */
async function suggests(titles: string[]): Promise<void> {
  const songs = NEW.filter(([, title]) => titles.includes(title)).map(([artist, title, why]) => ({ artist, title, year: 0, why }));
  const reply = { kind: "playlist", language: "en", tracks: songs, name: "Rainy evening", description: "d", summary: "s" };
  await control("llm", "PUT", "script", [{ reply, first_token_ms: 0, chunk_chars: 400, chunk_ms: 0 }]);
}

/** A playlist created by the user: Whisky, Falling Slowly, Yellow, Someone Like You. */
async function atPlaylist(size = DESKTOP) {
  const it = await arrival(browser, "", { size });
  const id = await playlistOf(it.who, "Sunday");
  await goTo(it.page, `playlists/${id}`);
  await it.page.getByRole("button", { name: KEPT }).waitFor();
  return { ...it, id };
}

const keep = (page: Page, name = KEPT) => page.getByRole("button", { name, exact: true }).click();

async function refine(page: Page, instruction: string): Promise<void> {
  await page.getByLabel("What should be different").fill(instruction);
  // The button is also shown before the generation begins.
  const answered = page.waitForResponse("**/functions/v1/ai-playlist");
  await page.getByRole("button", { name: "Refine" }).click();
  await (await answered).finished();
  await page.getByRole("button", { name: "Send to Spotify" }).waitFor();
}

for (const [name, size] of SIZES) {
  test(`on a ${name}, kept songs stay in their places while the rest changes, and both versions can be restored`, async () => {
    const { page, who, id } = await atPlaylist(size);
    await keep(page);
    assert.equal(await page.getByRole("button", { name: KEPT }).getAttribute("aria-pressed"), "true");
    await page.reload();
    await page.getByRole("button", { name: KEPT, pressed: true }).waitFor();
    await isAccessible(page, "a kept song");
    await suggests(["Come as You Are", "Karma Police", "Let It Be"]);
    const sent = page.waitForRequest("**/functions/v1/ai-playlist");
    await refine(page, "calmer");
    const changed = ["Come as You Are", "Falling Slowly", "Karma Police", "Let It Be"];
    const { refine: asked, target_count } = (await sent).postDataJSON();
    assert.deepEqual([asked.playlist_id, asked.keep.length, asked.instruction, target_count], [id, 1, "calmer", 4]);
    assert.deepEqual(await tracksOn(page), changed);
    assert.equal(await page.getByRole("heading", { level: 1 }).textContent(), "Sunday");
    assert.ok(page.url().endsWith(id));
    assert.equal(await usedBy(who), 1);

    const versions = page.getByRole("group", { name: "Versions" });
    await versions.getByText("Version 2 of 2").waitFor();
    await versions.getByText("calmer").waitFor();
    await shot(page, `versions-${name}`);
    // A version is told as restored once it is; a failure is told here.
    const { promise: held, resolve: refuse } = Promise.withResolvers<void>();
    await page.route("**/rpc/restore_version", (route) => held.then(() => route.fulfill({ status: 400, json: { code: "PT400", message: "no" } })), {
      times: 1,
    });
    await versions.getByRole("button", { name: "Back to: As it began" }).click();
    await versions.getByText("Saving …").waitFor();
    assert.deepEqual([await tracksOn(page), await page.getByText("Now: ").count()], [changed, 0]);
    refuse();
    await page.locator(".dock").getByText("This change is not saved.").waitFor();
    await versions.getByRole("button", { name: "Back to: As it began" }).click();
    await versions.getByText("Version 1 of 2").waitFor();
    const before = ["Whisky", "Falling Slowly", "Yellow", "Someone Like You"];
    assert.deepEqual(await tracksOn(page), before);
    await keepsFocus(page, "going back");
    await page.getByRole("button", { name: "Undo" }).click();
    await versions.getByText("Version 2 of 2").waitFor();
    assert.deepEqual(await tracksOn(page), changed);
    await versions.getByRole("button", { name: "Back to: As it began" }).click();
    await versions.getByRole("button", { name: "Forward to: calmer" }).click();
    await versions.getByText("Version 2 of 2").waitFor();
    assert.deepEqual([await tracksOn(page), await titlesOf(who, id)], [changed, changed]);
  });
}

test("a failed refinement of a long playlist is seen without scrolling, loses nothing, and can be retried", async () => {
  const { page, who } = await arrival(browser, "", { size: PHONE });
  await goTo(page, `playlists/${await generated(who, 20)}`);
  await control("llm", "PUT", "faults", [{ path_prefix: "/v1", status: 500 }]);
  await refine(page, "calmer");
  await says(page, "The language model is not available.");
  assert.equal(await page.getByLabel("What should be different").inputValue(), "calmer");
  await resetSimulators();
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByText("Version 2 of 2").waitFor();
  assert.equal((await tracksOn(page)).length, 20);
});

test("a running refinement is marked in the library and in its playlist, also after a reload", async () => {
  const { page } = await atPlaylist();
  await keep(page);
  await suggests(["Come as You Are", "Karma Police", "Let It Be"]);
  const { promise: held, resolve: goOn } = Promise.withResolvers<void>();
  await page.route("**/functions/v1/ai-playlist", async (route) => held.then(() => route.continue()).catch(() => {}));
  await page.getByLabel("What should be different").fill("calmer");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Making your playlist" }).waitFor();
  await page.getByRole("link", { name: "Library" }).click();
  const tiles = page.getByRole("list", { name: "Playlists" }).getByRole("listitem");
  await tiles.filter({ hasText: "Sunday" }).getByText("Being changed …").waitFor();
  assert.equal(await tiles.count(), 1);
  await page.getByRole("link", { name: "Sunday" }).click();
  await page.getByRole("link", { name: "Being changed …" }).waitFor();
  await page.reload();
  await page.getByRole("link", { name: "Being changed …" }).waitFor();
  await isAccessible(page, "a running refinement");
  goOn();
  await page.getByText("Version 2 of 2").waitFor();
});

test("nothing is sent while every song is kept or the instruction is empty", async () => {
  const { page } = await atPlaylist(PHONE);
  let calls = 0;
  page.on("request", (request) => {
    if (request.url().endsWith("/ai-playlist")) calls += 1;
  });
  await page.getByPlaceholder("Change all 4 …").waitFor();
  await page.getByRole("button", { name: "Refine" }).click();
  assert.equal(await page.evaluate(() => document.activeElement?.id), "refine");
  for (const title of ["Whisky", "Falling Slowly", "Yellow", "Someone Like You"]) await keep(page, `Keep ${title}`);
  await page.getByRole("button", { name: "calmer" }).click();
  await page.getByRole("button", { name: "Refine" }).click();
  await page.getByText("Every song is kept.").waitFor();
  await page.getByPlaceholder("Change the other 0 …").waitFor();
  assert.equal(calls, 0);
});

test("the same prompt brings other songs, each with the model's reason if it gave one", async () => {
  const { page, who } = await arrival(browser, "", { count: 2 });
  await suggests(["Come as You Are", "Karma Police"]);
  await wish(page, "a cozy rainy evening");
  await page.getByText("a cozy rainy evening", { exact: true }).waitFor();
  await page.getByRole("button", { name: "More for Come as You Are" }).click();
  await page.getByText("Slow and heavy like the rain").waitFor();
  await page.keyboard.press("Escape");
  await suggests(["Come as You Are", "Karma Police", "Let It Be", "Whisky"]);
  await choose(page, "this playlist", "Other songs, same wish");
  await page.getByText("Version 2 of 2").waitFor();
  assert.deepEqual((await tracksOn(page)).sort(), ["Let It Be", "Whisky"]);
  await page.getByRole("button", { name: "More for Let It Be" }).click();
  await page.getByText("A piano that comforts").waitFor();
  await page.reload();
  await page.getByRole("button", { name: "More for Let It Be" }).click();
  await page.getByText("A piano that comforts").waitFor();
  assert.equal(await usedBy(who), 2);
});

test("earlier prompts are offered once each, and a playlist's prompt can be used again", async () => {
  const { page, who } = await arrival(browser);
  const id = await generated(who, 1);
  await generated(who, 1);
  await goTo(page, "playlists");
  await goTo(page, "");
  const wishes = page.getByRole("region", { name: "Your recent wishes" });
  await wishes.getByRole("button", { name: "rain", exact: true }).click();
  assert.equal(await wishes.getByRole("listitem").count(), 1);
  assert.equal(await page.getByLabel("Your wish").inputValue(), "rain");
  await page.getByLabel("Your wish").fill("");
  await isAccessible(page, "earlier wishes");
  await goTo(page, `playlists/${id}`);
  await page.getByText("rain", { exact: true }).waitFor();
  await choose(page, "this playlist", "Use this wish again");
  assert.equal(await page.getByLabel("Your wish").inputValue(), "rain");
});
