import type { LineItem } from './objects.ts';
import type { Invoice, PortalSession, Session, Subscription } from './types.ts';

const escaped = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

const page = (title: string, body: string): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title>
<style>body{font:16px/1.5 sans-serif;max-width:28rem;margin:4rem auto;padding:0 1rem}button{font:inherit;padding:.5rem 1.5rem;margin:0 1rem 1rem 0}</style>
</head><body><h1>${title}</h1>${body}</body></html>`;

const money = (amount: number, currency: string): string => new Intl.NumberFormat('en-US', { style: 'currency', currency }).format(amount / 100);
const day = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 10);

function button(value: string, label: string, testid: string): string {
  return `<button name="decision" value="${value}" data-testid="${testid}">${label}</button>`;
}

function link(href: string | null, label: string, testid: string): string {
  return href === null ? '' : `<p><a href="${escaped(href)}" data-testid="${testid}">${label}</a></p>`;
}

/** Where the customer pays, or lets it be; the form goes back to the URL that it came from. */
export function paymentPage(session: Session, items: { item: LineItem; name: string }[], problem?: string): string {
  const lines = items.map(({ item: { price, quantity }, name }) => {
    const often = price.recurring === null ? '' : ` per ${price.recurring.interval}`;
    return `<li data-testid="item">${escaped(name)}: ${quantity} × ${money(price.unit_amount, price.currency)}${often}</li>`;
  });
  const told = problem === undefined ? '' : `<p role="alert" data-testid="problem">${escaped(problem)}</p>`;
  return page(
    'Stripe Checkout (simulated)',
    `${told}<ul>${lines.join('')}</ul>
<form method="post">${button('pay', 'Pay', 'pay')}${button('decline', 'Pay with a card that is declined', 'pay-declined')}</form>
${link(session.cancel_url, 'Cancel', 'cancel')}`,
  );
}

/** Where there is nothing to decide. */
export function notice(message: string, back: string | null = null): string {
  return page('Stripe (simulated)', `<p data-testid="notice">${escaped(message)}</p>${link(back, 'Back', 'return')}`);
}

/** Where an invoice is paid. */
export function invoicePage({ amount_due, currency, status }: Invoice, problem?: string): string {
  const told = problem === undefined ? '' : `<p role="alert" data-testid="problem">${escaped(problem)}</p>`;
  const choice = status === 'open' ? `<form method="post">${button('pay', 'Pay', 'pay-invoice')}</form>` : '';
  return page('Invoice (simulated)', `${told}<p>${money(amount_due, currency)}: <b>${status}</b></p>${choice}`);
}

/** A customer's own page: what they subscribe to, and a way out and back. */
export function portalPage(portal: PortalSession, subscriptions: { subscription: Subscription; owes: boolean; name: string }[]): string {
  const rows = subscriptions.map(({ subscription, owes, name }) => {
    const { id, status, cancel_at_period_end } = subscription;
    const end = day(subscription.items.data[0]?.current_period_end ?? 0);
    const choice = cancel_at_period_end ? button('keep', 'Don’t cancel', 'keep-subscription') : button('cancel', 'Cancel subscription', 'cancel-subscription');
    return `<form method="post" data-testid="subscription"><p>${escaped(name)}: <b>${status}</b>, ${cancel_at_period_end ? 'ends' : 'renews'} on ${end}</p>
<input type="hidden" name="subscription" value="${escaped(id)}">${choice}
${owes ? button('pay', 'Pay what is due', 'pay-due') : ''}${status === 'paused' ? button('resume', 'Resume', 'resume-subscription') : ''}</form>`;
  });
  return page('Stripe billing (simulated)', `${rows.join('') || '<p data-testid="notice">No subscriptions</p>'}${link(portal.return_url, 'Back', 'return')}`);
}
