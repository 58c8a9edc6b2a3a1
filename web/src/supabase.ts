import { createClient } from '@supabase/supabase-js';
import type { SupabaseClient } from '@supabase/supabase-js';
import type { Database } from '../../supabase/database.types.ts';
import type { Config } from './config.ts';
import { readConfig } from './config.ts';

export type Client = SupabaseClient<Database>;

let config: Config | null = null;
let client: Client | null = null;

/** Before anything else. */
export async function connect(): Promise<void> {
  config = await readConfig();
  client = clientWith(config, { storageKey: 'sound-whiskers.session' });
}

/** The address of the page never makes a session: whoever sends a link would choose whose it is. */
function clientWith({ supabase_url, supabase_publishable_key }: Config, auth: { storageKey: string; persistSession?: boolean; autoRefreshToken?: boolean }): Client {
  return createClient<Database>(supabase_url, supabase_publishable_key, { auth: { flowType: 'pkce', detectSessionInUrl: false, ...auth } });
}

/** A client whose session is kept nowhere, beside that of the page. */
export function passingClient(): Client {
  if (!config) throw new Error('not connected');
  return clientWith(config, { storageKey: 'sound-whiskers.passing', persistSession: false, autoRefreshToken: false });
}

export function supabase(): Client {
  if (!client) throw new Error('not connected');
  return client;
}

export function functionsUrl(): string {
  if (!config) throw new Error('not connected');
  return config.functions_url;
}

/** Empty where Turnstile is not switched on. */
export function turnstileSiteKey(): string {
  return config?.turnstile_site_key ?? '';
}
