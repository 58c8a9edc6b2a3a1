import { decodeJwt } from 'jose';
import type { JWTPayload } from 'jose';
import type { CaptchaGuard } from './captcha.ts';
import { allowAnyOrigin, isPreflight, preflight } from './cors.ts';
import type { Keys } from './keys.ts';
import type { Lite, RequestContext } from './lite.ts';
import type { Mailbox } from './mail.ts';
import { DATABASE_AWAY } from './rest-errors.ts';
import type { SignIns } from './sign-ins.ts';
import { TokenError } from './tokens.ts';
import type { TokenUser, Tokens } from './tokens.ts';

export type Gateway = (request: Request) => Promise<Response>;

export type GatewayParts = {
  keys: Keys;
  tokens: Tokens;
  sign_ins: SignIns;
  captcha: CaptchaGuard | null;
  lite: Lite;
  mailbox: Mailbox;
  isDatabaseUp: () => Promise<boolean>;
};

/** Everything but the functions: who asks is found out here, the answers are Lite's. */
export function createGateway(parts: GatewayParts): Gateway {
  return async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === '/health') return health(parts);
    if (pathname === '/mail') return parts.mailbox.respond(request.headers.get('accept'));

    const service = pathname.startsWith('/rest/v1/') ? 'rest' : pathname.startsWith('/auth/v1/') ? 'auth' : null;
    if (!service) return Response.json({ message: 'no Route matched with those values' }, { status: 404 });
    if (isPreflight(request)) return preflight(request);
    const response = await (service === 'rest' ? rest(request, parts) : auth(request, parts));
    return allowAnyOrigin(response, service);
  };
}

async function health({ isDatabaseUp }: GatewayParts): Promise<Response> {
  return (await isDatabaseUp())
    ? Response.json({ status: 'ok' })
    : Response.json({ status: 'unavailable', reason: 'the database does not answer' }, { status: 503 });
}

async function rest(request: Request, { keys, tokens, lite, isDatabaseUp }: GatewayParts): Promise<Response> {
  const context = contextOf(request, keys, '/rest/v1');
  let passed_on = request;
  const token = bearerToken(request);
  if (context.identity && token) {
    try {
      context.identity.claims = await tokens.verify(token);
    } catch (error) {
      return refusedByRest(error);
    }
    // Lite would try to verify it again, with the only algorithm that it knows.
    passed_on = await withAuthorization(request, null);
  }
  return logged(request, await lite.fetch(passed_on, context), isDatabaseUp);
}

async function auth(request: Request, parts: GatewayParts): Promise<Response> {
  const { keys, tokens, captcha, lite, isDatabaseUp } = parts;
  const { pathname } = new URL(request.url);
  if (pathname === '/auth/v1/.well-known/jwks.json') {
    return Response.json(tokens.jwks, { headers: { 'Cache-Control': 'public, max-age=600' } });
  }
  const context = contextOf(request, keys, '/auth/v1');
  const refusal = context.identity && captcha ? await captcha(request) : null;
  if (refusal) return refusal;
  let passed_on = request;
  const token = bearerToken(request);
  if (context.identity && token) {
    try {
      passed_on = await withAuthorization(request, await tokens.toInside(await tokens.verify(token)));
    } catch (error) {
      return refusedByAuth(error);
    }
  }
  const response = await logged(request, await lite.fetch(passed_on, context), isDatabaseUp);
  return withOutsideTokens(request, response, parts);
}

function contextOf(request: Request, keys: Keys, prefix: string): RequestContext {
  const url = new URL(request.url);
  return {
    method: request.method,
    path: url.pathname.slice(prefix.length),
    headers: JSON.stringify(Object.fromEntries(request.headers)),
    identity: identityOf(request.headers.get('apikey') ?? url.searchParams.get('apikey'), keys),
  };
}

function identityOf(api_key: string | null, keys: Keys): RequestContext['identity'] {
  if (api_key === keys.publishable_key) return { type: 'publishable', claims: { role: 'anon' } };
  if (api_key === keys.secret_key) return { type: 'secret', claims: { role: 'service_role' } };
  return null;
}

/** An API key in this place is supabase-js's way of saying that nobody has signed in. */
function bearerToken(request: Request): string | null {
  const [, token] = /^Bearer\s+(.+)$/i.exec(request.headers.get('authorization') ?? '') ?? [];
  return token && !token.startsWith('sb_') ? token.trim() : null;
}

async function withAuthorization(request: Request, token: string | null): Promise<Request> {
  const headers = new Headers(request.headers);
  if (token) headers.set('authorization', `Bearer ${token}`);
  else headers.delete('authorization');
  return new Request(request.url, {
    method: request.method,
    headers,
    body: request.body ? await request.arrayBuffer() : undefined,
  });
}

function refusedByRest(error: unknown): Response {
  if (!(error instanceof TokenError)) throw error;
  const { code, message, details } = error;
  return Response.json(
    { code, details, hint: null, message },
    { status: 401, headers: { 'WWW-Authenticate': `Bearer error="invalid_token", error_description="${message}"` } },
  );
}

function refusedByAuth(error: unknown): Response {
  if (!(error instanceof TokenError)) throw error;
  const reason = error.code === 'PGRST303' ? 'token has invalid claims: token is expired' : 'token is malformed or its signature is invalid';
  const body = { code: 403, error_code: 'bad_jwt', msg: `invalid JWT: unable to parse or verify signature, ${reason}` };
  return Response.json(body, { status: 403, headers: { 'X-Sb-Error-Code': 'bad_jwt' } });
}

/** Logs what is our failure and not the client's; a database that is away is named as what it is. */
async function logged(request: Request, response: Response, isDatabaseUp: GatewayParts['isDatabaseUp']): Promise<Response> {
  if (response.status < 500) return response;
  const { pathname } = new URL(request.url);
  const away = response.status !== 503 && !(await isDatabaseUp());
  const answer = away ? databaseAway() : response;
  const cause = (await answer.clone().json().catch(() => null)) as { code?: unknown; message?: unknown } | null;
  const entry = { level: 'error', method: request.method, path: pathname, status: answer.status, code: cause?.code, message: cause?.message };
  process.stderr.write(`${JSON.stringify(entry)}\n`);
  return answer;
}

function databaseAway(): Response {
  const { status, ...body } = DATABASE_AWAY;
  return Response.json(body, { status });
}

/** How each endpoint that answers a session has made sure of the user, in Auth's words; a refresh has not. */
const METHOD_BY_ENDPOINT: Record<string, (url: URL) => string | null> = {
  '/auth/v1/signup': () => 'password',
  '/auth/v1/token': ({ searchParams }) => (searchParams.get('grant_type') === 'refresh_token' ? null : 'password'),
  '/auth/v1/verify': () => 'otp',
};

async function withOutsideTokens(request: Request, response: Response, parts: GatewayParts): Promise<Response> {
  const url = new URL(request.url);
  const methodOf = METHOD_BY_ENDPOINT[url.pathname];
  if (!methodOf || response.status >= 400) return response;
  const method = methodOf(url);

  const location = response.headers.get('location');
  if (location) {
    response.headers.set('location', await withOutsideFragment(location, method, parts));
    return response;
  }
  const session = (await response.json()) as { access_token?: string; user?: TokenUser };
  if (session.access_token) session.access_token = await toOutside(session.access_token, session.user ?? {}, method, parts);
  const headers = new Headers(response.headers);
  headers.delete('content-length');
  return new Response(JSON.stringify(session), { status: response.status, headers });
}

async function toOutside(inside: string, user: TokenUser, method: string | null, { tokens, sign_ins }: GatewayParts): Promise<string> {
  return tokens.toOutside(inside, user, await sign_ins.of(String(decodeJwt(inside).session_id), method));
}

/** A link to Auth itself ends at the app, with the session in the address's fragment. */
async function withOutsideFragment(location: string, method: string | null, parts: GatewayParts): Promise<string> {
  const { lite, keys } = parts;
  const target = new URL(location);
  const fragment = new URLSearchParams(target.hash.slice(1));
  const inside = fragment.get('access_token');
  if (!inside) return location;
  const headers = { apikey: keys.publishable_key, authorization: `Bearer ${inside}` };
  const request = new Request(new URL('http://localhost/auth/v1/user'), { headers });
  const answer = await lite.fetch(request, contextOf(request, keys, '/auth/v1'));
  fragment.set('access_token', await toOutside(inside, (await answer.json()) as TokenUser & JWTPayload, method, parts));
  target.hash = fragment.toString();
  return target.toString();
}
