//! Tests of the end of an answer on a connection that stays open.

use futures_util::FutureExt;
use serde_json::json;
use shared::fakes::{FakeClock, FakeHttp, FakeResponse};
use shared::llm::playlist::PlaylistAsk;
use shared::llm::{LlmConfig, LlmMemory, stream_chat};
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

/// Reads an answer whose connection stays open. Returns its songs, its end (`None` if it is still awaited), and how
/// long it was awaited.
fn read(frames: &str) -> (usize, Option<Said>, u64) {
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
    let (memory, clock) = (LlmMemory::default(), FakeClock::hurrying(0));
    let question = PlaylistAsk {
        wanted: 3,
        ..PlaylistAsk::default()
    }
    .to_request();
    let limits = Limits::stream(30_000, 50_000, 1 << 20);
    let chat = stream_chat(&config, &memory, &http, &clock, &question, limits)
        .now_or_never()
        .unwrap();
    let mut answer = Answer::new(chat.unwrap_or_else(|error| panic!("{error}")), 3, 0);
    let mut songs = Vec::new();
    while let Some(said) = answer.next().now_or_never() {
        let Said::Songs(more) = said else {
            return (songs.len(), Some(said), clock.now_ms());
        };
        for song in more {
            answer.note_song(songs.contains(&song));
            songs.push(song);
        }
    }
    (songs.len(), None, clock.now_ms())
}

const SONG: &str = r#"{"artist":"Kult","title":"Arahja"}"#;

#[test]
fn waits_one_second_after_a_complete_answer() {
    let (songs, end, waited_ms) = read(&saying(&format!("{{\"tracks\":[{SONG}]}}")));
    assert!(matches!(end, Some(Said::Ended(Ok(())))), "{end:?}");
    assert_eq!((songs, waited_ms), (1, 1_000));
}

#[test]
fn waits_for_the_rest_of_an_incomplete_answer_after_its_finish_reason() {
    let (songs, end, waited_ms) = read(&format!(
        "{}{STOP}",
        saying(&format!("{{\"tracks\":[{SONG},"))
    ));
    assert!(
        matches!(end, Some(Said::Ended(Err(LlmError::CutOff)))),
        "{end:?}"
    );
    assert_eq!((songs, waited_ms), (1, 5_000));
}

#[test]
fn keeps_reading_an_unfinished_answer() {
    let (songs, end, _) = read(&saying(&format!("{{\"tracks\":[{SONG},")));
    assert!(songs == 1 && end.is_none(), "{end:?}");
}

#[test]
fn refusal_ends_once_its_language_is_known() {
    let (_, end, waited_ms) = read(&saying(r#"{"kind":"refusal","language":"en","tracks":["#));
    assert!(matches!(end, Some(Said::Declined)), "{end:?}");
    assert_eq!(waited_ms, 0);
}

#[test]
fn stops_a_model_that_repeats_itself() {
    let repeats: String = (0..60).map(|_| saying(&format!(",{SONG}"))).collect();
    let (songs, end, waited_ms) = read(&format!(
        "{}{repeats}",
        saying(&format!("{{\"tracks\":[{SONG}"))
    ));
    assert!(matches!(end, Some(Said::Ended(Ok(())))), "{end:?}");
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
    assert!(matches!(end, Some(Said::Ended(Ok(())))), "{end:?}");
    assert_eq!(songs, 2 * 3 + MAX_REPEATS_IN_A_ROW);
}
