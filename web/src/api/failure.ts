// Failures of the functions, the data API, Auth and the network, in one form.

import { FUNCTION_CODES } from "./generated.ts";

export { FUNCTION_CODES };

/** The codes of failures that only the page detects. */
export const PAGE_CODES = [
  "network",
  "offline",
  "connection_lost",
  "unknown",
  "name_taken",
  "duplicate_track",
  "too_many_tracks",
  "track_missing",
  "playlist_changed",
  "text_not_allowed",
  "shared_playlist_not_found",
  "wrong_credentials",
  "email_taken",
  "email_not_confirmed",
  "email_invalid",
  "weak_password",
  "same_password",
  "mail_link_expired",
  "session_in_link",
  "mail_rate_limited",
  "auth_rate_limited",
  "auth_unavailable",
  "captcha_failed",
  "spotify_refused",
  "spotify_took_too_long",
  "spotify_failed",
] as const;

export type FailureCode =
  | (typeof FUNCTION_CODES)[number]
  | (typeof PAGE_CODES)[number];

export type FailureDetails = {
  message?: string;
  request_id?: string;
  retry_after_seconds?: number;
  examples?: string[];
};

export class Failure extends Error {
  readonly code: FailureCode;
  readonly request_id: string | undefined;
  readonly retry_after_seconds: number | undefined;
  readonly examples: string[];

  constructor(code: FailureCode, details: FailureDetails = {}) {
    super(details.message ?? code);
    this.code = code;
    this.request_id = details.request_id;
    this.retry_after_seconds = details.retry_after_seconds;
    this.examples = details.examples ?? [];
  }
}

const unreachable = () =>
  globalThis.navigator?.onLine === false ? "offline" : "network";

/** Converts a thrown value to a failure. */
export function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  // `fetch` throws a TypeError if there is no response, and this DOMException if it takes too long.
  if (
    error instanceof TypeError ||
    (error instanceof DOMException && error.name === "TimeoutError")
  )
    return new Failure(unreachable());
  return new Failure("unknown", {
    message: error instanceof Error ? error.message : String(error),
  });
}

const known = new Set<string>(FUNCTION_CODES);

/** Converts a function's error, from a body or an event, to a failure. */
export function failureOfBody(
  body: unknown,
  retry_after: string | null = null,
): Failure {
  const { code, message, request_id, examples } = (body ?? {}) as Record<
    string,
    unknown
  >;
  const seconds = Number(retry_after);
  return new Failure(
    typeof code === "string" && known.has(code)
      ? (code as FailureCode)
      : "unknown",
    {
      message: typeof message === "string" ? message : undefined,
      request_id: typeof request_id === "string" ? request_id : undefined,
      examples: Array.isArray(examples)
        ? examples.filter((it) => typeof it === "string")
        : undefined,
      retry_after_seconds:
        retry_after && Number.isFinite(seconds) ? seconds : undefined,
    },
  );
}

export async function failureOfResponse(response: Response): Promise<Failure> {
  const body: unknown = await response
    .json()
    .catch(() => ({ message: `HTTP ${response.status}` }));
  return failureOfBody(body, response.headers.get("Retry-After"));
}

/** Converts the data API's error: a code of PostgreSQL or PostgREST, or a PT code with a message of ours. */
export function failureOfData(
  error: { code?: string; message?: string },
  status: number,
): Failure {
  const { code = "", message = "" } = error;
  const as = (known: FailureCode) =>
    new Failure(known, { message: `${code} ${message}`.trim() });
  if (status === 401) return as("token_expired");
  if (code === "23505") return as("name_taken");
  if (code === "23514") return as("text_not_allowed");
  if (message.startsWith("playlist limit")) return as("playlist_limit_reached");
  if (message.startsWith("duplicate track")) return as("duplicate_track");
  if (message.startsWith("a playlist holds at most"))
    return as("too_many_tracks");
  if (message.startsWith("the track is not in the playlist"))
    return as("track_missing");
  if (message.startsWith("the playlist has changed"))
    return as("playlist_changed");
  if (message.startsWith("shared playlist not found"))
    return as("shared_playlist_not_found");
  if (message.startsWith("profile not found")) return as("profile_not_found");
  if (status === 404 || code === "PGRST116") return as("playlist_not_found");
  if (status === 409) return as("playlist_limit_reached");
  if (status === 429) return as("too_many_attempts");
  if (status === 400 || status === 422) return as("invalid_request");
  if (status === 0) return as(unreachable());
  return as(status >= 500 ? "database_unavailable" : "unknown");
}

const AUTH_CODES: Record<string, FailureCode> = {
  invalid_credentials: "wrong_credentials",
  user_already_exists: "email_taken",
  email_exists: "email_taken",
  anonymous_provider_disabled: "missing_token",
  email_not_confirmed: "email_not_confirmed",
  email_address_invalid: "email_invalid",
  validation_failed: "email_invalid",
  weak_password: "weak_password",
  same_password: "same_password",
  otp_expired: "mail_link_expired",
  over_email_send_rate_limit: "mail_rate_limited",
  captcha_failed: "captcha_failed",
  over_request_rate_limit: "auth_rate_limited",
  session_not_found: "token_expired",
  session_expired: "token_expired",
  refresh_token_not_found: "token_expired",
  bad_jwt: "token_expired",
};

export function failureOfAuth(error: {
  code?: string | undefined;
  message: string;
  status: number;
}): Failure {
  const { code = "", message, status } = error;
  const as = (known: FailureCode) =>
    new Failure(known, { message: `${code} ${message}`.trim() });
  const known = AUTH_CODES[code];
  if (known) return as(known);
  if (status === 429) return as("auth_rate_limited");
  return as(status >= 500 ? "auth_unavailable" : "unknown");
}

const SPOTIFY_REASONS: Record<string, FailureCode> = {
  access_denied: "spotify_refused",
  expired_state: "spotify_took_too_long",
  invalid_state: "invalid_state",
};

/** Converts the reason for which Spotify or our callback returned no code. */
export function failureOfSpotify(reason: string): Failure {
  return new Failure(SPOTIFY_REASONS[reason] ?? "spotify_failed");
}
