import assert from "node:assert/strict";
import { test } from "node:test";
import type { Content, Track, TrackStore } from "../src/api/data.ts";
import { Failure } from "../src/api/failure.ts";
import type { Change } from "../src/state/edits.ts";
import { applied, Edits, END, inverse, moveTo } from "../src/state/edits.ts";

const trackOf = (uri: string): Track => ({
  track_uri: uri,
  title: uri,
  artist: "",
  album: "",
  duration_ms: 0,
  explicit: false,
});
const list = (uris: string) => [...uris].map(trackOf);
const uris = (tracks: readonly Track[]) =>
  tracks.map((it) => it.track_uri).join("");
const remove = (...gone: string[]): Change => ({ kind: "remove", uris: gone });
const move = (
  uri: string,
  after: string | null,
  before: string | null = null,
): Change => ({
  kind: "move",
  uri,
  after,
  before,
});
const add = (
  added: string,
  after: string | null = null,
  before: string | null = null,
): Change => ({
  kind: "add",
  tracks: list(added),
  after,
  before,
});
const swap = (uri: string, by: string): Change => ({
  kind: "swap",
  uri,
  track: trackOf(by),
});

test("a change names tracks, is taken back by its inverse, and leaves the rest of a list that has changed meanwhile", () => {
  for (const [change, expected, elsewhere] of [
    [remove("b"), "ac", "ca"],
    [remove("a", "c", "x"), "b", "b"],
    [remove("a", "b", "c"), "", ""],
    [move("c", null, "a"), "cab", "bca"],
    [move("a", "x", "c"), "bac", "acb"],
    [move("a", "c"), "bca", "cab"],
    [move("x", "c"), "abc", "cba"],
    [add("de", "a", "b"), "adebc", "cbade"],
    [add("d"), "abcd", "cbad"],
    [add("bdc", null, "b"), "adbc", "cdba"],
    [swap("b", "d"), "adc", "cda"],
    [swap("b", "a"), "abc", "cba"],
  ] as [Change, string, string][]) {
    const name = JSON.stringify(change);
    assert.equal(uris(applied(list("abc"), change)), expected, name);
    assert.equal(uris(applied(list("cba"), change)), elsewhere, name);
    assert.equal(
      uris(
        inverse(list("abc"), change).reduce(
          applied,
          applied(list("abc"), change),
        ),
      ),
      "abc",
      name,
    );
  }
  assert.deepEqual(moveTo(list("abc"), 0, 2), move("a", "c"));
  assert.deepEqual(moveTo(list("abc"), 2, 1), move("c", "a", "b"));
  assert.equal(moveTo(list("abc"), 1, 1), null);
});

/** A database with one list; `next` decides what happens to the next requests. */
class Server implements TrackStore {
  content: Content;
  readonly saved: Change[] = [];
  next: ("done" | "lost" | Failure)[] = [];

  constructor(uris: string) {
    this.content = { version: 1, tracks: list(uris) };
  }

  edits = () => new Edits("id", this.content, this, 0);
  read = async () => this.content;
  save = async (change: Change) => {
    this.saved.push(change);
    const fate = this.next.shift() ?? "done";
    if (fate instanceof Failure) throw fate;
    const tracks = applied(this.content.tracks, change);
    if (uris(tracks) !== uris(this.content.tracks))
      this.content = { version: this.content.version + 1, tracks };
    if (fate === "lost") throw new TypeError("Failed to fetch");
    return this.content;
  };
}

const told = (edits: Edits) =>
  edits.failed.value.map(
    ({ change, failure }) => `${change.kind} ${failure.code}`,
  );

test("edits show at once, and are saved in their order by one request each", async () => {
  const server = new Server("abc");
  const edits = server.edits();
  const changes = [add("d"), move("d", null, "a"), remove("b"), swap("c", "e")];
  const steps = changes.map((change) => edits.make(change));
  assert.deepEqual(edits.pending.value, changes);
  assert.deepEqual(
    [uris(edits.shown.value), uris(server.content.tracks)],
    ["dae", "abc"],
  );
  assert.deepEqual(await Promise.all(steps.map((it) => it.outcome)), [
    null,
    null,
    null,
    null,
  ]);
  assert.deepEqual(
    [server.saved, uris(server.content.tracks), edits.version],
    [changes, "dae", 5],
  );
  assert.deepEqual(edits.pending.value, []);
});

test("an edit whose response is lost is repeated, and made once", async () => {
  const server = new Server("abc");
  const edits = server.edits();
  server.next = ["lost", "lost", "done"];
  assert.equal(await edits.make(add("d")).outcome, null);
  assert.deepEqual(
    [server.saved.length, uris(edits.shown.value), edits.version],
    [3, "abcd", 2],
  );
  server.next = ["lost", "lost", "lost"];
  assert.equal(
    await edits.make(remove("a")).outcome,
    null,
    "the list that is read again tells that it was saved",
  );
  assert.deepEqual([uris(edits.shown.value), told(edits)], ["bcd", []]);
});

test("an edit that cannot be saved is taken back and told at its track, the others are saved, and it can be tried again", async () => {
  const server = new Server("abc");
  const edits = server.edits();
  server.next = [
    new Failure("offline"),
    "done",
    new Failure("too_many_tracks"),
  ];
  const steps = [remove("a"), remove("b"), add("d")].map((change) =>
    edits.make(change),
  );
  assert.deepEqual(
    (await Promise.all(steps.map((it) => it.outcome))).map((it) => it?.code),
    ["offline", undefined, "too_many_tracks"],
  );
  assert.deepEqual(
    [uris(edits.shown.value), told(edits), server.saved.length],
    ["ac", ["remove offline", "add too_many_tracks"], 3],
  );
  const [failed] = edits.failed.value;
  assert.ok(failed);
  await edits.retry(failed).outcome;
  assert.deepEqual(
    [uris(edits.shown.value), told(edits)],
    ["c", ["add too_many_tracks"]],
  );
  edits.undo();
  await edits.undo()?.outcome;
  assert.deepEqual(
    [uris(edits.shown.value), edits.undo()],
    ["abc", null],
    "only what was saved is undone",
  );
});

test("what another device made shows, an older list never does, and a failure that it settles is told no longer", async () => {
  const server = new Server("abc");
  const [one, two] = [server.edits(), server.edits()];
  await one.make(move("c", null, "a")).outcome;
  server.next = [new Failure("offline")];
  await two.make(remove("b")).outcome;
  assert.deepEqual(
    [uris(two.shown.value), told(two)],
    ["cab", ["remove offline"]],
  );
  const old = server.content;
  await one.make(remove("b")).outcome;
  await two.refresh();
  two.take(old);
  assert.deepEqual([uris(two.shown.value), told(two)], ["ca", []]);
  server.next = [new Failure("track_missing")];
  await two.make(move("b", "a")).outcome;
  assert.deepEqual(
    told(two),
    ["move track_missing"],
    "a track that is gone is told",
  );
});

test("every edit is undone and made again, several at a time, in any order", async () => {
  const server = new Server("abcdef");
  const edits = server.edits();
  const steps = [
    remove("b", "c", "e"),
    swap("d", "x"),
    { ...add("y"), ...END },
    move("f", null, "a"),
  ].map((change) => edits.make(change));
  assert.equal(uris(edits.shown.value), "faxy");
  const undone = [steps[1], steps[2], undefined, undefined].map((step) =>
    edits.undo(step),
  );
  assert.equal(uris(edits.shown.value), "abcdef");
  assert.equal(edits.undo(steps[1]), null, "a step is undone once");
  assert.deepEqual(await Promise.all(undone.map((it) => it?.outcome)), [
    null,
    null,
    null,
    null,
  ]);
  while (edits.redo());
  assert.equal(uris(edits.shown.value), "faxy");
  edits.undo();
  await edits.make(remove("a")).outcome;
  assert.equal(edits.redo(), null, "a new edit leaves nothing to make again");
  assert.equal(uris(server.content.tracks), uris(edits.shown.value));
});

test("an earlier version is restored and the one before it again, and a failure is told until it is tried again", async () => {
  const server = new Server("abc");
  const edits = server.edits();
  const back: Change = { kind: "restore", version: 1, from: 4 };
  const step = edits.make(back);
  assert.equal(await step.outcome, null);
  await edits.undo(step)?.outcome;
  assert.deepEqual(server.saved, [
    back,
    { kind: "restore", version: 4, from: 1 },
  ]);
  server.next = [new Failure("unknown")];
  await edits.make(back).outcome;
  assert.deepEqual(told(edits), ["restore unknown"]);
  await edits.retry(
    edits.failed.value[0] as (typeof edits.failed.value)[number],
  ).outcome;
  assert.deepEqual(told(edits), []);
});
