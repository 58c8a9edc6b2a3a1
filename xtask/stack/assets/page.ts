/** Replaces functions/gateway: the headers of the page's files and the page's configuration. */

export interface PageVariables {
  SUPABASE_URL?: string;
  SUPABASE_PUBLISHABLE_KEY?: string;
  ANONYMOUS_SIGN_INS?: string;
  TURNSTILE_SITE_KEY?: string;
  SPOTIFY_IMAGE_ORIGIN?: string;
  SPOTIFY_PLAYER_ORIGIN?: string;
  CONTACT_URL?: string;
  TERMS_URL?: string;
  PRIVACY_URL?: string;
}

const TURNSTILE = 'https://challenges.cloudflare.com';
const IMAGES = 'https://i.scdn.co';
const PLAYER = 'https://open.spotify.com';

/** The headers of shared/src/runtime/headers.rs. */
const COMMON = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

export function withCommonHeaders(response: Response): Response {
  for (const [name, value] of Object.entries(COMMON)) if (!response.headers.has(name)) response.headers.set(name, value);
  return response;
}

/** With the policy of functions/gateway/src/page.rs. */
export function withPagePolicy(response: Response, variables: PageVariables): Response {
  const { SUPABASE_URL, TURNSTILE_SITE_KEY, SPOTIFY_IMAGE_ORIGIN, SPOTIFY_PLAYER_ORIGIN } = variables;
  const turnstile = TURNSTILE_SITE_KEY ? ` ${TURNSTILE}` : '';
  const connect = SUPABASE_URL ? `'self' ${new URL(SUPABASE_URL).origin}` : "'self'";
  const policy = [
    "default-src 'none'",
    `script-src 'self'${turnstile}`,
    "style-src 'self'",
    "font-src 'self'",
    `img-src 'self' ${SPOTIFY_IMAGE_ORIGIN || IMAGES}`,
    "manifest-src 'self'",
    "worker-src 'self'",
    `connect-src ${connect}`,
    `frame-src ${SPOTIFY_PLAYER_ORIGIN || PLAYER}${turnstile}`,
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    ...(TURNSTILE_SITE_KEY ? [] : ["require-trusted-types-for 'script'; trusted-types worker"]),
  ];
  response.headers.set('Content-Security-Policy', policy.join('; '));
  return response;
}

export function pageConfig(request: Request, variables: PageVariables): Response {
  const { SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY, ANONYMOUS_SIGN_INS, TURNSTILE_SITE_KEY, CONTACT_URL, TERMS_URL, PRIVACY_URL } = variables;
  const config = {
    anonymous_sign_ins: ANONYMOUS_SIGN_INS === 'true',
    functions_url: `${new URL(request.url).origin}/functions/v1`,
    spotify_player_origin: variables.SPOTIFY_PLAYER_ORIGIN || PLAYER,
    supabase_publishable_key: SUPABASE_PUBLISHABLE_KEY,
    supabase_url: SUPABASE_URL,
    // Omitted if it is not set.
    turnstile_site_key: TURNSTILE_SITE_KEY || undefined,
    contact_url: CONTACT_URL || undefined,
    terms_url: TERMS_URL || undefined,
    privacy_url: PRIVACY_URL || undefined,
  };
  return Response.json(config);
}
