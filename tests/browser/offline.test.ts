// The page without a connection.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { launch } from "./browser.ts";
import { goTo, tracksOn, wish } from "./page.ts";
import { arrival, modelTakes, playlistOf, ready } from "./support.ts";

const browser = await launch();
after(() => browser.close());

test("the last data is shown without a connection, and the cache contains only the files of the page", async () => {
  const { page, context, who } = await arrival(browser, "account", { offline: true });
  const id = await playlistOf(who, "For the tunnel", 2);
  await page.evaluate(async () => void (await navigator.serviceWorker.ready));
  await goTo(page, `playlists/${id}`);
  await page.getByText("Falling Slowly").first().waitFor();
  const titles = await tracksOn(page);
  await goTo(page, "playlists");
  await page.getByRole("link", { name: "For the tunnel" }).first().waitFor();
  await context.setOffline(true);
  await page.reload();
  await page.getByRole("link", { name: "For the tunnel" }).first().waitFor();
  await page.getByText("You are offline. This is what was read last.").waitFor();
  await goTo(page, `playlists/${id}`);
  await page.getByText("Falling Slowly").first().waitFor();
  assert.deepEqual(await tracksOn(page), titles);
  const kept = await page.evaluate(async () => {
    const caches_ = await Promise.all((await caches.keys()).map((name) => caches.open(name)));
    return (await Promise.all(caches_.map((cache) => cache.keys()))).flat().map(({ url }) => url);
  });
  const own = /^\/(assets\/[\w.-]+|config\.json|icon\.svg|touch-icon\.png|site\.webmanifest)?$/;
  assert.deepEqual(
    kept.filter((url) => !url.startsWith(ready.web_url) || !own.test(new URL(url).pathname)),
    [],
  );
  await context.setOffline(false);
});

test("a generation that a reload without a connection interrupts continues with the connection, and is charged once", async () => {
  const { page, context, who } = await arrival(browser, "", { count: 3, offline: true });
  await page.evaluate(async () => void (await navigator.serviceWorker.ready));
  await modelTakes(30_000, 0);
  await wish(page);
  await page.getByText("Thinking of songs").waitFor();
  await page.getByRole("link", { name: "Library" }).click();
  await page.getByRole("link", { name: "Being made" }).waitFor();
  await context.setOffline(true);
  await page.reload();
  await page.getByText("You are offline. Your playlist goes on once you are connected.").waitFor();
  await modelTakes(0, 0);
  await context.setOffline(false);
  await page.getByRole("link", { name: "Rainy evening" }).waitFor();
  await goTo(page, "");
  await page.getByText("2 of 3 AI playlists left").waitFor();
  assert.equal((await who.supabase.from("playlists").select("id")).data?.length, 1);
});
