/**
 * Two devices edit one playlist at the same time, each through the page's own edits, while requests fail before and after
 * they reach the database. The model applies what the database confirmed, in the order of the versions.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PostgrestClient } from '@supabase/postgrest-js';
import postgres from 'postgres';
import type { Database } from '../../supabase/database.types.ts';
import type { Track } from '../../web/src/api/data.ts';
import { trackStore } from '../../web/src/api/data.ts';
import type { Change, Step } from '../../web/src/state/edits.ts';
import { Edits, moveTo } from '../../web/src/state/edits.ts';
import { ready, signedUp } from '../supabase-js/support.ts';

const EDITS = 500;
/** Both devices wait for each other after so many edits, and have to agree. */
const ROUND = 20;

const AWAY = new Set(['network', 'database_unavailable']);

/** Marsaglia's xorshift, so that a failure can be repeated by its seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    for (const [left, by] of [
      [true, 13],
      [false, 17],
      [true, 5],
    ] as const)
      state ^= left ? state << by : state >>> by;
    return (state >>> 0) % below;
  };
}

const trackOf = (n: number): Track => ({
  track_uri: `spotify:track:${String(n).padStart(22, '0')}`,
  title: `Song ${n}`,
  artist: 'Zażółć',
  album: '',
  duration_ms: n,
  explicit: false,
});
const uriOf = (track: Track) => track.track_uri;

type Args = { track_uri: string; track_uris: string[]; track: Track; tracks: Track[]; after_uri: string; before_uri: string };
type Call = { name: string; args: Args };
type Confirmed = Call & { version: number; uris: string[] };

/** What the call makes of a list, written down anew: the page's and the database's own code is what is tested. */
function model(list: readonly string[], { name, args }: Call): string[] {
  const put = (into: string[], uris: string[]): string[] => {
    const [after, before] = [into.indexOf(args.after_uri), into.indexOf(args.before_uri)];
    const at = after >= 0 ? after + 1 : before >= 0 ? before : into.length;
    return [...into.slice(0, at), ...uris, ...into.slice(at)];
  };
  if (name === 'remove_tracks') return list.filter((uri) => !args.track_uris.includes(uri));
  if (name === 'replace_track') return list.map((uri) => (uri === args.track_uri ? args.track.track_uri : uri));
  if (name === 'add_tracks')
    return put(
      [...list],
      args.tracks.map(uriOf).filter((uri) => !list.includes(uri)),
    );
  return put(
    list.filter((uri) => uri !== args.track_uri),
    [args.track_uri],
  );
}

/** Follows the list from version to version: one call made each, and all others of that version changed nothing. */
function follow(start: { version: number; uris: string[] }, calls: Confirmed[]): { version: number; uris: string[] } {
  let { version, uris } = start;
  const by_version = Map.groupBy(calls, (call) => call.version);
  for (const unchanged of by_version.get(version) ?? []) assert.deepEqual(model(uris, unchanged), uris, JSON.stringify(unchanged));
  for (const next of [...by_version.keys()].filter((it) => it > version).sort((a, b) => a - b)) {
    assert.equal(next, version + 1, 'every change counts once');
    const made = by_version.get(next) ?? [];
    const results = made.map((call) => model(uris, call));
    const changed = results.find((it) => it.join() !== uris.join());
    assert.ok(changed, `version ${next} is a change`);
    for (const call of made) assert.deepEqual([call.uris, model(changed, call)], [changed, changed], JSON.stringify(call));
    [version, uris] = [next, changed];
  }
  return { version, uris };
}

for (const seed of [20261126]) {
  test(`on two devices, after ${EDITS} edits with failing responses, the database, the model and both screens agree: seed ${seed}`, async () => {
    const random = randomOf(seed);
    const { supabase, session } = await signedUp();
    const { data: row } = await supabase.from('playlists').insert({ owner_id: session.user.id, name: 'Both' }).select('id').single();
    const id = String(row?.id);
    const server = trackStore(id, () => supabase as never);
    let known = await server.save({ kind: 'add', tracks: Array.from({ length: 20 }, (_, n) => trackOf(n)), after: null, before: null });
    let truth = { version: 1, uris: known.tracks.map(uriOf) };
    const calls: Confirmed[] = [];

    const failing: typeof fetch = async (input, init) => {
      const fate = random(10);
      const away = { code: 'PGRST001', message: 'away', details: null, hint: null };
      if (fate === 0) return Response.json(away, { status: 503 });
      if (fate === 1) throw new TypeError('Failed to fetch');
      const headers = new Headers(init?.headers);
      headers.set('apikey', ready.publishable_key);
      headers.set('Authorization', `Bearer ${session.access_token}`);
      const response = await fetch(input, { ...init, headers });
      const [, name] = /rpc\/(\w+)/.exec(String(input)) ?? [];
      if (name && response.ok) {
        const { version, tracks } = await response.clone().json();
        calls.push({ name, args: JSON.parse(String(init?.body)), version, uris: tracks.map(uriOf) });
      }
      if (fate === 2 || fate === 3) throw new TypeError('Failed to fetch');
      // A slow response: the other device's come before it.
      if (fate === 4) for (let turn = random(200); turn > 0; turn -= 1) await new Promise(setImmediate);
      return response;
    };
    const screen = () =>
      new Edits(
        id,
        known,
        trackStore(id, () => new PostgrestClient<Database>(`${ready.supabase_url}/rest/v1`, { fetch: failing })),
        0,
      );
    const devices = [screen(), screen()];
    const randomChange = (tracks: readonly Track[]): Change => {
      const some = () => uriOf(tracks[random(tracks.length)] ?? trackOf(random(60)));
      const kind = random(10);
      if (kind < 3) return { kind: 'add', tracks: [trackOf(random(60)), trackOf(60 + random(20))], after: some(), before: some() };
      if (kind < 5 && tracks.length > 5) return { kind: 'remove', uris: [some(), some()] };
      if (kind < 6) return { kind: 'swap', uri: some(), track: trackOf(random(60)) };
      return moveTo(tracks, random(tracks.length), random(tracks.length)) ?? { kind: 'remove', uris: [some()] };
    };
    const sql = postgres(ready.database_url, { max: 1 });
    const refused: string[] = [];
    try {
      for (let made = 0; made < EDITS; ) {
        // More edits than a minute allows.
        await sql`delete from private.request_buckets where user_id = ${session.user.id}`;
        const steps: Step[] = [];
        const undoing: Promise<unknown>[] = [];
        for (; steps.length < ROUND; made += 1) {
          const device = devices[random(2)] as Edits;
          steps.push(device.make(randomChange(device.shown.value)));
          if (random(5) === 0) undoing.push(device.undo()?.isSaved ?? Promise.resolve());
          const again = random(8) === 0 ? device.redo() : null;
          if (again) steps.push(again);
          if (random(3) === 0) await steps[random(steps.length)]?.outcome;
        }
        await Promise.all([...undoing, ...steps.map((it) => it.outcome)]);
        for (const device of devices) {
          // Tried again until the database has answered: what it refused for a reason stays told.
          const away = () => device.failed.value.filter(({ failure }) => AWAY.has(failure.code));
          while (away().length > 0) await Promise.all(away().map((it) => device.retry(it).outcome));
          refused.push(...device.failed.value.map((it) => it.failure.code));
          for (const it of device.failed.value) device.forget(it);
        }
        // While the other device rests, what is shown at once is what is stored.
        const one = devices[0] as Edits;
        const agree = async (device: Edits) => {
          while (device.version !== known.version) await device.refresh().catch(() => {});
        };
        known = await server.read();
        await agree(one);
        const alone = one.make(randomChange(one.shown.value), false);
        const expected = one.shown.value;
        if ((await alone.outcome) === null) assert.deepEqual(one.shown.value, expected);
        known = await server.read();
        truth = follow(truth, calls.splice(0));
        assert.deepEqual({ version: known.version, uris: known.tracks.map(uriOf) }, truth);
        for (const device of devices) {
          await agree(device);
          assert.deepEqual([device.version, device.shown.value], [known.version, known.tracks]);
        }
      }
    } finally {
      await sql.end();
    }
    assert.ok(truth.version > EDITS / 2, `only ${truth.version} changes`);
    assert.ok(refused.length < EDITS / 5, refused.join());
  });
}
