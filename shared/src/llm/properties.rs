//! Property tests of streams and of models' completions.

use inputs::proptest::collection::vec;
use inputs::proptest::prelude::*;
use inputs::{bytes, chunks, cuts, damaged, json, json_with, mutated, nearly, text};
use serde_json::json;

use super::frame::Frame;
use super::playlist::{MAX_SUGGESTIONS, PlaylistEvent, PlaylistReader};
use super::*;

fn read_stream(chunks: &[&[u8]]) -> Vec<Payload> {
    let mut reader = FrameReader::default();
    let mut payloads: Vec<_> = chunks
        .iter()
        .flat_map(|chunk| reader.push(chunk).unwrap())
        .collect();
    payloads.extend(reader.finish());
    payloads
}

/// Generates streams with many line ends, fields and bytes that are not text.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => prop::sample::select(&["data", "data:", "data: ", ": ping", "id: 1", "[DONE]", "{\"a\":1}", "{\"a\":", "1}", "\u{feff}", "ż", "🥃", ":"][..])
            .prop_map(|text| text.as_bytes().to_vec()),
        3 => prop::sample::select(vec!["\n", "\r", "\r\n", "\n\n"]).prop_map(|text| text.as_bytes().to_vec()),
        1 => bytes(),
    ];
    prop_oneof![2 => vec(piece, 0..24).prop_map(|pieces| pieces.concat()), 1 => mutated("sse")]
}

const COMPLETION: &str = r#"{"kind":"playlist","language":"pl","tracks":[{"artist":"Dżem","title":"Whisky","year":1979},
  {"artist":["Kult"],"title":"Arahja","year":"1988"},7,"Budka Suflera - Jolka"],"name":"Zażółć \"gęślą\"",
  "description":"\ud83e\udd43","summary":"b"}"#;

/// Reads a completion in pieces that are cut between characters; returns its events and whether it was complete.
fn read_completion(completion: &str, cuts: &[prop::sample::Index]) -> (Vec<PlaylistEvent>, bool) {
    let mut ends: Vec<_> = cuts
        .iter()
        .map(|cut| completion.floor_char_boundary(cut.index(completion.len() + 1)))
        .collect();
    ends.extend([0, completion.len()]);
    ends.sort_unstable();
    let mut reader = PlaylistReader::new();
    let pieces = ends
        .windows(2)
        .map(|ends| completion.get(ends[0]..ends[1]).unwrap());
    let mut events: Vec<_> = pieces.flat_map(|piece| reader.push(piece)).collect();
    events.extend(reader.finish());
    (events, reader.is_complete())
}

fn is_clean(text: &str, max: usize) -> bool {
    (1..=max).contains(&text.chars().count())
        && text.trim() == text
        && !text.chars().any(char::is_control)
}

fn holds_its_limits((events, _): &(Vec<PlaylistEvent>, bool)) -> bool {
    let songs = events
        .iter()
        .filter(|event| matches!(event, PlaylistEvent::Suggestion(_)))
        .count();
    songs <= MAX_SUGGESTIONS
        && events.iter().all(|event| match event {
            PlaylistEvent::Name(name) => is_clean(name, 100),
            PlaylistEvent::Why(text) => is_clean(text, 120),
            PlaylistEvent::Description(text) => is_clean(text, 300),
            PlaylistEvent::Summary(text) => is_clean(text, 500),
            PlaylistEvent::Suggestion(song) => {
                let is_plausible = song.year.is_none_or(|year| (1900..=2100).contains(&year));
                is_clean(&song.artist, 200) && is_clean(&song.title, 200) && is_plausible
            }
            PlaylistEvent::Kind(_) | PlaylistEvent::Language(_) => true,
        })
}

fn check_frame(payload: &serde_json::Value) -> Result<(), TestCaseError> {
    match Frame::read(payload) {
        Ok(frame) => {
            for event in frame.events {
                match event {
                    ChatEvent::Content(text) | ChatEvent::Refusal(text) => {
                        prop_assert!(!text.is_empty())
                    }
                    ChatEvent::Usage(usage) => {
                        prop_assert!(
                            usage.prompt_tokens.max(usage.completion_tokens) <= 10_000_000
                        );
                    }
                    ChatEvent::Finished(_) => {}
                }
            }
        }
        Err(problem) => {
            prop_assert!((400..600).contains(&problem.status));
            prop_assert!(problem.to_string().chars().count() <= 500);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn chunk_boundaries_do_not_change_a_stream(stream in stream(), cuts in cuts()) {
        let expected = read_stream(&[&stream]);
        prop_assert_eq!(&read_stream(&chunks(&stream, &cuts)), &expected);
        let single: Vec<_> = stream.chunks(1).collect();
        prop_assert_eq!(read_stream(&single), expected);
    }

    #[test]
    fn any_frame_is_read_or_refused(
        any in json_with(
            vec!["choices", "delta", "message", "content", "error", "code", "usage", "finish_reason"],
        ),
        near in nearly(json!({
            "choices": [
                {"delta": {"content": "a", "refusal": "b", "reasoning": "c"}, "finish_reason": "length", "error": null},
            ],
            "usage": {"prompt_tokens": 5, "completion_tokens": 7, "cost": 0.0002}, "error": null,
        })),
        code in json(),
    ) {
        check_frame(&any)?;
        check_frame(&near)?;
        check_frame(&json!({"error": {"code": code, "type": code, "message": code}}))?;
    }

    #[test]
    fn any_completion_keeps_the_limits(
        damaged in prop_oneof![damaged(COMPLETION.as_bytes().to_vec()), mutated("llm-output")],
        near in nearly(serde_json::from_str(COMPLETION).unwrap()),
        texts in vec(text(), 3),
        long in 0..600_usize,
        cuts in cuts(),
    ) {
        let song = json!({"artist": texts[0].repeat(long), "title": texts[1], "year": long});
        let texts = json!(
            {"name": texts[0], "description": texts[1].repeat(long), "summary": texts[2], "tracks": [song]}
        );
        let many = json!({"tracks": vec![json!({"artist": "a", "title": "t"}); long]});
        for completion in [
            format!("Here: {}", String::from_utf8_lossy(&damaged)),
            near.to_string(),
            texts.to_string(),
            many.to_string(),
        ] {
            let whole = read_completion(&completion, &[]);
            prop_assert!(holds_its_limits(&whole), "{:?}", whole);
            prop_assert_eq!(read_completion(&completion, &cuts), whole);
        }
    }
}
