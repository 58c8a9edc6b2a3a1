// The page without a connection: its files are kept by the service worker, and what was read last by the browser.

import { asFailure } from "../api/failure.ts";
import { textsNow } from "../i18n/texts.ts";
import { drafts } from "./drafts.ts";
import { user } from "./session.ts";
import { say } from "./toasts.ts";

const WORKER = "worker.js";
const AT_MOST = 20;
const NAMES = "read";

type Policy = { createScriptURL: (url: string) => unknown };
type Factory = {
  createPolicy: (
    name: string,
    rules: { createScriptURL: () => string },
  ) => Policy;
};

/** Registers the service worker. The page's policy allows no other script to become one. */
export function keepFiles(): void {
  const { trustedTypes } = globalThis as { trustedTypes?: Factory };
  try {
    const url =
      trustedTypes
        ?.createPolicy("worker", { createScriptURL: () => WORKER })
        .createScriptURL("") ?? WORKER;
    navigator.serviceWorker?.register(url as string).catch(() => {});
  } catch {
    // The host's policy allows none: the page needs a connection.
  }
}

/**
 * Reads, and returns what was read last if there is no connection, unless something `isShown`, which may be newer.
 * Signing out removes it, as all drafts.
 */
export async function remembering<T>(
  name: string,
  read: () => Promise<T>,
  isShown: boolean,
): Promise<T> {
  const who = user.value?.id;
  try {
    const value = await read();
    // The user may have signed out meanwhile.
    if (who !== user.value?.id) return value;
    const names = drafts.read<string[]>(NAMES, []).filter((it) => it !== name);
    for (const old of names.splice(AT_MOST - 1))
      drafts.forget(`${NAMES}.${old}`);
    drafts.write(NAMES, [name, ...names]);
    drafts.write(`${NAMES}.${name}`, value);
    return value;
  } catch (error) {
    const kept = drafts.read<T | null>(`${NAMES}.${name}`, null);
    if (
      isShown ||
      kept === null ||
      !["network", "offline"].includes(asFailure(error).code)
    )
      throw error;
    say(textsNow().common.lastRead);
    return kept;
  }
}

/** Forgets what was read, because it belongs to another user than the one who has signed in. */
export function forgetRead(): void {
  for (const name of drafts.read<string[]>(NAMES, []))
    drafts.forget(`${NAMES}.${name}`);
  drafts.forget(NAMES);
}

/** Calls `look` when the user comes back to the page, or the network does: another device may have changed what is shown. */
export function whenBack(look: () => unknown): () => void {
  // Several events tell the same.
  let isLooking = false;
  const lookIfSeen = async () => {
    if (isLooking || document.hidden || !navigator.onLine) return;
    isLooking = true;
    await look();
    isLooking = false;
  };
  const events = [
    [document, "visibilitychange"],
    [window, "focus"],
    [window, "online"],
  ] as const;
  for (const [target, name] of events)
    target.addEventListener(name, lookIfSeen);
  return () => {
    for (const [target, name] of events)
      target.removeEventListener(name, lookIfSeen);
  };
}
