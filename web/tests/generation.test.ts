import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { auth, connect } from "../src/api/supabase.ts";
import { newUuid } from "../src/api/uuid.ts";
import { drafts } from "../src/state/drafts.ts";
import { END, editsOf } from "../src/state/edits.ts";
import { copyText } from "../src/state/files.ts";
import {
  cancel,
  generation,
  newOrder,
  reset,
  run,
  runWanted,
  startGenerations,
} from "../src/state/generation.ts";
import { route, startNavigation } from "../src/state/navigation.ts";
import { followSession, nameOf, signOut } from "../src/state/session.ts";
import { toasts } from "../src/state/toasts.ts";
import { want, wanted, wantFor } from "../src/state/wanted.ts";
import {
  done,
  goOffline,
  goOnline,
  inAnotherTab,
  respondWith,
  sessionOf,
  startBrowser,
} from "./browser.ts";

startBrowser();
let sent = respondWith(() => done("p1"));
await connect();
startNavigation();
await followSession();
startGenerations();

const order = (refine?: { playlist_id: string; keep: string[] }) =>
  newOrder({
    prompt: "rain",
    target_count: 3,
    allow_explicit: true,
    save: true,
    ...(refine && { refine }),
  });
const signIn = (id: string) => auth().enter(sessionOf(id));
const settled = async (is: () => boolean) => {
  while (!is()) await new Promise(setImmediate);
};
const hasResult = () => generation.value.result !== null;
const problem = () => generation.value.problem;

beforeEach(async () => {
  goOnline();
  reset();
  await signOut();
  inAnotherTab();
  sent = respondWith(() => done("p1"));
});

test("an order that was sent waits without a network, says so, and goes on by itself under its key", async () => {
  signIn("ann");
  const one = order();
  // As a reload finds it.
  drafts.write("pending", { order: one, isCancelled: false });
  goOffline();
  await run(one);
  assert.deepEqual(problem(), { kind: "lost", isOffline: true, order: one });
  assert.ok(drafts.read("pending", null));
  sent = respondWith(() =>
    Response.json({ code: "database_unavailable" }, { status: 503 }),
  );
  goOnline();
  await settled(() => problem()?.kind === "lost" && sent.length === 1);
  assert.ok(drafts.read("pending", null), "it may be in the library");
  sent = respondWith(() => done("p1"));
  goOnline();
  await settled(hasResult);
  assert.deepEqual(sent, [{ path: "/ai-playlist", key: one.key }]);
  assert.equal(drafts.read("pending", null), null);
});

test("an order that was never sent is not kept: nothing runs by itself that was told as not sent", async () => {
  signIn("ann");
  goOffline();
  await run(order());
  assert.equal(problem()?.kind, "failed");
  goOnline();
  assert.deepEqual([drafts.read("pending", null), sent], [null, []]);
});

test("a wish that came true leaves the composer empty, with its options; any other one stays there", async () => {
  signIn("ann");
  const failing = () =>
    Response.json({ code: "llm_unavailable" }, { status: 502 });
  for (const [answer, written, refine, left] of [
    [() => done("p1"), " rain\n", undefined, ""],
    [() => done("p1"), "sun", undefined, "sun"],
    [() => done("p1"), "rain", { playlist_id: "p1", keep: [] }, "rain"],
    [failing, "rain", undefined, "rain"],
  ] as const) {
    respondWith(answer);
    drafts.write("wish", { prompt: written, count: 50 });
    await run(order(refine && { ...refine, keep: [] }));
    assert.deepEqual(drafts.read("wish", null), { prompt: left, count: 50 });
  }
});

test("a refinement is sent after the edits of its playlist are saved, or not at all if it is cancelled before", async () => {
  signIn("ann");
  for (const isCancelled of [false, true]) {
    sent = respondWith(() => done("p1"));
    const { fetch } = globalThis;
    const { promise: saving, resolve: save } = Promise.withResolvers<void>();
    globalThis.fetch = async (input, init) => {
      if (String(input).endsWith("/rpc/add_tracks")) await saving;
      return fetch(input, init);
    };
    const edits = editsOf("p1", { version: 1, tracks: [] });
    const { outcome } = edits.make({ kind: "add", tracks: [], ...END });
    const running = run(order({ playlist_id: "p1", keep: [] }));
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(generation.value.running);
    assert.deepEqual(sent, [], "the edit is not saved yet");
    if (isCancelled) {
      cancel();
      await running;
    }
    save();
    await Promise.all([outcome, running]);
    assert.equal(sent.length, isCancelled ? 0 : 1);
  }
  assert.equal(problem()?.kind, "cancelled");
});

test("a refinement that fails is told where the user is, unless its playlist shows it", async () => {
  signIn("ann");
  sent = respondWith(() =>
    Response.json({ code: "llm_unavailable" }, { status: 502 }),
  );
  for (const [hash, told] of [
    ["#/playlists", 1],
    ["#/playlists/p1", 0],
  ] as const) {
    location.hash = hash;
    toasts.value = [];
    await run(order({ playlist_id: "p1", keep: [] }));
    assert.equal(toasts.value.length, told, hash);
  }
});

test("a wish that was made while signed out runs after the sign-in that it led to, and not by a session alone", async () => {
  const one = order();
  want(one);
  signIn("ann");
  assert.equal(sent.length, 0);
  assert.ok(runWanted());
  assert.equal(route.value.id, "new");
  await settled(hasResult);
  assert.equal(sent[0]?.key, one.key);
  assert.equal(runWanted(), false);
});

for (const [what, change, who, runs] of [
  ["in another tab", inAnotherTab, "ann", false],
  [
    "for the account that was created for it, in another tab",
    () => [wantFor("ann"), inAnotherTab()],
    "ann",
    true,
  ],
  [
    "for another account than the one that was created for it",
    () => wantFor("ann"),
    "bob",
    false,
  ],
  ["after signing out", () => signOut(), "ann", false],
] as const) {
  test(`a wish that waits ${runs ? "runs" : "does not run"} ${what}`, async () => {
    want(order());
    await change();
    signIn(who);
    assert.equal(runWanted(), runs);
  });
}

test("a wish waits half an hour, for a mail as long again, and then no longer", (it) => {
  it.mock.timers.enable({ apis: ["Date"], now: Date.now() });
  want(order());
  it.mock.timers.tick(1_700_000);
  wantFor("ann");
  it.mock.timers.tick(1_700_000);
  assert.equal(wanted()?.wish.prompt, "rain");
  it.mock.timers.tick(200_000);
  assert.equal(wanted(), null);
});

/** Runs until the function is called; `end` lets it answer. */
async function begun() {
  const answer = Promise.withResolvers<Response>();
  sent = respondWith(() => answer.promise);
  signIn("ann");
  const one = order();
  const ended = run(one);
  await settled(() => sent.length === 1);
  const end = () => {
    answer.resolve(done("p1"));
    return ended;
  };
  return { one, end };
}

for (const [who, isTheirs] of [
  ["ann", true],
  ["bob", false],
] as const) {
  const does = isTheirs ? "goes on" : "is gone";
  test(`a generation ${does} when ${who} signs in after ann was signed out elsewhere`, async () => {
    const { end } = await begun();
    await signOut();
    signIn(who);
    assert.equal(generation.value.running !== null, isTheirs);
    await end();
    assert.equal(hasResult(), isTheirs);
    assert.equal(drafts.read("result", null) !== null, isTheirs);
  });

  test(`a generation of ann's that ended while signed out ${does} when ${who} signs in`, async () => {
    toasts.value = [];
    const { one, end } = await begun();
    await auth().signOut();
    await end();
    const { running, result } = generation.value;
    assert.deepEqual([running, result, toasts.value], [null, null, []]);
    sent = respondWith(() => done("p1"));
    signIn(who);
    await settled(() => generation.value.running === null);
    assert.deepEqual(
      [sent[0]?.key, hasResult()],
      [isTheirs ? one.key : undefined, isTheirs],
    );
  });
}

test("a key is a UUID also where the browser makes none, on pages without TLS", () => {
  Object.defineProperty(crypto, "randomUUID", { value: undefined });
  const ids = [newUuid(), newUuid()];
  for (const id of ids)
    assert.match(
      id,
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  assert.notEqual(ids[0], ids[1]);
});

test("an account is called by its address, else its number, else its id, which its deletion asks for", () => {
  const who = { id: "1", email: "", phone: "", isAnonymous: false };
  assert.deepEqual(
    [
      { email: "a@b.c", phone: "48123" },
      { phone: "48123" },
      { phone: "+48123" },
      {},
    ].map((it) => nameOf({ ...who, ...it })),
    ["a@b.c", "+48123", "+48123", "1"],
  );
});

for (const isAllowed of [true, false]) {
  test(`without a clipboard, on pages without TLS, a text is ${isAllowed ? "copied from a field" : "told as not copied"}`, async () => {
    const did: string[] = [];
    const area = {
      value: "",
      select: () => did.push(`select ${area.value}`),
      remove: () => did.push("remove"),
    };
    const append = () => did.push("append");
    Object.assign(document, {
      createElement: () => area,
      querySelectorAll: () => [{}, { append }],
      execCommand: (name: string) => did.push(name) > 0 && isAllowed,
    });
    Object.assign(globalThis, { HTMLElement: class {} });
    assert.equal(await copyText("a link"), isAllowed);
    assert.deepEqual(did, ["append", "select a link", "copy", "remove"]);
  });
}
