import { createHmac } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { checked, ControlError, count, fields, flag, like, listOf, number, oneOf, text } from '../common/check.ts';
import { seededRandom } from '../common/random.ts';
import { nowMs } from '../common/server.ts';
import type { Recorded, State } from './state.ts';
import { pathOf } from './state.ts';

type Style = 'snapshot' | 'thin' | 'both';

interface Endpoint { url: string; secrets: readonly string[]; paused: boolean; style: Style }

interface Delivery {
  event_id: string;
  type: string;
  attempt: number;
  /** Null if there was no response. */
  status: number | null;
  at_ms: number;
  body: string;
}

/** One event, thin or full. */
interface Message { recorded: Recorded; isThin: boolean }

/** The parameters of `POST deliver`. */
interface Order { event_types?: string[]; pending?: boolean; shuffle?: boolean; duplicate?: number; concurrency?: number; seed?: number; style?: Style }

const STYLE = oneOf('snapshot', 'thin', 'both');
const SECRETS = listOf(like(/./, 'a text with something in it'), 1);
const ENDPOINT = fields({ 'paused?': flag, 'url?': like(/^(https?:\/\/[^/].*)?$/, 'an http(s) URL, or empty for no deliveries'), 'secrets?': SECRETS, 'style?': STYLE });
const ORDER = fields({ 'event_types?': listOf(text), 'pending?': flag, 'shuffle?': flag, 'duplicate?': count, 'concurrency?': count, 'seed?': number, 'style?': STYLE });

/** Stripe's pauses between attempts over three days (5 min, 30 min, 2 h, …), with an hour shortened to a second. */
const RETRY_MS = [83, 500, 2000, 5000, 10_000, 12_000, 12_000, 12_000, 12_000];
const AT_ONCE = 64;
const MAX_DELIVERIES = 20_000;
const MAX_ANSWER_BYTES = 2048;
const TIMEOUT_MS = 20_000;

/** Delivers events to the endpoint, automatically and on request of a test. */
export class Delivering {
  readonly #start: Endpoint;
  #endpoint: Endpoint;
  #queue: { message: Message; attempt: number }[] = [];
  #active = 0;
  #deliveries: Delivery[] = [];
  /** Aborted at a reset, so that no earlier event is sent afterwards. */
  #life = new AbortController();

  constructor(webhook: { url: string; secret: string } | undefined) {
    this.#start = { url: webhook?.url ?? '', secrets: webhook === undefined ? [] : [webhook.secret], paused: false, style: 'snapshot' };
    this.#endpoint = this.#start;
  }

  deliveries(): readonly Delivery[] {
    return this.#deliveries;
  }

  reset(): void {
    this.close();
    this.#life = new AbortController();
    this.#endpoint = this.#start;
    this.#deliveries = [];
    this.#queue = [];
    this.#active = 0;
  }

  close(): void {
    this.#life.abort();
  }

  configure(body: unknown): Endpoint {
    this.#endpoint = { ...this.#endpoint, ...checked<Partial<Endpoint>>('delivery', body, ENDPOINT) };
    this.#work();
    return this.#endpoint;
  }

  take(recorded: Recorded): void {
    if (this.#endpoint.url !== '') {
      this.#queue.push(...messages(recorded, this.#endpoint.style).map((message) => ({ message, attempt: 1 })));
      // After the response to the call that caused it.
      setImmediate(() => this.#work());
    }
  }

  /** Delivers the recorded events as a test requests, even while paused, and returns when all are done. */
  async deliver(body: unknown, state: State): Promise<Record<string, number>> {
    const { event_types, pending, shuffle, duplicate = 1, concurrency = 1, seed = 1, style } = checked<Order>('deliver', body ?? {}, ORDER);
    if (this.#endpoint.url === '') throw new ControlError('there is no webhook endpoint to deliver to: set url and secrets with PUT delivery');
    const chosen = state.events.filter(({ event, accepted }) => (event_types?.includes(event.type) ?? true) && !(pending && accepted));
    const copies = chosen.flatMap((recorded) => messages(recorded, style ?? this.#endpoint.style).flatMap((message) => Array<Message>(duplicate).fill(message)));
    const queue = shuffle ? shuffled(copies, seed) : copies;
    const { signal } = this.#life;
    let [next, accepted] = [0, 0];
    const worker = async (): Promise<void> => {
      for (let message = queue[next++]; message !== undefined && !signal.aborted; message = queue[next++]) {
        if (await this.#attempt(message, 1)) accepted += 1;
      }
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
    return { events: chosen.length, deliveries: queue.length, accepted, failed: queue.length - accepted };
  }

  #work(): void {
    while (this.#active < AT_ONCE && !this.#endpoint.paused && !this.#life.signal.aborted) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      this.#active += 1;
      void this.#deliverUntilAccepted(next.message, next.attempt);
    }
  }

  async #deliverUntilAccepted(message: Message, attempt: number): Promise<void> {
    const { signal } = this.#life;
    const isAccepted = await this.#attempt(message, attempt);
    if (signal.aborted) return;
    this.#active -= 1;
    const pause = RETRY_MS[attempt - 1];
    if (!isAccepted && pause !== undefined) {
      const again = (): void => {
        if (!signal.aborted) this.#queue.push({ message, attempt: attempt + 1 });
        this.#work();
      };
      setTimeout(again, pause).unref();
    }
    this.#work();
  }

  /** Makes and records one attempt; true if it was accepted, that is, with a 2xx. */
  async #attempt({ recorded, isThin }: Message, attempt: number): Promise<boolean> {
    const { event, thinId } = recorded;
    const { signal } = this.#life;
    const name = isThin ? { event_id: thinId, type: `v1.${event.type}` } : { event_id: event.id, type: event.type };
    const at_ms = nowMs();
    const body = isThin ? JSON.stringify(thinNotification(recorded)) : JSON.stringify(event, null, 2);
    const reply = await post(this.#endpoint, body, signal).catch((error: unknown) => ({ status: null, body: String(error) }));
    const isAccepted = reply.status !== null && reply.status >= 200 && reply.status < 300;
    if (!signal.aborted) {
      this.#deliveries.push({ ...name, attempt, at_ms, ...reply });
      this.#deliveries.splice(0, this.#deliveries.length - MAX_DELIVERIES);
      recorded.accepted ||= isAccepted;
    }
    return isAccepted;
  }
}

function messages(recorded: Recorded, style: Style): Message[] {
  return [false, true].filter((isThin) => style === 'both' || isThin === (style === 'thin')).map((isThin) => ({ recorded, isThin }));
}

/** The notification of a thin event, which only refers to its object. */
function thinNotification({ event, thinId }: Recorded): object {
  const { id, object: type } = event.data.object;
  const related_object = { id, type, url: `${pathOf(type)}/${id}` };
  const reason = event.request.id === null ? null : { type: 'request', request: event.request };
  const created = new Date(event.created * 1000).toISOString();
  return { id: thinId, object: 'v2.core.event', type: `v1.${event.type}`, livemode: false, created, context: null, related_object, reason };
}

/**
 * Sends a webhook with a signature for each secret: two are valid while one is rolled. The signature has the real time,
 * which receivers check. Every connection is new: a reused one could be closed by the receiver and lose the attempt.
 */
function post({ url, secrets }: Endpoint, body: string, life: AbortSignal): Promise<{ status: number | null; body: string }> {
  const seconds = Math.floor(Date.now() / 1000);
  const signatures = secrets.map((secret) => `v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`);
  const headers = {
    accept: '*/*; q=0.5, application/xml',
    'cache-control': 'no-cache',
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    'stripe-signature': [`t=${seconds}`, ...signatures].join(','),
    'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
  };
  const signal = AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), life]);
  const send = url.startsWith('https:') ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = send(url, { method: 'POST', headers, agent: false, signal }, (response) => {
      const whole = buffer(response).then((bytes) => bytes.subarray(0, MAX_ANSWER_BYTES).toString('utf8'));
      whole.then((body) => resolve({ status: response.statusCode ?? null, body }), reject);
    });
    request.on('error', reject).end(body);
  });
}

function shuffled<T>(items: T[], seed: number): T[] {
  const random = seededRandom(seed);
  const weighed = items.map((item) => ({ item, weight: random() }));
  return weighed.sort((a, b) => a.weight - b.weight).map(({ item }) => item);
}
