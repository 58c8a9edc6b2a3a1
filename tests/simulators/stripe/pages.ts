import { escaped, page } from '../common/page.ts';
import type { Call, Reply } from '../common/server.ts';
import { plain } from '../common/server.ts';
import { cardWorks, complete, hasEnded, orderOf, retry, setCancelAtPeriodEnd } from './billing.ts';
import type { Invoice, Portal, Price, Session, Subscription } from './objects.ts';
import type { State } from './state.ts';

const money = (amount: number, currency: string): string => new Intl.NumberFormat('en-US', { style: 'currency', currency }).format(amount / 100);
const button = (value: string, label: string, testid: string): string => `<button name="decision" value="${value}" data-testid="${testid}">${label}</button>`;
const link = (href: string | null, label: string, testid: string): string =>
  href === null ? '' : `<p><a href="${escaped(href)}" data-testid="${testid}">${label}</a></p>`;
const alert = (problem: string | undefined): string => (problem === undefined ? '' : `<p role="alert" data-testid="problem">${problem}</p>`);
const notice = (status: number, message: string, back: string | null = null): Reply =>
  page(status, 'Stripe (simulated)', `<p data-testid="notice">${message}</p>${link(back, 'Back', 'return')}`);

/** The pages for customers; undefined for another path. Their forms post to their own URLs. */
export function servePage(state: State, { method, url, body }: Call): Reply | undefined {
  const [, kind, id = ''] = /^\/(c\/pay|p\/session|i)\/([^/]+)$/.exec(url.pathname) ?? [];
  if (kind === undefined) return undefined;
  if (method !== 'GET' && method !== 'POST') return plain(405, '', { allow: 'GET, POST' });
  const session = kind === 'c/pay' ? state.sessions.get(id) : undefined;
  const portal = kind === 'p/session' ? state.portals.get(id) : undefined;
  const invoice = kind === 'i' ? state.invoices.get(id) : undefined;
  const form = method === 'POST' ? new URLSearchParams(body) : undefined;
  const back = plain(303, '', { location: url.pathname });
  if (session !== undefined) return pay(state, session, form?.get('decision'));
  if (portal !== undefined) return form ? (manage(state, portal, form), back) : portalPage(state, portal);
  if (invoice === undefined) return notice(404, 'Something went wrong. The page you were looking for could not be found.');
  return form?.get('decision') === 'pay' && payInvoice(state, invoice) ? back : invoicePage(invoice, form !== undefined);
}

function pay(state: State, session: Session, decision: string | null | undefined): Reply {
  if (session.status !== 'open' || (session.customer !== null && state.customer(session.customer) === undefined)) {
    const why = session.status === 'complete' ? 'You’re all done here: this checkout session has been completed.' : 'This checkout session has expired.';
    return notice(200, why, session.cancel_url);
  }
  if (decision === 'pay' && cardWorks(state, session.customer ?? '')) {
    complete(state, session, true);
    return plain(303, '', { location: (session.success_url ?? '/').replaceAll('{CHECKOUT_SESSION_ID}', session.id) });
  }
  const lines = orderOf(state, session).items.map(({ price, quantity }) => {
    return `<li data-testid="item">${nameOf(state, price)}: ${quantity} × ${money(price.unit_amount, price.currency)} per ${price.recurring?.interval}</li>`;
  });
  const text = `${alert(decision ? 'Your card was declined.' : undefined)}<ul>${lines.join('')}</ul>
<form method="post">${button('pay', 'Pay', 'pay')}${button('decline', 'Pay with a card that is declined', 'pay-declined')}</form>
${link(session.cancel_url, 'Cancel', 'cancel')}`;
  return page(200, 'Stripe Checkout (simulated)', text);
}

function invoicePage({ amount_due, currency, status }: Invoice, isDeclined: boolean): Reply {
  const choice = status === 'open' ? `<form method="post">${button('pay', 'Pay', 'pay-invoice')}</form>` : '';
  return page(200, 'Invoice (simulated)', `${alert(isDeclined ? 'Your card was declined.' : undefined)}<p>${money(amount_due, currency)}: <b>${status}</b></p>${choice}`);
}

/** Whether an open invoice could be paid with the customer's card. */
function payInvoice(state: State, invoice: Invoice): boolean {
  const subscription = state.billed(invoice);
  if (invoice.status !== 'open' || subscription === undefined || !cardWorks(state, invoice.customer)) return false;
  retry(state, subscription, invoice, true);
  return true;
}

function managed(state: State, { customer }: Portal): Subscription[] {
  return state.subscriptionsOf(customer).filter((it) => !hasEnded(it) && it.status !== 'incomplete');
}

function manage(state: State, portal: Portal, form: URLSearchParams): void {
  const subscription = managed(state, portal).find((it) => it.id === form.get('subscription'));
  const decision = form.get('decision');
  const invoice = subscription && state.invoiceOf(subscription);
  if (subscription !== undefined && (decision === 'cancel' || decision === 'keep')) {
    setCancelAtPeriodEnd(state, subscription, decision === 'cancel');
  } else if (invoice !== undefined && decision === 'pay') {
    payInvoice(state, invoice);
  }
}

/** The customer portal: the subscriptions, to cancel and resume. */
function portalPage(state: State, portal: Portal): Reply {
  const rows = managed(state, portal).map((subscription) => {
    const { id, status, cancel_at_period_end, items } = subscription;
    const [item] = items.data;
    const end = new Date((item?.current_period_end ?? 0) * 1000).toISOString().slice(0, 10);
    const choice = cancel_at_period_end ? button('keep', 'Don’t cancel', 'keep-subscription') : button('cancel', 'Cancel subscription', 'cancel-subscription');
    const due = state.invoiceOf(subscription)?.status === 'open' ? button('pay', 'Pay what is due', 'pay-due') : '';
    return `<form method="post" data-testid="subscription"><p>${item ? nameOf(state, item.price) : id}: <b>${status}</b>,
${cancel_at_period_end ? 'ends' : 'renews'} on ${end}</p>
<input type="hidden" name="subscription" value="${escaped(id)}">${choice}${due}</form>`;
  });
  return page(200, 'Stripe billing (simulated)', `${rows.join('') || '<p data-testid="notice">No subscriptions</p>'}${link(portal.return_url, 'Back', 'return')}`);
}

const nameOf = (state: State, price: Price): string => escaped(String(state.products.get(price.product)?.name ?? price.id));
