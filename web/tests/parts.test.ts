import assert from "node:assert/strict";
import { test } from "node:test";
import { withPagePolicy } from "../../xtask/stack/assets/page.ts";
import type { Track } from "../src/api/data.ts";
import { keyTarget, landing, moved, shift } from "../src/components/reorder.ts";
import { en } from "../src/i18n/en.ts";
import { pl } from "../src/i18n/pl.ts";
import { arrivalOf } from "../src/state/arrival.ts";
import { Drafts } from "../src/state/drafts.ts";
import { csvOf, fileNameOf, textOf } from "../src/state/files.ts";
import { needsSession, routeOf } from "../src/state/route.ts";
import { EMPTY, lengthOf, problemOf, wishOf } from "../src/state/wish.ts";
import { Memory } from "./browser.ts";

test("a draft is there again after a reload, until it is forgotten", () => {
  const store = new Memory();
  new Drafts(() => store).write("wish", { prompt: "rain" });
  const reloaded = new Drafts(() => store);
  assert.deepEqual(reloaded.read("wish", null), { prompt: "rain" });
  reloaded.forget("wish");
  assert.equal(reloaded.read("wish", null), null);
});

test("signing out forgets every draft and nothing else", () => {
  const store = new Memory();
  store.setItem("sound-whiskers.language", "pl");
  const drafts = new Drafts(() => store);
  for (const name of ["a", "b", "c"]) drafts.write(name, name);
  drafts.forgetAll();
  assert.deepEqual([...store.kept.keys()], ["sound-whiskers.language"]);
});

test("a browser that keeps nothing keeps a draft until the page is left", () => {
  const drafts = new Drafts(() => {
    throw new Error("SecurityError");
  });
  drafts.write("wish", "rain");
  assert.equal(drafts.read("wish", ""), "rain");
  drafts.forgetAll();
  assert.equal(drafts.read("wish", ""), "");
});

test("ignores a draft that is not JSON", () => {
  const store = new Memory();
  store.setItem("sound-whiskers.draft.wish", "{");
  assert.equal(new Drafts(() => store).read("wish", "none"), "none");
});

test("the address tells who has sent the browser here", () => {
  const came = (hash: string, search = "") => arrivalOf({ hash, search });
  assert.deepEqual(came("#spotify_code=a&spotify_state=b.c"), {
    kind: "spotify",
    code: "a",
    state: "b.c",
  });
  assert.deepEqual(came("#spotify_error=access_denied"), {
    kind: "spotify_refused",
    reason: "access_denied",
  });
  for (const hash of [
    "#access_token=x&type=recovery",
    "#type=signup&refresh_token=x",
    "#access_token=x&error=y",
  ])
    assert.deepEqual(came(hash), { kind: "session" });
  assert.deepEqual(came("#error=access_denied&error_code=otp_expired"), {
    kind: "mail_refused",
    code: "otp_expired",
  });
  for (const hash of [
    "",
    "#",
    "#/",
    "#/playlists/x?paid",
    "#/confirm?type=signup&token_hash=x",
  ])
    assert.deepEqual(came(hash), { kind: "usual" });
  for (const search of [
    "?access_token=x",
    "?type=signup&refresh_token=x",
    "?code=x",
  ])
    assert.deepEqual(came("#/", search), { kind: "session" });
});

test("Turnstile is let in by the document only where it has a site key", () => {
  for (const [TURNSTILE_SITE_KEY, isOn] of [
    ["1x00000000000000000000AA", true],
    ["", false],
    [undefined, false],
  ] as const) {
    const policy =
      withPagePolicy(new Response(), {
        SUPABASE_URL: "https://x.supabase.co",
        TURNSTILE_SITE_KEY,
      }).headers.get("Content-Security-Policy") ?? "";
    for (const directive of [
      "script-src 'self' https://challenges.cloudflare.com",
      "frame-src https://open.spotify.com https://challenges.cloudflare.com",
    ]) {
      assert.equal(policy.split("; ").includes(directive), isOn, policy);
    }
  }
});

test("every place in the app has an address, and any other is the start", () => {
  assert.deepEqual(routeOf("#/playlists/7"), {
    screen: "playlist",
    id: "7",
    query: "",
  });
  assert.deepEqual(routeOf("#/account?paid"), {
    screen: "account",
    id: "",
    query: "paid",
  });
  for (const hash of ["", "#/", "#/nowhere", "#/playlist", "#x=y"])
    assert.equal(routeOf(hash).screen, "create", hash);
  assert.deepEqual(routeOf("", "?x=1&p=7"), {
    screen: "shared",
    id: "7",
    query: "",
  });
  assert.equal(routeOf("#/account", "?p=7").screen, "account");
  for (const hash of ["#/shared", "#/shared/7"])
    assert.equal(routeOf(hash).screen, "create", hash);
  assert.ok(needsSession(routeOf("#/playlists/7")));
  assert.ok(!needsSession(routeOf("#/")));
});

test("a row lands where it is dropped, and never outside", () => {
  assert.equal(landing(2, 0, 64, 5), 2);
  assert.equal(landing(2, 40, 64, 5), 3);
  assert.equal(landing(2, -1000, 64, 5), 0);
  assert.equal(landing(2, 1000, 64, 5), 4);
});

test("arrow keys, Home and End move a row, other keys do not", () => {
  assert.deepEqual(
    ["ArrowUp", "ArrowDown", "Home", "End", "Tab"].map((key) =>
      keyTarget(key, 1, 4),
    ),
    [0, 2, 0, 3, null],
  );
  assert.equal(keyTarget("ArrowUp", 0, 4), 0);
});

test("moving keeps all the others in their order, and rows make room for it", () => {
  assert.deepEqual(moved(["a", "b", "c", "d"], 0, 2), ["b", "c", "a", "d"]);
  assert.deepEqual(moved(["a", "b", "c", "d"], 3, 1), ["a", "d", "b", "c"]);
  const shifts = (from: number, to: number) =>
    [0, 1, 2, 3].map((index) => shift(index, from, to));
  assert.deepEqual(
    [shifts(0, 2), shifts(3, 1)],
    [
      [0, -1, -1, 0],
      [0, 1, 1, 0],
    ],
  );
});

test("a wish has what was filled in and nothing else", () => {
  const least = {
    prompt: "rain",
    target_count: 20,
    allow_explicit: true,
    save: true,
  };
  assert.deepEqual(wishOf({ ...EMPTY, prompt: " rain " }), least);
  const discovery = "adventurous" as const;
  const full = {
    ...EMPTY,
    prompt: "rain",
    from: "1990",
    exclude: "Ed Sheeran, ;  Dżem\n",
    explicit: false,
    versions: true,
    discovery,
    count: 12,
  };
  const chosen = {
    target_count: 12,
    era: { from: 1990 },
    allow_explicit: false,
    allow_versions: true,
    discovery,
  };
  assert.deepEqual(wishOf(full), {
    ...least,
    ...chosen,
    exclude_artists: ["Ed Sheeran", "Dżem"],
  });
});

test("reports a request that the function would refuse before sending it", () => {
  const problem = (part: object) =>
    problemOf({ ...EMPTY, prompt: "rain", ...part });
  assert.equal(problem({}), null);
  assert.equal(problem({ prompt: "  " }), "needPrompt");
  assert.equal(problem({ prompt: "🎸".repeat(1000) }), null);
  assert.equal(problem({ prompt: "a".repeat(1001) }), "tooLong");
  assert.equal(problem({ from: "1899" }), "eraRange");
  assert.equal(problem({ from: "2000", to: "1990" }), "eraOrder");
  assert.equal(
    problem({ exclude: Array(21).fill("x").join(",") }),
    "tooManyArtists",
  );
  assert.equal(lengthOf(" żółw "), 4);
});

test("both languages have every text, and Polish counts as Poles do", () => {
  const names = (texts: object): string[] =>
    Object.entries(texts)
      .flatMap(([name, text]) =>
        typeof text === "object" && !Array.isArray(text)
          ? names(text).map((it) => `${name}.${it}`)
          : [name],
      )
      .sort();
  assert.deepEqual(names(pl), names(en));
  assert.deepEqual([1, 2, 5, 22, 112].map(pl.tracks), [
    "1 utwór",
    "2 utwory",
    "5 utworów",
    "22 utwory",
    "112 utworów",
  ]);
});

const trackOf = (uri: string): Track => ({
  track_uri: uri,
  title: uri,
  artist: "",
  album: "",
  duration_ms: 0,
  explicit: false,
});
const [A, B] = [trackOf("a"), trackOf("b")] as const;

test("a file for spreadsheets keeps every text a text, and its name is one that every system takes", () => {
  const cell = (title: string) =>
    csvOf([{ ...A, title }], ["Title"], () => "url").replace(
      /^\ufeffTitle\r\n(.*),,,,url\r\n$/s,
      "$1",
    );
  for (const plain of ["Plain", "Don't", "1+1"])
    assert.equal(cell(plain), plain);
  for (const formula of ["=1", "+1", "-1", "@SUM", "\tx", " =1", "＝1"])
    assert.equal(cell(formula), `'${formula}`);
  assert.equal(cell('=HYPERLINK("x")\nżółw'), `"'=HYPERLINK(""x"")\nżółw"`);
  const names = ["Zażółć: 50/50?", "..", "a\u202e b. "].map((name) =>
    fileNameOf(name, "csv"),
  );
  assert.deepEqual(names, ["Zażółć 50 50.csv", "playlist.csv", "a b.csv"]);
  assert.equal(textOf([{ ...A, artist: "Dżem" }, B]), "Dżem – a\nb");
});
