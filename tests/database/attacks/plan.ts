// Becoming pro, and taking another's Stripe customer.

import { randomUUID } from 'node:crypto';
import type { Attack } from './attack.ts';
import { del, denied, deniedForAll, nothing, patch, post, put, rpc, unknown } from './attack.ts';
import type { Scene } from './scene.ts';

const MERGE = 'resolution=merge-duplicates';

export const plan = ({ mallory, victim }: Scene): Attack[] => {
  const own = `/profiles?user_id=eq.${mallory.id}`;
  const pro = { user_id: mallory.id, username: 'Mallory', plan: 'pro' };
  return [
    { what: 'updates their own plan', ask: patch(own, { plan: 'pro' }), expected: denied },
    { what: 'updates the plan of everybody', ask: patch('/profiles', { plan: 'pro' }), expected: deniedForAll },
    { what: 'hides the plan behind a username that may be changed', ask: patch(own, { username: 'Mallory', plan: 'pro' }), expected: denied },
    { what: 'names the plan among the columns of an update', ask: patch(`${own}&columns=username,plan`, { username: 'Mallory', plan: 'pro' }), expected: denied },
    { what: 'puts a whole profile in the place of their own', ask: put(own, pro), expected: denied },
    { what: 'inserts a second profile that is pro', ask: post('/profiles', pro), expected: denied },
    { what: 'inserts a pro profile for an account that does not exist', ask: post('/profiles', { ...pro, user_id: randomUUID() }), expected: denied },
    { what: 'names the plan among the columns of an insert', ask: post('/profiles?columns=user_id,username,plan', pro), expected: denied },
    { what: 'upserts their profile as pro', ask: post('/profiles', pro, MERGE), expected: denied },
    { what: 'upserts on the user id as the conflict', ask: post('/profiles?on_conflict=user_id', pro, MERGE), expected: denied },
    { what: 'upserts on the Stripe customer as the conflict', ask: post('/profiles?on_conflict=stripe_customer_id', { ...pro, stripe_customer_id: victim.customer }, MERGE), expected: denied },
    { what: 'upserts and ignores duplicates', ask: post('/profiles', pro, 'resolution=ignore-duplicates'), expected: denied },
    { what: 'upserts many profiles at once, the victim\'s among them', ask: post('/profiles', [mallory, victim].map(({ id }) => ({ ...pro, user_id: id })), MERGE), expected: denied },
    { what: 'takes the victim\'s Stripe customer', ask: patch(own, { stripe_customer_id: victim.customer }), expected: denied },
    { what: 'makes up a Stripe customer', ask: patch(own, { stripe_customer_id: 'cus_madeUp' }), expected: denied },
    { what: 'forgets the own Stripe customer', ask: patch(own, { stripe_customer_id: null }), expected: denied },
    { what: 'takes the victim\'s Stripe customer away', ask: patch(`/profiles?user_id=eq.${victim.id}`, { stripe_customer_id: null }), expected: denied },
    { what: 'says that Stripe was asked long after', ask: patch(own, { plan_synced_at: '2999-01-01' }), expected: denied },
    { what: 'says that Stripe was never asked', ask: patch(own, { plan_synced_at: null }), expected: denied },
    { what: 'names when Stripe was asked among the columns of an update', ask: patch(`${own}&columns=username,plan_synced_at`, { username: 'Mallory', plan_synced_at: '2999-01-01' }), expected: denied },
    { what: 'keeps what Stripe says from the victim', ask: patch(`/profiles?user_id=eq.${victim.id}`, { plan_synced_at: '2999-01-01' }), expected: denied },
    { what: 'makes the own profile the victim\'s', ask: patch(own, { user_id: victim.id }), expected: denied },
    { what: 'back-dates the profile', ask: patch(own, { created_at: '2020-01-01', updated_at: '2020-01-01' }), expected: denied },
    { what: 'deletes the own profile, and the quota\'s ledger with it', ask: del(own), expected: denied },
    { what: 'deletes the victim\'s profile', ask: del(`/profiles?user_id=eq.${victim.id}`), expected: denied },
    { what: 'renames the victim', ask: patch(`/profiles?user_id=eq.${victim.id}`, { username: 'Mallory was here' }), expected: nothing },
    { what: 'renames everybody else', ask: patch(`/profiles?user_id=neq.${mallory.id}`, { username: 'Mallory was here' }), expected: nothing },
    { what: 'gives usage a plan as an argument', ask: rpc('usage', { plan: 'pro' }), expected: unknown },
    { what: 'asks for the usage of the victim', ask: rpc('usage', { p_user_id: victim.id }), expected: unknown },
    { what: 'calls the quota\'s limit, which lies in a schema that is not exposed', ask: rpc('ai_quota_limit', { p_plan: 'pro' }), expected: unknown },
  ];
};
