// Who has signed in, and what of their plan is used.

import { signal } from '@preact/signals';
import type { EmailOtpType, Session } from '@supabase/auth-js';
import type { Usage } from '../api/data.ts';
import { readUsage } from '../api/data.ts';
import { Failure, failureOfAuth } from '../api/failure.ts';
import { deleteAccount as deleteOnServer } from '../api/functions.ts';
import { auth, passingAuth } from '../api/supabase.ts';
import { takeCaptchaToken } from './captcha.ts';
import { drafts } from './drafts.ts';

/** An account has an address, a phone number, or neither: then an empty text stands in its place. */
export type User = { id: string; email: string; phone: string };

export const user = signal<User | null>(null);
export const usage = signal<Usage | null>(null);

/** What an account is known by, and its deletion confirmed with: the address, without one the phone number, without either the id. */
export function nameOf({ email, phone, id }: User): string {
  return email || (phone && `+${phone.replace(/^\+/, '')}`) || id;
}

/** From now on `user` says who it is; returns when that is known for the first time. */
export async function followSession(): Promise<void> {
  const { data } = await auth().getSession();
  take(data.session);
  auth().onAuthStateChange((_event, session) => take(session));
}

function userOf({ user: { id, email = '', phone = '' } }: Session): User {
  return { id, email, phone };
}

function take(session: Session | null): void {
  const next = session && userOf(session);
  const isSame = next?.id === user.value?.id;
  // The address of the same account may be another now.
  if (isSame && next?.email === user.value?.email) return;
  user.value = next;
  if (isSame) return;
  usage.value = null;
  if (next) void refreshUsage();
}

/** A meter that cannot be read is not worth an alarm: what it measures refuses by itself. */
export async function refreshUsage(): Promise<void> {
  const of = user.value?.id;
  const read = await readUsage().catch(() => null);
  if (read && of === user.value?.id) usage.value = read;
}

/** Whether the account can be used at once; else a mail is on its way. */
export async function signUp(email: string, password: string): Promise<boolean> {
  const { data, error } = await auth().signUp({ email, password, options: { captchaToken: takeCaptchaToken() } });
  if (error) throw failureOfAuth(error);
  // Where addresses are confirmed, Auth does not say so of one that is taken, and sends no mail.
  if (data.user?.identities?.length === 0) throw new Failure('email_taken');
  return data.session !== null;
}

export async function signIn(email: string, password: string): Promise<void> {
  const { error } = await auth().signInWithPassword({ email, password, options: { captchaToken: takeCaptchaToken() } });
  if (error) throw failureOfAuth(error);
}

/** An account that a link from a mail has opened, while the page keeps the session that it has. */
export type Opened = { user: User; enter: () => Promise<void>; leave: () => Promise<void> };

/** Uses up the link; null where another mail has to be answered, too. */
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

export async function sendConfirmation(email: string): Promise<void> {
  const { error } = await auth().resend({ type: 'signup', email, options: { captchaToken: takeCaptchaToken() } });
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
  // Whatever the server says, this browser forgets.
  await auth().signOut({ scope: 'local' });
  drafts.forgetAll();
}

export async function deleteAccount(confirm: string): Promise<void> {
  await deleteOnServer(confirm);
  await signOut();
}
