// The account: plan, payment, Spotify, export and deletion.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, beforeEach, test } from "node:test";
import type { Page } from "playwright-core";
import { launch } from "./browser.ts";
import { goTo, linkSpotify, says, upgrade } from "./page.ts";
import { arrival, control, DESKTOP, database, listener, PASSWORD, playlistOf, ready, resetSimulators, SIZES, stays, visit } from "./support.ts";

const browser = await launch();
beforeEach(resetSimulators);
after(() => browser.close());

const atAccount = (size = DESKTOP) => arrival(browser, "account", { size });

async function agree(page: Page): Promise<void> {
  await page.getByLabel("Logged in as").selectOption({ label: "Bob" });
  await page.getByRole("button", { name: "Agree" }).click();
}

test("all stored data is downloaded as a file, and the privacy text explains it in both languages", async () => {
  const { page, who } = await atAccount();
  const begun = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download my data" }).click();
  const download = await begun;
  assert.equal(download.suggestedFilename(), "sound-whiskers-account.json");
  const document = JSON.parse(await readFile(await download.path(), "utf8")) as { account: { email: string }; playlists: unknown[] };
  assert.deepEqual([document.account.email, document.playlists], [who.email, []]);
  await page.getByRole("contentinfo").getByRole("link", { name: "Privacy" }).click();
  await page.getByRole("heading", { name: "What is stored" }).waitFor();
  await page.getByRole("button", { name: "PL, polski" }).click();
  await page.getByRole("heading", { name: "Co jest przechowywane" }).waitFor();
});

for (const [name, size] of SIZES) {
  test(`on a ${name}, a user pays, returns, waits for Stripe's confirmation, and manages the plan`, async () => {
    const { page, who } = await atAccount(size);
    assert.equal(await page.getByRole("button", { name: "Manage billing" }).count(), 0);
    // The browser returns before the event arrives.
    await control("stripe", "PUT", "delivery", { paused: true });
    await page.getByText("It costs US$4.99 a month").waitFor();
    await upgrade(page, who);
    await page.getByRole("button", { name: "Pay", exact: true }).click();
    await page.getByText("Thank you! Waiting for the payment").waitFor();
    await control("stripe", "PUT", "delivery", { paused: false });
    await page.getByText("You are on Pro now.").waitFor();
    await page.getByText("50 of 50 left").first().waitFor();
    await page.getByText("Pro renews on").waitFor();
    assert.equal(new URL(page.url()).hash, "#/account");
    await page.getByRole("button", { name: "Manage billing" }).click();
    await page.getByRole("button", { name: "Cancel subscription" }).click();
    await page.getByText("ends on").waitFor();
    await page.getByTestId("return").click();
    await page.getByText("Pro ends on").waitFor();
  });

  test(`on a ${name}, Spotify is linked and unlinked`, async () => {
    const { page, who } = await atAccount(size);
    await linkSpotify(page, who);
    await page.getByRole("button", { name: "Agree" }).waitFor();
    assert.match((await page.textContent("body")) ?? "", /Create and change playlists that are not on your profile/);
    await agree(page);
    await page.getByText("Spotify is linked.").waitFor();
    await page.getByText("Linked as Bob.").waitFor();
    assert.equal(new URL(page.url()).hash, "#/account");
    await page.getByRole("button", { name: "Unlink" }).click();
    await page.getByText("Spotify is unlinked.").waitFor();
    await page.getByRole("button", { name: "Link Spotify" }).waitFor();
  });
}

test("an unavailable payment service is reported and can be retried", async () => {
  const { page, who } = await atAccount();
  await control("stripe", "PUT", "faults", [{ path_prefix: "/v1", status: 500 }]);
  await upgrade(page, who);
  await says(page, "The payment service does not respond properly.");
  await control("stripe", "PUT", "faults", []);
  await page.getByRole("button", { name: "Continue to payment" }).click();
  await page.getByRole("button", { name: "Pay", exact: true }).waitFor();
});

test("a user who refuses consent at Spotify returns to the previous place, with the reason until they go on", async () => {
  const { page, who } = await atAccount();
  await linkSpotify(page, who);
  await page.getByRole("button", { name: "Cancel" }).click();
  await says(page, "You did not allow the link, so nothing was linked.");
  assert.equal(new URL(page.url()).hash, "#/account");
  await goTo(page, "playlists");
  await page.getByRole("alert").waitFor({ state: "detached" });
});

for (const [name, size] of SIZES) {
  test(`on a ${name}, an export links the account first, continues by itself, and is remembered`, async () => {
    const { page, who } = await atAccount(size);
    const id = await playlistOf(who, "Sunday", 2);
    await goTo(page, `playlists/${id}`);
    await page.getByRole("button", { name: "Send to Spotify" }).click();
    await page.getByRole("dialog").getByText(`Signed in as ${who.email}`).waitFor();
    assert.equal(await page.getByRole("alert").count(), 0);
    await page.getByRole("button", { name: "Continue to Spotify" }).click();
    await agree(page);
    await page.getByText("All 2 tracks are on Spotify.").waitFor();
    await page.getByRole("heading", { name: "Sunday" }).waitFor();
    await page.reload();
    const link = page.getByRole("link", { name: "Open on Spotify" });
    const copy = await link.getAttribute("href");
    assert.match(copy ?? "", /^https:\/\/open\.spotify\.com\/playlist\/\w+$/);
    // A later export updates the copy; if the copy was deleted, a new one is created and the page says so.
    await page.getByRole("button", { name: "Update on Spotify" }).click();
    await page.getByText("All 2 tracks are on Spotify.").waitFor();
    assert.equal(await link.getAttribute("href"), copy);
    await page.getByText("If you have removed it from your library on Spotify, it is still there").waitFor();
    await page.getByRole("button", { name: "Make a new copy" }).click();
    await page.getByText("This is a new copy.").waitFor();
    const another = await link.getAttribute("href");
    assert.notEqual(another, copy);
    await control("spotify", "PUT", "faults", [{ path_prefix: "/v1/playlists/", status: 404, times: 1 }]);
    await page.getByRole("button", { name: "Update on Spotify" }).click();
    await page.getByText("The copy on Spotify was gone, so there is a new one.").waitFor();
    assert.notEqual(await link.getAttribute("href"), another);
    await page.getByRole("button", { name: "Listen", exact: true }).click();
    await page.frameLocator("iframe").getByText("Plays the playlist").waitFor();
  });
}

for (const [button, further, done] of [
  ["Link Spotify", "Continue to Spotify", (page: Page) => page.getByRole("button", { name: "Agree" }).waitFor()],
  ["Delete account …", "Delete my account", (page: Page) => page.getByText("Your account is deleted.").waitFor()],
] as const) {
  test(`a user whose sign-in is old signs in again in the dialog, which then continues: ${further}`, async () => {
    const who = await stays(await listener());
    const { page } = await visit(browser, { who, url: `${ready.web_url}/#/account` });
    await page.getByRole("button", { name: button }).click();
    const dialog = page.getByRole("dialog");
    const goOn = dialog.getByRole("button", { name: further });
    if (button !== "Link Spotify") await dialog.getByLabel("Your e-mail address").fill(who.email);
    await goOn.click();
    await says(page, "This needs a sign-in of the last ten minutes.");
    await dialog.getByLabel("Password", { exact: true }).fill("not the password");
    await goOn.click();
    await says(page, "The e-mail address or the password is wrong.");
    await dialog.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await goOn.click();
    await done(page);
  });
}

test("an account is deleted after the user types its address", async () => {
  const { page, who } = await atAccount();
  await page.getByRole("button", { name: "Delete account …" }).click();
  await page.getByLabel("Your e-mail address").fill("somebody@example.com");
  await page.getByRole("button", { name: "Delete my account" }).click();
  await says(page, "That does not match this account.");
  await page.getByLabel("Your e-mail address").fill(who.email);
  await page.getByRole("button", { name: "Delete my account" }).click();
  await page.getByText("Your account is deleted.").waitFor();
  await page.getByRole("link", { name: "Sign in", exact: true }).waitFor();
  const { error } = await who.supabase.auth.signInWithPassword({ email: who.email, password: PASSWORD });
  assert.equal(error?.code, "invalid_credentials");
});

for (const [kind, label, phone] of [
  ["a phone number", "Your phone number", "48123456789"],
  ["nothing but an id", "Your account’s id", ""],
] as const) {
  test(`an account with ${kind} is deleted after the user types the text shown`, async () => {
    const who = await listener();
    await database(async (sql) => {
      // A number belongs to one account only.
      if (phone) await sql`update auth.users set phone = null where phone = ${phone}`;
      await sql`update auth.users set email = null, phone = ${phone || null} where id = ${who.session.user.id}`;
    });
    const session = { ...who.session, user: { ...who.session.user, email: "", phone } };
    const { page } = await visit(browser, { who: { ...who, session }, url: `${ready.web_url}/#/account` });
    await page.getByRole("button", { name: "Delete account …" }).click();
    await page.getByLabel(label).fill("12");
    await page.getByRole("button", { name: "Delete my account" }).click();
    await says(page, "That does not match this account.");
    const [, shown = ""] = /Type (\S+) to confirm/.exec((await page.getByText("to confirm").textContent()) ?? "") ?? [];
    assert.equal(shown, phone ? "+48123456789" : who.session.user.id);
    await page.getByLabel(label).fill(` ${shown.toUpperCase()} `);
    await page.getByRole("button", { name: "Delete my account" }).click();
    await page.getByText("Your account is deleted.").waitFor();
    const rows = await database((sql) => sql`select from auth.users where id = ${who.session.user.id}`);
    assert.equal(rows.length, 0);
  });
}
