// The page on a separate file server, like a front end that is not hosted with the functions.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch } from "./browser.ts";
import { fileServer, listen } from "./file-server.ts";
import { goTo, says, signIn, tracksOn, upgrade, wish } from "./page.ts";
import { listener, modelTakes, ready, resetSimulators, visit } from "./support.ts";

/** One of APP_ORIGINS, and not the origin of the functions. */
const ELSEWHERE = `http://localhost:${new URL(ready.web_url).port}`;

const config = { supabase_url: ready.supabase_url, supabase_publishable_key: ready.publishable_key, functions_url: ready.functions_url };
const server = fileServer(() => config);
const port = await listen(server);
// The name resolves to this server, even if another one listens on that port.
const browser = await launch(`--host-resolver-rules=MAP localhost:${new URL(ELSEWHERE).port} 127.0.0.1:${port}`);
before(resetSimulators);
after(async () => {
  await browser.close();
  server.close();
  await resetSimulators();
});

test("the page generates, saves and pays from another host", async () => {
  const who = await listener();
  const { page } = await visit(browser, { url: ELSEWHERE, count: 3 });
  assert.equal(await page.evaluate(() => origin), ELSEWHERE);
  await signIn(page, who.email);
  await goTo(page, "");
  await page.getByText("3 of 3 AI playlists left").waitFor();
  await modelTakes(0, 0);
  await wish(page);
  await page.getByRole("button", { name: "Send to Spotify" }).waitFor();
  assert.equal((await tracksOn(page)).length, 3);
  await goTo(page, "account");
  await upgrade(page, who);
  await page.getByRole("button", { name: "Pay", exact: true }).click();
  await page.getByText("You are on Pro now.").waitFor();
  assert.equal(new URL(page.url()).origin, ELSEWHERE);
});

test("the page reads a refusal completely from another host", async () => {
  const who = await listener();
  const { page } = await visit(browser, { url: `${ELSEWHERE}/#/account`, who });
  const answered = page.waitForResponse((response) => response.url().endsWith("/account") && response.request().method() === "DELETE");
  await page.getByRole("button", { name: "Delete account …" }).click();
  await page.getByLabel("Your e-mail address").fill("somebody@example.com");
  await page.getByRole("button", { name: "Delete my account" }).click();
  await says(page, "That does not match this account.");
  await page.getByText("Details for support").click();
  await page.getByText((await answered).headers()["x-request-id"] ?? "no id").waitFor();
});
