//! Checks that every parser of input from outside takes linear time. The inputs are those that typically make parsers
//! slow: one piece repeated, or a run of one piece followed by a run of another.
//!
//! The test compares the processor time of its own thread for an input and for one four times as large, so other
//! programs and tests do not count.

use std::hint::black_box;

use futures_util::FutureExt;
use rustix::time::{ClockId, clock_gettime};

use crate::api::AccountDeletion;
use crate::auth::{Jwks, UnverifiedJwt};
use crate::fakes::{FakeClock, FakeHttp, FakeResponse};
use crate::json::{LenientParser, from_slice_lenient};
use crate::llm::FrameReader;
use crate::llm::playlist::PlaylistReader;
use crate::matching::{
    Constraints, Selection, WantedVersions, best_match, field_query, free_query, rank,
};
use crate::redacted::Secret;
use crate::request::parse_json;
use crate::spotify::{SpotifyApp, SpotifyConfig, StateKeys, TokenCache};
use crate::stripe::{Event, WebhookSecrets};
use crate::track::{CatalogueTrack, Suggestion, TrackUri};

/// Pieces that open, quote, separate, escape or combine, or that name what is searched.
const PIECES: &str = r#"["a","1","-",",",":",";","=","&","%C5%BC","+"," ","\n","\r\n","\\","\\\"","\\u00e9","\\ud83e","\"","\"\",","\"a\":1,",
"{","}","{}{","[","]","[[],","{\"a\":","{\"a\":[","{\"artist\":\"a\",\"title\":\"b\"},","{\"name\":\"a\"},","0,","null,","v1=,","v1=00,","t=1,",
"state=a&","data:","data:a\n","data:a\n\n","data: {\"a\":\n",": ping\n\n","{\"kid\":\"a\"},","(","(a) ","[live] "," - ","feat. a ","the ","live ",
"cover of ","without live ","and ","a a ","ab ","e\u0301","\u0301","\ufdfa","㎯","가","🥃","\u202e"]"#;
/// The pieces that are combined in pairs, a run of one after a run of the other.
const RUNS: [&str; 10] = ["a", " ", "\n", "\"", "\\", "{", "[", "}", ",", "data:"];

const KIB: usize = 1024;
/// Four times the input may take eight times as long, because memory access costs time; quadratic growth takes
/// sixteen times as long.
const MOST: f64 = 8.0;
/// A parser that takes less for the larger input is not quadratic.
const NEGLIGIBLE_SECONDS: f64 = 0.001;
/// How often a suspicious growth is measured again.
const ATTEMPTS: usize = 5;

/// Returns the processor time that this thread takes to parse an input.
fn seconds(read: fn(&str), input: &str) -> f64 {
    let now = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
    };
    let started = now();
    read(black_box(input));
    now() - started
}

fn is_linear(read: fn(&str), input: impl Fn(usize) -> String, bytes: usize) -> bool {
    let (small, large) = (input(bytes / 4), input(bytes));
    let (mut short, mut long) = (f64::MAX, f64::MAX);
    (0..ATTEMPTS).any(|_| {
        (short, long) = (
            short.min(seconds(read, &small)),
            long.min(seconds(read, &large)),
        );
        long < NEGLIGIBLE_SECONDS || long <= MOST * short
    })
}

/// Tries all pieces within each frame, and pairs of runs.
fn assert_linear(bytes: usize, frames: &[(&str, &str)], read: fn(&str)) {
    let run = |piece: &str, bytes: usize| piece.repeat(bytes / piece.len());
    let pieces: Vec<String> = serde_json::from_str(PIECES).unwrap();
    for piece in &pieces {
        for (before, after) in frames {
            let input = |bytes| [before, run(piece, bytes).as_str(), after].concat();
            assert!(
                is_linear(read, input, bytes),
                "{before:?}, then {piece:?} again and again, then {after:?}"
            );
        }
    }
    for (one, other) in RUNS.iter().flat_map(|one| RUNS.map(|other| (*one, other))) {
        let input = |bytes| [run(one, bytes / 2), "x".to_owned(), run(other, bytes / 2)].concat();
        assert!(
            is_linear(read, input, bytes),
            "{one:?} again and again, then {other:?}"
        );
    }
}

#[test]
fn detects_quadratic_growth() {
    fn square(text: &str) {
        black_box(
            text.bytes()
                .flat_map(|a| text.bytes().map(move |b| u64::from(a ^ b)))
                .sum::<u64>(),
        );
    }
    assert!(!is_linear(square, |bytes| "a".repeat(bytes), 4 * KIB));
}

#[test]
fn reads_headers_and_tokens_in_linear_time() {
    assert_linear(16 * KIB, &[("", ""), ("t=1,", "")], |text| {
        let secrets =
            WebhookSecrets::from_env(|_| Some(format!("whsec_{}", "1".repeat(32)))).unwrap();
        let _ = black_box(secrets.verify(Some(text), b"{}", 1));
    });
    let frames = [
        ("", ""),
        ("eyJhbGciOiJIUzI1NiJ9.", ".AA"),
        ("eyJhbGciOiJIUzI1NiJ9.e30.", ""),
    ];
    assert_linear(16 * KIB, &frames, |text| {
        drop(black_box(UnverifiedJwt::parse(text)))
    });
    assert_linear(16 * KIB, &[("", ""), ("a.", "")], |text| {
        let keys = StateKeys::from_env(|_| Some("k".repeat(32))).unwrap();
        let _ = black_box(keys.verify(text, 1));
    });
}

#[test]
fn reads_documents_in_linear_time() {
    let frames = [
        ("", ""),
        ("{\"keys\":[", "0]}"),
        (
            "{\"object\":\"event\",\"data\":{\"object\":{\"a\":[",
            "0]}}}",
        ),
    ];
    assert_linear(32 * KIB, &frames, |text| {
        let _ = black_box(Jwks::parse(text.as_bytes()));
        let _ = black_box(Event::parse(text.as_bytes()));
        let _ = black_box(from_slice_lenient(text.as_bytes()));
    });
}

#[test]
fn reads_a_body_of_many_different_members_in_linear_time() {
    let members = |bytes: usize| {
        let members = (0..bytes / 10).map(|n| format!("\"{n:05}\":1,"));
        format!("{{{}\"a\":1}}", members.collect::<String>())
    };
    let read = |text: &str| drop(black_box(parse_json::<AccountDeletion>(text.as_bytes())));
    assert!(is_linear(read, members, 128 * KIB));
}

#[test]
fn reads_a_stream_in_linear_time() {
    assert_linear(
        32 * KIB,
        &[("", ""), ("data: a", "\n\n"), ("data:a\n", "")],
        |text| {
            let mut reader = FrameReader::default();
            let _ = black_box(
                text.as_bytes()
                    .chunks(1)
                    .try_for_each(|byte| reader.push(byte).map(drop)),
            );
            black_box(reader.finish());
        },
    );
}

#[test]
fn reads_a_models_answer_in_linear_time() {
    let frames = [
        ("", ""),
        ("{\"tracks\":[", "]}"),
        ("{\"summary\":\"", "\"}"),
        ("{\"tracks\":[{\"artist\":\"", ""),
    ];
    assert_linear(32 * KIB, &frames, |text| {
        let (mut parser, mut tokens) = (LenientParser::default(), Vec::new());
        text.chars().for_each(|c| parser.push(c, &mut tokens));
        parser.finish(&mut tokens);
        let mut reader = PlaylistReader::new();
        black_box((tokens, reader.push(text), reader.finish()));
    });
}

#[test]
fn compares_titles_and_prompts_in_linear_time() {
    assert_linear(
        4 * KIB,
        &[
            ("", ""),
            ("a (", ")"),
            ("a - ", ""),
            ("songs like ", " please"),
        ],
        |text| {
            let sought = Suggestion {
                artist: text.to_owned(),
                title: text.to_owned(),
                year: None,
            };
            let tracks = [track(text), track("a")];
            black_box((
                field_query(&sought),
                free_query(&sought),
                WantedVersions::from_prompt(text),
            ));
            choose(&sought, &tracks, text);
        },
    );
}

#[test]
fn reads_found_tracks_in_linear_time() {
    let name = ("{\"tracks\":{\"items\":[{\"name\":\"", "\"}]}}");
    assert_linear(
        32 * KIB,
        &[("{\"tracks\":{\"items\":[", "0]}}"), name],
        |text| {
            let settings = |name: &str| name.starts_with("SPOTIFY_CLIENT").then(|| "x".to_owned());
            let (config, clock) = (
                SpotifyConfig::from_env(settings).unwrap(),
                FakeClock::hurrying(0),
            );
            let tokens = TokenCache::default();
            tokens.put(Secret::new("t"), u64::MAX);
            let http = FakeHttp::answering([FakeResponse::text(200, "application/json", text)]);
            let found = SpotifyApp::new(&config, &tokens, &http, &clock)
                .search("song", None, 10)
                .now_or_never();
            let sought = Suggestion {
                artist: "a".to_owned(),
                title: "live".to_owned(),
                year: None,
            };
            choose(&sought, &found.unwrap().unwrap_or_default(), "evening");
        },
    );
}

fn track(name: &str) -> CatalogueTrack {
    let uri = TrackUri::parse("spotify:track:4uLU6hMCjMI75M1A2tKUQC").unwrap();
    CatalogueTrack {
        album: name.to_owned(),
        ..CatalogueTrack::new(uri, name, name)
    }
}

fn choose(sought: &Suggestion, tracks: &[impl AsRef<CatalogueTrack>], prompt: &str) {
    let constraints = Constraints::new(
        true,
        None,
        std::slice::from_ref(&sought.artist),
        WantedVersions::default(),
    );
    let mut selection = Selection::new(50, prompt);
    black_box((rank(sought, tracks), constraints.excludes(sought)));
    let _ = black_box(best_match(sought, tracks, &constraints));
    for track in tracks {
        let _ = black_box(selection.offer(track.as_ref()));
    }
}
