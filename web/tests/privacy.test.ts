// The privacy text is docs/privacy.md, in two languages that have to say the same.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { blocksOf } from "../src/pages/markdown.ts";

const [english, polish] = ["docs/privacy.md", "docs/privacy.pl.md"].map(
  (path) => blocksOf(readFileSync(path, "utf8")),
) as [Blocks, Blocks];
type Blocks = ReturnType<typeof blocksOf>;

const textOf = (block: Blocks[number]) =>
  (block.kind === "list" ? block.items : [block.spans]).map((spans) =>
    spans.map(({ text }) => text).join(""),
  );

test("both languages have the same parts with the same numbers", () => {
  const outline = (blocks: Blocks) =>
    blocks.map((block) => [
      block.kind,
      ...textOf(block).map((text) => text.match(/\d+/g)?.join(" ") ?? ""),
    ]);
  assert.deepEqual(outline(polish), outline(english));
  assert.ok(english.length > 10);
});

test("the text needs no more of Markdown than the page can show", () => {
  for (const text of [...english, ...polish].flatMap(textOf))
    assert.doesNotMatch(text, /[`_[\]|<>#*]/, text);
});

test("the deadlines are those of the database", () => {
  for (const [label, migration, name] of [
    ["What you asked for", "20261126000600_ai_quota", "ai_quota_window"],
    [
      "Copies in Spotify",
      "20261126001000_spotify_exports",
      "spotify_export_ttl",
    ],
  ] as const) {
    const sql = readFileSync(`supabase/migrations/${migration}.sql`, "utf8");
    const [, count, unit] =
      new RegExp(
        `function private\\.${name}\\(\\)[\\s\\S]*?interval '(\\d+) (day|hour)s?'`,
      ).exec(sql) ?? [];
    const days = Number(count) / (unit === "hour" ? 24 : 1);
    const line =
      english.flatMap(textOf).find((text) => text.startsWith(label)) ?? "";
    assert.match(line, new RegExp(`For ${days} days?\\b`), `${label}: ${days}`);
  }
});
