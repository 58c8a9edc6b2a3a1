import type { Answer } from '../common/answer.ts';
import type { SimRequest } from '../common/simulator.ts';
import { hasEnded, resume, retry, setCancelAtPeriodEnd } from './billing.ts';
import { complete, orderOf } from './checkout.ts';
import { invoicePage, notice, paymentPage, portalPage } from './pages.ts';
import type { Invoice, PortalSession, Price, Session } from './types.ts';
import type { World } from './world.ts';

const HTML = { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' };

/** The pages that customers are sent to; false when the path is none of theirs. */
export function servePage(world: World, request: SimRequest, answer: Answer): boolean {
  const [, kind, id = ''] = /^\/(c\/pay|p\/session|i)\/([^/]+)$/.exec(request.url.pathname) ?? [];
  if (kind === undefined) {
    return false;
  }
  const session = kind === 'c/pay' ? world.sessions.get(id) : undefined;
  const portal = kind === 'p/session' ? world.portals.get(id) : undefined;
  const invoice = kind === 'i' ? world.invoices.get(id) : undefined;
  if (request.method !== 'GET' && request.method !== 'POST') {
    answer.text(405, '', { allow: 'GET, POST' });
  } else if (session !== undefined) {
    pay(world, session, request, answer);
  } else if (portal !== undefined) {
    manage(world, portal, request, answer);
  } else if (invoice !== undefined) {
    settle(world, invoice, request, answer);
  } else {
    answer.text(404, notice('Something went wrong. The page you were looking for could not be found.'), HTML);
  }
  return true;
}

function pay(world: World, session: Session, request: SimRequest, answer: Answer): void {
  const customerGone = session.customer !== null && world.customer(session.customer) === undefined;
  if (session.status !== 'open' || customerGone) {
    const why = session.status === 'complete' ? 'You’re all done here: this checkout session has been completed.' : 'This checkout session has expired.';
    answer.text(200, notice(why, session.cancel_url), HTML);
    return;
  }
  const show = (problem?: string): void => {
    const items = orderOf(world, session).items.map((item) => ({ item, name: nameOf(world, item.price) }));
    answer.text(200, paymentPage(session, items, problem), HTML);
  };
  if (request.method === 'GET') {
    show();
    return;
  }
  const decision = new URLSearchParams(request.body).get('decision');
  const declined = decision === 'decline' || (session.customer !== null && world.declined.has(session.customer));
  if (declined || decision !== 'pay') {
    show(declined ? 'Your card was declined.' : 'Please choose how to pay.');
    return;
  }
  complete(world, session, true);
  answer.text(303, '', { location: (session.success_url ?? '/').replaceAll('{CHECKOUT_SESSION_ID}', session.id) });
}

/** The page on which an open invoice is paid. */
function settle(world: World, invoice: Invoice, request: SimRequest, answer: Answer): void {
  const paid = request.method === 'POST' && new URLSearchParams(request.body).get('decision') === 'pay' && payInvoice(world, invoice);
  if (paid) {
    answer.text(303, '', { location: request.url.pathname });
  } else {
    answer.text(200, invoicePage(invoice, request.method === 'POST' ? 'Your card was declined.' : undefined), HTML);
  }
}

/** Whether an open invoice could be paid with the customer's card. */
function payInvoice(world: World, invoice: Invoice): boolean {
  const subscription = world.subscriptions.get(invoice.parent?.subscription_details?.subscription ?? '');
  if (invoice.status !== 'open' || subscription === undefined || world.declined.has(invoice.customer)) {
    return false;
  }
  retry(world, subscription, invoice, true);
  return true;
}

function manage(world: World, portal: PortalSession, request: SimRequest, answer: Answer): void {
  const subscriptions = world.subscriptions.of(portal.customer).filter((it) => !hasEnded(it) && it.status !== 'incomplete');
  if (request.method === 'GET') {
    const shown = subscriptions.map((subscription) => {
      const price = subscription.items.data[0]?.price;
      const owes = world.invoiceOf(subscription)?.status === 'open';
      return { subscription, owes, name: price === undefined ? subscription.id : nameOf(world, price) };
    });
    answer.text(200, portalPage(portal, shown), HTML);
    return;
  }
  const form = new URLSearchParams(request.body);
  const subscription = subscriptions.find((it) => it.id === form.get('subscription'));
  const decision = form.get('decision');
  if (subscription !== undefined && (decision === 'cancel' || decision === 'keep')) {
    setCancelAtPeriodEnd(world, subscription, decision === 'cancel');
  } else if (subscription !== undefined && decision === 'pay') {
    const invoice = world.invoiceOf(subscription);
    if (invoice !== undefined) payInvoice(world, invoice);
  } else if (subscription?.status === 'paused' && decision === 'resume') {
    resume(world, subscription);
  }
  answer.text(303, '', { location: request.url.pathname });
}

function nameOf(world: World, price: Price): string {
  return world.products.get(price.product)?.name ?? price.id;
}
