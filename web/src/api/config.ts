/** The addresses of the services. The page's host serves them as `config.json`, beside the document. */
export type Config = {
  supabase_url: string;
  supabase_publishable_key: string;
  functions_url: string;
  /** Whether Auth lets users in without an address. */
  anonymous_sign_ins?: boolean;
  turnstile_site_key?: string;
  /** Where Spotify's player is, if not at Spotify. */
  spotify_player_origin?: string;
  /** `mailto:…` or the URL of a page. */
  contact_url?: string;
  /** Documents that replace the page's own texts. */
  terms_url?: string;
  privacy_url?: string;
};

/** The page shows nothing before it has the configuration, so a stalled connection is given up soon. */
const TIMEOUTS_MS = [4_000, 15_000] as const;

function request(): Promise<Response> {
  const [first, second] = TIMEOUTS_MS;
  // The document preloads it, so that it arrives with the script.
  return fetch("config.json", { signal: AbortSignal.timeout(first) }).catch(
    () =>
      fetch("config.json", {
        cache: "reload",
        signal: AbortSignal.timeout(second),
      }),
  );
}

export async function readConfig(): Promise<Config> {
  const response = await request();
  if (!response.ok) throw new Error(`config.json: ${response.status}`);
  const config = (await response.json()) as Partial<Config>;
  const { supabase_url, supabase_publishable_key, functions_url } = config;
  if (!supabase_url || !supabase_publishable_key || !functions_url)
    throw new Error("config.json is not complete");
  const contact_url = webUrl(config.contact_url);
  const [terms_url, privacy_url] = [
    webUrl(config.terms_url),
    webUrl(config.privacy_url),
  ];
  return {
    ...config,
    supabase_url,
    supabase_publishable_key,
    functions_url: functions_url.replace(/\/+$/, ""),
    contact_url,
    terms_url,
    privacy_url,
  };
}

/** Returns whether a link may have this address; `javascript:` may not. */
function webUrl(url: string | undefined): string | undefined {
  return /^(https?:\/\/|mailto:)/i.test(url ?? "") ? url : undefined;
}

/** Returns the page's own address, for services that send the browser back. */
export function pageUrl(): string {
  return location.origin + location.pathname;
}
