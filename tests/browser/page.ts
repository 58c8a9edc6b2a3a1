// Actions of a user on the page, and assertions about what it shows.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import type { Listener } from "./support.ts";
import { PASSWORD } from "./support.ts";

const SHOTS = "target/screenshots";

export async function signIn(page: Page, email: string, password = PASSWORD): Promise<void> {
  await page.goto(`${new URL(page.url()).origin}/#/sign-in`);
  await sendCredentials(page, "Sign in", email, password);
  await page.getByRole("link", { name: "You", exact: true }).waitFor();
}

/** Fills in the form that has the button: the previous screen may have fields of the same names. */
export async function sendCredentials(page: Page, button: string, email: string, password = PASSWORD): Promise<void> {
  const send = page.getByRole("main").getByRole("button", { name: button });
  await send.waitFor();
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await send.click();
}

/** Presses a button and continues in the dialog that it opens, asserting the account that it names. */
export async function goOn(page: Page, button: string, further: string, { email }: Listener): Promise<void> {
  await page.getByRole("button", { name: button }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText(`Signed in as ${email}`).waitFor();
  await dialog.getByRole("button", { name: further }).click();
}

export const linkSpotify = (page: Page, who: Listener): Promise<void> => goOn(page, "Link Spotify", "Continue to Spotify", who);
export const upgrade = (page: Page, who: Listener): Promise<void> => goOn(page, "Upgrade to Pro", "Continue to payment", who);

export async function wish(page: Page, words = "a cozy rainy evening"): Promise<void> {
  await page.getByLabel("Your wish").fill(words);
  await page.keyboard.press("Enter");
}

/** Holds back what generations find: each call of the result lets one more song arrive, and waits until it is drawn. */
export async function stepwise(page: Page): Promise<() => Promise<void>> {
  await page.evaluate(() => {
    const { fetch } = globalThis;
    const steps: (() => void)[] = [];
    Object.assign(globalThis, { step: () => new Promise<void>((drawn) => steps.push(drawn)) });
    globalThis.fetch = async (input, init) => {
      const response = await fetch(input, init);
      if (!response.body || !String(input).endsWith("/ai-playlist")) return response;
      let text = "";
      const transform = async (chunk: string, controller: TransformStreamDefaultController<string>) => {
        const frames = (text + chunk).split("\n\n");
        text = frames.pop() ?? "";
        for (const frame of frames) {
          const isTrack = frame.startsWith("event: track");
          while ((isTrack || frame.includes("resolving")) && steps.length === 0) {
            controller.enqueue(": ping\n\n");
            await new Promise(requestAnimationFrame);
          }
          controller.enqueue(`${frame}\n\n`);
          const drawn = isTrack && steps.shift();
          if (drawn) requestAnimationFrame(() => requestAnimationFrame(drawn));
        }
      };
      const held = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new TransformStream({ transform }));
      return new Response(held.pipeThrough(new TextEncoderStream()), response);
    };
  });
  return () => page.evaluate("step()");
}

export async function goTo(page: Page, place: string): Promise<void> {
  await page.evaluate((hash) => {
    location.hash = hash;
  }, `#/${place}`);
}

export async function shot(page: Page, name: string): Promise<void> {
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: `${SHOTS}/${name}.png` });
}

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export async function isAccessible(page: Page, what: string): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.evaluate(AXE);
    const results = (await page.evaluate("axe.run()")) as AxeResults;
    const found = results.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join(" | ")}`);
    assert.deepEqual(found, [], `${what}, ${colorScheme}`);
  }
  // In sequence: colours change with a transition, which a picture would catch halfway.
  await page.emulateMedia({ colorScheme: null });
  await page.evaluate(() => new Promise(requestAnimationFrame));
  await page.emulateMedia({ reducedMotion: null });
}

export async function tracksOn(page: Page): Promise<string[]> {
  return page.locator(".track-item:not(.track-waiting) .track-title .clip").allTextContents();
}

/** Waits until the user sees a notice with these words, without scrolling; its details for support may contain them again. */
export async function says(page: Page, words: string): Promise<void> {
  const isUncovered = (it: Element | null) => {
    const { x, y, width, height } = it?.getBoundingClientRect() ?? new DOMRect();
    return it?.contains(document.elementFromPoint(x + width / 2, y + height / 2));
  };
  await page.waitForFunction(isUncovered, await page.getByText(words).first().elementHandle());
}

/** Chooses from the menu of a track or of another item. */
export async function choose(page: Page, what: string, item: string): Promise<void> {
  await page.getByRole("button", { name: `More for ${what}` }).click();
  await page.getByRole("menuitem", { name: item }).click();
}

export async function keepsFocus(page: Page, what: string): Promise<void> {
  await page.evaluate(() => new Promise(requestAnimationFrame));
  assert.notEqual(await page.evaluate(() => document.activeElement?.tagName), "BODY", what);
}
