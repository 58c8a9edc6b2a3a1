import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import type { Content } from "../src/api/data.ts";
import { Failure } from "../src/api/failure.ts";
import { auth, connect } from "../src/api/supabase.ts";
import { useEditing } from "../src/components/editing.ts";
import type { Change } from "../src/state/edits.ts";
import { applied, Edits, END } from "../src/state/edits.ts";
import { go } from "../src/state/navigation.ts";
import { followSession } from "../src/state/session.ts";
import {
  dialogs,
  dismiss,
  followUndoKeys,
  toasts,
} from "../src/state/toasts.ts";
import { respondWith, sessionOf, startBrowser } from "./browser.ts";
import { hooked, passed } from "./hooks.ts";

startBrowser();
respondWith(() => new Response());
await connect();
await followSession();

let press = (_: unknown) => {};
Object.assign(globalThis, {
  Element: class {},
  addEventListener: (_: string, listen: typeof press) => {
    press = listen;
  },
});
followUndoKeys();
const key = (shiftKey: boolean) =>
  press({ key: "z", ctrlKey: true, shiftKey, preventDefault: () => {} });

const trackOf = (it: string) => ({
  track_uri: it,
  title: it,
  artist: "",
  album: "",
  duration_ms: 0,
  explicit: false,
});
const tracks = ["a", "b"].map(trackOf);

beforeEach(() => {
  for (const { id } of toasts.value) dismiss(id);
  auth().enter(sessionOf("ann"));
  go("playlists/p1");
});

/** A playlist whose edits are saved, and fail later than the user leaves. */
async function opened() {
  let fails = false;
  const left = Promise.withResolvers<void>();
  let content: Content = { version: 1, tracks };
  const save = async (change: Change) => {
    if (fails) {
      await left.promise;
      throw new Failure("track_missing");
    }
    const { version } = content;
    content = { version: version + 1, tracks: applied(content.tracks, change) };
    return content;
  };
  const edits = new Edits("p1", content, { read: async () => content, save });
  const { now } = await hooked(() => useEditing(edits));
  const leave = async (place: string) => {
    for (const { id } of toasts.value) dismiss(id);
    go(place);
    left.resolve();
    await passed();
    return toasts.value.map(({ text }) => text);
  };
  const fail = () => {
    fails = true;
  };
  return { edits, now, leave, fail };
}

type Opened = Awaited<ReturnType<typeof opened>>;
type Door = (
  it: Opened["now"],
  fail: () => void,
  edits: Edits,
) => Promise<void>;
const moved = async ({ edit }: Opened["now"]) => {
  edit.move(0, 1);
  await passed();
};
const DOORS: [string, Door][] = [
  [
    "made",
    async (now, fail) => {
      fail();
      await moved(now);
    },
  ],
  [
    "told once it is saved",
    async ({ settle }, fail) => {
      fail();
      void settle({ kind: "restore", version: 1, from: 2 }, "");
    },
  ],
  [
    "undone",
    async (now, fail) => {
      await moved(now);
      fail();
      key(false);
    },
  ],
  [
    "made again",
    async (now, fail) => {
      await moved(now);
      key(false);
      await passed();
      fail();
      key(true);
    },
  ],
  [
    "retried",
    async ({ edit }, fail, edits) => {
      const change = { kind: "remove", uris: ["a"] } as const;
      const failed = { change, failure: new Failure("network") };
      edits.failed.value = [failed];
      fail();
      edit.retry(failed);
    },
  ],
];

test("an edit that fails after its dialog was closed is told, and otherwise by the dialog", async () => {
  for (const [open, count] of [
    [1, 0],
    [0, 1],
  ] as const) {
    const { now, fail, leave } = await opened();
    fail();
    const choosing = now.choose(
      { kind: "add", tracks: [trackOf("c")], ...END },
      "said",
    );
    choosing.catch(() => {});
    await passed();
    dialogs.value = open;
    assert.equal((await leave("playlists/p1")).length, count);
    await assert.rejects(choosing);
  }
});

for (const [what, edit] of DOORS) {
  test(`an edit that is ${what} and fails is told once where its row is not, and to no other account`, async () => {
    const said = async (place: string, who = "ann") => {
      auth().enter(sessionOf("ann"));
      go("playlists/p1");
      const it = await opened();
      await edit(it.now, it.fail, it.edits);
      await passed();
      auth().enter(sessionOf(who));
      return it.leave(place);
    };
    assert.deepEqual(await said("playlists/p1"), []);
    const told = await said("playlists");
    assert.equal(told.length, 1);
    assert.match(told[0] ?? "", /^This change is not saved\./);
    assert.deepEqual(await said("playlists", "bob"), []);
  });
}
