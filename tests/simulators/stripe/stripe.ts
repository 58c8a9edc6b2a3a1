import type { Json } from '../common/check.ts';
import { any, checked, ControlError, fields, isObject, listOf, number } from '../common/check.ts';
import type { Call, Reply, Simulator } from '../common/server.ts';
import { act } from './actions.ts';
import { Api } from './api.ts';
import { catchUp } from './billing.ts';
import { Delivering } from './delivery.ts';
import type { Thing } from './objects.ts';
import { newCustomer, newPortal, newSession, newSubscription } from './objects.ts';
import { servePage } from './pages.ts';
import { State } from './state.ts';

const DEFAULT_LATENCY = { api_ms: 5 };
export interface StripeOptions {
  secretKey: string;
  /** The price that exists from the start, of Sound Whiskers' product. */
  priceId: string;
  webhook?: { url: string; secret: string };
}

/** Stripe: the API, the pages for customers, and the webhooks. */
export class Stripe implements Simulator {
  readonly #delivering: Delivering;
  readonly #state: State;
  readonly #api: Api;
  #latency = DEFAULT_LATENCY;

  readonly control = {
    'PUT latency': (body: unknown) => {
      this.#latency = { ...DEFAULT_LATENCY, ...checked<object>('latency', body, fields({ 'api_ms?': number })) };
    },
    'POST clock': (body: unknown) => {
      const { advance_seconds } = checked<{ advance_seconds: number }>('clock', body, fields({ advance_seconds: number }));
      this.#state.advance(advance_seconds);
      catchUp(this.#state);
      return { now: this.#state.now() };
    },
    'POST act': (body: unknown) => {
      catchUp(this.#state);
      return act(this.#state, body);
    },
    'PUT delivery': (body: unknown) => this.#delivering.configure(body),
    'POST deliver': (body: unknown) => this.#delivering.deliver(body, this.#state),
    'GET deliveries': () => this.#delivering.deliveries(),
    'GET events': () => this.#state.events.map(({ event }) => event),
    'GET objects': () => Object.fromEntries(Object.entries(this.#state.kinds).map(([kind, things]) => [listOfKind(kind), [...things.values()]])),
    'PUT objects': (body: unknown) => putObjects(this.#state, body),
  };

  constructor({ secretKey, priceId, webhook }: StripeOptions) {
    this.#delivering = new Delivering(webhook);
    this.#state = new State(priceId, (recorded) => this.#delivering.take(recorded));
    this.#api = new Api(this.#state, secretKey);
  }

  reset(): void {
    this.#delivering.reset();
    this.#state.reset();
    this.#api.reset();
    this.#latency = DEFAULT_LATENCY;
  }

  close(): void {
    this.#delivering.close();
  }

  async handle(call: Call): Promise<Reply> {
    catchUp(this.#state);
    return servePage(this.#state, call) ?? (await this.#api.handle(call, this.#latency.api_ms));
  }
}

/** `GET objects` has `portal_sessions` and `checkout_sessions`. */
const listOfKind = (kind: string): string => `${kind.replace('billing_', '').replace('.', '_')}s`;

/** Stores raw objects, replacing those with the same id; absent fields of a new one get defaults. Sends no events. */
function putObjects(state: State, body: unknown): void {
  const things = checked<Thing[]>('objects', body, listOf(any));
  things.forEach((thing, index) => {
    if (!isObject(thing) || typeof thing.id !== 'string' || state.kinds[thing.object] === undefined) {
      throw new ControlError(`objects[${index}] must have an id and as object one of ${Object.keys(state.kinds).join(', ')}`);
    }
  });
  for (const thing of things) {
    const whole = thing.deleted === true ? {} : (state.kinds[thing.object]?.get(thing.id) ?? usual(state, thing));
    state.put(structuredClone({ ...whole, ...thing }));
  }
}

function usual(state: State, { object, customer }: Thing): Json {
  const price = state.prices.get(state.priceId);
  const order = { items: price === undefined ? [] : [{ price, quantity: 1 }], metadata: {} };
  const now = state.now();
  if (object === 'customer') return newCustomer(now, {});
  if (object === 'subscription') return newSubscription(now, String(customer), order);
  if (object === 'checkout.session') return newSession(now, order, {});
  return object === 'billing_portal.session' ? newPortal(now, { customer: String(customer), return_url: null }) : {};
}
