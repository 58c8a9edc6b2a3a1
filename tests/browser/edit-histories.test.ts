/**
 * Two devices edit one playlist at the same time, each through the page's own edits, while requests fail before and after
 * they reach the database. The model applies what the database confirmed, in the order of the versions.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import postgres from "postgres";
import type { Track } from "../../web/src/api/data.ts";
import { trackStore } from "../../web/src/api/data.ts";
import type { Change, Step } from "../../web/src/state/edits.ts";
import { Edits, END, moveTo } from "../../web/src/state/edits.ts";
import { ready, signedUp } from "../compat/support.ts";

const EDITS = 500;
/** After this many edits the devices wait for each other and must agree. */
const ROUND = 20;
const AWAY = new Set(["network", "database_unavailable"]);

let state = 20_261_126;
function random(below: number): number {
  state = (state * 48_271) % 2_147_483_647;
  return state % below;
}

const about = { artist: "Zażółć", album: "", duration_ms: 1000, explicit: false };
const trackOf = (n: number): Track => ({ track_uri: `spotify:track:${String(n).padStart(22, "0")}`, title: `Song ${n}`, ...about });
const uriOf = (track: Track) => track.track_uri;

type Args = { track_uri: string; track_uris: string[]; track: Track; tracks: Track[]; after_uri: string; before_uri: string };
type Call = { name: string; args: Args; version: number; uris: string[] };
type List = { version: number; uris: readonly string[] };

/** The model of a call's effect on a list, independent of the page's and the database's code. */
function model(list: readonly string[], { name, args }: Call): readonly string[] {
  if (name === "remove_tracks") return list.filter((uri) => !args.track_uris.includes(uri));
  if (name === "replace_track") return list.map((uri) => (uri === args.track_uri ? args.track.track_uri : uri));
  const isMove = name === "move_track";
  const put = isMove ? [args.track_uri] : args.tracks.map(uriOf).filter((uri) => !list.includes(uri));
  const others = list.filter((uri) => !isMove || uri !== args.track_uri);
  const [after, before] = [others.indexOf(args.after_uri), others.indexOf(args.before_uri)];
  return others.toSpliced(after >= 0 ? after + 1 : before >= 0 ? before : others.length, 0, ...put);
}

const lists = new Map<number, readonly string[]>();

/** Follows the list from version to version: each by one call, and the other calls of that version changed nothing. */
function follow({ version, uris }: List, calls: readonly Call[]): List {
  lists.set(version, uris);
  const of = Map.groupBy(calls, (call) => call.version);
  for (const unchanged of of.get(version) ?? []) assert.deepEqual(model(uris, unchanged), uris, JSON.stringify(unchanged));
  const made = of.get(version + 1);
  if (!made) {
    assert.ok(Math.max(version, ...of.keys()) === version, "every change counts once");
    return { version, uris };
  }
  const changed = made.map((call) => model(uris, call)).find((it) => it.join() !== uris.join());
  assert.ok(changed, `version ${version + 1} is a change`);
  for (const call of made) assert.deepEqual([call.uris, model(changed, call)], [changed, changed], JSON.stringify(call));
  return follow({ version: version + 1, uris: changed }, calls);
}

const calls: Call[] = [];
let isFailing = false;
const failing: typeof fetch = async (input, init) => {
  const fate = isFailing ? random(10) : null;
  if (fate === 0) return Response.json({ code: "PGRST001", message: "away" }, { status: 503 });
  if (fate === 1) throw new TypeError("Failed to fetch");
  const response = await fetch(input, init);
  const [, name] = /rpc\/(\w+)/.exec(String(input)) ?? [];
  if (name && response.ok) {
    const { version, tracks } = await response.clone().json();
    calls.push({ name, args: JSON.parse(String(init?.body)), version, uris: tracks.map(uriOf) });
  }
  if (fate === 2 || fate === 3) throw new TypeError("Failed to fetch");
  // The other device's responses arrive before this slow one.
  if (fate === 4) for (let turn = random(200); turn > 0; turn -= 1) await new Promise(setImmediate);
  return response;
};

function randomChange(tracks: readonly Track[]): Change {
  const some = () => uriOf(tracks[random(tracks.length)] ?? trackOf(random(60)));
  const kind = random(10);
  if (kind < 3) return { kind: "add", tracks: [trackOf(random(60)), trackOf(60 + random(20))], after: some(), before: some() };
  if (kind < 5 && tracks.length > 5) return { kind: "remove", uris: [some(), some()] };
  if (kind < 6) return { kind: "swap", uri: some(), track: trackOf(random(60)) };
  return moveTo(tracks, random(tracks.length), random(tracks.length)) ?? { kind: "remove", uris: [some()] };
}

test(`on two devices, after ${EDITS} edits with failing responses, the database, the model and both screens agree`, async () => {
  const { supabase, session } = await signedUp({ fetch: failing });
  const { data: row } = await supabase.from("playlists").insert({ owner_id: session.user.id, name: "Both" }).select("id").single();
  const store = trackStore(String(row?.id), () => supabase as never);
  let known = await store.save({ kind: "add", tracks: Array.from({ length: 20 }, (_, n) => trackOf(n)), ...END });
  let truth: List = { version: 0, uris: [] };
  const devices = [new Edits("", known, store, 0), new Edits("", known, store, 0)] as const;
  const sql = postgres(ready.database_url, { max: 1 });
  try {
    for (let made = 0; made < EDITS; ) {
      // The limit per minute is lower.
      await sql`delete from private.request_buckets where user_id = ${session.user.id}`;
      isFailing = true;
      const outcomes: (Promise<unknown> | undefined)[] = [];
      for (const end = made + ROUND; made < end; made += 1) {
        const device = devices[random(2) as 0 | 1];
        const steps: (Step | null)[] = [device.make(randomChange(device.shown.value)), random(8) === 0 ? device.redo() : null];
        outcomes.push(...steps.map((it) => it?.outcome));
        if (random(5) === 0) outcomes.push(device.undo()?.outcome);
        if (random(3) === 0) await outcomes[random(outcomes.length)];
      }
      await Promise.all(outcomes);
      for (const device of devices) {
        // Retried until the database has responded: its refusals stay shown.
        const away = () => device.failed.value.filter(({ failure }) => AWAY.has(failure.code));
        while (away().length > 0) await Promise.all(away().map((it) => device.retry(it).outcome));
        for (const it of device.failed.value) device.forget(it);
      }
      // While the other device is idle, the optimistic result is the stored one.
      const [one] = devices;
      while (one.version !== (await store.read().catch(() => known)).version) await one.refresh().catch(() => {});
      const alone = one.make(randomChange(one.shown.value), false);
      const expected = one.shown.value;
      if ((await alone.outcome) === null) assert.deepEqual(one.shown.value, expected);
      isFailing = false;
      known = await store.read();
      truth = follow(truth, calls.splice(0));
      assert.deepEqual({ version: known.version, uris: known.tracks.map(uriOf) }, truth);
      for (const device of devices) {
        assert.deepEqual(device.shown.value.map(uriOf), lists.get(device.version));
        await device.refresh();
        assert.deepEqual([device.version, device.shown.value], [known.version, known.tracks]);
      }
    }
  } finally {
    await sql.end();
  }
  assert.ok(truth.version > EDITS / 2, `only ${truth.version} changes`);
});
