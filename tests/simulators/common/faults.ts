import { checkFields, ControlError } from './check.ts';
import { seededRandom } from './random.ts';

export interface Fault {
  method?: string;
  path_prefix: string;
  /** How many requests it strikes at most. */
  times?: number;
  /** How many matching requests it lets pass first. */
  after?: number;
  probability?: number;
  status?: number;
  /** A string is answered raw, anything else as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
  /** The request is handled that much later. */
  delay_ms?: number;
  /** The request is handled at once and answered that much later: what the answer says may be out of date by then. */
  hold_ms?: number;
  reset_connection?: boolean;
  truncate_after_bytes?: number;
}

interface Armed {
  fault: Fault;
  seen: number;
  struck: number;
}

/** The faults that a test has ordered. The dice are seeded, so that a failing run can be repeated. */
export class Faults {
  #armed: Armed[] = [];
  #random = seededRandom(1);

  set(body: unknown): void {
    if (!Array.isArray(body)) {
      throw new ControlError('faults must be a list');
    }
    this.#armed = body.map((item, index) => ({ fault: checkFault(item, index), seen: 0, struck: 0 }));
    this.#random = seededRandom(1);
  }

  clear(): void {
    this.set([]);
  }

  /** The first fault that applies to this request. One that is not due yet, used up or spared by the dice does not match. */
  strike(method: string, path: string): Fault | undefined {
    for (const armed of this.#armed) {
      const { fault } = armed;
      if ((fault.method !== undefined && fault.method.toUpperCase() !== method) || !path.startsWith(fault.path_prefix)) {
        continue;
      }
      armed.seen += 1;
      if (armed.seen <= (fault.after ?? 0) || armed.struck >= (fault.times ?? Infinity)) {
        continue;
      }
      if (fault.probability !== undefined && this.#random() >= fault.probability) {
        continue;
      }
      armed.struck += 1;
      return fault;
    }
    return undefined;
  }
}

function checkFault(item: unknown, index: number): Fault {
  const fault = checkFields(
    `faults[${index}]`,
    item,
    {
      method: 'string',
      path_prefix: 'string',
      times: 'number',
      after: 'number',
      probability: 'number',
      status: 'number',
      body: 'any',
      headers: 'object',
      delay_ms: 'number',
      hold_ms: 'number',
      reset_connection: 'boolean',
      truncate_after_bytes: 'number',
    },
    ['path_prefix'],
  ) as unknown as Fault;
  if (fault.status !== undefined && (!Number.isInteger(fault.status) || fault.status < 200 || fault.status > 599)) {
    throw new ControlError(`faults[${index}].status must be an HTTP status`);
  }
  return fault;
}
