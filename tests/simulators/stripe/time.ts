import { endPeriod, expireIncomplete, cancel, cardWorks, retry } from './billing.ts';
import { expireSession } from './checkout.ts';
import type { Subscription } from './types.ts';
import type { World } from './world.ts';

/** Lets everything happen that was due by now, in order of time, each as of its own moment. */
export function catchUp(world: World): void {
  const now = world.clock.now();
  for (;;) {
    const next = world.agenda.next();
    if (next === undefined || next.at > now) {
      return;
    }
    world.clock.at(next.at, () => happen(world, next.id));
  }
}

function happen(world: World, id: string): void {
  const session = world.sessions.get(id);
  const subscription = world.subscriptions.get(id);
  if (session !== undefined) {
    expireSession(world, session);
  } else if (subscription !== undefined) {
    proceed(world, subscription);
  }
}

function proceed(world: World, subscription: Subscription): void {
  if (subscription.status === 'incomplete') {
    expireIncomplete(world, subscription);
    return;
  }
  if (subscription.status !== 'past_due') {
    endPeriod(world, subscription);
    return;
  }
  const invoice = world.invoiceOf(subscription);
  if (invoice?.status === 'open') {
    retry(world, subscription, invoice, cardWorks(world, subscription));
  } else {
    cancel(world, subscription, 'cancellation_requested');
  }
}
