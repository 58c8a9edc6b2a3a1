// Who has signed in, and what of their plan is used.

import type { Session } from '@supabase/supabase-js';
import { deleteAccount as deleteOnServer } from './api.ts';
import { pageUrl } from './config.ts';
import { readUsage } from './data.ts';
import type { Usage } from './data.ts';
import { drafts } from './drafts.ts';
import { failureOfAuth } from './failure.ts';
import { Store } from './store.ts';
import { supabase } from './supabase.ts';

/** An account has an address, a phone number, or neither: then an empty text stands in its place. */
export type User = { id: string; email: string; phone: string };

export const user = new Store<User | null>(null);
export const usage = new Store<Usage | null>(null);

/** From now on `user` says who it is; answers when that is known for the first time. */
export async function followSession(recovered: () => void): Promise<void> {
  const { data } = await supabase().auth.getSession();
  take(data.session);
  supabase().auth.onAuthStateChange((event, session) => {
    take(session);
    if (event === 'PASSWORD_RECOVERY') recovered();
  });
}

function take(session: Session | null): void {
  const next = session ? { id: session.user.id, email: session.user.email ?? '', phone: session.user.phone ?? '' } : null;
  if (next?.id === user.value?.id) return;
  usage.value = null;
  user.value = next;
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
  const { data, error } = await supabase().auth.signUp({ email, password, options: { emailRedirectTo: pageUrl() } });
  if (error) throw failureOfAuth(error);
  return data.session !== null;
}

export async function signIn(email: string, password: string): Promise<void> {
  const { error } = await supabase().auth.signInWithPassword({ email, password });
  if (error) throw failureOfAuth(error);
}

export async function sendConfirmation(email: string): Promise<void> {
  const { error } = await supabase().auth.resend({ type: 'signup', email, options: { emailRedirectTo: pageUrl() } });
  if (error) throw failureOfAuth(error);
}

export async function sendRecovery(email: string): Promise<void> {
  const { error } = await supabase().auth.resetPasswordForEmail(email, { redirectTo: pageUrl() });
  if (error) throw failureOfAuth(error);
}

export async function changePassword(password: string): Promise<void> {
  const { error } = await supabase().auth.updateUser({ password });
  if (error) throw failureOfAuth(error);
}

export async function signOut(): Promise<void> {
  // Whatever the server says, this browser forgets.
  await supabase().auth.signOut({ scope: 'local' });
  drafts.forgetAll();
}

export async function deleteAccount(confirm: string): Promise<void> {
  await deleteOnServer(confirm);
  await signOut();
}
