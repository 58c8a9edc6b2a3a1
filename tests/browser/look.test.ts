// Requirements of every screen: accessibility, layout, security headers.

import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import type { Locator, Page } from "playwright-core";
import { launch } from "./browser.ts";
import { choose, goTo, isAccessible, keepsFocus, says, shot, signIn, upgrade, wish } from "./page.ts";
import { control, listener, modelTakes, PHONE, playlistOf, ready, resetSimulators, SIZES, visit } from "./support.ts";

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
    const { page } = await visit(browser, { size, count: 3 });
    /** Goes to a place or does something, waits for what is then seen, and looks at the screen. */
    const look = async (screen: string, how: string | (() => Promise<unknown>), seen: Locator) => {
      await (typeof how === "string" ? goTo(page, how) : how());
      await seen.first().waitFor();
      await isAccessible(page, screen);
      await fits(page, screen);
      await page.evaluate(() => scrollTo(0, 0));
      await shot(page, `${screen}-${name}`);
    };
    const button = (name: string | RegExp) => page.getByRole("button", { name });
    const heading = (name: string) => page.getByRole("heading", { name });
    await look("create", () => button("Any years").click(), page.getByLabel("Released from"));
    for (const [place, title] of [
      ["sign-in", "Sign in"],
      ["sign-up", "Create an account"],
      ["forgot", "Reset your password"],
      ["resend", "Send the confirmation again"],
      ["privacy", "Privacy"],
      ["terms", "Terms"],
      ["confirm?type=recovery&token_hash=x", "A link from a mail"],
    ] as const)
      await look(place.split("?")[0] ?? "", place, heading(title));
    await goTo(page, "");
    await modelTakes(0, 0);
    await look("stranger", () => wish(page), page.getByText("So far this is kept in this browser only."));
    await look("keep", "sign-up", heading("Keep your playlists"));
    await look("stranger-account", "account", button(/^Leave and delete/));
    await signIn(page, who.email);
    await says(page, "3 of 3 AI playlists left");
    await look("empty", "playlists", heading("No playlists yet"));
    const id = await playlistOf(who, "Sunday");
    await playlistOf(who, "A road trip through the mountains, over three passes and along the lake", 2);
    await look("new-password", "new-password", heading("Choose a new password"));
    await look("playlists", "playlists", page.getByRole("link", { name: "Sunday" }));
    await look("playlist", `playlists/${id}`, page.getByText("Whisky"));
    await look("menu", () => button("More for Whisky").click(), page.getByRole("menu"));
    await look("swap", () => page.getByRole("menuitem", { name: "Swap" }).click(), button(/^Use /));
    await page.keyboard.press("Escape");
    await look("details", () => choose(page, "this playlist", "Edit details"), page.getByLabel("Name"));
    await page.keyboard.press("Escape");
    await look("toast", () => choose(page, "Yellow", "Remove"), button("Undo"));
    await look("account", "account", page.getByText("It costs"));
    await look("deletion", () => button("Delete account …").click(), button("Delete my account"));
    await page.keyboard.press("Escape");
    await control("stripe", "PUT", "faults", [{ path_prefix: "/v1", status: 500 }]);
    await look("failure", () => upgrade(page, who), page.getByText("The payment service does not respond properly."));
    await goTo(page, "");
    await modelTakes(20_000, 20_000);
    await look("running", () => wish(page, "a cozy rainy evening, mellow acoustic, nothing too sad"), page.getByText("Thinking of songs"));
    await look("cancelled", () => button("Cancel").click(), page.getByText("Nothing was used up."));
    await modelTakes(0, 0);
    await look("result", () => button("Make it").click(), page.getByText("Left out: 1 not on Spotify."));
  });
}

test("the page uses the browser's language and remembers the chosen one", async () => {
  const { page } = await visit(browser, { locale: "pl-PL" });
  const polish = page.waitForRequest("**/polish-*.js");
  // The texts are asked for without the page's code.
  await page.route("**/main-*.js", (route) => polish.then(() => route.continue()));
  await page.reload();
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
  await page.setViewportSize(PHONE);
  await page.getByRole("button", { name: "PL, polski" }).press("Enter");
  await page.getByRole("heading", { name: /Powiedz, jak ma brzmieć/ }).waitFor();
  await keepsFocus(page, "another language");
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
  const { page } = await visit(browser);
  const response = await page.goto(`${ready.web_url}/nowhere/at-all`);
  assert.equal(response?.status(), 404);
  await isAccessible(page, "an unknown address");
  await page.getByRole("link", { name: "Make a playlist instead" }).click();
  await page.getByLabel("Your wish").waitFor();
});

test("a configuration that does not arrive is requested again", async () => {
  const { page } = await visit(browser);
  await page.route("**/config.json", () => {}, { times: 1 });
  await page.reload({ waitUntil: "commit" });
  await page.getByLabel("Your wish").waitFor();
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
