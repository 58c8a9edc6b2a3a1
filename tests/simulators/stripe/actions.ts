import type { Json, Kind } from '../common/check.ts';
import { checked, ControlError, count, fields, flag, isObject, oneOf, text } from '../common/check.ts';
import * as billing from './billing.ts';
import { UPDATED } from './billing.ts';
import type { Customer, Invoice, Subscription, Thing } from './objects.ts';
import { newCustomer } from './objects.ts';
import type { State } from './state.ts';

/** Changes at Stripe that no API call causes; undefined if the state of the object does not allow them. */
interface Action { fields: Record<string, Kind>; run(state: State, given: Json): Json | undefined }

type Outcome = Json | false | void;

type Act<T> = (state: State, it: T, given: Json) => Outcome;
type Fields = Record<string, Kind>;

/** Performs one action on an existing object if its state allows it. */
function onKind<T extends Thing>(kind: string, allows: (it: T) => boolean, act: Act<T>, more: Fields): Action {
  const run = (state: State, given: Json): Json | undefined => {
    const it: T | undefined = state.kinds[kind]?.get(String(given[kind]));
    if (it === undefined) throw new ControlError(`no ${kind} '${String(given[kind])}'`);
    const outcome = allows(it) ? act(state, it, given) : false;
    return outcome === false ? undefined : { [kind]: it, ...outcome };
  };
  return { fields: { [kind]: text, ...more }, run };
}

const on = (allows: (it: Subscription) => boolean, act: Act<Subscription>, more: Fields = {}): Action => onKind('subscription', allows, act, more);
const forCustomer = (act: Act<Customer>, more: Fields = {}): Action => onKind('customer', (it) => it.deleted !== true, act, more);

function attempt(state: State, subscription: Subscription, paid: boolean): Outcome {
  const invoice = state.invoiceOf(subscription);
  return invoice?.status === 'open' && billing.retry(state, subscription, invoice, paid);
}

const giveUp: Act<Subscription> = (state, it, { becomes }) => (becomes === 'unpaid' ? billing.becomeUnpaid(state, it) : billing.cancel(state, it, 'payment_failed'));

/** An action on a subscription's last invoice, once it has been paid. */
function paid(state: State, subscription: Subscription, act: (invoice: Invoice) => Json): Outcome {
  const invoice = state.invoiceOf(subscription);
  return invoice?.status === 'paid' && act(invoice);
}

const always = (): boolean => true;
const owes = ({ status }: Subscription): boolean => status === 'past_due' || status === 'unpaid' || status === 'incomplete';
const renews = (it: Subscription): boolean => billing.runs(it) && !it.cancel_at_period_end;
const goesOn = (it: Subscription): boolean => !billing.hasEnded(it);

function createCustomer(state: State, user_id: string | undefined): Json {
  const customer = newCustomer(state.now(), { metadata: user_id === undefined ? {} : { user_id } });
  state.add(customer, 'customer.created');
  return { customer };
}

function subscribe(state: State, customer: Customer, given: Json): Outcome {
  const price = state.prices.get(state.priceId);
  if (price === undefined) return false;
  const user = (given.user_id as string | undefined) ?? customer.metadata.user_id;
  const metadata: Record<string, string> = user === undefined ? {} : { user_id: user };
  const order = { items: [{ price, quantity: 1 }], metadata, ...(given.trial_days ? { trialDays: given.trial_days as number } : {}) };
  const session = billing.openSession(state, order, { customer: customer.id, client_reference_id: user ?? null, metadata });
  return { subscription: billing.complete(state, session, given.payment !== 'fails') };
}

const ACTIONS: Record<string, Action> = {
  create_customer: { fields: { 'user_id?': text }, run: (state, { user_id }) => createCustomer(state, user_id as string | undefined) },
  subscribe: forCustomer(subscribe, { 'user_id?': text, 'payment?': oneOf('succeeds', 'fails'), 'trial_days?': count }),
  delete_customer: forCustomer((state, customer) => ({ customer: billing.deleteCustomer(state, customer) })),
  set_card: forCustomer((state, { id }, { works }) => void state.declined[works === true ? 'delete' : 'add'](id), { works: flag }),
  renew: on(renews, (state, it) => billing.renew(state, it, true)),
  fail_payment: on((it) => renews(it) || owes(it), (state, it) => (owes(it) ? attempt(state, it, false) : billing.renew(state, it, false))),
  retry_payment: on(owes, (state, it, { succeeds }) => attempt(state, it, succeeds === true), { succeeds: flag }),
  give_up: on(({ status }) => status === 'past_due', giveUp, { becomes: oneOf('canceled', 'unpaid') }),
  cancel: on(goesOn, (state, it) => billing.cancel(state, it)),
  cancel_at_period_end: on(
    (it) => renews(it) || (it.status === 'past_due' && !it.cancel_at_period_end),
    (state, it) => billing.setCancelAtPeriodEnd(state, it, true),
  ),
  end_period: on((it) => billing.runs(it) || (it.status === 'past_due' && it.cancel_at_period_end), (state, it) => billing.endPeriod(state, it)),
  pause: on(billing.runs, (state, it) => state.change(it, { status: 'paused' }, UPDATED, 'customer.subscription.paused')),
  resume: on(({ status }) => status === 'paused', (state, it) => billing.resume(state, it)),
  pause_collection: on(goesOn, (state, it, { behavior }) => state.change(it, { pause_collection: { behavior, resumes_at: null } }, UPDATED), {
    behavior: oneOf('keep_as_draft', 'void'),
  }),
  resume_collection: on(goesOn, (state, it) => state.change(it, { pause_collection: null }, UPDATED)),
  dispute: on(always, (state, it) => paid(state, it, (invoice) => ({ dispute: billing.dispute(state, invoice) }))),
  refund: on(always, (state, it) => paid(state, it, (invoice) => ({ charge: billing.refund(state, invoice) }))),
  expire_incomplete: on(({ status }) => status === 'incomplete', (state, it) => billing.expireIncomplete(state, it)),
};

export function act(state: State, body: unknown): Json | Json[] {
  const orders = [body].flat().map(read);
  const results = orders.map(({ action, given }) => structuredClone(action.run(state, given) ?? { ignored: true }));
  return Array.isArray(body) ? results : (results[0] as Json);
}

function read(item: unknown): { action: Action; given: Json } {
  const name = isObject(item) ? String(item.action) : '';
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (action === undefined) throw new ControlError(`no action '${name}'; there are ${Object.keys(ACTIONS).join(', ')}`);
  return { action, given: checked<Json>(`act ${name}`, item, fields({ action: text, ...action.fields })) };
}
