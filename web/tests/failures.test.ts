import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  asFailure,
  FUNCTION_CODES,
  failureOfAuth,
  failureOfBody,
  failureOfData,
  failureOfResponse,
  failureOfSpotify,
  PAGE_CODES,
} from "../src/api/failure.ts";
import { failuresEn } from "../src/i18n/failures-en.ts";
import { failuresPl } from "../src/i18n/failures-pl.ts";

test("every failure says what happened and what to do, in both languages", () => {
  const codes = [...FUNCTION_CODES, ...PAGE_CODES].sort();
  for (const texts of [failuresEn, failuresPl]) {
    assert.deepEqual(Object.keys(texts).sort(), codes);
    for (const [code, { what, next }] of Object.entries(texts)) {
      assert.match(what, /^\p{Lu}.*[.!]$/u, code);
      assert.match(next, /^\p{Lu}.*[.:]$/u, code);
    }
  }
  for (const code of codes)
    assert.notEqual(failuresEn[code].what, failuresPl[code].what, code);
});

test("a refusal keeps its code, its request and when to try again", async () => {
  const body = {
    code: "quota_exceeded",
    message: "Used up.",
    request_id: "r-1",
  };
  const failure = await failureOfResponse(
    Response.json(body, { status: 402, headers: { "Retry-After": "60" } }),
  );
  assert.deepEqual(
    [
      failure.code,
      failure.message,
      failure.request_id,
      failure.retry_after_seconds,
    ],
    ["quota_exceeded", "Used up.", "r-1", 60],
  );
});

test("a response that is not from our services is an unknown failure", async () => {
  assert.equal(
    (
      await failureOfResponse(
        new Response("<h1>Bad gateway</h1>", { status: 502 }),
      )
    ).code,
    "unknown",
  );
  assert.equal(failureOfBody({ code: "constructor" }).code, "unknown");
  assert.equal(failureOfBody(null).code, "unknown");
});

test("a request without a response is a network failure", () => {
  assert.equal(asFailure(new TypeError("Failed to fetch")).code, "network");
  assert.equal(
    failureOfData({ message: "TypeError: Failed to fetch" }, 0).code,
    "network",
  );
});

test("the refusals of the database are told apart", () => {
  const code = (error: { code?: string; message?: string }, status: number) =>
    failureOfData(error, status).code;
  assert.equal(code({}, 400), "invalid_request");
  assert.equal(
    code({ code: "23505", message: "duplicate key" }, 409),
    "name_taken",
  );
  assert.equal(
    code({ code: "PT409", message: "playlist limit reached: at most 50" }, 409),
    "playlist_limit_reached",
  );
  assert.equal(
    code({ code: "PT409", message: "duplicate track: spotify:track:x" }, 409),
    "duplicate_track",
  );
  assert.equal(
    code(
      { code: "PT409", message: "a playlist holds at most 100 tracks" },
      409,
    ),
    "too_many_tracks",
  );
  assert.equal(
    code({ code: "PT409", message: "the track is not in the playlist" }, 409),
    "track_missing",
  );
  assert.equal(
    code({ code: "PT409", message: "the playlist has changed" }, 409),
    "playlist_changed",
  );
  assert.equal(
    code({ code: "PT404", message: "playlist not found" }, 404),
    "playlist_not_found",
  );
  assert.equal(
    code({ code: "PGRST116", message: "no rows" }, 406),
    "playlist_not_found",
  );
  assert.equal(
    code({ code: "PGRST303", message: "JWT expired" }, 401),
    "token_expired",
  );
  assert.equal(
    code({ code: "PGRST001", message: "away" }, 503),
    "database_unavailable",
  );
});

test("the messages by which refusals are told apart are those of the database", () => {
  const read = (file: string) =>
    readFileSync(`supabase/migrations/${file}`, "utf8");
  assert.match(read("20261126000300_playlists.sql"), /'playlist limit reached/);
  const tracks = read("20261126000450_playlist_edits.sql");
  for (const message of [
    /'duplicate track: /,
    /'a playlist holds at most /,
    /'playlist not found'/,
    /'the track is not in the playlist'/,
    /'the playlist has changed'/,
  ])
    assert.match(tracks, message);
});

test("the refusals of Auth and of Spotify are told apart", () => {
  const code = (code: string) =>
    failureOfAuth({ code, message: "x", status: 400 }).code;
  assert.equal(code("invalid_credentials"), "wrong_credentials");
  assert.equal(code("user_already_exists"), "email_taken");
  assert.equal(code("otp_expired"), "mail_link_expired");
  assert.equal(code("something_new"), "unknown");
  assert.equal(failureOfSpotify("access_denied").code, "spotify_refused");
  assert.equal(failureOfSpotify("anything").code, "spotify_failed");
});
