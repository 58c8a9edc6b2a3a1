import { checkFields, ControlError } from '../common/check.ts';
import * as billing from './billing.ts';
import { complete, openSession } from './checkout.ts';
import { newCustomer } from './objects.ts';
import type { Customer, Subscription } from './types.ts';
import type { World } from './world.ts';

type Result = Record<string, unknown>;
type Fields = Parameters<typeof checkFields>[2];

/** Undefined where an action makes no sense as things are. */
interface Action {
  fields: Fields;
  required: string[];
  run(world: World, given: Result): Result | undefined;
}

/** One action on a subscription, where its state allows it. */
function on(allowed: (subscription: Subscription) => boolean, act: (world: World, subscription: Subscription, given: Result) => Result | false | void, fields: Fields = {}, required: string[] = []): Action {
  return {
    fields: { subscription: 'string', ...fields },
    required: ['subscription', ...required],
    run: (world, given) => {
      const subscription = world.subscriptions.get(given.subscription as string);
      if (subscription === undefined) {
        throw new ControlError(`no subscription '${String(given.subscription)}'`);
      }
      const result = allowed(subscription) ? act(world, subscription, given) : false;
      return result === false ? undefined : { subscription, ...result };
    },
  };
}

/** The customer that an action names, or undefined for a deleted one. */
function customerOf(world: World, given: Result): Customer | undefined {
  if (world.customers.get(given.customer as string) === undefined) {
    throw new ControlError(`no customer '${String(given.customer)}'`);
  }
  return world.customer(given.customer as string);
}

/** The open invoice of a subscription is paid, or is not. */
function attempt(world: World, subscription: Subscription, paid: boolean): false | void {
  const invoice = world.invoiceOf(subscription);
  if (invoice?.status !== 'open') {
    return false;
  }
  billing.retry(world, subscription, invoice, paid);
}

const owes = ({ status }: Subscription): boolean => status === 'past_due' || status === 'unpaid' || status === 'incomplete';
const renews = (subscription: Subscription): boolean => billing.runs(subscription) && !subscription.cancel_at_period_end;

function subscribe(world: World, given: Result): Result | undefined {
  const customer = customerOf(world, given);
  const price = world.prices.get(world.priceId);
  if (customer === undefined || price === undefined) {
    return undefined;
  }
  const user = (given.user_id as string | undefined) ?? customer.metadata.user_id;
  const metadata: Record<string, string> = user === undefined ? {} : { user_id: user };
  const trial = given.trial_days ? { trialDays: given.trial_days as number } : {};
  const order = { items: [{ price, quantity: 1 }], metadata, ...trial };
  const session = openSession(world, order, { customer: customer.id, client_reference_id: user ?? null, metadata, success_url: 'https://example.com/' });
  return { subscription: complete(world, session, given.payment !== 'fails') };
}

const ACTIONS: Record<string, Action> = {
  create_customer: {
    fields: { user_id: 'string' },
    required: [],
    run: (world, { user_id }) => {
      const customer = newCustomer(world.clock.now(), { metadata: user_id === undefined ? {} : { user_id: user_id as string } });
      world.add(customer, 'customer.created');
      return { customer };
    },
  },
  subscribe: { fields: { customer: 'string', user_id: 'string', payment: 'string', trial_days: 'number' }, required: ['customer'], run: subscribe },
  delete_customer: {
    fields: { customer: 'string' },
    required: ['customer'],
    run: (world, given) => {
      const customer = customerOf(world, given);
      return customer && { customer: billing.deleteCustomer(world, customer) };
    },
  },
  set_card: {
    fields: { customer: 'string', works: 'boolean' },
    required: ['customer', 'works'],
    run: (world, given) => {
      const customer = customerOf(world, given);
      if (customer !== undefined) {
        world.declined[given.works === true ? 'delete' : 'add'](customer.id);
      }
      return customer && { customer };
    },
  },
  renew: on(renews, (world, subscription) => billing.renew(world, subscription, true)),
  fail_payment: on(
    (subscription) => renews(subscription) || owes(subscription),
    (world, subscription) => (owes(subscription) ? attempt(world, subscription, false) : billing.renew(world, subscription, false)),
  ),
  retry_payment: on(owes, (world, subscription, given) => attempt(world, subscription, given.succeeds === true), { succeeds: 'boolean' }, ['succeeds']),
  give_up: on(
    ({ status }) => status === 'past_due',
    (world, subscription, given) => {
      if (given.becomes === 'unpaid') {
        billing.becomeUnpaid(world, subscription);
      } else {
        billing.cancel(world, subscription, 'payment_failed');
      }
    },
    { becomes: 'string' },
    ['becomes'],
  ),
  cancel: on(
    (subscription) => !billing.hasEnded(subscription),
    (world, subscription) => billing.cancel(world, subscription, 'cancellation_requested'),
  ),
  cancel_at_period_end: on(
    (subscription) => renews(subscription) || (subscription.status === 'past_due' && !subscription.cancel_at_period_end),
    (world, subscription) => billing.setCancelAtPeriodEnd(world, subscription, true),
  ),
  end_period: on(
    (subscription) => billing.runs(subscription) || (subscription.status === 'past_due' && subscription.cancel_at_period_end),
    (world, subscription) => billing.endPeriod(world, subscription),
  ),
  pause: on(billing.runs, (world, subscription) => billing.pause(world, subscription)),
  resume: on(
    ({ status }) => status === 'paused',
    (world, subscription) => billing.resume(world, subscription),
  ),
  dispute: on(
    () => true,
    (world, subscription) => {
      const invoice = world.invoiceOf(subscription);
      return invoice?.status === 'paid' && { dispute: billing.dispute(world, subscription, invoice) };
    },
  ),
  refund: on(
    () => true,
    (world, subscription) => {
      const invoice = world.invoiceOf(subscription);
      return invoice?.status === 'paid' && { charge: billing.refund(world, subscription, invoice) };
    },
  ),
  pause_collection: on(
    (subscription) => !billing.hasEnded(subscription),
    (world, subscription, { behavior, resumes_at = null }) => billing.pauseCollection(world, subscription, { behavior, resumes_at }),
    { behavior: 'string', resumes_at: 'number' },
    ['behavior'],
  ),
  resume_collection: on(
    (subscription) => !billing.hasEnded(subscription),
    (world, subscription) => billing.pauseCollection(world, subscription, null),
  ),
  add_invoice_item: {
    fields: { customer: 'string', currency: 'string' },
    required: ['customer', 'currency'],
    run: (world, given) => {
      const customer = customerOf(world, given);
      if (customer !== undefined) {
        world.pendingItems.set(customer.id, given.currency as string);
      }
      return customer && { customer };
    },
  },
  expire_incomplete: on(
    ({ status }) => status === 'incomplete',
    (world, subscription) => billing.expireIncomplete(world, subscription),
  ),
};

const CHOICES: Record<string, string[]> = { payment: ['succeeds', 'fails'], becomes: ['canceled', 'unpaid'], behavior: ['keep_as_draft', 'mark_uncollectible', 'void'] };

/** Lets something happen at Stripe that no caller of the API has done; one action or a list. All are checked first. */
export function act(world: World, body: unknown): Result | Result[] {
  const list: unknown[] = Array.isArray(body) ? body : [body];
  const results = list.map((item) => read(item)).map(({ action, given }) => structuredClone(action.run(world, given) ?? { ignored: true }));
  return Array.isArray(body) ? results : (results[0] as Result);
}

function read(item: unknown): { action: Action; given: Result } {
  const name = typeof item === 'object' && item !== null ? (item as Result).action : undefined;
  const action = typeof name === 'string' && Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (action === undefined) {
    throw new ControlError(`no action '${String(name)}'; there are ${Object.keys(ACTIONS).join(', ')}`);
  }
  const given = checkFields(`act ${String(name)}`, item, { action: 'string', ...action.fields }, action.required);
  for (const [field, choices] of Object.entries(CHOICES)) {
    if (given[field] !== undefined && !choices.includes(given[field] as string)) {
      throw new ControlError(`act ${String(name)}.${field} must be one of ${choices.join(', ')}`);
    }
  }
  return { action, given };
}
