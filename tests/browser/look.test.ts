// Requirements of every screen: accessibility, layout, security headers.

import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import type { Page } from "playwright-core";
import { launch } from "./browser.ts";
import { goTo, isAccessible, says, shot, signIn, upgrade } from "./page.ts";
import { control, listener, modelTakes, playlistOf, ready, resetSimulators, SIZES, visit } from "./support.ts";

const browser = await launch();
beforeEach(resetSimulators);
after(async () => {
  await browser.close();
  await resetSimulators();
});

/** Asserts that nothing overflows horizontally, and that every target is large enough for a finger. */
async function fits(page: Page, what: string): Promise<void> {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(wide <= 0, `${what}: ${wide} pixels too wide`);
  const small = await page.evaluate(() =>
    Array.from(document.querySelectorAll("button, a.button, summary, input"))
      .map((element) => ({
        name: element.textContent || element.getAttribute("aria-label"),
        box: element.getBoundingClientRect(),
        type: element.getAttribute("type"),
      }))
      .filter(({ box, type }) => box.width > 0 && type !== "checkbox" && (box.height < 44 || box.width < 32))
      .map(({ name }) => name),
  );
  assert.deepEqual(small, [], what);
}

for (const [name, size] of SIZES) {
  test(`on a ${name}, every screen is accessible in light and dark`, async () => {
    const who = await listener();
    const id = await playlistOf(who, "Sunday");
    await playlistOf(who, "A road trip through the mountains, over three passes and along the lake", 2);
    const { page } = await visit(browser, { size });
    const check = async (screen: string) => {
      await isAccessible(page, screen);
      await fits(page, screen);
      await page.evaluate(() => scrollTo(0, 0));
      await shot(page, `${screen}-${name}`);
    };
    await page.getByLabel("Your wish").waitFor();
    await page.getByRole("button", { name: "Any years" }).click();
    await check("create");
    for (const [place, screen] of [
      ["sign-in", "Sign in"],
      ["sign-up", "Create an account"],
      ["forgot", "Reset your password"],
      ["privacy", "Privacy"],
      ["terms", "Terms"],
    ] as const) {
      await goTo(page, place);
      await page.getByRole("heading", { name: screen }).waitFor();
      await check(place);
    }
    await goTo(page, "confirm?type=recovery&token_hash=x");
    await page.getByRole("button", { name: "Confirm" }).waitFor();
    await check("confirm");
    await signIn(page, who.email);
    await goTo(page, "playlists");
    await page.getByRole("link", { name: "Sunday" }).waitFor();
    await check("playlists");
    await goTo(page, `playlists/${id}`);
    await page.getByText("Whisky").first().waitFor();
    await check("playlist");
    await page.getByRole("button", { name: "More for Whisky" }).click();
    await check("menu");
    await page.getByRole("menuitem", { name: "Swap" }).click();
    await page.getByRole("button", { name: /^Use / }).first().waitFor();
    await check("swap");
    await page.keyboard.press("Escape");
    await goTo(page, "account");
    await page.getByText("3 of 3 left").waitFor();
    await page.getByRole("button", { name: "Link Spotify" }).waitFor();
    await check("account");
    await control("stripe", "PUT", "faults", [{ path_prefix: "/v1", status: 500 }]);
    await upgrade(page, who);
    await says(page, "The payment service does not answer properly.");
    await check("failure");
    await goTo(page, "");
    await modelTakes(20_000, 0);
    await page.getByLabel("Your wish").fill("a cozy rainy evening, mellow acoustic, nothing too sad");
    await page.getByRole("button", { name: "Make it" }).click();
    await page.getByText("Thinking of songs").waitFor();
    await check("running");
    await page.getByRole("button", { name: "Cancel" }).click();
    await resetSimulators();
    await page.getByRole("button", { name: "Make it" }).click();
    await page.getByRole("button", { name: "Send to Spotify" }).waitFor();
    await check("result");
  });
}

test("the page uses the browser's language and remembers the chosen one", async () => {
  const { page } = await visit(browser, { locale: "pl-PL" });
  await page.getByRole("heading", { name: /Powiedz, jak ma brzmieć/ }).waitFor();
  assert.equal(await page.getAttribute("html", "lang"), "pl");
  await page.getByRole("option", { name: "20 piosenek" }).waitFor({ state: "attached" });
  await isAccessible(page, "create, Polish");
  await page.getByLabel("Twoje życzenie").fill("deszcz");
  await page.getByRole("button", { name: "English" }).click();
  await page.getByRole("heading", { name: /Say how it should feel/ }).waitFor();
  assert.equal(await page.getByLabel("Your wish").inputValue(), "deszcz");
  await page.reload();
  await page.getByRole("heading", { name: /Say how it should feel/ }).waitFor();
  await page.getByRole("button", { name: "PL, polski" }).click();
  await goTo(page, "sign-in");
  await page.getByLabel("E-mail").fill("nikt@example.com");
  await page.getByLabel("Hasło", { exact: true }).fill("nie to hasło");
  await page.getByRole("main").getByRole("button", { name: "Zaloguj się" }).click();
  await says(page, "Adres e-mail albo hasło się nie zgadza.");
});

test("a playlist can be made by keyboard alone", async () => {
  const { page } = await visit(browser, { who: await listener() });
  await page.getByText("3 of 3 AI playlists left").waitFor();
  const focused = () => page.evaluate(() => document.activeElement?.textContent || document.activeElement?.tagName || "");
  const tabTo = async (pattern: RegExp) => {
    for (let n = 0; n < 40 && !pattern.test(await focused()); n += 1) await page.keyboard.press("Tab");
    assert.match(await focused(), pattern);
  };
  await tabTo(/TEXTAREA/);
  await page.keyboard.type("a cozy rainy evening");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Mood: a cozy rainy evening" }).waitFor();
  await tabTo(/Send to Spotify/);
});

for (const [what, width, zoom] of [
  ["a window of 320 pixels", 320, 1],
  ["text of 200 %", 390, 2],
] as const) {
  test(`with ${what}, nothing overflows horizontally, and titles can be read`, async () => {
    const who = await listener();
    const id = await playlistOf(who, "Rozkołysany wieczór nad Zatoką");
    for (const locale of ["en-GB", "pl-PL"]) {
      const { page } = await visit(browser, { size: { width, height: 700 }, who, locale });
      await page.evaluate(
        (size) => {
          document.documentElement.style.fontSize = size;
        },
        `${zoom * 100}%`,
      );
      for (const place of ["", "playlists", `playlists/${id}`, "account", "privacy"]) {
        await goTo(page, place);
        await page.locator("h1:not(.hint)").waitFor();
        // A phone's browser repeats the layout after the text size has changed.
        await page.waitForFunction(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth);
        if (!place.startsWith("playlists/")) continue;
        const words = await page.locator(".track-words").first().boundingBox();
        assert.ok((words?.width ?? 0) > 100, `${locale}: titles of ${words?.width} pixels`);
      }
    }
  });
}

test("an unknown address is reported with links to other places", async () => {
  const { page, context } = await visit(browser);
  const response = await page.goto(`${ready.web_url}/nowhere/at-all`);
  assert.equal(response?.status(), 404);
  await page.getByRole("link", { name: "Make a playlist instead" }).click();
  await page.getByLabel("Your wish").waitFor();
  await context.close();
});

test("files with a hash in their name are cached forever, the document is not", async () => {
  const document = await fetch(ready.web_url);
  assert.match(document.headers.get("cache-control") ?? "", /max-age=0/);
  const [, script = ""] = /src="(assets\/main-\w+\.js)"/.exec(await document.text()) ?? [];
  assert.match((await fetch(`${ready.web_url}/${script}`)).headers.get("cache-control") ?? "", /max-age=31536000, immutable/);
});

test("the document's policies name every allowed source and permission", async () => {
  const response = await fetch(ready.web_url);
  const policy = new Map((response.headers.get("content-security-policy") ?? "").split("; ").map((it) => [it.split(" ")[0], it]));
  assert.equal(policy.get("default-src"), "default-src 'none'");
  assert.equal(policy.get("script-src"), "script-src 'self'");
  assert.equal(policy.get("style-src"), "style-src 'self'");
  assert.equal(policy.get("connect-src"), `connect-src 'self' ${new URL(ready.supabase_url).origin}`);
  assert.equal(policy.get("img-src"), `img-src 'self' ${ready.simulators.spotify}`);
  assert.equal(policy.get("frame-src"), `frame-src ${ready.simulators.spotify}`);
  assert.equal(policy.get("frame-ancestors"), "frame-ancestors 'none'");
  assert.equal(policy.get("require-trusted-types-for"), "require-trusted-types-for 'script'");
  assert.equal(policy.get("trusted-types"), "trusted-types worker");
  assert.equal(response.headers.get("x-content-type-options"), "nosniff");
  assert.equal(response.headers.get("referrer-policy"), "no-referrer");
});

test("the page's configuration is public and minimal", async () => {
  const response = await fetch(`${ready.web_url}/config.json`);
  assert.deepEqual(await response.json(), {
    anonymous_sign_ins: true,
    functions_url: ready.functions_url,
    spotify_player_origin: ready.simulators.spotify,
    supabase_publishable_key: ready.publishable_key,
    supabase_url: ready.supabase_url,
  });
});

test("a configuration that does not arrive is requested again", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  let asked = 0;
  await page.route("**/config.json", (route) => {
    asked += 1;
    if (asked > 1) return route.continue();
  });
  await page.goto(ready.web_url, { waitUntil: "commit" });
  await page.getByLabel("Your wish").waitFor();
  await context.close();
});

test("a page without its configuration reports it", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.route("**/config.json", (route) => route.fulfill({ status: 503, json: {} }));
  await page.goto(ready.web_url);
  await page.getByText("Sound Whiskers could not start.").waitFor();
  await page.unrouteAll();
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByLabel("Your wish").waitFor();
  await context.close();
});
