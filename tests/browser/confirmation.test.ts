// Signing up with confirmed addresses, the default of hosted projects, through a real mail.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { launch } from "./browser.ts";
import { startOwnSupabase } from "./own-supabase.ts";
import { says, sendCredentials, wish } from "./page.ts";
import { linkTo, PASSWORD, visit } from "./support.ts";

const own = await startOwnSupabase({ CONFIRM_EMAIL: "true", ANONYMOUS_SIGN_INS: "true" });
const browser = await launch();
after(async () => {
  await browser.close();
  own.close();
});

test("the link in a mail confirms an address, and the prompt that was written before is sent by itself", async () => {
  const { site, config } = own;
  const email = `${crypto.randomUUID()}@example.com`;
  const { page } = await visit(browser, { url: site, count: 3, others: [config.supabase_url] });
  await wish(page, "songs for a rainy tram ride");
  await sendCredentials(page, "Create account", email);
  await page.getByText(`We have sent a link to ${email}`).waitFor();
  await page.getByRole("button", { name: "Send it again" }).click();
  await says(page, "A mail was sent only a moment ago.");

  await page.getByRole("link", { name: "Back to sign in" }).click();
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("main").getByRole("button", { name: "Sign in" }).click();
  await says(page, "Your e-mail address is not confirmed yet.");
  await page.getByRole("button", { name: "Send it again" }).click();
  await says(page, "A mail was sent only a moment ago.");

  await page.goto(await linkTo(email, `${config.supabase_url}/mail`));
  await page.getByText("Confirm that this e-mail address is yours.").waitFor();
  // The functions of the stack do not accept its tokens.
  const refused = { status: 503, headers: { "Access-Control-Allow-Origin": "*" }, json: { code: "misconfigured", message: "no", request_id: "1" } };
  await page.route("**/functions/v1/ai-playlist", (route) => route.fulfill(refused));
  const sent = page.waitForRequest("**/functions/v1/ai-playlist");
  await page.getByRole("button", { name: "Confirm" }).click();
  await page.getByText("Your e-mail address is confirmed. Welcome!").waitFor();
  assert.equal((await sent).postDataJSON().prompt, "songs for a rainy tram ride");
});

test("a visitor's playlist is kept once the address is confirmed", async () => {
  const { site, config } = own;
  const email = `${crypto.randomUUID()}@example.com`;
  config.anonymous_sign_ins = true;
  const { page } = await visit(browser, { url: site, count: 3, others: [config.supabase_url] });
  const refused = { status: 503, headers: { "Access-Control-Allow-Origin": "*" }, json: { code: "misconfigured", message: "no", request_id: "1" } };
  await page.route("**/functions/v1/ai-playlist", (route) => route.fulfill(refused));
  await wish(page);
  await page.getByRole("link", { name: "You", exact: true }).click();
  await page.getByRole("link", { name: "Keep it: create an account" }).click();
  await sendCredentials(page, "Create account", email);
  await page.getByText(`We have sent a link to ${email}`).waitFor();
  await page.goto(await linkTo(email, `${config.supabase_url}/mail`));
  await page.getByRole("button", { name: "Confirm" }).click();
  await page.getByText(`You are signed in as ${email}.`).first().waitFor();
});
