// Generating a playlist in the browser, with failures and interruptions.

import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import type { Page, Route } from "playwright-core";
import { launch } from "./browser.ts";
import { goTo, says, shot, signIn, stepwise, tracksOn, upgrade, wish } from "./page.ts";
import { arrival, control, DESKTOP, generated, listener, modelTakes, PHONE, resetSimulators, SIZES, titlesOf, usedBy } from "./support.ts";

const browser = await launch();
beforeEach(resetSimulators);
after(async () => {
  await browser?.close();
  await resetSimulators();
});

/** A layout shift; TypeScript does not define the type yet. */
type Shift = PerformanceEntry & { value: number; hadRecentInput: boolean; sources: { node?: Node }[] };

const FOUND = ["Come as You Are", "Karma Police", "Let It Be"];

const atTheComposer = (size = DESKTOP) => arrival(browser, "", { size, count: 3 });

const isReady = (page: Page) => page.getByRole("heading", { level: 1, name: "Rainy evening" }).waitFor();

/** Keeps what moves without the user's input, and how many songs there are. */
const watch = (page: Page) =>
  page.evaluate(() => {
    const kept = Object.assign(globalThis, { moves: [] as string[], counts: [] as number[] });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as Shift[]) {
        const what = entry.sources.map(({ node }) => (node instanceof Element ? node.outerHTML : node?.textContent)).join();
        if (!entry.hadRecentInput) kept.moves.push(`${entry.value}: ${what}`);
      }
    }).observe({ type: "layout-shift" });
    new MutationObserver(() => {
      const count = document.querySelectorAll(".track-item:not(.track-waiting)").length;
      if (kept.counts.at(-1) !== count) kept.counts.push(count);
    }).observe(document.body, { childList: true, subtree: true });
  });

const watched = (page: Page) => page.evaluate<{ moves: string[]; counts: number[] }>("({ moves, counts })");

for (const [name, size] of SIZES) {
  test(`on a ${name}, tracks appear one by one, nothing moves, and the playlist is saved`, async () => {
    const { page, who } = await atTheComposer(size);
    await modelTakes(0, 0);
    const step = await stepwise(page);
    await watch(page);
    await wish(page);
    await page.getByText("Thinking of songs").waitFor();
    assert.equal(await page.locator(".track-waiting").count(), 3);
    await step();
    await page.getByText("1 of 3", { exact: true }).waitFor();
    assert.equal(await page.getByRole("progressbar", { name: "Tracks found" }).getAttribute("max"), "3");
    await shot(page, `running-${name}`);
    await step();
    await step();
    await isReady(page);
    assert.deepEqual((await tracksOn(page)).sort(), FOUND);
    await page.getByRole("status").filter({ hasText: "Rainy evening is ready: 3 tracks." }).waitFor({ state: "attached" });
    const { moves, counts } = await watched(page);
    assert.deepEqual(moves, [], "layout shifts");
    assert.deepEqual(counts, [0, 1, 2, 3].slice(counts[0] === 0 ? 0 : 1));
    const shown = await tracksOn(page);
    await page.getByRole("button", { name: "Send to Spotify" }).waitFor();
    await page.getByText("Left out: 1 not on Spotify.").waitFor();
    await page.reload();
    await isReady(page);
    assert.deepEqual(await tracksOn(page), shown);
    assert.deepEqual(await titlesOf(who, page.url().split("/").at(-1) ?? ""), shown);
  });
}

test("while 50 songs arrive on a phone, hardly anything moves", async () => {
  const { page } = await arrival(browser, "", { size: PHONE, count: 50 });
  const step = await stepwise(page);
  await watch(page);
  await wish(page);
  for (let found = 0; found < 50; found += 1) await step();
  await page.getByText("50 songs").waitFor();
  const { moves, counts } = await watched(page);
  assert.ok(moves.reduce((sum, it) => sum + Number.parseFloat(it), 0) <= 0.01, moves.join("\n"));
  assert.ok(counts.length >= 50, String(counts));
});

test("a generation can be cancelled, is not charged, and keeps the prompt", async () => {
  const { page, who } = await atTheComposer();
  await modelTakes(30_000, 10);
  await wish(page);
  await page.getByText("Thinking of songs").waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByText("Cancelled. Nothing was used up.").waitFor();
  assert.equal(await page.getByLabel("Your wish").inputValue(), "a cozy rainy evening");
  // The function itself detects the disconnect and releases the slot.
  while ((await usedBy(who)) > 0);
});

test("a generation that is cancelled after enough tracks is charged, and its tracks are offered, also after a reload", async () => {
  const { page, who } = await atTheComposer();
  // The model pauses for long after its first song.
  await modelTakes(0, 20_000, 200);
  await wish(page);
  // One of three tracks is enough.
  await page.locator(".track-item:not(.track-waiting)").first().waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByText("Cancelled. It counts as one AI playlist, because enough of it was there.").waitFor();
  await page.reload();
  await page.getByRole("button", { name: "Get my playlist" }).click();
  // It has the model's name if the function has noticed the cancellation, otherwise the wish's.
  await page.getByRole("heading", { level: 1, name: "rainy evening" }).waitFor();
  assert.equal((await tracksOn(page))[0], FOUND[0]);
  assert.equal(await usedBy(who), 1);
});

test("a prompt that is not about music is refused with examples to choose", async () => {
  const { page } = await atTheComposer();
  const reply = { kind: "refusal", language: "en", name: "", description: "", summary: "", tracks: [] };
  await control("llm", "PUT", "script", { reply });
  await wish(page);
  await says(page, "That does not sound like a wish for music.");
  const example = page.getByRole("alert").getByRole("listitem").first();
  const text = (await example.textContent()) ?? "";
  await example.getByRole("button").click();
  assert.equal(await page.getByLabel("Your wish").inputValue(), text);
});

test("a failure shows what happened, what to do, and the id for support", async () => {
  const { page } = await atTheComposer();
  await control("llm", "PUT", "faults", [{ path_prefix: "/v1", status: 500 }]);
  const answered = page.waitForResponse("**/functions/v1/ai-playlist");
  await wish(page);
  const alert = page.getByRole("alert");
  await alert.getByText("The language model is not available. Nothing was used up.").waitFor();
  await alert.getByText("Details for support").click();
  await alert.getByText("llm_unavailable").waitFor();
  await alert.getByText((await answered).headers()["x-request-id"] ?? "no id").waitFor();
  await resetSimulators();
  await modelTakes(0, 0);
  await alert.getByRole("button", { name: "Try again" }).click();
  await isReady(page);
});

test("chosen options are sent, and invalid ones are reported at their field and not sent", async () => {
  const { page } = await atTheComposer();
  await modelTakes(0, 0);
  const opened = (name: string) => page.getByRole("button", { name }).click();
  await opened("Any years");
  await page.getByLabel("Released from").fill("2005");
  await page.getByLabel("until").fill("1999");
  await opened("Similar to");
  await wish(page);
  await page.getByText("The first year must not be after the last one.").waitFor();
  await page.waitForFunction(() => document.activeElement?.getAttribute("placeholder") === "1990");
  await page.getByLabel("Released from").fill("1990");
  await opened("Leave out artists");
  await page.getByLabel("Leave out artists").fill("Ed Sheeran, Adele");
  await opened("Similar to");
  await page.getByLabel("Similar to").fill("Pink Moon");
  await page.getByRole("button", { name: "Make it" }).click();
  await page.getByText("Write at most five songs").waitFor();
  await page.getByLabel("Similar to").fill("Nick Drake – Pink Moon");
  await opened("Explicit ok");
  const sent = page.waitForRequest("**/functions/v1/ai-playlist");
  await page.getByRole("button", { name: "Make it" }).click();
  const { era, exclude_artists, allow_explicit, target_count, save, seeds } = (await sent).postDataJSON();
  assert.deepEqual(
    [era, exclude_artists, allow_explicit, target_count, save, seeds],
    [{ from: 1990, to: 1999 }, ["Ed Sheeran", "Adele"], false, 3, true, [{ artist: "Nick Drake", title: "Pink Moon" }]],
  );
  await isReady(page);
});

test("Shift and Enter starts a new line, and the logo leads to a new prompt", async () => {
  const { page } = await atTheComposer();
  await modelTakes(0, 0);
  await page.getByLabel("Your wish").fill("rain");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("and wind");
  assert.equal(await page.getByLabel("Your wish").inputValue(), "rain\nand wind");
  await page.keyboard.press("Enter");
  await isReady(page);
  await page.getByRole("link", { name: "Sound Whiskers" }).click();
  await page.getByLabel("Your wish").waitFor();
});

test("a playlist whose response was lost is fetched by a reload alone, and charged once", async () => {
  const { page, who } = await atTheComposer();
  await modelTakes(0, 0);
  const cut = async (route: Route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: (await response.text()).split("event: done")[0] });
  };
  await page.route("**/functions/v1/ai-playlist", cut, { times: 1 });
  await wish(page);
  await page.getByText("The connection was lost while your playlist was being made.").waitFor();
  await page.reload();
  await isReady(page);
  assert.deepEqual((await tracksOn(page)).sort(), FOUND);
  assert.equal(await usedBy(who), 1);
});

test("a used-up quota shows when the next playlist is possible, and a link to payment", async () => {
  const { page, who } = await atTheComposer();
  for (let n = 0; n < 3; n += 1) await generated(who, 1);
  await wish(page);
  await page.getByText("Your AI playlists are used up for now.").waitFor();
  await page.getByText("Trying again may help in 30 days.").waitFor();
  await page.getByText(/0 of 3 AI playlists left; the next one is free on \d/).waitFor();
  await upgrade(page, who);
  await page.getByRole("button", { name: "Pay", exact: true }).waitFor();
});

test("an expired session is renewed, or else asks for a sign-in and keeps the prompt", async () => {
  const { page, who } = await atTheComposer();
  await modelTakes(0, 0);
  const refused = { code: "token_expired", message: "Your session has expired. Sign in again.", request_id: crypto.randomUUID() };
  await page.route("**/functions/v1/ai-playlist", (route) => route.fulfill({ status: 401, json: refused }), { times: 1 });
  await wish(page);
  await isReady(page);
  await goTo(page, "");
  await page.route("**/functions/v1/ai-playlist", (route) => route.fulfill({ status: 401, json: refused }));
  const gone = { error_code: "refresh_token_not_found", msg: "Invalid Refresh Token" };
  await page.route("**/auth/v1/token*grant_type=refresh_token*", (route) => route.fulfill({ status: 400, json: gone }));
  await wish(page);
  await page.getByRole("link", { name: "Sign in", exact: true }).first().waitFor();
  await page.unrouteAll();
  await signIn(page, who.email);
  await goTo(page, "");
  assert.equal(await page.getByLabel("Your wish").inputValue(), "a cozy rainy evening");
  assert.equal(await page.getByText("Your session has expired.").count(), 0);
});

test("a playlist that cannot be saved at the limit waits in the library of its author only", async () => {
  const { page, who } = await atTheComposer();
  await modelTakes(0, 0);
  const unsaved = async (route: Route) => {
    const response = await route.fetch();
    const body = (await response.text()).replace(/"playlist_id":"[^"]+"/, '"playlist_id":null,"not_saved":"playlist_limit_reached"');
    await route.fulfill({ response, body });
  };
  await page.route("**/functions/v1/ai-playlist", unsaved, { times: 1 });
  await wish(page);
  await page.getByText("Your library is full").waitFor();
  // As if the session had expired.
  const leave = async () => {
    await page.evaluate(() => localStorage.removeItem("sound-whiskers.session"));
    await page.reload();
  };
  await leave();
  await signIn(page, who.email);
  await goTo(page, "playlists");
  await page.getByText("Not saved yet").waitFor();
  await leave();
  await signIn(page, (await listener()).email);
  await goTo(page, "playlists");
  await page.getByText("No playlists yet").waitFor();
});
