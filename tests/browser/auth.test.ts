// Signing up, in and out, recovery, and links in mails.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Page } from "playwright-core";
import { launch } from "./browser.ts";
import { goTo, isAccessible, keepsFocus, says, sendCredentials, signIn, wish } from "./page.ts";
import { linkTo, listener, modelTakes, PHONE, ready, SIZES, visit } from "./support.ts";

const browser = await launch();
after(() => browser.close());

const newAddress = () => `${crypto.randomUUID()}@example.com`;

for (const [name, size] of SIZES) {
  test(`on a ${name}, a visitor gets the first playlist without an account, and keeps it with one`, async () => {
    const { page } = await visit(browser, { size, count: 3 });
    await modelTakes(0, 0);
    await wish(page, "songs for a rainy tram ride");
    await page.getByText("So far this is kept in this browser only.").waitFor();
    const made = page.url();
    await page.getByRole("button", { name: "Send to Spotify" }).click();
    await says(page, "This needs an account.");
    await goTo(page, "");
    await page.getByText("With a free account you get 3 in 30 days.").waitFor();
    await page.getByRole("link", { name: "Keep it: create an account" }).click();
    await sendCredentials(page, "Create account", newAddress());
    await page.getByText("Your account is there").waitFor();
    await page.goto(made);
    await page.getByRole("button", { name: "Send to Spotify" }).waitFor();
    await goTo(page, "");
    await page.getByText("2 of 3 AI playlists left").waitFor();
  });

  test(`on a ${name}, a visitor signs up if Auth has no anonymous users, and the generation continues by itself`, async () => {
    const { page } = await visit(browser, { size, count: 3 });
    await page.route("**/config.json", async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...(await response.json()), anonymous_sign_ins: false } });
    });
    await page.reload();
    await modelTakes(0, 0);
    await wish(page, "songs for a rainy tram ride");
    await page.getByText("This is made as soon as you are signed in:").waitFor();
    await page.getByRole("button", { name: "Discard it" }).click();
    await page.getByText("What you have written is kept.").waitFor();
    await page.goBack();
    await page.getByRole("button", { name: "Make it" }).click();
    await page.getByText("songs for a rainy tram ride", { exact: true }).waitFor();
    await isAccessible(page, "a wish that waits");
    await page.getByRole("button", { name: "Show" }).click();
    assert.equal(await page.getByLabel("Password", { exact: true }).getAttribute("type"), "text");
    await sendCredentials(page, "Create account", newAddress());
    await page.getByRole("button", { name: "Send to Spotify" }).waitFor();
    await goTo(page, "");
    await page.getByText("2 of 3 AI playlists left").waitFor();
    assert.equal(await page.getByLabel("Your wish").inputValue(), "");
  });
}

test("an anonymous user who leaves a shared computer leaves no data", async () => {
  const { page } = await visit(browser, { count: 3 });
  await modelTakes(0, 0);
  await wish(page);
  await page.getByText("So far this is kept in this browser only.").waitFor();
  await goTo(page, "account");
  await page.getByRole("button", { name: "Leave and delete these playlists …" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Leave and delete these playlists" }).click();
  await page.getByText("You have left, and nothing of yours is kept.").waitFor();
  assert.doesNotMatch(await page.evaluate(() => JSON.stringify(localStorage)), /draft|session/);
});

test("a used or expired link says what it was for, and leads to the screen that helps", async () => {
  const { page } = await visit(browser);
  const [enter, resend, reset] = ["Sign in", "Send the confirmation again", "Reset your password"];
  for (const [type, what, ...ways] of [
    ["email_change", "Confirm the change of your e-mail address.", "Your account"],
    ["magiclink", "Sign in with the link from the mail.", enter, reset],
    ["invite", "Accept the invitation.", enter, reset],
    ["signup", "Confirm that this e-mail address is yours.", enter, resend],
    // Auth's own refusal does not say which link it was.
    ["", "The link from the mail is not valid any more.", enter, resend, reset],
  ] as const) {
    await page.goto(`${ready.web_url}/#${type ? `/confirm?type=${type}&token_hash=used` : "error=access_denied&error_code=otp_expired"}`);
    await says(page, what);
    if (type) await page.getByRole("button", { name: "Confirm" }).click();
    await says(page, "The link from the mail is not valid any more.");
    assert.deepEqual(await page.getByRole("alert").getByRole("link").allTextContents(), ways);
  }
  await page.getByRole("link", { name: resend }).click();
  // The screen that is left has a field of the same name.
  await page.getByRole("heading", { name: resend }).waitFor();
  await page.getByLabel("E-mail").fill("nobody@example.com");
  await page.getByRole("button", { name: "Send the link" }).click();
  await says(page, "If there is an account for nobody@example.com, a link is on its way.");
});

test("missing input is reported in the language of the page", async () => {
  const { page } = await visit(browser, { url: `${ready.web_url}/#/sign-up`, locale: "pl-PL" });
  await page.getByRole("button", { name: "Załóż konto" }).click();
  await page.getByText("Wypełnij to pole.").first().waitFor();
  await keepsFocus(page, "a form that was not sent");
  await page.getByLabel("E-mail").fill("nikt");
  await page.getByLabel("Hasło", { exact: true }).fill("krótkie");
  await page.getByRole("button", { name: "Załóż konto" }).click();
  await page.getByText("To nie jest adres e-mail.").waitFor();
  await page.getByText("Co najmniej 8 znaków.").waitFor();
});

test("address and password can be changed in the account", async () => {
  const who = await listener();
  const { page } = await visit(browser, { who, url: `${ready.web_url}/#/account` });
  await page.getByRole("button", { name: "Change e-mail" }).click();
  await page.getByLabel("New e-mail address").fill(newAddress());
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await says(page, "Open the links that we have sent to");
  await page.getByRole("link", { name: "Change password" }).click();
  await page.getByLabel("New password", { exact: true }).fill("another horse battery");
  await page.getByRole("button", { name: "Save password" }).click();
  await page.getByText("Your new password is saved.").waitFor();
});

test("a private place asks for a sign-in and is shown after it", async () => {
  const { email } = await listener();
  const { page } = await visit(browser, { url: `${ready.web_url}/#/playlists` });
  await page.getByText("Sign in to see this page.").waitFor();
  await sendCredentials(page, "Sign in", email);
  await page.getByRole("heading", { name: "Library" }).waitFor();
});

test("signing out leaves no data that the next user could read", async () => {
  const { page } = await visit(browser, { who: await listener() });
  await page.getByLabel("Your wish").fill("a secret");
  await goTo(page, "account");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByText("You are signed out.").waitFor();
  assert.ok(!(await page.evaluate(() => JSON.stringify(localStorage))).match(/secret|token|example\.com/));
});

test("a forgotten password is replaced through a mail", async () => {
  const { email } = await listener();
  const { page } = await visit(browser, { url: `${ready.web_url}/#/sign-in` });
  await page.getByRole("link", { name: "Forgot your password?" }).click();
  // The previous screen has a field of the same name.
  await page.getByRole("button", { name: "Send the link" }).waitFor();
  await page.getByLabel("E-mail").fill(email);
  await page.getByRole("button", { name: "Send the link" }).click();
  await page.getByText(`If there is an account for ${email}, a link is on its way.`).waitFor();
  const link = await linkTo(email);
  // A mail scanner opens the link and runs the page.
  const scanner = await visit(browser, { url: link });
  await scanner.page.getByText("Choose a new password with the link from the mail.").waitFor();
  // The user opens it on another device.
  const phone = await visit(browser, { url: link, size: PHONE });
  await phone.page.getByRole("button", { name: "Confirm" }).click();
  await phone.page.getByText(`You are signed in as ${email}.`).waitFor();
  await phone.page.getByLabel("New password", { exact: true }).fill("another horse battery");
  await phone.page.getByRole("button", { name: "Save password" }).click();
  await phone.page.getByText("Your new password is saved.").waitFor();
  const later = await visit(browser, { url: link });
  await later.page.getByRole("button", { name: "Confirm" }).click();
  await says(later.page, "The link from the mail is not valid any more.");
  await signIn(later.page, email, "another horse battery");
});

async function isSignedInAs(page: Page, email: string): Promise<void> {
  await goTo(page, "account");
  await page.getByRole("main").getByText(`Signed in as ${email}`).waitFor();
}

for (const isKnown of [false, true]) {
  test(`a link with a session does not sign ${isKnown ? "a user over to" : "a visitor in to"} the account of the link’s author`, async () => {
    const [attacker, victim] = [await listener(), await listener()];
    const { access_token, refresh_token } = attacker.session;
    const parameters = new URLSearchParams({ access_token, refresh_token, expires_in: "3600", token_type: "bearer", type: "magiclink" });
    for (const [before, link] of [
      ["", `#${parameters}`],
      ["#/playlists", `#${parameters}`],
      ["", `?${parameters}`],
      ["", "?code=of-the-attackers"],
    ] as const) {
      const { page } = await visit(browser, { ...(isKnown ? { who: victim } : {}), url: `${ready.web_url}/${before || link}` });
      if (before) {
        await page.getByRole("heading", { name: isKnown ? "Library" : "Sign in" }).waitFor();
        await page.goto(`${ready.web_url}/${link}`);
      }
      await says(page, "The link tried to sign you in to an account of its choice. It was ignored.");
      assert.equal(page.url(), `${ready.web_url}/#/`);
      assert.ok(!(await page.evaluate(() => JSON.stringify(localStorage))).includes(access_token));
      if (isKnown) await isSignedInAs(page, victim.email);
      else await page.getByRole("link", { name: "Sign in", exact: true }).waitFor();
    }
  });
}

test("the link in a mail changes the address, and the page shows the new one", async () => {
  const who = await listener();
  const { page } = await visit(browser, { who });
  const email = newAddress();
  assert.equal((await who.supabase.auth.updateUser({ email })).error, null);
  await page.goto(await linkTo(who.email));
  await page.getByRole("button", { name: "Confirm" }).click();
  await page.getByText(`You are signed in as ${email}.`).waitFor();
  await isSignedInAs(page, email);
});

for (const [choice, isKept] of [
  ["Stay signed in as", true],
  ["Sign in as", false],
] as const) {
  test(`a confirmation link of another account asks before it changes the session: ${choice} …`, async () => {
    const [attacker, victim] = [await listener(), await listener()];
    await attacker.supabase.auth.signInWithOtp({ email: attacker.email });
    const { page } = await visit(browser, { who: victim, url: await linkTo(attacker.email) });
    await page.getByText(`You are signed in as ${victim.email}.`).waitFor();
    await page.getByRole("button", { name: "Confirm" }).click();
    await says(page, `This link belongs to ${attacker.email}.`);
    await page.getByRole("button", { name: `${choice} ${isKept ? victim.email : attacker.email}` }).click();
    await page.getByLabel("Your wish").waitFor();
    await isSignedInAs(page, isKept ? victim.email : attacker.email);
  });
}
