// The webhook as in Stripe's and Supabase's documentation: official clients that are created once, a signature verified
// with SubtleCrypto, and a switch over the types.

import { createClient } from '@supabase/supabase-js';
import Stripe from 'stripe';
import type { Environment, Handler } from '../candidate.ts';

export function serve(env: Environment): Handler {
  const { hostname, port, protocol } = new URL(env.STRIPE_API_BASE_URL as string);
  const stripe = new Stripe(env.STRIPE_SECRET_KEY as string, { host: hostname, port, protocol: protocol === 'http:' ? 'http' : 'https' });
  const cryptoProvider = Stripe.createSubtleCryptoProvider();
  const supabase = createClient(env.SUPABASE_URL as string, env.SUPABASE_SECRET_KEY as string, { auth: { persistSession: false, autoRefreshToken: false } });

  const sync = async (customer: string) => {
    const subscriptions = await stripe.subscriptions.list({ customer, status: 'all' });
    const isPaid = subscriptions.data.some(({ status }) => status === 'active' || status === 'trialing');
    const { error } = await supabase
      .from('profiles')
      .update({ plan: isPaid ? 'pro' : 'free' })
      .eq('stripe_customer_id', customer);
    if (error) throw error;
  };

  return async (request) => {
    const signature = request.headers.get('stripe-signature');
    const body = await request.text();
    let event: Stripe.Event;
    try {
      event = await stripe.webhooks.constructEventAsync(body, signature ?? '', env.STRIPE_WEBHOOK_SECRETS as string, undefined, cryptoProvider);
    } catch (error) {
      return new Response(`Webhook error: ${(error as Error).message}`, { status: 400 });
    }
    switch (event.type) {
      case 'checkout.session.completed':
      case 'customer.subscription.created':
      case 'customer.subscription.updated':
      case 'customer.subscription.deleted':
      case 'invoice.paid':
      case 'invoice.payment_failed': {
        const { customer } = event.data.object;
        if (customer) await sync(typeof customer === 'string' ? customer : customer.id);
        break;
      }
      default: // Other types are ignored.
    }
    return Response.json({ received: true });
  };
}
