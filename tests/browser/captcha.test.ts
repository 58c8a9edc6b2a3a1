// Turnstile, with Cloudflare's documented test keys; local servers simulate its script, its frame and its verification.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, test } from "node:test";
import { launch } from "./browser.ts";
import { listen } from "./file-server.ts";
import { startOwnSupabase } from "./own-supabase.ts";
import { goTo, says, sendCredentials } from "./page.ts";
import type { Visit } from "./support.ts";
import { visit } from "./support.ts";

const CLOUDFLARE = "https://challenges.cloudflare.com";
const KEYS = { passes: "1x00000000000000000000AA", blocks: "2x00000000000000000000AB", secret: "1x0000000000000000000000000000000AA" };
const DUMMY = "XXXX.DUMMY.TOKEN.XXXX";

/** Each token is valid once, like Turnstile's, and unique, so that the test can distinguish them. */
const spent: string[] = [];
const siteverify = createServer(async (incoming, outgoing) => {
  const form = new URLSearchParams((await incoming.toArray()).join(""));
  const token = form.get("response") ?? "";
  const codes = form.get("secret") === KEYS.secret ? [] : ["invalid-input-secret"];
  if (!token.startsWith(DUMMY)) codes.push("invalid-input-response");
  if (spent.includes(token)) codes.push("timeout-or-duplicate");
  spent.push(token);
  outgoing.setHeader("Content-Type", "application/json").end(JSON.stringify({ success: codes.length === 0, "error-codes": codes, hostname: "localhost" }));
});

/** The behaviour of api.js with the test keys: a frame, and a token or an error. */
const API = `
let made = 0;
const widgets = new Map();
function solve(id) {
  const { sitekey, callback, 'error-callback': failed } = widgets.get(id);
  setTimeout(() => { if (widgets.has(id)) sitekey.startsWith('1x') ? callback('${DUMMY}.' + Math.random()) : failed('300030'); });
}
window.turnstile = {
  render(place, options) {
    const frame = document.createElement('iframe');
    frame.src = '${CLOUDFLARE}/frame';
    frame.title = 'Widget';
    place.append(frame);
    const id = 'cf-' + made++;
    widgets.set(id, options);
    solve(id);
    return id;
  },
  reset: solve,
  remove: (id) => widgets.delete(id),
};`;

const siteverifyUrl = `http://127.0.0.1:${await listen(siteverify)}`;
const own = await startOwnSupabase({ CAPTCHA_SECRET: KEYS.secret, CAPTCHA_SITEVERIFY_URL: siteverifyUrl });
const browser = await launch();
after(async () => {
  await browser.close();
  own.close();
  siteverify.close();
});

async function visitWith(site_key: string, hasScript = true): Promise<Visit> {
  own.config.turnstile_site_key = site_key;
  const it = await visit(browser, { url: own.site, others: [own.config.supabase_url, CLOUDFLARE] });
  await it.context.route(`${CLOUDFLARE}/turnstile/v0/api.js*`, (route) =>
    hasScript ? route.fulfill({ contentType: "text/javascript", body: API }) : route.abort(),
  );
  await it.context.route(`${CLOUDFLARE}/frame`, (route) => route.fulfill({ contentType: "text/html", body: "<p>Success!</p>" }));
  return it;
}

test("a user signs up, requests a new password and signs in, with a token for each", async () => {
  const email = `${crypto.randomUUID()}@example.com`;
  const first = await visitWith(KEYS.passes);
  const before = spent.length;
  await goTo(first.page, "sign-up");
  await first.page.frameLocator("iframe").getByText("Success!").waitFor();
  await sendCredentials(first.page, "Create account", email);
  await first.page.getByText("3 of 3 AI playlists left").waitFor();
  const { page } = await visitWith(KEYS.passes);
  await goTo(page, "forgot");
  await page.getByRole("button", { name: "Send the link" }).waitFor();
  await page.getByLabel("E-mail").fill(email);
  await page.getByRole("button", { name: "Send the link" }).click();
  await says(page, `If there is an account for ${email}, a link is on its way.`);
  await goTo(page, "sign-in");
  await sendCredentials(page, "Sign in", email, "not the password");
  await says(page, "The e-mail address or the password is wrong.");
  assert.equal(await page.getByLabel("E-mail").inputValue(), email);
  await sendCredentials(page, "Sign in", email);
  await page.getByRole("link", { name: "You", exact: true }).waitFor();
  const used = spent.slice(before);
  assert.deepEqual([used.length, new Set(used).size], [4, 4]);
});

for (const [what, key, hasScript] of [
  ["fails", KEYS.blocks, true],
  ["cannot be loaded", KEYS.passes, false],
] as const) {
  test(`a check that ${what} is reported, and nothing can be sent`, async () => {
    const { page } = await visitWith(key, hasScript);
    await goTo(page, "sign-up");
    await says(page, "The check that you are not a robot did not succeed.");
    assert.equal(await page.getByRole("button", { name: "Create account" }).getAttribute("aria-disabled"), "true");
  });
}
