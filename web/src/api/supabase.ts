// The clients of Supabase: Auth and the data API.

import { AuthClient } from "./auth.ts";
import type { Config } from "./config.ts";
import { readConfig } from "./config.ts";
import type { Data } from "./data-client.ts";
import { dataClient } from "./data-client.ts";
import { fetchInTime } from "./fetch.ts";

export type { Data };

let known: { config: Config; auth: AuthClient; data: Data } | null = null;

/** Reads the configuration and creates the clients. Everything else waits for it. */
export async function connect(): Promise<void> {
  const config = await readConfig();
  const auth = authWith(config, "sound-whiskers.session");
  const key = config.supabase_publishable_key;
  const withToken: typeof fetch = async (input, init) => {
    const send = (token: string) => {
      const headers = new Headers(init?.headers);
      headers.set("apikey", key);
      headers.set("Authorization", `Bearer ${token}`);
      return fetchInTime(input, { ...init, headers });
    };
    const session = await auth.session();
    const response = await send(session?.access_token ?? key);
    if (!session || response.status !== 401) return response;
    // The device's clock may be wrong, so the token can be expired for the server.
    const renewed = await auth.renew().catch(() => null);
    return renewed ? send(renewed.access_token) : response;
  };
  known = {
    config,
    auth,
    data: dataClient(`${config.supabase_url}/rest/v1`, withToken),
  };
}

function authWith(
  { supabase_url, supabase_publishable_key: key }: Config,
  name: string | null,
): AuthClient {
  return new AuthClient({ url: `${supabase_url}/auth/v1`, key }, name);
}

function connected() {
  if (!known) throw new Error("not connected");
  return known;
}

/** Creates an auth client that stores its session nowhere and leaves the page's session alone. */
export const passingAuth = (): AuthClient => authWith(connected().config, null);

export const auth = (): AuthClient => connected().auth;
export const data = (): Data => connected().data;
export const functionsUrl = (): string => connected().config.functions_url;

/** The site key of Turnstile; empty if it is disabled. */
export const turnstileSiteKey = (): string =>
  known?.config.turnstile_site_key ?? "";

export const playerOrigin = (): string =>
  connected().config.spotify_player_origin ?? "https://open.spotify.com";

/** Whether the first playlist needs no account. */
export const allowsAnonymous = (): boolean =>
  known?.config.anonymous_sign_ins === true;

/** The owner's contact and legal documents; empty until the configuration is read. */
export const links = (): Pick<
  Config,
  "contact_url" | "terms_url" | "privacy_url"
> => known?.config ?? {};
