import { decodeJwt } from 'jose';
import type { AnonymousUsers } from './anonymous.ts';
import type { CaptchaGuard } from './captcha.ts';
import type { Keys } from './keys.ts';
import type { Lite, RequestContext } from './lite.ts';
import type { Mailbox } from './mail.ts';
import { DATABASE_UNAVAILABLE } from './rest-errors.ts';
import type { SignIns } from './sign-ins.ts';
import { TokenError } from './tokens.ts';
import type { TokenUser, Tokens } from './tokens.ts';

export type Gateway = (request: Request) => Promise<Response>;

export type GatewayParts = {
  keys: Keys;
  tokens: Tokens;
  sign_ins: SignIns;
  anonymous: AnonymousUsers;
  captcha: CaptchaGuard | null;
  lite: Lite;
  mailbox: Mailbox;
  isDatabaseUp: () => Promise<boolean>;
};

type Service = 'rest' | 'auth';

/** The lists of PostgREST and Auth. */
const EXPOSED: Record<Service, string> = {
  rest: 'Content-Encoding, Content-Location, Content-Range, Content-Type, Date, Location, Server, Transfer-Encoding, Range-Unit, Preference-Applied',
  auth: 'X-Total-Count, Link, X-Supabase-Api-Version',
};

/** The `amr` method of each endpoint that returns a session; a refresh adds none. */
const METHODS: Record<string, (url: URL) => string | null> = {
  '/auth/v1/signup': () => 'password',
  '/auth/v1/token': ({ searchParams }) => (searchParams.get('grant_type') === 'refresh_token' ? null : 'password'),
  '/auth/v1/verify': () => 'otp',
};

/** Serves everything except the functions: authenticates requests and passes them to Lite. */
export function createGateway(parts: GatewayParts): Gateway {
  return async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === '/health') {
      const isUp = await parts.isDatabaseUp();
      return Response.json(isUp ? { status: 'ok' } : { status: 'unavailable', reason: 'the database is unreachable' }, { status: isUp ? 200 : 503 });
    }
    if (pathname === '/mail') return parts.mailbox.respond(request.headers.get('accept'));
    const service = /^\/(rest|auth)\/v1\//.exec(pathname)?.[1] as Service | undefined;
    if (!service) return Response.json({ message: 'no Route matched with those values' }, { status: 404 });
    if (request.method === 'OPTIONS' && request.headers.has('access-control-request-method')) return preflight(request);
    const response = await serve(service, request, parts);
    // Any origin, as on Supabase: the token protects the user, and there are no cookies.
    response.headers.set('Access-Control-Allow-Origin', '*');
    response.headers.set('Access-Control-Expose-Headers', EXPOSED[service]);
    return response;
  };
}

function preflight(request: Request): Response {
  const headers = {
    'Access-Control-Allow-Origin': '*',
    'Access-Control-Allow-Methods': 'GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS,TRACE,CONNECT',
    'Access-Control-Allow-Headers': request.headers.get('access-control-request-headers') ?? '*',
    'Access-Control-Max-Age': '3600',
    Vary: 'Access-Control-Request-Headers',
  };
  return new Response(null, { status: 200, headers });
}

async function serve(service: Service, request: Request, parts: GatewayParts): Promise<Response> {
  const { keys, tokens, captcha, lite } = parts;
  if (new URL(request.url).pathname === '/auth/v1/.well-known/jwks.json') {
    return Response.json(tokens.jwks, { headers: { 'Cache-Control': 'public, max-age=600' } });
  }
  const context = contextOf(request, keys, `/${service}/v1`);
  const refusal = service === 'auth' && context.identity && captcha ? await captcha(request) : null;
  if (refusal) return refusal;
  const token = bearerToken(request);
  let passed_on = request;
  if (context.identity && token) {
    try {
      const claims = await tokens.verify(token);
      if (service === 'rest') context.identity.claims = claims;
      // For the data API, Lite would verify the token again with HS256 only.
      passed_on = await withAuthorization(request, service === 'rest' ? null : await tokens.toInside(claims));
    } catch (error) {
      if (!(error instanceof TokenError)) throw error;
      return service === 'rest' ? refusedByRest(error) : refusedByAuth(error);
    }
  }
  const anonymous = service === 'auth' && context.identity ? await signedUpAnonymously(passed_on, context, parts) : null;
  const response = await logged(request, anonymous ?? (await lite.fetch(passed_on, context)), parts);
  return service === 'rest' ? response : withOutsideTokens(request, response, parts, anonymous !== null);
}

/** A sign-up without an address and a number is anonymous. */
async function signedUpAnonymously(request: Request, context: RequestContext, { lite, anonymous }: GatewayParts): Promise<Response | null> {
  const url = new URL(request.url);
  if (request.method !== 'POST' || url.pathname !== '/auth/v1/signup') return null;
  const { email, phone } = (await request.clone().json().catch(() => ({}))) as { email?: string; phone?: string };
  if (email || phone) return null;
  const headers = { 'content-type': 'application/json', apikey: request.headers.get('apikey') ?? '' };
  return anonymous.signUp((path, body) => lite.fetch(new Request(`${url.origin}/auth/v1${path}`, { method: 'POST', headers, body: JSON.stringify(body) }), context));
}

function contextOf(request: Request, keys: Keys, prefix: string): RequestContext {
  const url = new URL(request.url);
  const api_key = request.headers.get('apikey') ?? url.searchParams.get('apikey');
  const identities: Record<string, RequestContext['identity']> = {
    [keys.publishable_key]: { type: 'publishable', claims: { role: 'anon' } },
    [keys.secret_key]: { type: 'secret', claims: { role: 'service_role' } },
  };
  return {
    method: request.method,
    path: url.pathname.slice(prefix.length),
    headers: JSON.stringify(Object.fromEntries(request.headers)),
    identity: identities[api_key ?? ''] ?? null,
  };
}

/** supabase-js sends the API key here if no user has signed in. */
function bearerToken(request: Request): string | null {
  const [, token] = /^Bearer\s+(.+)$/i.exec(request.headers.get('authorization') ?? '') ?? [];
  return token && !token.startsWith('sb_') ? token.trim() : null;
}

async function withAuthorization(request: Request, token: string | null): Promise<Request> {
  const headers = new Headers(request.headers);
  headers.delete('authorization');
  if (token) headers.set('authorization', `Bearer ${token}`);
  const body = request.body ? await request.arrayBuffer() : undefined;
  return new Request(request.url, { method: request.method, headers, body });
}

function refusedByRest({ code, message, details }: TokenError): Response {
  const headers = { 'WWW-Authenticate': `Bearer error="invalid_token", error_description="${message}"` };
  return Response.json({ code, details, hint: null, message }, { status: 401, headers });
}

function refusedByAuth({ code }: TokenError): Response {
  const reason = code === 'PGRST303' ? 'token has invalid claims: token is expired' : 'token is malformed or its signature is invalid';
  const body = { code: 403, error_code: 'bad_jwt', msg: `invalid JWT: unable to parse or verify signature, ${reason}` };
  return Response.json(body, { status: 403, headers: { 'X-Sb-Error-Code': 'bad_jwt' } });
}

/** Logs this server's failures, not the client's; an unavailable database is named. */
async function logged(request: Request, response: Response, { isDatabaseUp }: GatewayParts): Promise<Response> {
  if (response.status < 500) return response;
  const { status, ...body } = DATABASE_UNAVAILABLE;
  const isAway = response.status !== 503 && !(await isDatabaseUp());
  const sent = isAway ? Response.json(body, { status }) : response;
  const cause = (await sent.clone().json().catch(() => null)) as { code?: unknown; message?: unknown } | null;
  const { pathname: path } = new URL(request.url);
  const entry = { level: 'error', method: request.method, path, status: sent.status, code: cause?.code, message: cause?.message };
  process.stderr.write(`${JSON.stringify(entry)}\n`);
  return sent;
}

async function withOutsideTokens(request: Request, response: Response, { tokens, sign_ins, anonymous }: GatewayParts, isAnonymous: boolean): Promise<Response> {
  const url = new URL(request.url);
  const isOfUser = url.pathname === '/auth/v1/user';
  const methodOf = METHODS[url.pathname];
  if (!(methodOf || isOfUser) || response.status >= 400) return response;
  const session = (await response.json()) as { access_token?: string; user?: TokenUser } & TokenUser;
  const user = isOfUser ? session : (session.user ?? {});
  if (user.id && isOfUser && request.method === 'PUT') await anonymous.takeAddress(user.id);
  if (user.id) user.is_anonymous = await anonymous.isAnonymous(user.id);
  const { access_token: inside } = session;
  if (inside && methodOf) {
    const method = isAnonymous ? 'anonymous' : methodOf(url);
    session.access_token = await tokens.toOutside(inside, user, await sign_ins.of(String(decodeJwt(inside).session_id), method));
  }
  const headers = new Headers(response.headers);
  headers.delete('content-length');
  return new Response(JSON.stringify(session), { status: response.status, headers });
}
