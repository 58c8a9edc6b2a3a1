// Supabase's clients for auth and data, without the rest of supabase-js: the page uses neither realtime nor storage.

import { GoTrueClient } from '@supabase/auth-js';
import { PostgrestClient } from '@supabase/postgrest-js';
import type { Database } from '../../../supabase/database.types.ts';
import type { Config } from './config.ts';
import { readConfig } from './config.ts';

export type Data = PostgrestClient<Database>;

let known: { config: Config; auth: GoTrueClient; data: Data } | null = null;

/** Reads the configuration and makes the clients. Everything else waits for it. */
export async function connect(): Promise<void> {
  const config = await readConfig();
  const auth = authWith(config, { storageKey: 'sound-whiskers.session' });
  const key = config.supabase_publishable_key;
  const withToken: typeof fetch = async (input, init) => {
    const { data } = await auth.getSession();
    const headers = new Headers(init?.headers);
    headers.set('apikey', key);
    headers.set('Authorization', `Bearer ${data.session?.access_token ?? key}`);
    return fetch(input, { ...init, headers });
  };
  known = { config, auth, data: new PostgrestClient<Database>(`${config.supabase_url}/rest/v1`, { fetch: withToken }) };
}

type Kept = { storageKey: string; persistSession?: boolean; autoRefreshToken?: boolean };

/** The page's address never makes a session: the author of a link would choose whose it is. */
function authWith({ supabase_url, supabase_publishable_key: key }: Config, kept: Kept): GoTrueClient {
  const headers = { apikey: key, Authorization: `Bearer ${key}` };
  return new GoTrueClient({
    url: `${supabase_url}/auth/v1`,
    headers,
    flowType: 'pkce',
    detectSessionInUrl: false,
    ...kept,
  });
}

function connected() {
  if (!known) throw new Error('not connected');
  return known;
}

/** An auth client whose session is kept nowhere, beside that of the page. */
export function passingAuth(): GoTrueClient {
  return authWith(connected().config, {
    storageKey: 'sound-whiskers.passing',
    persistSession: false,
    autoRefreshToken: false,
  });
}

export const auth = (): GoTrueClient => connected().auth;
export const data = (): Data => connected().data;
export const functionsUrl = (): string => connected().config.functions_url;

/** Empty where Turnstile is not switched on. */
export const turnstileSiteKey = (): string => known?.config.turnstile_site_key ?? '';

/** Where the service's owner is reached, and what holds besides; empty before the configuration is read. */
export const links = (): Pick<Config, 'contact_url' | 'terms_url' | 'privacy_url'> => known?.config ?? {};
