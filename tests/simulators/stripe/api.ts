import type { Call, Headers, Reply } from '../common/server.ts';
import { pause, plain } from '../common/server.ts';
import { newId } from './objects.ts';
import { StripeError, parseForm, readParams } from './params.ts';
import type { Route } from './routes.ts';
import { ROUTES } from './routes.ts';
import type { State } from './state.ts';
import { API_VERSION } from './state.ts';

const FORM = 'application/x-www-form-urlencoded';
const KEPT_SECONDS = 24 * 3600;
const MAX_KEY = 255;

interface Stored {
  status: number;
  /** The response at that time, regardless of later changes of the object. */
  body: string;
  requestId: string;
}

interface Kept {
  path: string;
  parameters: string;
  at: number;
  stored: Stored;
  /** The response to the first request has not been sent yet. */
  isRunning: boolean;
}

const jsonOf = (body: unknown): string => `${JSON.stringify(body, null, 2)}\n`;

/** The API: authentication, parameters, responses and idempotency keys. */
export class Api {
  readonly #state: State;
  readonly #secretKey: string;
  #kept = new Map<string, Kept>();

  constructor(state: State, secretKey: string) {
    this.#state = state;
    this.#secretKey = secretKey;
  }

  reset(): void {
    this.#kept = new Map();
  }

  async handle(call: Call, latencyMs: number): Promise<Reply> {
    const requestId = newId('req');
    const key = call.headers['idempotency-key'] as string | undefined;
    const headers: Headers = {
      'content-type': 'application/json',
      'request-id': requestId,
      'stripe-version': (call.headers['stripe-version'] as string | undefined) ?? API_VERSION,
      ...(key ? { 'idempotency-key': key } : {}),
    };
    const { reply, kept } = this.#respond(call, requestId, key, headers);
    await pause(latencyMs, call.gone);
    if (kept !== undefined) kept.isRunning = false;
    return reply;
  }

  #respond(call: Call, requestId: string, key: string | undefined, headers: Headers): { reply: Reply; kept?: Kept } {
    try {
      const { route, id } = this.#admit(call);
      const isKept = key !== undefined && key !== '' && call.method === 'POST';
      const parameters = [call.url.search, ...[...new URLSearchParams(call.body)].map(String).sort()].join('\n');
      const before = isKept ? this.#storedBefore(key, call.url.pathname, parameters) : undefined;
      const stored = before ?? this.#execute(route, id, call, requestId, key);
      const replay: Headers = before === undefined ? {} : { 'idempotent-replayed': 'true', 'original-request': before.requestId };
      const reply = plain(stored.status, stored.body, { ...headers, ...replay });
      if (!isKept || before !== undefined) return { reply };
      const kept = { path: call.url.pathname, parameters, at: this.#state.now(), stored, isRunning: true };
      this.#kept.set(key, kept);
      return { reply, kept };
    } catch (error) {
      if (!(error instanceof StripeError)) throw error;
      const challenge: Headers = error.status === 401 ? { 'www-authenticate': 'Basic realm="Stripe"' } : {};
      return { reply: plain(error.status, jsonOf(error.body(requestId)), { ...headers, ...challenge }) };
    }
  }

  #admit({ method, url, headers, body }: Call): { route: Route; id: string } {
    const found = ROUTES.map((route) => ({ route, match: route.pattern.exec(url.pathname) })).find(({ route, match }) => match && route.method === method);
    if (found === undefined) {
      const advice = 'If you are trying to list objects, remove the trailing slash. If you are trying to retrieve an object, make sure you passed a valid identifier.';
      throw new StripeError(404, `Unrecognized request URL (${method}: ${url.pathname}). ${advice}`);
    }
    this.#authenticate(headers.authorization);
    const version = headers['stripe-version'];
    if (version !== undefined && !/^\d{4}-\d{2}-\d{2}(\.[a-z]+)?$/.test(String(version))) {
      throw new StripeError(400, `Invalid Stripe API version: ${String(version)}`);
    }
    const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase();
    if (body !== '' && type !== FORM) throw new StripeError(400, `Invalid request (check that your POST content type is ${FORM}).`);
    const key = headers['idempotency-key'] ?? '';
    if (key.length > MAX_KEY) throw new StripeError(400, `Idempotency keys may be at most ${MAX_KEY} characters long; yours has ${key.length}.`);
    return { route: found.route, id: found.match?.[1] ?? '' };
  }

  #authenticate(authorization: string | undefined): void {
    const [, scheme, credentials = ''] = /^(Bearer|Basic) +(\S+)$/i.exec(authorization ?? '') ?? [];
    const key = scheme?.toLowerCase() === 'basic' ? (Buffer.from(credentials, 'base64').toString('utf8').split(':')[0] ?? '') : credentials;
    if (key === '') {
      const advice = "using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')";
      throw new StripeError(401, `You did not provide an API key. You need to provide your API key in the Authorization header, ${advice}.`);
    }
    if (key !== this.#secretKey) throw new StripeError(401, `Invalid API Key provided: ${/^[a-z]+_[a-z]+_/.exec(key)?.[0] ?? ''}******${key.slice(-4)}`);
  }

  /** A key stores the response to every request with valid parameters. */
  #execute(route: Route, id: string, call: Call, requestId: string, key: string | undefined): Stored {
    const form = { ...parseForm(call.url.search.slice(1)), ...parseForm(call.body) };
    const params = readParams(form, route.params, route.required);
    try {
      const cause = { id: requestId, idempotency_key: key ?? null };
      const result = this.#state.because(cause, () => route.run({ state: this.#state, id, params, origin: call.url.origin }));
      return { status: 200, body: jsonOf(result), requestId };
    } catch (error) {
      if (!(error instanceof StripeError) || error.details.early === true) throw error;
      return { status: error.status, body: jsonOf(error.body(requestId)), requestId };
    }
  }

  #storedBefore(key: string, path: string, parameters: string): Stored | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined || this.#state.now() - kept.at >= KEPT_SECONDS) return undefined;
    if (kept.path !== path || kept.parameters !== parameters) {
      const same = kept.path === path ? 'with the same parameters' : `for the same endpoint ('${path}' vs '${kept.path}')`;
      const advice = `Try using a key other than '${key}' if you meant to execute a different request.`;
      throw new StripeError(400, `Keys for idempotent requests can only be used ${same} they were first used with. ${advice}`, { type: 'idempotency_error' });
    }
    if (kept.isRunning) {
      const message = `There is currently another in-progress request using this Idempotent Key: ${key}. Please try again later.`;
      throw new StripeError(409, message, { code: 'idempotency_key_in_use' });
    }
    return kept.stored;
  }
}
