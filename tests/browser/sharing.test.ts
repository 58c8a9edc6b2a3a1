// Spotify's pictures and player in a playlist, and its links, copies, texts and files.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, beforeEach, test } from "node:test";
import type { Page } from "playwright-core";
import { launch } from "./browser.ts";
import { fileServer, listen } from "./file-server.ts";
import { choose, goTo, isAccessible, says, tracksOn } from "./page.ts";
import { generated, listener, PHONE, playlistOf, ready, resetSimulators, visit } from "./support.ts";

const SPOTIFY = ready.simulators.spotify;
const ELSEWHERE = `http://localhost:${new URL(ready.web_url).port}`;
const config = { supabase_url: ready.supabase_url, supabase_publishable_key: ready.publishable_key, functions_url: ready.functions_url };
const server = fileServer(() => config);
const browser = await launch(`--host-resolver-rules=MAP ${new URL(ELSEWHERE).host} 127.0.0.1:${await listen(server)}`);
/** The gateway makes previews and statuses; there is no gateway on Deno. */
const hasGateway = (await fetch(`${ready.web_url}/health`)).ok;
beforeEach(resetSimulators);
after(async () => {
  await browser.close();
  server.close();
});

const NAME = 'Zażółć <b>"gęślą"</b> & jaźń';

/** Waits until the first picture has loaded; those further down load when they come into view. */
const pictures = (page: Page) => page.waitForFunction(() => (document.querySelector<HTMLImageElement>("img.artwork")?.naturalWidth ?? 0) > 0);

for (const [where, origin] of [
  ["beside the functions", ready.web_url],
  ["elsewhere", ELSEWHERE],
]) {
  test(`hosted ${where}, songs have pictures, whole and 40 px wide, and load Spotify’s player only on request`, async () => {
    const who = await listener();
    const id = await generated(who, 3);
    const { page } = await visit(browser, { who, url: `${origin}/#/playlists/${id}` });
    const asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await pictures(page);
    const shown = await page.locator("img.artwork").evaluateAll((all) => all.map((it) => [it.clientWidth, it.clientHeight, getComputedStyle(it).objectFit]));
    assert.deepEqual(shown, Array(3).fill([40, 40, "contain"]));
    const [title = ""] = await tracksOn(page);
    await choose(page, title, "Listen here");
    const player = page.frameLocator(`iframe[title="Spotify’s player: ${title}"]`);
    await player.getByText(/Plays the track \w{22}/).waitFor();
    assert.equal(asked.filter((path) => path.startsWith("/embed/")).length, 1);
    await isAccessible(page, "player");
    await page.keyboard.press("Escape");
    await page.locator("iframe").waitFor({ state: "detached" });
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("aria-label")), `More for ${title}`);
    await page.getByRole("button", { name: "Add songs" }).click();
    await page.getByLabel("Title").fill("Whisky");
    await page.keyboard.press("Enter");
    await page.locator(".found img.artwork").first().waitFor();
    await page.getByRole("dialog").getByRole("link", { name: "Songs from Spotify" }).waitFor();
    assert.match(
      (await page.getByRole("link", { name: "Open Whisky in Spotify" }).first().getAttribute("href")) ?? "",
      /^https:\/\/open\.spotify\.com\/track\/\w{22}$/,
    );
  });
}

test("a song without a picture, or whose picture does not load, has a note in its place", async () => {
  const who = await listener();
  const { page, context } = await visit(browser, { who });
  await context.route(`${SPOTIFY}/image/**`, (route) => route.fulfill({ status: 404 }));
  await goTo(page, `playlists/${await generated(who, 3)}`);
  await page.locator(".artwork-none .icon").nth(2).waitFor();
  assert.deepEqual(await page.locator(".artwork").evaluateAll((all) => all.map((it) => it.clientHeight)), [40, 40, 40]);
});

test("a playlist is shared by a link, readable by everyone, copied by others, and hidden once the link is revoked", async () => {
  const who = await listener();
  const id = await playlistOf(who, NAME);
  const { page, context } = await visit(browser, { who, url: `${ready.web_url}/#/playlists/${id}` });
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.getByRole("button", { name: "Share" }).click();
  await page.getByRole("button", { name: "Make a link" }).click();
  await page.getByRole("button", { name: "Copy link" }).click();
  await page.getByText("The link is copied.").waitFor();
  await isAccessible(page, "share");
  const link = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(await page.getByLabel("Link to this playlist").inputValue(), link);
  assert.match(link, /^http:\/\/127\.0\.0\.1:\d+\/\?p=[0-9a-f-]{36}$/);

  const document = await fetch(link);
  const html = await document.text();
  if (hasGateway) {
    assert.deepEqual([document.status, document.headers.get("x-robots-tag"), document.headers.get("cache-control")], [200, "noindex", "no-store"]);
    assert.ok(html.includes('og:title" content="Zażółć &lt;b&gt;&quot;gęślą&quot;&lt;/b&gt; &amp; jaźń"'), html);
    assert.ok(html.includes('og:description" content="Dżem – Whisky · Glen Hansard'), html);
  }

  const anyone = await visit(browser, { url: link, size: PHONE });
  await anyone.page.getByRole("heading", { level: 1, name: NAME }).waitFor();
  assert.deepEqual(await tracksOn(anyone.page), ["Whisky", "Falling Slowly", "Yellow", "Someone Like You"]);
  assert.equal(await anyone.page.locator(".grip").count(), 0);
  assert.equal(await anyone.page.getByRole("button", { name: "Save to my library" }).count(), 0);
  await anyone.page.getByRole("link", { name: "Songs from Spotify" }).waitFor();
  await isAccessible(anyone.page, "shared");
  await anyone.page.getByRole("link", { name: "Make your own" }).click();
  await anyone.page.getByLabel("Your wish").waitFor();
  assert.equal(anyone.page.url(), `${ready.web_url}/#/`);
  await anyone.page.goBack();
  await anyone.page.getByRole("heading", { level: 1, name: NAME }).waitFor();

  const other = await listener();
  const keeper = await visit(browser, { url: link, who: other });
  await keeper.page.getByRole("button", { name: "Save to my library" }).click();
  await keeper.page.getByText(`${NAME} is in your library now.`).waitFor();
  await keeper.page.getByRole("button", { name: "Add songs" }).waitFor();
  assert.deepEqual(await tracksOn(keeper.page), ["Whisky", "Falling Slowly", "Yellow", "Someone Like You"]);

  await page.getByRole("button", { name: "Stop sharing" }).click();
  await page.getByRole("button", { name: "Make a link" }).waitFor();
  for (const gone of [link, `${ready.web_url}/?p=${id}`, `${ready.web_url}/?p=nonsense`]) {
    const { page: late } = await visit(browser, { url: gone });
    if (hasGateway) assert.equal((await late.reload())?.status(), 404, gone);
    await says(late, "There is no playlist at this link any more.");
    if (gone === link) await isAccessible(late, "revoked");
  }
});

test("a playlist is duplicated, copied as text, and downloaded as a file that spreadsheets read and do not run", async () => {
  const who = await listener();
  const id = await playlistOf(who, NAME, 1);
  const track_uri = `spotify:track:${"0".repeat(22)}`;
  await who.supabase.rpc("add_tracks", { playlist_id: id, tracks: [{ track_uri, title: '=1+1, "sum"', artist: "Żółw" }] });
  const { page, context } = await visit(browser, { who, url: `${ready.web_url}/#/playlists/${id}` });
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await choose(page, "this playlist", "Copy as text");
  await page.getByText("Copied.").waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'Dżem – Whisky\nŻółw – =1+1, "sum"');
  const downloading = page.waitForEvent("download");
  await choose(page, "this playlist", "Download as CSV");
  const download = await downloading;
  assert.equal(download.suggestedFilename(), "Zażółć b gęślą b & jaźń.csv");
  const [head, first, second] = (await readFile(await download.path(), "utf8")).split("\r\n");
  assert.equal(head, "\ufeffTitle,Artist,Album,Seconds,Spotify");
  assert.match(String(first), /^Whisky,Dżem,[^,]+,\d+,https:\/\/open\.spotify\.com\/track\/\w{22}$/);
  assert.equal(second, `"'=1+1, ""sum""",Żółw,,,https://open.spotify.com/track/${"0".repeat(22)}`);
  await choose(page, "this playlist", "Duplicate");
  await page.getByRole("heading", { level: 1, name: `${NAME} (2)` }).waitFor();
  assert.deepEqual(await tracksOn(page), ["Whisky", '=1+1, "sum"']);
});
