//! Who reads what comes from outside, each through its own door.

use std::hint::black_box;

use futures_util::FutureExt;
use serde_json::json;
use shared::auth::{Jwks, UnverifiedJwt};
use shared::cors::AllowedOrigins;
use shared::fakes::{FakeAnswer, FakeClock, FakeHttp};
use shared::json::LenientParser;
use shared::llm::FrameReader;
use shared::llm::playlist::PlaylistReader;
use shared::matching::{Constraints, Selection, WantedVersions, best_match, field_query, free_query, rank};
use shared::redacted::Secret;
use shared::spotify::{SpotifyApp, SpotifyConfig, StateKeys, TokenCache};
use shared::stripe::{Event, Subject, WebhookSecrets};
use shared::track::{CatalogueTrack, Suggestion, TrackUri};

use crate::shapes::Frame;

pub struct Reader {
    pub name: &'static str,
    /// How large the larger of the two inputs is.
    pub bytes: usize,
    pub frames: &'static [Frame],
    pub read: fn(&[u8]),
}

const KIB: usize = 1024;
const ARTISTS_OF_A_TRACK: &str =
    r#"{"tracks":{"items":[{"uri":"spotify:track:4uLU6hMCjMI75M1A2tKUQC","name":"a","artists":["#;
const APP: &str = "https://app.example";

pub const READERS: &[Reader] = &[
    Reader { name: "signature-header", bytes: 64 * KIB, frames: &[("", ""), ("t=1,", "")], read: signature },
    Reader {
        name: "jwt",
        bytes: 32 * KIB,
        frames: &[("", ""), ("eyJhbGciOiJIUzI1NiJ9.", ".AA"), ("eyJhbGciOiJIUzI1NiJ9.e30.", "")],
        read: jwt,
    },
    Reader { name: "jwks", bytes: 64 * KIB, frames: &[("", ""), ("{\"keys\":[", "0]}")], read: jwks },
    Reader {
        name: "oauth-state",
        bytes: 64 * KIB,
        frames: &[("", ""), ("code=a&state=", ""), ("state=a.", "")],
        read: state,
    },
    Reader {
        name: "request-bodies",
        bytes: 64 * KIB,
        frames: &[
            ("", ""),
            ("{\"prompt\":\"", "\"}"),
            ("{\"prompt\":\"a\",\"seeds\":[", "0]}"),
            ("{\"a\":[", "]}"),
        ],
        read: bodies,
    },
    Reader {
        name: "stripe-events",
        bytes: 64 * KIB,
        frames: &[("", ""), ("{\"object\":\"event\",\"data\":{\"object\":{\"a\":[", "0]}}}")],
        read: event,
    },
    Reader {
        name: "sse",
        bytes: 64 * KIB,
        frames: &[("", ""), ("data: a", "\n\n"), ("data:a\n", "")],
        read: sse,
    },
    Reader {
        name: "incremental-json",
        bytes: 64 * KIB,
        frames: &[
            ("", ""),
            ("{\"tracks\":[", "]}"),
            ("{\"tracks\":[{\"artist\":\"", ""),
            ("{\"name\":\"", "\"}"),
        ],
        read: scanner,
    },
    Reader {
        name: "llm-output",
        bytes: 64 * KIB,
        frames: &[("", ""), ("{\"tracks\":[", "]}"), ("{\"summary\":\"", "\"}"), ("{\"a\":", "")],
        read: answer,
    },
    Reader {
        name: "spotify-answers",
        bytes: 64 * KIB,
        frames: &[
            ("", ""),
            ("{\"tracks\":{\"items\":[", "0]}}"),
            (ARTISTS_OF_A_TRACK, "0]}]}}"),
            ("{\"tracks\":{\"items\":[{\"name\":\"", "\"}]}}"),
        ],
        read: search,
    },
    Reader { name: "search-query", bytes: 64 * KIB, frames: &[("", ""), ("title=", "")], read: query },
    Reader { name: "titles", bytes: 4 * KIB, frames: &[("", ""), ("a (", ")"), ("a - ", "")], read: titles },
    Reader { name: "prompts", bytes: 4 * KIB, frames: &[("", ""), ("songs like ", " please")], read: prompt },
];

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn signature(bytes: &[u8]) {
    let secrets = WebhookSecrets::from_lookup(|_| Some(format!("whsec_{}", "1".repeat(32)))).unwrap();
    let _ = black_box(secrets.verify(Some(text(bytes)), b"{}", 1));
}

fn jwt(bytes: &[u8]) {
    let _ = black_box(UnverifiedJwt::parse(text(bytes)));
}

fn jwks(bytes: &[u8]) {
    let _ = black_box(Jwks::parse(bytes).map(|keys| keys.get("a")));
}

fn state(bytes: &[u8]) {
    let keys = StateKeys::from_lookup(|_| Some("k".repeat(32))).unwrap();
    let _ = black_box(keys.verify(text(bytes), 1));
    black_box(spotify_oauth::callback::location(APP, text(bytes), &keys, 1));
}

fn bodies(bytes: &[u8]) {
    let origins = AllowedOrigins::parse(APP).unwrap();
    let _ = black_box(account::request::parse(bytes));
    let _ = black_box(ai_playlist::request::parse(bytes));
    let _ = black_box(billing::request::parse_checkout(bytes, &origins));
    let _ = black_box(billing::request::parse_portal(bytes, &origins));
    let _ = black_box(spotify_export::request::parse(bytes));
    let _ = black_box(spotify_oauth::request::parse(bytes));
}

fn event(bytes: &[u8]) {
    if let Ok(value) = serde_json::from_slice(bytes) {
        black_box(Subject::of(&value));
    }
    let _ = black_box(Event::parse(bytes));
}

fn sse(bytes: &[u8]) {
    let mut reader = FrameReader::default();
    let _ = black_box(reader.push(bytes));
    let mut reader = FrameReader::default();
    let _ = black_box(bytes.chunks(1).try_for_each(|byte| reader.push(byte).map(drop)));
    black_box(reader.finish());
}

fn scanner(bytes: &[u8]) {
    let (mut parser, mut tokens) = (LenientParser::default(), Vec::new());
    for c in text(bytes).chars() {
        parser.push(c, &mut tokens);
    }
    parser.finish(&mut tokens);
    black_box(tokens);
}

fn answer(bytes: &[u8]) {
    let mut reader = PlaylistReader::new();
    black_box(reader.push(text(bytes)));
    black_box(reader.finish());
}

fn search(bytes: &[u8]) {
    let settings = |name: &str| name.starts_with("SPOTIFY_CLIENT").then(|| "x".to_owned());
    let (config, tokens, clock) =
        (SpotifyConfig::from_lookup(settings).unwrap(), TokenCache::default(), FakeClock::hurrying(0));
    tokens.put(Secret::new("t"), u64::MAX);
    let http =
        FakeHttp::answering([FakeAnswer::text(200, "application/json", &String::from_utf8_lossy(bytes))]);
    let app = SpotifyApp::new(&config, &tokens, &http, &clock);
    let Some(Ok(tracks)) = app.search("song", None, 10).now_or_never() else { return };
    let sought = Suggestion { artist: "a".to_owned(), title: "live".to_owned(), year: None };
    choose(&sought, &tracks);
}

fn query(bytes: &[u8]) {
    let _ = black_box(spotify_search::request::parse(text(bytes)));
}

fn track(title: &str, artist: &str) -> CatalogueTrack {
    CatalogueTrack {
        uri: TrackUri::parse("spotify:track:4uLU6hMCjMI75M1A2tKUQC").unwrap(),
        title: title.to_owned(),
        artists: vec![artist.to_owned()],
        album: title.to_owned(),
        release_year: None,
        duration_ms: 1,
        explicit: false,
        is_playable: true,
        isrc: None,
    }
}

/// One title, as long as the input.
fn titles(bytes: &[u8]) {
    let name = text(bytes);
    let sought = Suggestion { artist: name.to_owned(), title: name.to_owned(), year: None };
    let constraints = Constraints::new(true, None, &[name.to_owned()], WantedVersions::default());
    let tracks = [track(name, name), track("a", "a")];
    black_box((field_query(&sought), free_query(&sought), constraints.excludes(&sought)));
    choose(&sought, &tracks);
}

fn choose(sought: &Suggestion, tracks: &[CatalogueTrack]) {
    let constraints = Constraints::new(true, None, &["b".to_owned()], WantedVersions::default());
    black_box(rank(sought, tracks));
    let _ = black_box(best_match(sought, tracks, &constraints));
    let mut selection = Selection::new(50, "evening");
    for track in tracks {
        let _ = black_box(selection.offer(track));
    }
}

fn prompt(bytes: &[u8]) {
    let prompt = text(bytes);
    black_box(WantedVersions::from_prompt(prompt));
    let mut selection = Selection::new(2, prompt);
    let _ = black_box(selection.offer(&track("a", "a")));
    black_box(json!({ "prompt": prompt }).to_string());
}
