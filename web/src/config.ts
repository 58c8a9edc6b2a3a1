/** Where everything is; whoever hosts the page answers it at `config.json`, beside the document. */
export type Config = { supabase_url: string; supabase_publishable_key: string; functions_url: string; turnstile_site_key?: string };

export async function readConfig(): Promise<Config> {
  const response = await fetch('config.json', { cache: 'no-cache' });
  if (!response.ok) throw new Error(`config.json: ${response.status}`);
  const config = (await response.json()) as Partial<Config>;
  const { supabase_url, supabase_publishable_key, functions_url, turnstile_site_key } = config;
  if (!supabase_url || !supabase_publishable_key || !functions_url) throw new Error('config.json is not complete');
  return { supabase_url, supabase_publishable_key, functions_url: functions_url.replace(/\/+$/, ''), turnstile_site_key };
}

/** The page's own address, for those who send the browser back. */
export function pageUrl(): string {
  return location.origin + location.pathname;
}
