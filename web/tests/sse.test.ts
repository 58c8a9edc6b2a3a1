import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServerEvent } from "../src/api/sse.ts";
import { eventsOf, SseParser } from "../src/api/sse.ts";

const STREAM = [
  ": ping\n\n",
  'event: stage\ndata: {"stage":"thinking"}\n\n',
  'event: track\r\ndata: {"title":"Zażółć 🎸"}\r\n\r\n',
  "id: 7\ndata: one\ndata:two\n\n",
  "event: nothing\n\n",
  "event: done\rdata: {}\r\r",
].join("");
const EVENTS: ServerEvent[] = [
  { name: "stage", data: '{"stage":"thinking"}' },
  { name: "track", data: '{"title":"Zażółć 🎸"}' },
  { name: "message", data: "one\ntwo" },
  { name: "done", data: "{}" },
];

/** Follows each stream, because the parser has to see what follows a carriage return. */
const END = ": end\n";

function streamOf(pieces: Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
      controller.close();
    },
  });
}

test("events are read whatever the sizes of the pieces, also through the middle of a character", async () => {
  const bytes = new TextEncoder().encode(STREAM + END);
  for (let size = 1; size <= bytes.length; size += 1) {
    const pieces = Array.from(
      { length: Math.ceil(bytes.length / size) },
      (_, n) => bytes.slice(n * size, (n + 1) * size),
    );
    assert.deepEqual(
      await Array.fromAsync(eventsOf(streamOf(pieces), () => {})),
      EVENTS,
      `pieces of ${size}`,
    );
  }
});

test("every cut into three parts gives the same events", () => {
  const text = STREAM + END;
  for (let a = 0; a <= text.length; a += 3) {
    for (let b = a; b <= text.length; b += 5) {
      const parser = new SseParser();
      const events = [
        text.slice(0, a),
        text.slice(a, b),
        text.slice(b),
      ].flatMap((piece) => parser.push(piece));
      assert.deepEqual(events, EVENTS, `${a}, ${b}`);
    }
  }
});

test("an event that was not ended is none", () => {
  assert.deepEqual(new SseParser().push("event: done\ndata: {}\n"), []);
});

test("pings and the end are signs of life", async () => {
  let heard = 0;
  const events = eventsOf(
    streamOf([new TextEncoder().encode(": ping\n\n")]),
    () => {
      heard += 1;
    },
  );
  assert.deepEqual(await Array.fromAsync(events), []);
  assert.equal(heard, 2);
});
