import { isObject } from '../common/check.ts';
import { newId } from './ids.ts';
import type { Cause, StripeEvent, Thing } from './types.ts';

export const API_VERSION = '2026-10-28.endive';
const MAX_EVENTS = 50_000;

/** Where the API has the objects of a kind; what a thin event points to. */
export const PATHS: Record<string, string> = {
  customer: '/v1/customers',
  subscription: '/v1/subscriptions',
  invoice: '/v1/invoices',
  'checkout.session': '/v1/checkout/sessions',
  'billing_portal.session': '/v1/billing_portal/sessions',
  product: '/v1/products',
  price: '/v1/prices',
  dispute: '/v1/disputes',
  charge: '/v1/charges',
  refund: '/v1/refunds',
};

export interface Recorded {
  event: StripeEvent;
  /** The same change has another id as a thin event. */
  thinId: string;
  accepted: boolean;
}

/** What has happened since the last reset; the oldest are dropped when there are too many. */
export class EventLog {
  #recorded: Recorded[] = [];
  #byId = new Map<string, Recorded>();

  add(type: string, object: Thing, previous: Record<string, unknown> | undefined, created: number, request: Cause): Recorded {
    const event: StripeEvent = {
      id: newId('evt'),
      object: 'event',
      api_version: API_VERSION,
      created,
      data: { object: structuredClone(object), ...(previous === undefined ? {} : { previous_attributes: previous }) },
      livemode: false,
      pending_webhooks: 1,
      request,
      type,
    };
    const recorded = { event, thinId: newId('evt'), accepted: false };
    this.#recorded.push(recorded);
    this.#byId.set(event.id, recorded).set(recorded.thinId, recorded);
    if (this.#recorded.length > MAX_EVENTS) {
      this.#drop(this.#recorded.splice(0, MAX_EVENTS / 10));
    }
    return recorded;
  }

  all(): readonly Recorded[] {
    return this.#recorded;
  }

  find(id: string): Recorded | undefined {
    return this.#byId.get(id);
  }

  clear(): void {
    this.#recorded = [];
    this.#byId = new Map();
  }

  #drop(old: Recorded[]): void {
    for (const { event, thinId } of old) {
      this.#byId.delete(event.id);
      this.#byId.delete(thinId);
    }
  }
}

/** The notification of an event that only says what it is about. */
export function thinNotification({ event, thinId }: Recorded): Record<string, unknown> {
  const { object } = event.data;
  return {
    id: thinId,
    object: 'v2.core.event',
    type: `v1.${event.type}`,
    livemode: false,
    created: new Date(event.created * 1000).toISOString(),
    context: null,
    related_object: { id: object.id, type: object.object, url: `${PATHS[object.object]}/${object.id}` },
    reason: event.request.id === null ? null : { type: 'request', request: event.request },
  };
}

/** The thin event as the API answers it, with what has changed. */
export function thinEvent(recorded: Recorded): Record<string, unknown> {
  const { event } = recorded;
  const before = event.data.previous_attributes;
  const changes = before === undefined ? {} : { changes: { before, after: matching(event.data.object, before) } };
  return { ...thinNotification(recorded), ...changes, snapshot_event: event.id };
}

function matching(now: Record<string, unknown>, before: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(before).map(([name, old]) => {
      const value = now[name];
      return [name, isObject(old) && isObject(value) ? matching(value, old) : (value ?? null)];
    }),
  );
}

/** What `previous_attributes` says: only what is different, with its old value; lists as a whole. */
export function previousAttributes(before: Record<string, unknown>, after: Record<string, unknown>): Record<string, unknown> {
  const changed: Record<string, unknown> = {};
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [old, value] = [before[name], after[name]];
    if (isObject(old) && isObject(value)) {
      const inner = previousAttributes(old, value);
      if (Object.keys(inner).length > 0) {
        changed[name] = inner;
      }
    } else if (JSON.stringify(old) !== JSON.stringify(value)) {
      changed[name] = old ?? null;
    }
  }
  return changed;
}
