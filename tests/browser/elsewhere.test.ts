// The page on a separate file server, like a front end that is not hosted with the functions.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch } from "./browser.ts";
import { fileServer, listen } from "./file-server.ts";
import { goTo, says, signIn, tracksOn, upgrade, wish } from "./page.ts";
import { listener, modelTakes, ready, resetSimulators, visit } from "./support.ts";

/** One of APP_ORIGINS, and not the origin of the functions. */
const ELSEWHERE = `http://localhost:${new URL(ready.web_url).port}`;
/** Not one of APP_ORIGINS. */
const UNKNOWN = "http://unknown.localhost";

const config = { supabase_url: ready.supabase_url, supabase_publishable_key: ready.publishable_key, functions_url: ready.functions_url };
const server = fileServer(() => config);
const port = await listen(server);
// The names resolve to this server, even if another one listens on that port.
const names = [`MAP localhost:${new URL(ELSEWHERE).port} 127.0.0.1:${port}`, `MAP unknown.localhost:80 127.0.0.1:${port}`];
const browser = await launch(`--host-resolver-rules=${names.join(", ")}`);
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

test("supabase-js calls functions from another origin, in a chosen region and with tracing", async () => {
  const who = await listener();
  await modelTakes(0, 0);
  const context = await browser.newContext({ bypassCSP: true });
  const page = await context.newPage();
  await page.goto(ELSEWHERE);
  await page.addScriptTag({ path: "node_modules/@supabase/supabase-js/dist/umd/supabase.js" });
  const { supabase_url, publishable_key } = ready;
  const args = { supabase_url, publishable_key, token: who.session.access_token, functions_url: ready.functions_url };
  const answers = await page.evaluate(async ({ supabase_url, publishable_key, token, functions_url }) => {
    const { createClient } = (globalThis as unknown as { supabase: typeof import("@supabase/supabase-js") }).supabase;
    const headers = {
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      tracestate: "a=b",
      baggage: "sentry-environment=production",
      "sentry-trace": "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
      "x-retry-count": "1",
    };
    const { functions } = createClient(supabase_url, publishable_key, { accessToken: async () => token });
    const region = "eu-west-1" as import("@supabase/supabase-js").FunctionRegion;
    const found = await functions.invoke("spotify-search?title=Whisky", { method: "GET", region, headers });
    const made = await functions.invoke("ai-playlist", { body: { prompt: "evening", target_count: 3 }, region, headers });
    const unconfirmed = await functions.invoke("account", { method: "DELETE", body: { confirm: "x" }, region, headers });
    // The functions may have a separate URL.
    const url = `${functions_url}/spotify-oauth/status?forceFunctionRegion=eu-west-1`;
    const status = await fetch(url, { headers: { ...headers, "x-region": region, authorization: `Bearer ${token}` } });
    const refused = (unconfirmed.error as { context: Response }).context;
    return {
      found: found.error?.message ?? found.data.tracks.length > 0,
      made: made.error?.message ?? made.data.count,
      refused: [refused.status, refused.headers.get("x-request-id") !== null],
      status: await status.json(),
    };
  }, args);
  assert.deepEqual(answers, { found: true, made: 3, refused: [422, true], status: { linked: false } });
  await context.close();
});

test("the functions refuse a page of an unlisted origin", async () => {
  const who = await listener();
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(UNKNOWN);
  await signIn(page, who.email);
  await goTo(page, "account");
  await says(page, "We cannot be reached.");
  await context.close();
});
