import type { Answer, Headers } from '../common/answer.ts';
import type { SimRequest } from '../common/simulator.ts';
import { StripeError } from './error.ts';
import { API_VERSION } from './events.ts';
import { parseForm } from './form.ts';
import type { Reply } from './idempotency.ts';
import { Idempotency, MAX_KEY } from './idempotency.ts';
import { newId } from './ids.ts';
import type { Route } from './lookup.ts';
import { readParams } from './params.ts';
import { ROUTES } from './routes.ts';
import type { World } from './world.ts';

const FORM = 'application/x-www-form-urlencoded';

interface Matched {
  route: Route;
  id: string;
}

/** The API: who may call it, how it is called, and what its answers look like. */
export class Api {
  readonly idempotency = new Idempotency();
  readonly #world: World;
  readonly #secretKey: string;

  constructor(world: World, secretKey: string) {
    this.#world = world;
    this.#secretKey = secretKey;
  }

  /** What is asked for is done at once; the wait comes between that and the answer. */
  async handle(request: SimRequest, answer: Answer, latencyMs: number): Promise<void> {
    const requestId = newId('req');
    const key = request.headers['idempotency-key'] as string | undefined;
    const headers: Headers = {
      'content-type': 'application/json',
      'request-id': requestId,
      'stripe-version': (request.headers['stripe-version'] as string | undefined) ?? API_VERSION,
      ...(key ? { 'idempotency-key': key } : {}),
    };
    let done = (): void => {};
    try {
      const matched = this.#admit(request);
      const kept = key && request.method === 'POST' ? key : undefined;
      const parameters = [request.url.search, ...[...new URLSearchParams(request.body)].map(String).sort()].join('\n');
      const before = kept === undefined ? undefined : this.idempotency.before(kept, request.url.pathname, parameters, this.#world.clock.now());
      const reply = before ?? this.#execute(matched, request, requestId, kept);
      if (before !== undefined) {
        Object.assign(headers, { 'idempotent-replayed': 'true', 'original-request': before.requestId });
      } else if (kept !== undefined) {
        done = this.idempotency.keep(kept, request.url.pathname, parameters, this.#world.clock.now(), reply);
      }
      await answer.pause(latencyMs);
      answer.text(reply.status, reply.text, headers);
    } catch (error) {
      if (!(error instanceof StripeError)) {
        throw error;
      }
      await answer.pause(latencyMs);
      answer.text(error.status, json(error.body(requestId)), { ...headers, ...(error.status === 401 ? { 'www-authenticate': 'Basic realm="Stripe"' } : {}) });
    } finally {
      done();
    }
  }

  #admit(request: SimRequest): Matched {
    const { method, url, headers } = request;
    const matched = match(method, url.pathname);
    if (matched === undefined) {
      throw new StripeError(
        404,
        `Unrecognized request URL (${method}: ${url.pathname}). If you are trying to list objects, remove the trailing slash. If you are trying to retrieve an object, make sure you passed a valid (non-empty) identifier in your code. Please see https://stripe.com/docs or we can help at https://support.stripe.com/.`,
      );
    }
    this.#authenticate(headers.authorization);
    const version = headers['stripe-version'];
    if (version !== undefined && !/^\d{4}-\d{2}-\d{2}(\.[a-z]+)?$/.test(String(version))) {
      throw new StripeError(400, `Invalid Stripe API version: ${String(version)}`);
    }
    const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase();
    if (request.body !== '' && type !== FORM) {
      throw new StripeError(400, `Invalid request (check that your POST content type is ${FORM}). If you have any questions, we can help at https://support.stripe.com/.`);
    }
    const key = headers['idempotency-key'];
    if (key !== undefined && key.length > MAX_KEY) {
      throw new StripeError(400, `Idempotency keys may be at most ${MAX_KEY} characters long; yours has ${key.length}.`);
    }
    return matched;
  }

  #authenticate(authorization: string | undefined): void {
    const [, scheme, credentials = ''] = /^(Bearer|Basic) +(\S+)$/i.exec(authorization ?? '') ?? [];
    const basic = Buffer.from(credentials, 'base64').toString('utf8').split(':')[0] ?? '';
    const key = scheme?.toLowerCase() === 'basic' ? basic : credentials;
    if (key === '') {
      throw new StripeError(
        401,
        "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details, or we can help at https://support.stripe.com/.",
      );
    }
    if (key !== this.#secretKey) {
      const prefix = /^[a-z]+_[a-z]+_/.exec(key)?.[0] ?? '';
      const hidden = '*'.repeat(Math.max(0, key.length - prefix.length - 4));
      throw new StripeError(401, `Invalid API Key provided: ${prefix}${hidden}${key.slice(Math.max(prefix.length, key.length - 4))}`);
    }
  }

  /** Once the parameters have passed, whatever comes of it is the answer that a key keeps. */
  #execute({ route, id }: Matched, request: SimRequest, requestId: string, key: string | undefined): Reply {
    const form = { ...parseForm(request.url.search.slice(1)), ...parseForm(request.body) };
    const params = readParams(form, route.params, route.required);
    try {
      const cause = { id: requestId, idempotency_key: key ?? null };
      const result = this.#world.because(cause, () => route.run({ world: this.#world, id, params, origin: request.url.origin }));
      if (route.method === 'POST' && this.idempotency.fails(request.url.pathname)) {
        throw new StripeError(500, 'An unknown error occurred. If you have any questions, we can help at https://support.stripe.com/.', { type: 'api_error' });
      }
      return { status: 200, text: json(result), requestId };
    } catch (error) {
      if (!(error instanceof StripeError) || error.details.early === true) {
        throw error;
      }
      return { status: error.status, text: json(error.body(requestId)), requestId };
    }
  }
}

const json = (body: unknown): string => `${JSON.stringify(body, null, 2)}\n`;

function match(method: string, pathname: string): Matched | undefined {
  const parts = pathname.split('/');
  for (const route of ROUTES) {
    const wanted = route.path.split('/');
    const fits = route.method === method && wanted.length === parts.length && wanted.every((part, index) => part === parts[index] || (part === ':id' && parts[index] !== ''));
    if (fits) {
      return { route, id: parts[wanted.indexOf(':id')] ?? '' };
    }
  }
  return undefined;
}
