/** Auth's check of CAPTCHA tokens, if one is configured. A refresh of a session needs none. */
const GUARDED = ['/signup', '/recover', '/resend', '/magiclink', '/otp', '/token'];
const UNGUARDED_GRANTS = ['refresh_token', 'pkce', 'id_token'];

/** Returns Auth's refusal, or null if the request may pass. */
export type CaptchaGuard = (request: Request) => Promise<Response | null>;

/** `siteverify_url` is Turnstile's or compatible with it. */
export function createCaptchaGuard(secret: string, siteverify_url: string): CaptchaGuard {
  return async (request) => {
    const { pathname, searchParams } = new URL(request.url);
    const path = pathname.replace(/^\/auth\/v1/, '');
    const continues = path === '/token' && UNGUARDED_GRANTS.includes(searchParams.get('grant_type') ?? '');
    if (request.method !== 'POST' || !GUARDED.includes(path) || continues) return null;
    const body = (await request.clone().json().catch(() => null)) as { gotrue_meta_security?: { captcha_token?: unknown } } | null;
    const token = body?.gotrue_meta_security?.captcha_token;
    if (typeof token !== 'string' || token.trim() === '') return refused('no captcha_token found');
    const form = new URLSearchParams({ secret, response: token.trim(), remoteip: '127.0.0.1' });
    const verification = await fetch(siteverify_url, { method: 'POST', body: form });
    const { success, 'error-codes': codes = [] } = (await verification.json()) as { success: boolean; 'error-codes'?: string[] };
    return success ? null : refused(codes.join(', '));
  };
}

function refused(why: string): Response {
  const body = { code: 400, error_code: 'captcha_failed', msg: `captcha protection: request disallowed (${why})` };
  return Response.json(body, { status: 400, headers: { 'X-Sb-Error-Code': 'captcha_failed' } });
}
