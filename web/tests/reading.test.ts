import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { auth, connect } from "../src/api/supabase.ts";
import { useLibrary, usePlaylist } from "../src/components/reading.ts";
import { END, editsOf } from "../src/state/edits.ts";
import { followSession, signOut } from "../src/state/session.ts";
import {
  asksBeforeClosing,
  come,
  respondWith,
  sessionOf,
  startBrowser,
} from "./browser.ts";
import { hooked, passed } from "./hooks.ts";

startBrowser();
respondWith(() => new Response());
await connect();
await followSession();
auth().enter(sessionOf("ann"));

const rowOf = (name: string, version = 1) => ({
  id: "p1",
  name,
  description: null,
  updated_at: "",
  is_deleted: false,
  version,
  spotify_copies: null,
  playlist_tracks: [],
});

type Answer = (response: Response) => void;
let reads: Answer[] = [];
/** Readings and other requests wait for their answer. */
beforeEach(() => {
  reads = [];
  globalThis.fetch = (_, init) =>
    new Promise((take) => {
      if (init?.method === "GET") reads.push(take);
    });
});
const answer = async (at: number, body: unknown, status = 200) => {
  reads[at]?.(Response.json(body, { status }));
  await passed();
};
/** A browser tells several times that the user is back. */
const back = async () => {
  come();
  await passed();
};

test("a playlist is read once when the user comes back", async () => {
  const seen = await hooked(() => usePlaylist("p1"));
  await answer(0, rowOf("Rain"));
  assert.equal(asksBeforeClosing(), false, "no edit is unsaved");
  await back();
  assert.equal(reads.length, 2);
  await answer(1, rowOf("Sun"));
  assert.equal(seen.now.playlist?.name, "Sun");
  await back();
  assert.equal(reads.length, 3);
  await answer(2, {}, 404);
  assert.equal(seen.now.failure?.code, "playlist_not_found");
  assert.equal(seen.now.playlist, null);
});

for (const [what, first, second] of [
  ["before", 0, 1],
  ["after", 1, 0],
] as const) {
  test(`the edits stay when the first reading ends ${what} one that began later`, async () => {
    const seen = await hooked(() => usePlaylist(what));
    await back();
    await answer(first, rowOf("Rain"));
    const { edits } = seen.now;
    edits?.make({ kind: "add", tracks: [], ...END });
    await answer(second, rowOf("Rain"));
    assert.ok(edits);
    assert.equal(seen.now.edits, edits);
    assert.equal(edits.pending.value.length, 1);
  });
}

test("an edit goes on after its playlist is left, and the playlist that is opened again shows it", async () => {
  const before = await hooked(() => usePlaylist("left"));
  await answer(0, rowOf("Rain"));
  const step = before.now.edits?.make({
    kind: "restore",
    version: 1,
    from: 2,
  });
  before.leave();
  assert.equal(asksBeforeClosing(), true, "while it is being saved");
  const after = await hooked(() => usePlaylist("left"));
  await answer(1, rowOf("Rain"));
  assert.equal(after.now.edits?.pending.value[0], step?.change);
});

test("edits are kept for their account when it is back, and forgotten once another one opens a playlist", async () => {
  const opened = (id: string) => editsOf(id, { version: 1, tracks: [] });
  const ours = opened("mine");
  void signOut();
  auth().enter(sessionOf("ann"));
  assert.equal(opened("mine"), ours);
  auth().enter(sessionOf("bob"));
  opened("theirs");
  auth().enter(sessionOf("ann"));
  assert.notEqual(opened("mine"), ours);
});

test("a reading that began before a new name does not bring the old one back", async () => {
  const seen = await hooked(() => usePlaylist("p1"));
  await answer(0, rowOf("Rain"));
  await back();
  const { playlist, change } = seen.now;
  assert.ok(playlist);
  change({ ...playlist, name: "Sun" });
  await passed();
  await answer(1, rowOf("Rain"));
  assert.equal(seen.now.playlist?.name, "Sun");
});

test("a reading of the library that began before a change does not bring back what was", async () => {
  const seen = await hooked(useLibrary);
  await answer(0, []);
  await back();
  assert.equal(reads.length, 2);
  void seen.now.reload();
  await passed();
  const gone = { ...rowOf("Rain"), playlist_tracks: [{ count: 1 }] };
  await answer(1, [gone]);
  assert.equal(seen.now.all?.length, 0);
  await answer(2, [{ ...gone, name: "Sun" }]);
  assert.equal(seen.now.all?.[0]?.name, "Sun");
});

test("a failure in the background leaves what is shown", async () => {
  const library = await hooked(useLibrary);
  await answer(0, []);
  const seen = await hooked(() => usePlaylist("p1"));
  await answer(1, rowOf("Rain"));
  await back();
  for (const at of [2, 3]) await answer(at, {}, 500);
  assert.deepEqual(library.now.all, []);
  assert.equal(seen.now.playlist?.name, "Rain");
});
