// The signed-in user and the usage of their plan.

import { signal } from '@preact/signals';
import type { EmailOtpType, Session } from '@supabase/auth-js';
import type { Usage } from '../api/data.ts';
import { readUsage } from '../api/data.ts';
import { Failure, failureOfAuth } from '../api/failure.ts';
import { deleteAccount as deleteOnServer } from '../api/functions.ts';
import { auth, passingAuth } from '../api/supabase.ts';
import { takeCaptchaToken } from './captcha.ts';
import { drafts } from './drafts.ts';

/** The account; a missing e-mail address or phone number is an empty text. */
export type User = { id: string; email: string; phone: string; isAnonymous: boolean };

export const user = signal<User | null>(null);
export const usage = signal<Usage | null>(null);

/** Returns the e-mail address, otherwise the phone number, otherwise the id; it also confirms the account's deletion. */
export function nameOf({ email, phone, id }: User): string {
  return email || (phone && `+${phone.replace(/^\+/, '')}`) || id;
}

/** Keeps `user` up to date; completes when it is first known. */
export async function followSession(): Promise<void> {
  const { data } = await auth().getSession();
  take(data.session);
  auth().onAuthStateChange((_event, session) => take(session));
}

function userOf({ user: { id, email = '', phone = '', is_anonymous = false } }: Session): User {
  return { id, email, phone, isAnonymous: is_anonymous };
}

function take(session: Session | null): void {
  const next = session && userOf(session);
  const isSame = next?.id === user.value?.id;
  // The e-mail address of the same account may have changed.
  if (isSame && next?.email === user.value?.email && next?.isAnonymous === user.value?.isAnonymous) return;
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

/** Signs up; returns whether the account is usable at once, or needs the confirmation that was mailed. */
export async function signUp(email: string, password: string): Promise<boolean> {
  const { data, error } = await auth().signUp({ email, password, options: { captchaToken: takeCaptchaToken() } });
  if (error) throw failureOfAuth(error);
  // If Auth confirms addresses, it hides that one is taken: it returns no identity and sends no mail.
  if (data.user?.identities?.length === 0) throw new Failure('email_taken');
  return data.session !== null;
}

/** Signs in a user without an address, who can give one later. */
export async function signInAnonymously(): Promise<void> {
  const { error } = await auth().signInAnonymously({ options: { captchaToken: takeCaptchaToken() } });
  if (error) throw failureOfAuth(error);
}

/** Gives an anonymous user an address and a password; returns whether that is done, or needs the mailed confirmation. */
export async function keepAccount(email: string, password: string): Promise<boolean> {
  const { error } = await auth().updateUser({ email, password });
  if (error) throw failureOfAuth(error);
  // Until it is refreshed, the token says that the user is anonymous.
  const { data } = await auth().refreshSession();
  return data.session?.user.is_anonymous === false;
}

export async function signIn(email: string, password: string): Promise<void> {
  const { error } = await auth().signInWithPassword({ email, password, options: { captchaToken: takeCaptchaToken() } });
  if (error) throw failureOfAuth(error);
}

/** An account opened by a link in a mail, beside the page's own session. */
export type Opened = { user: User; enter: () => Promise<void>; leave: () => Promise<void> };

/** Redeems the link; returns null if the link in another mail must be redeemed as well. */
export async function openMailLink(token_hash: string, type: EmailOtpType): Promise<Opened | null> {
  const passing = passingAuth();
  const { data, error } = await passing.verifyOtp({ token_hash, type });
  if (error) throw failureOfAuth(error);
  const { session } = data;
  if (!session) return null;
  const enter = async () => {
    const { error } = await auth().setSession(session);
    if (error) throw failureOfAuth(error);
  };
  const leave = async () => void (await passing.signOut({ scope: 'local' }));
  return { user: userOf(session), enter, leave };
}

export async function sendConfirmation(email: string, type: 'signup' | 'email_change' = 'signup'): Promise<void> {
  const { error } = await auth().resend({ type, email, options: { captchaToken: takeCaptchaToken() } });
  if (error) throw failureOfAuth(error);
}

export async function sendRecovery(email: string): Promise<void> {
  const { error } = await auth().resetPasswordForEmail(email, { captchaToken: takeCaptchaToken() });
  if (error) throw failureOfAuth(error);
}

export async function changeEmail(email: string): Promise<void> {
  const { error } = await auth().updateUser({ email });
  if (error) throw failureOfAuth(error);
}

export async function changePassword(password: string): Promise<void> {
  const { error } = await auth().updateUser({ password });
  if (error) throw failureOfAuth(error);
}

export async function signOut(): Promise<void> {
  // This browser removes its data even if the server fails.
  await auth().signOut({ scope: 'local' });
  drafts.forgetAll();
}

export async function deleteAccount(confirm: string): Promise<void> {
  await deleteOnServer(confirm);
  await signOut();
}
