// Metadata that is meant to break the profile's trigger, or to be more than a name.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import type { Answer } from '../../local-supabase/conformance/support.ts';
import { call } from '../../local-supabase/conformance/support.ts';
import { countAttack } from './attack.ts';
import type { Scene } from './scene.ts';
import { truth } from './scene.ts';

type Metadata = {
  what: string;
  /** Some of it is not what JSON.stringify would write. */
  text: string;
  /** The name that is due; null for the e-mail's local part. */
  name: string | null;
  /** Auth itself cannot store it, or does not take it for metadata: then there is no account either. */
  mayBeRefused?: true;
};

const username = (name: string) => JSON.stringify({ username: name });
const nested = '['.repeat(1000) + ']'.repeat(1000);

const METADATA: Metadata[] = [
  { what: 'white space and invisible characters', text: username(' \t\n\u00a0\u2003\u200b\ufeff'), name: null },
  { what: 'a name of 200 000 characters', text: username('x'.repeat(200_000)), name: 'x'.repeat(64) },
  { what: 'a null character', text: '{"username":"a\\u0000b"}', name: 'a b', mayBeRefused: true },
  { what: 'half of a surrogate pair', text: '{"username":"\\ud800"}', name: '\ufffd', mayBeRefused: true },
  { what: 'SQL', text: username("'); update public.profiles set plan = 'pro'; --"), name: "'); update public.profiles set plan = 'pro'; --" },
  { what: 'a thousand arrays in each other', text: `{"username":${nested},"x":${nested}}`, name: null },
  { what: 'the keys of a prototype', text: '{"__proto__":{"username":"x"},"constructor":{"name":"x"}}', name: null },
  { what: 'a plan and a customer', text: '{"username":"Mallory","plan":"pro","stripe_customer_id":"cus_x"}', name: 'Mallory' },
  { what: 'an array in place of metadata', text: '["username"]', name: null, mayBeRefused: true },
];

export function signUps(scene: Scene): void {
  describe('signing up', () => {
    for (const metadata of METADATA) {
      test(`brings along ${metadata.what}`, () => leavesTheOthers(scene, () => signUpWith(scene, metadata)));
    }
    test('asks for the victim\'s id and the server\'s role', () => leavesTheOthers(scene, () => asksForMore(scene)));
  });
}

async function leavesTheOthers(scene: Scene, attack: () => Promise<void>): Promise<void> {
  const before = await truth(scene);
  countAttack();
  await attack();
  assert.deepEqual(await truth(scene), before);
}

const credentials = () => ({ email: `attacker-${randomUUID()}@example.com`, password: randomUUID() });

async function signUpWith({ sql }: Scene, { text, name, mayBeRefused }: Metadata): Promise<void> {
  const { email, password } = credentials();
  const answer = await call('/auth/v1/signup', { body: `{"email":"${email}","password":"${password}","data":${text}}` });
  const accounts = await sql`
    select p.username, p.plan, p.stripe_customer_id
    from auth.users u left join profiles p on p.user_id = u.id where u.email = ${email}`;
  if (mayBeRefused && answer.status >= 400) {
    assert.deepEqual([...accounts], []);
    return;
  }
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual([...accounts], [{ username: name ?? email.split('@')[0], plan: 'free', stripe_customer_id: null }]);
}

/** Signing up, changing the account and signing in: each asks for what is not the user's to choose. */
async function asksForMore({ sql, victim }: Scene): Promise<void> {
  const { email, password } = credentials();
  const wishes = { id: victim.id, sub: victim.id, role: 'service_role', plan: 'pro', is_super_admin: true };
  const body = { ...wishes, app_metadata: wishes, data: wishes };
  const signedUp = await call('/auth/v1/signup', { body: { ...body, email, password } });
  const { id } = assertOrdinary(signedUp, victim.id);
  await call('/auth/v1/user', { method: 'PUT', token: signedUp.json.access_token, body });
  const signedIn = await call('/auth/v1/token?grant_type=password', { body: { ...body, email, password } });
  assert.equal(assertOrdinary(signedIn, victim.id).id, id);
  const [profile] = await sql`select plan, stripe_customer_id from profiles where user_id = ${id}`;
  assert.deepEqual(profile, { plan: 'free', stripe_customer_id: null });
}

function assertOrdinary(answer: Answer, not_this: string): { id: string } {
  assert.equal(answer.status, 200, answer.text);
  const [, payload = ''] = (answer.json.access_token as string).split('.');
  const { sub, role } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { sub: string; role: string };
  assert.equal(role, 'authenticated');
  assert.equal(sub, answer.json.user.id);
  assert.notEqual(sub, not_this);
  return { id: sub };
}
