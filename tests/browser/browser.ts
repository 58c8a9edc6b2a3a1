// A real Chromium: the system's, otherwise one from an npm package.

import { existsSync } from "node:fs";
import packaged from "@sparticuz/chromium";
import type { Browser } from "playwright-core";
import { chromium } from "playwright-core";

const OF_THE_SYSTEM = ["/usr/bin/chromium", "/usr/bin/google-chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"];

/** Without these Chromium contacts its own servers at every start. */
const QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];

/** `more` are further arguments for Chromium. */
export async function launch(...more: string[]): Promise<Browser> {
  const found = OF_THE_SYSTEM.find((path) => existsSync(path));
  // Chromium has no sandbox as root and in most containers; it opens only trusted pages here.
  const args = [...QUIET, "--no-sandbox", "--disable-gpu", "--disable-quic", ...more];
  // Without the package's arguments, which use one process and disable web security.
  return chromium.launch({ executablePath: found ?? (await packaged.executablePath()), args });
}
