// Supabase's clients for Auth and data, without the unused rest of supabase-js.

import { GoTrueClient } from '@supabase/auth-js';
import { PostgrestClient } from '@supabase/postgrest-js';
import type { Database } from '../../../supabase/database.types.ts';
import type { Config } from './config.ts';
import { readConfig } from './config.ts';

export type Data = PostgrestClient<Database>;

let known: { config: Config; auth: GoTrueClient; data: Data } | null = null;

/** Reads the configuration and creates the clients. Everything else waits for it. */
export async function connect(): Promise<void> {
  const config = await readConfig();
  const auth = authWith(config, { storageKey: 'sound-whiskers.session' });
  const key = config.supabase_publishable_key;
  const withToken: typeof fetch = async (input, init) => {
    const { data } = await auth.getSession();
    const headers = new Headers(init?.headers);
    headers.set('apikey', key);
    headers.set('Authorization', `Bearer ${data.session?.access_token ?? key}`);
    return fetchInTime(input, { ...init, headers });
  };
  known = { config, auth, data: new PostgrestClient<Database>(`${config.supabase_url}/rest/v1`, { fetch: withToken }) };
}

/** The longest time that Auth and the data API may take. */
const TIMEOUT_MS = 20_000;

const fetchInTime: typeof fetch = (input, init) =>
  fetch(input, { ...init, signal: init?.signal ?? AbortSignal.timeout(TIMEOUT_MS) });

type Kept = { storageKey: string; persistSession?: boolean; autoRefreshToken?: boolean };

/** The client ignores sessions in the page's address: the author of a link would choose the account. */
function authWith({ supabase_url, supabase_publishable_key: key }: Config, kept: Kept): GoTrueClient {
  const headers = { apikey: key, Authorization: `Bearer ${key}` };
  return new GoTrueClient({
    url: `${supabase_url}/auth/v1`,
    headers,
    flowType: 'pkce',
    detectSessionInUrl: false,
    fetch: fetchInTime,
    ...kept,
  });
}

function connected() {
  if (!known) throw new Error('not connected');
  return known;
}

/** Creates an auth client that stores its session nowhere and leaves the page's session alone. */
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

/** The site key of Turnstile; empty if it is disabled. */
export const turnstileSiteKey = (): string => known?.config.turnstile_site_key ?? '';

export const playerOrigin = (): string => connected().config.spotify_player_origin ?? 'https://open.spotify.com';

/** Whether the first playlist needs no account. */
export const allowsAnonymous = (): boolean => known?.config.anonymous_sign_ins === true;

/** The owner's contact and legal documents; empty until the configuration is read. */
export const links = (): Pick<Config, 'contact_url' | 'terms_url' | 'privacy_url'> => known?.config ?? {};
