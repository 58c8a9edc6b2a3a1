// Races about the catalogue memory: readers never wait, and writers and the maintenance do not deadlock.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { Step } from './interleave.ts';
import { atOnce, interleave, nothing, refusals } from './interleave.ts';
import { asFunction, sql } from './users.ts';

const names = Array.from({ length: 20 }, (_, n) => `artist\nsong ${n}`);
const entries = (songs: readonly string[], by: number) => JSON.stringify(songs.map((song) => ({ song, candidates: { by }, hours: 24 })));
const remember = (songs: readonly string[], by = 0): Step =>
  asFunction('fn_ai', (tx) => tx`select public.remember_songs('PL', 1, ${entries(songs, by)}::text::jsonb)`);
const recall = (songs: readonly string[]): Step =>
  asFunction('fn_ai', async (tx) => (await tx`select public.recall_songs(${[...songs]}::text[], 'PL', 1) as found`)[0]?.found);
const trim: Step = (tx) => tx`select private.trim_catalogue_memory()`;
const stored = async () => (await sql`select candidates from private.catalogue_memory`).map(({ candidates }) => candidates as { by: number });

beforeEach(() => sql`delete from private.catalogue_memory`);

test('a hundred batches of the same songs in any order are all written, each song once', async () => {
  const turned = (n: number) => [...names.slice(n % 20), ...names.slice(0, n % 20)];
  const endings = await atOnce(Array.from({ length: 100 }, (_, n) => (n % 3 === 0 ? recall(turned(n)) : remember(turned(n), n))));
  assert.deepEqual(refusals(endings), {});
  assert.equal((await stored()).length, 20);
});

test('two writers in opposite orders both write, and the later entry stays', async () => {
  const endings = await interleave([[remember(names, 1)], [nothing, remember(names.toReversed(), 2)]]);
  assert.deepEqual(refusals(endings), {});
  assert.ok((await stored()).every(({ by }) => by === 2));
});

/** The last result of the second of two steps, which must not wait for the first one's transaction. */
async function whileHeld(holder: Step, step: Step): Promise<unknown> {
  const endings = await interleave([[holder], [nothing, step]]);
  assert.deepEqual([refusals(endings), endings[1]?.waited], [{}, false]);
  return endings[1]?.answer;
}

test('a reader waits for neither a writer nor the maintenance', async () => {
  await sql.begin(remember(names, 1));
  await sql`update private.catalogue_memory set used_at = now() - interval '2 hours'`;
  for (const holder of [remember(names, 2), (async (tx) => tx`select from private.catalogue_memory for update`) as Step]) {
    const found = await whileHeld(holder, recall(names));
    assert.equal((found as unknown[]).length, 20);
    await sql`update private.catalogue_memory set used_at = now() - interval '2 hours'`;
  }
});

test('the maintenance waits for no writer, and a song that is written meanwhile stays', async () => {
  await sql.begin(remember(names, 1));
  await sql`update private.catalogue_memory set expires_at = now()`;
  await whileHeld(remember(names.slice(0, 5), 2), trim);
  assert.deepEqual((await stored()).map(({ by }) => by), [2, 2, 2, 2, 2]);
});
