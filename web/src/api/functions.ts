// Calls the functions with fetch, because they may have another address than Supabase and one returns a stream.

import { Failure, failureOfResponse } from "./failure.ts";
import type {
  Exported,
  FoundTrack,
  PriceResponse,
  SearchResponse,
  SpotifyAuthorization,
  SpotifyLink,
  StripePage,
} from "./generated.ts";
import { auth, functionsUrl } from "./supabase.ts";

export type { Exported, FoundTrack, SearchResponse, SpotifyLink };

export type Call = {
  method?: "GET" | "POST" | "DELETE";
  query?: Record<string, string>;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
};

/** Calls a function as the signed-in user; throws a `Failure` unless it succeeds. */
export async function callRaw(
  path: string,
  call: Call = {},
): Promise<Response> {
  const session = await auth().session();
  if (!session) throw new Failure("missing_token");
  const response = await send(path, call, session.access_token);
  if (response.ok) return response;
  const failure = await failureOfResponse(response);
  if (failure.code !== "token_expired" && failure.code !== "invalid_token")
    throw failure;
  // The device's clock may be wrong, so the token can be expired for the server: refresh it.
  const renewed = await auth()
    .renew()
    .catch(() => {
      throw failure;
    });
  const again = await send(path, call, renewed.access_token);
  if (!again.ok) throw await failureOfResponse(again);
  return again;
}

export async function call<T>(path: string, options: Call = {}): Promise<T> {
  const response = await callRaw(path, options);
  return response.status === 204
    ? (undefined as T)
    : ((await response.json()) as T);
}

/** Longer than any function takes but a generation, which brings its own signal. */
const TIMEOUT_MS = 60_000;

function send(
  path: string,
  { method = "POST", query, body, headers, signal }: Call,
  token: string,
): Promise<Response> {
  const search = query ? `?${new URLSearchParams(query)}` : "";
  const type: Record<string, string> =
    body === undefined ? {} : { "Content-Type": "application/json" };
  return fetch(`${functionsUrl()}/${path}${search}`, {
    method,
    headers: {
      Accept: "application/json",
      Authorization: `Bearer ${token}`,
      ...type,
      ...headers,
    },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: signal ?? AbortSignal.timeout(TIMEOUT_MS),
  });
}

export function searchTracks(
  artist: string,
  title: string,
): Promise<SearchResponse> {
  const query = Object.fromEntries(
    Object.entries({ artist, title, limit: "10" }).filter(
      ([, value]) => value.trim() !== "",
    ),
  );
  return call("spotify-search", { method: "GET", query });
}

export const spotifyLink = {
  start: async () =>
    (await call<SpotifyAuthorization>("spotify-oauth/start")).authorize_url,
  complete: (code: string, state: string) =>
    call<SpotifyLink>("spotify-oauth/complete", { body: { code, state } }),
  status: () => call<SpotifyLink>("spotify-oauth/status", { method: "GET" }),
  remove: () => call<void>("spotify-oauth/link", { method: "DELETE" }),
};

/** `key`: makes another copy, once under this key. Without it, a repetition fills the same copy. */
export function exportPlaylist(
  playlist_id: string,
  key?: string,
): Promise<Exported> {
  return call("spotify-export", {
    body: { playlist_id, new_copy: key !== undefined },
    headers: key ? { "Idempotency-Key": key } : {},
  });
}

export const billing = {
  checkout: async (success_url: string, cancel_url: string) =>
    (
      await call<StripePage>("billing/checkout", {
        body: { success_url, cancel_url },
      })
    ).url,
  portal: async (return_url: string) =>
    (await call<StripePage>("billing/portal", { body: { return_url } })).url,
};

/** Returns what Pro costs; also for visitors who are not signed in. */
export async function readPrice(): Promise<PriceResponse> {
  const response = await fetch(`${functionsUrl()}/billing/price`);
  if (!response.ok) throw await failureOfResponse(response);
  return response.json();
}

export function deleteAccount(confirm: string): Promise<void> {
  return call("account", { method: "DELETE", body: { confirm } });
}

/** Returns everything that is stored about the account, as a file. */
export async function exportAccount(): Promise<Blob> {
  return (await callRaw("account/export", { method: "GET" })).blob();
}
