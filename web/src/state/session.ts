// The signed-in user and the usage of their plan.

import { signal } from "@preact/signals";
import type { MailLink, Session } from "../api/auth.ts";
import type { Usage } from "../api/data.ts";
import { readUsage } from "../api/data.ts";
import { deleteAccount as deleteOnServer } from "../api/functions.ts";
import { auth, passingAuth } from "../api/supabase.ts";
import { takeCaptchaToken } from "./captcha.ts";
import { drafts, visit } from "./drafts.ts";

/** The account; a missing e-mail address or phone number is an empty text. */
export type User = {
  id: string;
  email: string;
  phone: string;
  isAnonymous: boolean;
};

export const user = signal<User | null>(null);
export const usage = signal<Usage | null>(null);

/** Returns the e-mail address, otherwise the phone number, otherwise the id; it also confirms the account's deletion. */
export function nameOf({ email, phone, id }: User): string {
  return email || (phone && `+${phone.replace(/^\+/, "")}`) || id;
}

/** Keeps `user` up to date; completes when it is first known. */
export async function followSession(): Promise<void> {
  take(await auth().session());
  auth().follow(take);
}

function userOf({
  user: { id, email = "", phone = "", is_anonymous = false },
}: Session): User {
  return { id, email, phone, isAnonymous: is_anonymous };
}

function take(session: Session | null): void {
  const next = session && userOf(session);
  const isSame = next?.id === user.value?.id;
  // The e-mail address of the same account may have changed.
  if (
    isSame &&
    next?.email === user.value?.email &&
    next?.isAnonymous === user.value?.isAnonymous
  )
    return;
  const hasOtherLimits = next?.isAnonymous !== user.value?.isAnonymous;
  user.value = next;
  if (isSame && !hasOtherLimits) return;
  usage.value = null;
  if (next) void refreshUsage();
}

/** Pauses in milliseconds before the usage is read again after a failure. */
const USAGE_RETRIES = [1_000, 4_000];

/** Reads the usage. It gives up silently in the end, because the functions enforce the limits themselves. */
export async function refreshUsage(): Promise<void> {
  const of = user.value?.id;
  let read = await readUsage().catch(() => null);
  for (const pause of USAGE_RETRIES) {
    if (read || of !== user.value?.id) break;
    await new Promise((resolve) => setTimeout(resolve, pause));
    read = await readUsage().catch(() => null);
  }
  if (read && of === user.value?.id) usage.value = read;
}

/** Signs up and returns the account's id; unless it is signed in now, the address has to be confirmed first. */
export function signUp(email: string, password: string): Promise<string> {
  return auth().signUp(email, password, takeCaptchaToken());
}

/** Signs in a user without an address, who can give one later. */
export function signInAnonymously(): Promise<void> {
  return auth().signInAnonymously(takeCaptchaToken());
}

/** Gives an anonymous user an address and a password; returns whether that is done, or needs the mailed confirmation. */
export async function keepAccount(
  email: string,
  password: string,
): Promise<boolean> {
  await auth().update({ email, password });
  // Until it is renewed, the token says that the user is anonymous.
  return (await auth().renew()).user.is_anonymous === false;
}

export function signIn(email: string, password: string): Promise<void> {
  return auth().signIn(email, password, takeCaptchaToken());
}

/** An account opened by a link in a mail, beside the page's own session. */
export type Opened = {
  user: User;
  enter: () => void;
  leave: () => Promise<void>;
};

/** Redeems the link; returns null if the link in another mail must be redeemed as well. */
export async function openMailLink(
  token_hash: string,
  type: MailLink,
): Promise<Opened | null> {
  const passing = passingAuth();
  const session = await passing.redeem(token_hash, type);
  if (!session) return null;
  return {
    user: userOf(session),
    enter: () => auth().enter(session),
    leave: () => passing.signOut(),
  };
}

export async function sendConfirmation(
  email: string,
  type: "signup" | "email_change" = "signup",
): Promise<void> {
  await auth().resend(email, type, takeCaptchaToken());
}

export async function sendRecovery(email: string): Promise<void> {
  await auth().recover(email, takeCaptchaToken());
}

export async function changeEmail(email: string): Promise<void> {
  await auth().update({ email });
}

export async function changePassword(password: string): Promise<void> {
  await auth().update({ password });
}

export async function signOut(): Promise<void> {
  const told = auth().signOut();
  // At once: Auth may be slow, and the page be closed before it responds.
  drafts.forgetAll();
  visit.forgetAll();
  await told;
}

export async function deleteAccount(confirm: string): Promise<void> {
  await deleteOnServer(confirm);
  await signOut();
}
