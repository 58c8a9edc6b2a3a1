import type { Answer } from '../common/answer.ts';
import { checkFields } from '../common/check.ts';
import type { SimRequest, Simulator } from '../common/simulator.ts';
import { act } from './actions.ts';
import { Api } from './api.ts';
import { Delivering } from './delivery.ts';
import { servePage } from './hosted.ts';
import { allObjects, putObjects } from './raw.ts';
import { redeliver } from './redeliver.ts';
import { catchUp } from './time.ts';
import { World } from './world.ts';

const DEFAULT_LATENCY = { api_ms: 5 };

export interface StripeOptions {
  secretKey: string;
  /** The price that exists from the start, of Sound Whiskers' product. */
  priceId: string;
  /** Where events are delivered to; nowhere without it. */
  webhook?: { url: string; secret: string };
}

/** Stripe: the API, the pages that it sends customers to, and the webhooks that it sends. */
export class Stripe implements Simulator {
  readonly #delivering: Delivering;
  readonly #world: World;
  readonly #api: Api;
  #latency = DEFAULT_LATENCY;

  readonly control = {
    'PUT latency': (body: unknown) => {
      this.#latency = { ...DEFAULT_LATENCY, ...checkFields('latency', body, { api_ms: 'number' }) };
    },
    'POST clock': (body: unknown) => {
      const { advance_seconds } = checkFields('clock', body, { advance_seconds: 'number' }, ['advance_seconds']);
      this.#world.clock.advance(advance_seconds as number);
      catchUp(this.#world);
      return { now: this.#world.clock.now() };
    },
    'POST act': (body: unknown) => {
      catchUp(this.#world);
      return act(this.#world, body);
    },
    'PUT delivery': (body: unknown) => this.#delivering.configure(body),
    'POST deliver': (body: unknown) => redeliver(body, this.#world.events, this.#delivering),
    'GET deliveries': () => this.#delivering.deliveries(),
    'GET events': () => this.#world.events.all().map(({ event }) => event),
    'GET objects': () => allObjects(this.#world),
    'PUT objects': (body: unknown) => putObjects(this.#world, body),
    'PUT idempotency_failures': (body: unknown) => this.#api.idempotency.fail(body),
  };

  constructor({ secretKey, priceId, webhook }: StripeOptions) {
    this.#delivering = new Delivering(webhook);
    this.#world = new World(priceId, (recorded) => this.#delivering.take(recorded));
    this.#api = new Api(this.#world, secretKey);
  }

  reset(): void {
    this.#delivering.reset();
    this.#world.reset();
    this.#api.idempotency.reset();
    this.#latency = DEFAULT_LATENCY;
  }

  close(): void {
    this.#delivering.close();
  }

  async handle(request: SimRequest, answer: Answer): Promise<void> {
    catchUp(this.#world);
    if (!servePage(this.#world, request, answer)) {
      await this.#api.handle(request, answer, this.#latency.api_ms);
    }
  }
}
