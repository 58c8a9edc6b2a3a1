// Parses what Spotify, Auth or a link has put into the address. Anyone can make such a link, so it is untrusted.

export type Arrival =
  | { kind: "spotify"; code: string; state: string }
  | { kind: "spotify_refused"; reason: string }
  | { kind: "session" }
  | { kind: "mail_refused"; code: string }
  | { kind: "usual" };

/** The parameters that could start a session; Auth's redirect brings `code`. */
const OF_SESSIONS = ["access_token", "refresh_token"];

export function arrivalOf({
  hash,
  search,
}: {
  hash: string;
  search: string;
}): Arrival {
  const query = new URLSearchParams(search);
  const fragment = new URLSearchParams(hash.replace(/^#/, ""));
  const value = (name: string) => fragment.get(name) ?? "";
  if (value("spotify_code"))
    return {
      kind: "spotify",
      code: value("spotify_code"),
      state: value("spotify_state"),
    };
  if (value("spotify_error"))
    return { kind: "spotify_refused", reason: value("spotify_error") };
  if (
    query.has("code") ||
    OF_SESSIONS.some((name) => fragment.has(name) || query.has(name))
  )
    return { kind: "session" };
  if (value("error"))
    return {
      kind: "mail_refused",
      code: value("error_code") || value("error"),
    };
  return { kind: "usual" };
}
