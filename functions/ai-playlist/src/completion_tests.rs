//! Tests of the end of a completion on a connection that stays open.

use futures_util::FutureExt;
use serde_json::json;
use shared::fakes::{FakeClock, FakeHttp, FakeResponse};
use shared::llm::playlist::PlaylistPrompt;
use shared::llm::{DialectCache, LlmClient, LlmConfig};
use shared::runtime::clock::Clock;
use shared::runtime::http_client::Limits;

use super::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const STOP: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";

fn saying(content: &str) -> String {
    format!(
        "data: {}\n\n",
        json!({"choices": [{"delta": {"content": content}}]})
    )
}

/// Reads a completion whose connection stays open. Returns its songs, its end (`None` if it is still awaited), and how
/// long it was awaited.
fn read(frames: &str) -> (usize, Option<Part>, u64) {
    let env = |name: &str| {
        name.starts_with("LLM_")
            .then(|| "https://llm.example".to_owned())
    };
    let env = |name: &str| {
        env(name).filter(|_| ["LLM_BASE_URL", "LLM_API_KEY", "LLM_MODEL"].contains(&name))
    };
    let config = LlmConfig::from_env(env).unwrap();
    let http =
        FakeHttp::answering([FakeResponse::text(200, "text/event-stream", frames).staying_open()]);
    let clock = FakeClock::hurrying(0);
    let client = LlmClient {
        config: &config,
        dialects: &DialectCache::default(),
        http: &http,
        clock: &clock,
    };
    let request = PlaylistPrompt {
        wanted: 3,
        ..PlaylistPrompt::default()
    }
    .to_request();
    let limits = Limits::stream(30_000, 50_000, 1 << 20);
    let chat = client.stream(&request, limits).now_or_never().unwrap();
    let expected = Expected {
        songs: 3,
        ..Expected::default()
    };
    let mut completion = Completion::new(chat.unwrap_or_else(|error| panic!("{error}")), expected);
    let mut songs = Vec::new();
    while let Some(part) = completion.next().now_or_never() {
        let Part::Songs(more) = part else {
            return (songs.len(), Some(part), clock.now_ms());
        };
        for song in more {
            completion.note_song(songs.contains(&song));
            songs.push(song);
        }
    }
    (songs.len(), None, clock.now_ms())
}

const SONG: &str = r#"{"artist":"Kult","title":"Arahja"}"#;

#[test]
fn waits_one_second_after_a_complete_playlist() {
    let (songs, end, waited_ms) = read(&saying(&format!("{{\"tracks\":[{SONG}]}}")));
    assert!(matches!(end, Some(Part::Ended(Ok(())))), "{end:?}");
    assert_eq!((songs, waited_ms), (1, 1_000));
}

#[test]
fn waits_for_the_rest_of_an_incomplete_completion_after_its_finish_reason() {
    let (songs, end, waited_ms) = read(&format!(
        "{}{STOP}",
        saying(&format!("{{\"tracks\":[{SONG},"))
    ));
    assert!(
        matches!(end, Some(Part::Ended(Err(LlmError::CutOff)))),
        "{end:?}"
    );
    assert_eq!((songs, waited_ms), (1, 5_000));
}

#[test]
fn keeps_reading_an_unfinished_completion() {
    let (songs, end, _) = read(&saying(&format!("{{\"tracks\":[{SONG},")));
    assert!(songs == 1 && end.is_none(), "{end:?}");
}

#[test]
fn refusal_ends_once_its_language_is_known() {
    let (_, end, waited_ms) = read(&saying(r#"{"kind":"refusal","language":"en","tracks":["#));
    assert!(matches!(end, Some(Part::Declined)), "{end:?}");
    assert_eq!(waited_ms, 0);
}

#[test]
fn stops_a_model_that_repeats_itself() {
    let repeats: String = (0..60).map(|_| saying(&format!(",{SONG}"))).collect();
    let (songs, end, waited_ms) = read(&format!(
        "{}{repeats}",
        saying(&format!("{{\"tracks\":[{SONG}"))
    ));
    assert!(matches!(end, Some(Part::Ended(Ok(())))), "{end:?}");
    assert_eq!((songs, waited_ms), (1 + MAX_REPEATS_IN_A_ROW, 0));
}

#[test]
fn stops_a_model_that_exceeds_its_songs() {
    let more: String = (0..60)
        .map(|n| saying(&format!(",{{\"artist\":\"A\",\"title\":\"T{n}\"}}")))
        .collect();
    let (songs, end, _) = read(&format!(
        "{}{more}",
        saying(&format!("{{\"tracks\":[{SONG}"))
    ));
    assert!(matches!(end, Some(Part::Ended(Ok(())))), "{end:?}");
    assert_eq!(songs, 2 * 3 + MAX_REPEATS_IN_A_ROW);
}
