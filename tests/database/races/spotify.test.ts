// Races about linked accounts and exports: one request replaces the token, and one creates the copy.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { signUp } from '../support.ts';
import type { Ending, Step } from './interleave.ts';
import { atOnce, interleave, nothing, refusals } from './interleave.ts';
import { asFunction, sql } from './users.ts';

const SECRET = 's'.repeat(32);
const store = (user: string, token: string): Step =>
  asFunction('fn_spotify', (tx) => tx`select public.store_spotify_tokens(${user}, ${SECRET}, ${`a-${token}`}, ${`r-${token}`}, now() + interval '1 hour')`);
const get = (user: string): Step => asFunction('fn_spotify', (tx) => tx`select * from public.get_spotify_tokens(${user}, ${SECRET})`);
const swap = (user: string, seen: string): Step =>
  asFunction('fn_spotify', (tx) => tx`
    select public.refresh_spotify_tokens(${user}, ${SECRET}, ${seen}, 'a-late', null, now() + interval '1 hour') as answer`);
const expire = (user: string, seen: string): Step =>
  asFunction('fn_spotify', (tx) => tx`select public.expire_spotify_link(${user}, ${SECRET}, ${seen}) as answer`);
const begin = (user: string, key: string): Step =>
  asFunction('fn_spotify', (tx) => tx`select public.begin_spotify_export(${user}, ${key}, '{"playlist_id": "p"}') ->> 'outcome' as answer`);

const first = <T>(ending: Ending | undefined): T => (ending?.answer as T[])[0] as T;

async function linked(): Promise<string> {
  const user = await signUp(sql);
  await sql.begin(store(user, '1'));
  return user;
}

async function accessToken(user: string): Promise<string | undefined> {
  return ((await sql.begin(get(user))) as { access_token: string }[])[0]?.access_token;
}

test('one of many requests replaces an expired token, and the others wait', async () => {
  const user = await linked();
  await sql`update public.spotify_tokens set expires_at = now() where user_id = ${user}`;
  const endings = await atOnce(Array.from({ length: 30 }, () => get(user)));
  assert.deepEqual(refusals(endings), {});
  const states = endings.map((ending) => first<{ state: string }>(ending).state);
  assert.equal(states.filter((state) => state === 'refresh').length, 1);
  assert.equal(states.filter((state) => state === 'wait').length, 29);
});

test('a late response does not overwrite a link that was stored meanwhile', async () => {
  const user = await linked();
  const [, late] = await interleave([[store(user, '2'), nothing], [nothing, swap(user, 'r-1')]]);
  assert.equal(first<{ answer: boolean }>(late).answer, false);
  assert.equal(await accessToken(user), 'a-2');
});

test('a newer link does not expire with its previous token', async () => {
  const user = await linked();
  const [, given] = await interleave([[store(user, '2'), nothing], [nothing, expire(user, 'r-1')]]);
  assert.equal(first<{ answer: boolean }>(given).answer, false);
  assert.equal(await accessToken(user), 'a-2');
});

test('one of many exports of a playlist holds it, under one key or many', async () => {
  const user = await signUp(sql);
  const key = randomUUID();
  // The first request has died: exactly one of the next takes over.
  await sql.begin(begin(user, key));
  await sql`update public.spotify_exports set held_until = '-infinity' where user_id = ${user}`;
  // This lock lets all of them read the export before the first one writes.
  const hold: Step = (tx) => tx`select from public.profiles where user_id = ${user} for update`;
  const takers = Array.from({ length: 20 }, (_, n) => [nothing, begin(user, n % 2 === 0 ? key : randomUUID())]);
  const [, ...endings] = await interleave([[hold, nothing], ...takers]);
  assert.deepEqual(refusals(endings), {});
  const outcomes = endings.map((ending) => first<{ answer: string }>(ending).answer);
  assert.equal(outcomes.filter((outcome) => outcome === 'held').length, 1);
  assert.equal(outcomes.filter((outcome) => outcome === 'in_progress').length, 19);
});
