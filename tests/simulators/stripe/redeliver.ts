import { checkFields, ControlError } from '../common/check.ts';
import { seededRandom } from '../common/random.ts';
import type { Delivering, Message, Style } from './delivery.ts';
import { checkStyle, messages } from './delivery.ts';
import type { EventLog } from './events.ts';

const FIELDS = {
  event_types: 'any',
  pending: 'boolean',
  shuffle: 'boolean',
  duplicate: 'number',
  concurrency: 'number',
  seed: 'number',
  attempts: 'number',
  style: 'string',
} as const;

interface Order {
  event_types?: string[];
  pending?: boolean;
  shuffle?: boolean;
  duplicate?: number;
  concurrency?: number;
  seed?: number;
  attempts?: number;
  style?: Style;
}

export interface Summary {
  events: number;
  deliveries: number;
  accepted: number;
  failed: number;
}

/** Delivers what has happened as a test orders it, and says when all is done. Pausing does not matter here. */
export async function redeliver(body: unknown, log: EventLog, delivering: Delivering): Promise<Summary> {
  const order = readOrder(body);
  if (delivering.endpoint.url === '') {
    throw new ControlError('there is no webhook endpoint to deliver to: set url and secrets with PUT delivery');
  }
  const chosen = log.all().filter(({ event, accepted }) => (order.event_types?.includes(event.type) ?? true) && !(order.pending && accepted));
  const copies = chosen
    .flatMap((recorded) => messages(recorded, order.style ?? delivering.endpoint.style))
    .flatMap((message) => Array<Message>(order.duplicate ?? 1).fill(message));
  const queue = order.shuffle === true ? shuffled(copies, order.seed ?? 1) : copies;
  let next = 0;
  let accepted = 0;
  const { era } = delivering;
  const worker = async (): Promise<void> => {
    for (let message = queue[next++]; message !== undefined && era === delivering.era; message = queue[next++]) {
      if (await untilAccepted(message, order.attempts ?? 1, delivering)) {
        accepted += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: order.concurrency ?? 1 }, worker));
  return { events: chosen.length, deliveries: queue.length, accepted, failed: queue.length - accepted };
}

async function untilAccepted(message: Message, attempts: number, delivering: Delivering): Promise<boolean> {
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    if (await delivering.attempt(message, attempt)) {
      return true;
    }
  }
  return false;
}

function readOrder(body: unknown): Order {
  const order = checkFields('deliver', body ?? {}, FIELDS) as Order;
  const types = order.event_types;
  if (types !== undefined && (!Array.isArray(types) || !types.every((type) => typeof type === 'string'))) {
    throw new ControlError('deliver.event_types must be a list of strings');
  }
  for (const name of ['duplicate', 'concurrency', 'attempts'] as const) {
    const number = order[name];
    if (number !== undefined && (!Number.isInteger(number) || number < 1)) {
      throw new ControlError(`deliver.${name} must be a whole number from 1`);
    }
  }
  if (order.style !== undefined) {
    checkStyle(order.style);
  }
  return order;
}

/** Always the same for the same seed and length. */
function shuffled<T>(items: T[], seed: number): T[] {
  const random = seededRandom(seed);
  const all = [...items];
  for (let i = all.length - 1; i > 0; i -= 1) {
    const j = Math.floor(random() * (i + 1));
    [all[i], all[j]] = [all[j] as T, all[i] as T];
  }
  return all;
}
