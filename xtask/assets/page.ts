/** What functions/gateway/src/page.rs does on Cloudflare: the document's headers, and what the page is told. */

export interface PageVariables {
  SUPABASE_URL?: string;
  SUPABASE_PUBLISHABLE_KEY?: string;
  TURNSTILE_SITE_KEY?: string;
}

const TURNSTILE = 'https://challenges.cloudflare.com';

export function documentHeaders({ SUPABASE_URL, TURNSTILE_SITE_KEY }: PageVariables): Record<string, string> {
  const connect = SUPABASE_URL ? `'self' ${new URL(SUPABASE_URL).origin}` : "'self'";
  const policy = [
    "default-src 'none'",
    TURNSTILE_SITE_KEY ? `script-src 'self' ${TURNSTILE}` : "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    `connect-src ${connect}`,
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    TURNSTILE_SITE_KEY ? `frame-src ${TURNSTILE}` : "require-trusted-types-for 'script'",
  ];
  return {
    'Content-Security-Policy': policy.join('; '),
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  };
}

export function pageConfig(request: Request, variables: PageVariables): Response {
  const { SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY, TURNSTILE_SITE_KEY } = variables;
  const config = {
    functions_url: `${new URL(request.url).origin}/functions/v1`,
    supabase_publishable_key: SUPABASE_PUBLISHABLE_KEY,
    supabase_url: SUPABASE_URL,
    // Left out where it is not set.
    turnstile_site_key: TURNSTILE_SITE_KEY || undefined,
  };
  return Response.json(config, { headers: { 'Cache-Control': 'no-store' } });
}
