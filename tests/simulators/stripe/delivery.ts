import { checkFields, ControlError } from '../common/check.ts';
import { nowMs } from '../common/clock.ts';
import type { Recorded } from './events.ts';
import { thinNotification } from './events.ts';
import { Post } from './post.ts';

export type Style = 'snapshot' | 'thin' | 'both';

export interface Endpoint {
  url: string;
  secrets: readonly string[];
  paused: boolean;
  style: Style;
}

export interface Delivery {
  event_id: string;
  type: string;
  attempt: number;
  status: number | null;
  at_ms: number;
  body: string;
}

/** One event in one of its forms. */
export interface Message {
  recorded: Recorded;
  style: 'snapshot' | 'thin';
}

/** Stripe's pauses between the attempts of three days, with an hour of Stripe's in a second: 5 min, 30 min, 2 h, … */
const RETRY_MS = [83, 500, 2000, 5000, 10_000, 12_000, 12_000, 12_000, 12_000];
const AT_ONCE = 64;
const MAX_DELIVERIES = 20_000;

export function messages(recorded: Recorded, style: Style): Message[] {
  const styles = style === 'both' ? (['snapshot', 'thin'] as const) : [style];
  return styles.map((one) => ({ recorded, style: one }));
}

/** Brings events to the endpoint, by itself and without keeping anybody waiting. */
export class Delivering {
  readonly #start: Endpoint;
  #endpoint: Endpoint;
  #post = new Post();
  #queue: { message: Message; attempt: number }[] = [];
  /** What came up while deliveries were paused. */
  #heldBack: { message: Message; attempt: number }[] = [];
  #timers = new Set<NodeJS.Timeout>();
  #active = 0;
  #era = 0;
  #deliveries: Delivery[] = [];

  constructor(webhook: { url: string; secret: string } | undefined) {
    this.#start = { url: webhook?.url ?? '', secrets: webhook === undefined ? [] : [webhook.secret], paused: false, style: 'snapshot' };
    this.#endpoint = this.#start;
  }

  get endpoint(): Endpoint {
    return this.#endpoint;
  }

  /** Changes where everything starts anew: what belongs to an earlier one is not to be sent any more. */
  get era(): number {
    return this.#era;
  }

  deliveries(): readonly Delivery[] {
    return this.#deliveries;
  }

  reset(): void {
    this.close();
    this.#endpoint = this.#start;
    this.#deliveries = [];
  }

  close(): void {
    this.#era += 1;
    this.#timers.forEach((timer) => clearTimeout(timer));
    this.#timers.clear();
    this.#queue = [];
    this.#heldBack = [];
    this.#active = 0;
    this.#post.close();
  }

  /** Fields that are left out stay as they were. */
  configure(body: unknown): Record<string, unknown> {
    const given = checkFields('delivery', body, { paused: 'boolean', url: 'string', secrets: 'any', style: 'string' }) as Partial<Endpoint>;
    const { url, secrets, style } = given;
    if (url !== undefined && url !== '' && !/^https?:\/\/[^/]/.test(url)) {
      throw new ControlError('delivery.url must be an http(s) URL, or empty for no deliveries');
    }
    if (secrets !== undefined && (!Array.isArray(secrets) || secrets.length === 0 || !secrets.every((it) => typeof it === 'string' && it !== ''))) {
      throw new ControlError('delivery.secrets must be a list of strings with something in it');
    }
    if (style !== undefined) {
      checkStyle(style);
    }
    this.#endpoint = { ...this.#endpoint, ...given };
    if (!this.#endpoint.paused) {
      this.#queue.push(...this.#heldBack.splice(0));
      this.#work();
    }
    return { ...this.#endpoint };
  }

  /** Takes an event that has just happened. */
  take(recorded: Recorded): void {
    if (this.#endpoint.url === '') {
      return;
    }
    for (const message of messages(recorded, this.#endpoint.style)) {
      this.#enqueue(message, 1);
    }
  }

  /** One attempt, written down; true when it was accepted, as only a 2xx is. */
  async attempt({ recorded, style }: Message, attempt: number): Promise<boolean> {
    const { event, thinId } = recorded;
    const era = this.#era;
    const body = style === 'thin' ? JSON.stringify(thinNotification(recorded)) : JSON.stringify(event, null, 2);
    const delivery: Delivery = {
      event_id: style === 'thin' ? thinId : event.id,
      type: style === 'thin' ? `v1.${event.type}` : event.type,
      attempt,
      status: null,
      at_ms: nowMs(),
      body: '',
    };
    Object.assign(delivery, await this.#post.send(this.#endpoint.url, body, this.#endpoint.secrets));
    const accepted = delivery.status !== null && delivery.status >= 200 && delivery.status < 300;
    if (era === this.#era) {
      this.#deliveries.push(delivery);
      if (this.#deliveries.length > MAX_DELIVERIES) {
        this.#deliveries.shift();
      }
      recorded.accepted ||= accepted;
    }
    return accepted;
  }

  #enqueue(message: Message, attempt: number): void {
    (this.#endpoint.paused ? this.#heldBack : this.#queue).push({ message, attempt });
    // Later than the answer to the call that it came from.
    setImmediate(() => this.#work());
  }

  #work(): void {
    while (this.#active < AT_ONCE && !this.#endpoint.paused) {
      const next = this.#queue.shift();
      if (next === undefined) {
        return;
      }
      this.#active += 1;
      void this.#deliver(next.message, next.attempt);
    }
  }

  async #deliver(message: Message, attempt: number): Promise<void> {
    const era = this.#era;
    const accepted = await this.attempt(message, attempt);
    if (era !== this.#era) {
      return;
    }
    this.#active -= 1;
    const pause = RETRY_MS[attempt - 1];
    if (!accepted && pause !== undefined) {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        this.#enqueue(message, attempt + 1);
      }, pause);
      this.#timers.add(timer);
    }
    this.#work();
  }
}

export function checkStyle(style: unknown): Style {
  if (style !== 'snapshot' && style !== 'thin' && style !== 'both') {
    throw new ControlError("style must be 'snapshot', 'thin' or 'both'");
  }
  return style;
}
