// A real Chromium: the one that the system has, else one from an npm package.

import { existsSync } from "node:fs";
import packaged from "@sparticuz/chromium";
import type { Browser } from "playwright-core";
import { chromium } from "playwright-core";

const OF_THE_SYSTEM = ["/usr/bin/chromium", "/usr/bin/google-chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"];

/** Without these Chromium looks for servers of its own, at every start. */
const QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];

/** `more`: arguments of Chromium's beyond ours. */
export async function launch(...more: string[]): Promise<Browser> {
  const found = OF_THE_SYSTEM.find((path) => existsSync(path));
  // As root, and in most containers, there is no sandbox to be had; the pages are our own.
  const args = [...QUIET, "--no-sandbox", "--disable-gpu", "--disable-quic", ...more];
  // Not with the package's own arguments: they put everything into one process and switch web security off.
  return chromium.launch({ executablePath: found ?? (await packaged.executablePath()), args });
}
