// Races about the deletion of accounts: no payment begins during it, and no row remains.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { signUp } from '../support.ts';
import type { Ending, Step } from './interleave.ts';
import { atOnce, interleave, nothing, refusals } from './interleave.ts';
import { addTracks, asFunction, asUser, insertPlaylist, sql, tracks } from './users.ts';

const SECRET = 's'.repeat(32);
const begin = (user: string): Step =>
  asFunction('fn_account', (tx) => tx`select public.begin_account_deletion(${user}, ${`${user}@example.test`}) as answer`);
const remove = (user: string): Step => asFunction('fn_account', (tx) => tx`select public.delete_account(${user}) as answer`);
const setCustomer = (user: string, customer: string): Step =>
  asFunction('fn_billing', (tx) => tx`select public.set_stripe_customer(${user}, null, ${customer}) as answer`);
const setPlan = (user: string, customer: string): Step =>
  asFunction('fn_billing', (tx) => tx`select public.set_billing_plan(${user}, null, ${customer}, 'pro', true, null) ->> 'outcome' as answer`);
const reserve = (user: string, session: string = randomUUID()): Step =>
  asFunction('fn_ai', (tx) => tx`select public.ai_reserve(${session}, ${user}, 'rain', false) ->> 'outcome' as answer`);
const settle = (user: string, session: string): Step =>
  asFunction('fn_ai', (tx) => tx`select public.ai_settle(${session}, ${user}, 'succeeded', 0.0005) ->> 'outcome' as answer`);
const save = (user: string, session: string): Step =>
  asFunction('fn_ai', (tx) => tx`
    select public.save_generated_playlist(${session}, ${user}, 0.001, 'Rain', null, ${tracks(1, 2)}::text::jsonb) ->> 'outcome' as answer`);
const store = (user: string, token: string): Step =>
  asFunction('fn_spotify', (tx) => tx`select public.store_spotify_tokens(${user}, ${SECRET}, ${`a-${token}`}, ${`r-${token}`}, now())::text as answer`);
const unlink = (user: string): Step => asFunction('fn_spotify', (tx) => tx`select public.delete_spotify_tokens(${user}) as answer`);
const exportTo = (user: string, key: string = randomUUID()): Step =>
  asFunction('fn_spotify', (tx) => tx`select public.begin_spotify_export(${user}, ${key}, '{"playlist_id": "p"}') ->> 'outcome' as answer`);

const answer = (ending: Ending | undefined): unknown => (ending?.answer as { answer: unknown }[] | undefined)?.[0]?.answer;
const customerOf = (begun: Ending | undefined): unknown => (answer(begun) as { stripe_customer_id: string | null }).stripe_customer_id;

type Leaving = { user: string; playlist: string; session: string; settled: string; exported: string };

/** An account being deleted: a playlist of two tracks, two running generations, a link to Spotify and an export. */
async function leaving(): Promise<Leaving> {
  const user = await signUp(sql);
  const [row] = await sql`insert into public.playlists (owner_id, name) values (${user}, 'Here') returning id`;
  const it = { user, playlist: row?.id as string, session: randomUUID(), settled: randomUUID(), exported: randomUUID() };
  const steps = [asUser(user, addTracks(it.playlist, 1, 2)), reserve(user, it.session), reserve(user, it.settled)];
  for (const step of [...steps, store(user, '1'), exportTo(user, it.exported), begin(user)]) await sql.begin((tx) => step(tx));
  return it;
}

async function leftOver({ user, playlist, session }: Leaving): Promise<number> {
  const [row] = await sql`
    select (select count(*) from auth.users where id = ${user})
      + (select count(*) from public.profiles where user_id = ${user})
      + (select count(*) from public.playlists where owner_id = ${user} or id = any (${[playlist, session]}))
      + (select count(*) from public.playlist_tracks where playlist_id = any (${[playlist, session]}))
      + (select count(*) from public.ai_sessions where user_id = ${user})
      + (select count(*) from public.spotify_tokens where user_id = ${user})
      + (select count(*) from public.spotify_exports where user_id = ${user})
      + (select count(*) from public.spotify_copies where user_id = ${user}) as left_over`;
  return Number(row?.left_over);
}

async function customerInProfile(user: string): Promise<string | null> {
  const [row] = await sql`select stripe_customer_id from public.profiles where user_id = ${user}`;
  return row?.stripe_customer_id as string | null;
}

const CUSTOMERS = { 'a customer': { set: setCustomer, done: (id: string) => id, late: null }, 'a customer with its plan': { set: setPlan, done: () => 'written', late: 'no_profile' } };

for (const [what, { set, done, late }] of Object.entries(CUSTOMERS)) {
  test(`${what} that is set first is returned when the deletion begins`, async () => {
    const user = await signUp(sql);
    const customer = `cus_${user}`;
    const [written, begun] = await interleave([[set(user, customer)], [nothing, begin(user)]]);
    assert.deepEqual([answer(written), customerOf(begun)], [done(customer), customer]);
  });

  test(`${what} that comes after the deletion has begun is not set`, async () => {
    const user = await signUp(sql);
    const [begun, written] = await interleave([[begin(user)], [nothing, set(user, `cus_${user}`)]]);
    assert.deepEqual([customerOf(begun), answer(written), await customerInProfile(user)], [null, late, null]);
  });
}

test('every customer that is set during concurrent deletions is returned by one of them', async () => {
  const user = await signUp(sql);
  const steps = Array.from({ length: 10 }, (_, n) => [setCustomer(user, `cus_${user}_${n}`), begin(user), setPlan(user, `cus_${user}_plan`)]);
  const endings = await atOnce(steps.flat());
  assert.deepEqual(refusals(endings), {});
  const customer = await customerInProfile(user);
  const begun = endings.filter((_, n) => n % 3 === 1).map(customerOf);
  assert.deepEqual(new Set(begun), new Set([customer]));
  const told = endings.filter((_, n) => n % 3 === 0).map(answer).filter((it) => it !== null);
  assert.deepEqual(told.filter((it) => it !== customer), []);
});

test('concurrent deletions delete an account once', async () => {
  const it = await leaving();
  const endings = await atOnce(Array.from({ length: 10 }, () => remove(it.user)));
  assert.deepEqual(refusals(endings), {});
  assert.deepEqual(endings.map(answer).sort(), ['deleted', ...Array.from({ length: 9 }, () => 'no_account')]);
  assert.equal(await leftOver(it), 0);
});

/** Concurrent work on an account, and after the deletion its error and its outcome. */
const WORK: { what: string; step: (it: Leaving) => Step; late: [state: string | null, answer?: unknown] }[] = [
  { what: 'a generation that begins', step: ({ user }) => reserve(user), late: [null, 'no_profile'] },
  { what: 'a generation that ends', step: ({ user, settled }) => settle(user, settled), late: [null, 'unknown'] },
  { what: 'a playlist that is saved', step: ({ user, session }) => save(user, session), late: [null, 'unknown'] },
  { what: 'an export that begins', step: ({ user }) => exportTo(user), late: [null, 'no_profile'] },
  { what: 'an export that continues', step: ({ user, exported }) => exportTo(user, exported), late: [null, 'no_profile'] },
  { what: 'a link that is replaced', step: ({ user }) => store(user, '2'), late: ['23503'] },
  { what: 'a link that is removed', step: ({ user }) => unlink(user), late: [null, false] },
  { what: 'a playlist that is made by hand', step: ({ user }) => asUser(user, insertPlaylist(user, randomUUID())), late: ['23503'] },
  { what: 'a track that is added', step: ({ user, playlist }) => asUser(user, addTracks(playlist, 9)), late: ['PT404'] },
];

for (const { what, step, late } of WORK) {
  test(`${what} is deleted with an account that is deleted after it`, async () => {
    const it = await leaving();
    const [worked, removed] = await interleave([[step(it)], [nothing, remove(it.user)]]);
    assert.deepEqual([worked?.state, answer(removed)], [null, 'deleted']);
    assert.equal(await leftOver(it), 0);
  });

  test(`${what} finds no account that was deleted before it`, async () => {
    const it = await leaving();
    const [removed, worked] = await interleave([[remove(it.user)], [nothing, step(it)]]);
    assert.equal(answer(removed), 'deleted');
    assert.deepEqual([worked?.state, answer(worked)], [late[0], late[1]]);
    assert.equal(await leftOver(it), 0);
  });
}

test('an account is deleted during all of this work', async () => {
  const it = await leaving();
  const work = [...WORK, ...WORK].map(({ step }) => step(it));
  const endings = await atOnce([remove(it.user), ...work, remove(it.user)]);
  assert.deepEqual(Object.keys(refusals(endings)).filter((state) => !['23503', 'PT404'].includes(state)), []);
  assert.deepEqual([answer(endings[0]), answer(endings.at(-1))].sort(), ['deleted', 'no_account']);
  assert.equal(await leftOver(it), 0);
});

test('an export that forgets old keys and a deletion do not wait for each other', async () => {
  const it = await leaving();
  const old = ['00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002'];
  for (const key of old) await sql.begin((tx) => exportTo(it.user, key)(tx));
  await sql`update public.spotify_exports set created_at = now() - interval '2 days' where user_id = ${it.user} and idempotency_key = any (${old})`;
  // This lock makes the export wait between deleting the first key and the second.
  const hold: Step = (tx) => tx`select from public.spotify_exports where user_id = ${it.user} and idempotency_key = ${old[1] as string} for update`;
  const endings = await interleave([
    [hold],
    [nothing, exportTo(it.user)],
    [nothing, nothing, remove(it.user)],
  ]);
  assert.deepEqual(refusals(endings), {});
  assert.equal(answer(endings[2]), 'deleted');
  assert.equal(await leftOver(it), 0);
});

test('unlinking and a deletion do not wait for each other', async () => {
  const it = await leaving();
  await sql`insert into public.spotify_copies (playlist_id, user_id, spotify_playlist_id) values (${it.playlist}, ${it.user}, 'copy')`;
  // Held so that the deletion has deleted the copy, and not the tokens, when the other comes.
  const hold: Step = (tx) => tx`select from public.ai_sessions where user_id = ${it.user} for update`;
  const endings = await interleave([[hold], [nothing, remove(it.user)], [nothing, nothing, unlink(it.user)]]);
  assert.deepEqual([refusals(endings), answer(endings[1]), answer(endings[2])], [{}, 'deleted', false]);
  assert.equal(await leftOver(it), 0);
});
