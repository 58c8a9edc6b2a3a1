import assert from "node:assert/strict";
import { test } from "node:test";
import { auth, connect } from "../src/api/supabase.ts";
import { useSending } from "../src/components/sending.ts";
import { beforeSpotify, linkSpotify, sending } from "../src/state/spotify.ts";
import type { Sent } from "./browser.ts";
import { respondWith, sessionOf, startBrowser } from "./browser.ts";
import { hooked, passed } from "./hooks.ts";

startBrowser();
respondWith(() => new Response());
await connect();
auth().enter(sessionOf("ann"));

const playlist = {
  id: "p1",
  name: "Rain",
  description: "",
  updated_at: "",
  count: 1,
  is_deleted: false,
  version: 1,
  tracks: [],
  copy: "first",
};
const refusal = (code: string) => Response.json({ code }, { status: 409 });
const copied = (spotify_playlist_id: string) =>
  Response.json({ spotify_playlist_id, exported: 1, total: 1, rejected: [] });

/** A playlist whose exports are answered one after another. `saving`: its edits. */
async function shown(saving: Promise<unknown> = Promise.resolve()) {
  const waiting: ((answer: Response) => void)[] = [];
  const sent = respondWith(() => new Promise((take) => waiting.push(take)));
  const seen = await hooked(() => useSending(playlist, () => saving));
  const answer = async (with_: Response) => {
    waiting.shift()?.(with_);
    await passed();
  };
  const keys = () => sent.map(({ key }: Sent) => key);
  return { seen, answer, keys };
}

test("a new copy has one key however often it is clicked and repeated", async () => {
  const { seen, answer, keys } = await shown();
  const { sendNewCopy } = seen.now;
  sendNewCopy();
  sendNewCopy();
  await passed();
  seen.now.sendNewCopy();
  seen.now.send();
  await answer(refusal("spotify_unavailable"));
  assert.ok(seen.now.action.failure);
  seen.now.retry();
  await passed();
  const [first, ...others] = keys();
  assert.ok(first);
  assert.deepEqual(others, [first]);
  seen.now.send();
  await answer(copied("second"));
  assert.equal(seen.now.about, "another");
});

test("a playlist is sent after its edits are saved, so that the copy is what is shown", async () => {
  const { promise: saving, resolve: save } = Promise.withResolvers<void>();
  const { seen, keys } = await shown(saving);
  seen.now.send();
  await passed();
  assert.deepEqual([seen.now.action.busy, keys()], [true, []]);
  save();
  await passed();
  assert.equal(keys().length, 1);
});

test("a new copy that needs a link is made under its key after the return", async () => {
  const { seen, answer, keys } = await shown();
  seen.now.sendNewCopy();
  await passed();
  await answer(refusal("spotify_not_linked"));
  const { linking } = seen.now;
  assert.ok(linking);
  Object.assign(location, { assign: () => {} });
  const start = respondWith(() => Response.json({ authorize_url: "" }));
  await linkSpotify(linking);
  assert.equal(start.length, 1);
  seen.leave();
  const { send } = beforeSpotify();
  const back = await shown();
  sending.value = send;
  await passed();
  assert.equal(sending.value, null);
  assert.deepEqual(back.keys(), keys());
});
