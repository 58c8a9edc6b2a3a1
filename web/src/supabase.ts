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
  // Implicit, because a mail may be opened on another device than the one that asked for it.
  const auth = { flowType: 'implicit', detectSessionInUrl: true, storageKey: 'sound-whiskers.session' } as const;
  client = createClient<Database>(config.supabase_url, config.supabase_publishable_key, { auth });
}

export function supabase(): Client {
  if (!client) throw new Error('not connected');
  return client;
}

export function functionsUrl(): string {
  if (!config) throw new Error('not connected');
  return config.functions_url;
}
