// Races about the AI quota: exactly as many generations as the plan grants, charged exactly for what was delivered.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { signUp } from '../support.ts';
import type { Ending, Step } from './interleave.ts';
import { atOnce, interleave, nothing, refusals } from './interleave.ts';
import { asFunction, asUser, insertPlaylist, userWithPlaylists, livePlaylists, sql, tracks } from './users.ts';

const reserve = (user: string, session: string = randomUUID(), prompt = 'rain'): Step =>
  asFunction('fn_ai', (tx) => tx`select public.ai_reserve(${session}, ${user}, ${prompt}, false) as answer`);
const settle = (user: string, session: string, status = 'succeeded'): Step =>
  asFunction('fn_ai', (tx) => tx`select public.ai_settle(${session}, ${user}, ${status}, 0.0005) as answer`);
const save = (user: string, session: string): Step =>
  asFunction('fn_ai', (tx) => tx`
    select public.save_generated_playlist(${session}, ${user}, 0.001, 'Rain', null, ${tracks(1, 2)}::text::jsonb) as answer`);

async function reserved(count: number): Promise<{ user: string; sessions: string[]; session: string }> {
  const user = await signUp(sql);
  const sessions = Array.from({ length: count }, () => randomUUID());
  for (const session of sessions) await sql.begin((tx) => reserve(user, session)(tx));
  return { user, sessions, session: sessions[0] as string };
}

/** The outcomes with their counts, asserting that no transaction failed. */
function outcomes(endings: readonly Ending[]): Record<string, number> {
  assert.deepEqual(refusals(endings), {});
  const counts: Record<string, number> = {};
  for (const { answer } of endings) {
    const { outcome } = (answer as { answer: { outcome: string } }[])[0]?.answer ?? { outcome: 'none' };
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}

async function used(user: string): Promise<number> {
  const [row] = await sql`select private.ai_quota(${user}, clock_timestamp()) ->> 'used' as used`;
  return Number(row?.used);
}

test('of ninety concurrent requests on the free plan exactly three are granted', async () => {
  const user = await signUp(sql);
  const endings = await atOnce(Array.from({ length: 90 }, () => reserve(user)));
  assert.deepEqual(outcomes(endings), { reserved: 3, quota_exceeded: 87 });
  assert.equal(await used(user), 3);
});

test('of many concurrent requests on the paid plan three run, and a minute allows five that have not succeeded', async () => {
  const user = await signUp(sql);
  await sql`update public.profiles set plan = 'pro' where user_id = ${user}`;
  const many = () => atOnce(Array.from({ length: 100 }, () => reserve(user)));
  assert.deepEqual(outcomes(await many()), { reserved: 3, too_many_attempts: 97 });
  await sql`update public.ai_sessions set status = 'failed' where user_id = ${user}`;
  assert.deepEqual(outcomes(await many()), { reserved: 2, too_many_attempts: 98 });
});

test('concurrent requests with one id are one generation', async () => {
  const user = await signUp(sql);
  const session = randomUUID();
  const endings = await atOnce(Array.from({ length: 20 }, () => reserve(user, session)));
  assert.deepEqual(outcomes(endings), { reserved: 1, in_progress: 19 });
});

test('an id that two users send belongs to the first', async () => {
  const [one, other] = [await signUp(sql), await signUp(sql)];
  const session = randomUUID();
  const endings = await atOnce([reserve(one, session), reserve(other, session)]);
  assert.deepEqual(outcomes(endings), { reserved: 1, key_reused: 1 });
});

test('a slot that is freed while others wait goes to exactly one of them', async () => {
  const { user, sessions } = await reserved(3);
  const [failed, ...waiting] = await interleave([
    [settle(user, sessions[0] as string, 'failed'), nothing],
    ...Array.from({ length: 10 }, () => [nothing, reserve(user)] as Step[]),
  ]);
  assert.equal(failed?.state, null);
  assert.deepEqual(outcomes(waiting), { reserved: 1, quota_exceeded: 9 });
  assert.equal(await used(user), 3);
});

test('a settlement that waited until its reservation expired is too late', async () => {
  const { user, session } = await reserved(1);
  const hold: Step = async (tx) => tx`select from public.profiles where user_id = ${user} for update`;
  // It was still live when the other transaction began, and while that one waits for the profile it expires.
  const expire: Step = async (tx) => tx`
    update public.ai_sessions set created_at = clock_timestamp() - interval '90 seconds' where id = ${session}`;
  const [held, settled] = await interleave([[hold, nothing, expire], [nothing, settle(user, session)]]);
  assert.equal(held?.state, null);
  assert.deepEqual(outcomes([settled as Ending]), { expired: 1 });
  assert.equal(await used(user), 0);
});

test('concurrent settlements as succeeded and as failed have one outcome', async () => {
  const { user, session } = await reserved(1);
  const endings = await atOnce([...Array.from({ length: 5 }, () => settle(user, session)), settle(user, session, 'failed')]);
  const [row] = await sql`select status from public.ai_sessions where id = ${session}`;
  const succeeded = row?.status === 'succeeded';
  assert.deepEqual(outcomes(endings), succeeded ? { settled: 5, expired: 1 } : { settled: 1, expired: 5 });
  assert.equal(await used(user), succeeded ? 1 : 0);
});

test('a concurrent charge and settlement as failed have one outcome, which the quota counts', async () => {
  const { user, session } = await reserved(1);
  const deliver: Step = asFunction('fn_ai', (tx) => tx`select public.ai_deliver(${session}, ${user}, 0.001, ${tracks(1, 2)}::text::jsonb) as answer`);
  const endings = await interleave([
    [settle(user, session, 'failed'), nothing],
    [nothing, deliver],
    [nothing, deliver],
  ]);
  assert.deepEqual(outcomes(endings.slice(1)), { expired: 2 });
  const [row] = await sql`select status, delivered from public.ai_sessions where id = ${session}`;
  assert.deepEqual({ ...row }, { status: 'failed', delivered: null });
  assert.equal(await used(user), 0);
});

test('two concurrent saves store one playlist and return it to both', async () => {
  const { user, session } = await reserved(1);
  assert.deepEqual(outcomes(await atOnce([save(user, session), save(user, session), save(user, session)])), { saved: 3 });
  assert.equal(await livePlaylists(user), 1);
  assert.equal(await used(user), 1);
});

test('saving the fiftieth playlist while the user creates another keeps the limit of 50', async () => {
  const { user } = await userWithPlaylists(49);
  const session = randomUUID();
  await sql.begin((tx) => reserve(user, session)(tx));
  const endings = await atOnce([save(user, session), asUser(user, insertPlaylist(user, 'By hand'))]);
  const [saved] = endings;
  assert.equal(saved?.state, null);
  assert.deepEqual(Object.keys(refusals(endings)).filter((state) => state !== 'PT409'), []);
  assert.equal(await livePlaylists(user), 50);
});

test('two generated playlists of the same name get different names', async () => {
  const { user, sessions } = await reserved(3);
  assert.deepEqual(outcomes(await atOnce(sessions.map((session) => save(user, session)))), { saved: 3 });
  const rows = await sql`select name from public.playlists where owner_id = ${user} order by name`;
  assert.deepEqual(rows.map((row) => row.name), ['Rain', 'Rain (2)', 'Rain (3)']);
});
