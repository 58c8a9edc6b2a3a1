//! What holds for any stream and any answer of a model's, tried on many.

use inputs::proptest::collection::vec;
use inputs::proptest::prelude::*;
use inputs::{bytes, chunks, cuts, damaged, json, json_with, mutated, nearly, text};
use serde_json::json;

use super::answer::Frame;
use super::playlist::{MAX_SUGGESTIONS, PlaylistEvent, PlaylistOutcome, PlaylistReader};
use super::*;

fn read_stream(chunks: &[&[u8]]) -> Vec<SseEvent> {
    let mut parser = SseParser::default();
    let mut events: Vec<_> = chunks.iter().flat_map(|chunk| parser.push(chunk).unwrap()).collect();
    events.extend(parser.finish());
    events
}

/// The same, read as a whole and line by line, as the standard puts it.
fn events_of(stream: &[u8]) -> Vec<SseEvent> {
    let stream = stream.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(stream);
    let mut lines: Vec<Vec<u8>> = vec![Vec::new()];
    for (at, byte) in stream.iter().enumerate() {
        match byte {
            b'\n' if at > 0 && stream[at - 1] == b'\r' => {}
            b'\n' | b'\r' => lines.push(Vec::new()),
            byte => lines.last_mut().unwrap().push(*byte),
        }
    }
    lines.push(Vec::new()); // The end of the stream ends an event, too.
    let (mut events, mut data) = (Vec::new(), Vec::<Vec<u8>>::new());
    for line in lines {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let (name, value) = (parts.next().unwrap(), parts.next().unwrap_or_default());
        if name == b"data" {
            data.push(value.strip_prefix(b" ").unwrap_or(value).to_vec());
        } else if line.is_empty() && !data.is_empty() {
            let data = std::mem::take(&mut data).join(&b'\n');
            let is_done = data.trim_ascii() == b"[DONE]";
            let text = String::from_utf8_lossy(&data).into_owned();
            events.push(if is_done { SseEvent::Done } else { SseEvent::Data(text) });
        }
    }
    events
}

/// Streams rich in line ends, fields and bytes that are no text.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => prop::sample::select(&["data", "data:", "data: ", ": ping", "id: 1", "[DONE]", "\u{feff}", "ż", "🥃", ":"][..])
            .prop_map(|text| text.as_bytes().to_vec()),
        3 => prop::sample::select(vec!["\n", "\r", "\r\n", "\n\n"]).prop_map(|text| text.as_bytes().to_vec()),
        1 => bytes(),
    ];
    prop_oneof![2 => vec(piece, 0..24).prop_map(|pieces| pieces.concat()), 1 => mutated("sse")]
}

const ANSWER: &str = r#"{"kind":"playlist","language":"pl","name":"Zażółć \"gęślą\"","description":"\ud83e\udd43",
  "summary":"b","tracks":[{"artist":"Dżem","title":"Whisky","year":1979},{"artist":"Kult","title":"Arahja","year":"1988"},7]}"#;

/// Reads an answer in pieces, cut between characters as a stream of texts is.
fn read_answer(answer: &str, cuts: &[prop::sample::Index]) -> (Vec<PlaylistEvent>, PlaylistOutcome) {
    let mut ends: Vec<_> =
        cuts.iter().map(|cut| answer.floor_char_boundary(cut.index(answer.len() + 1))).collect();
    ends.extend([0, answer.len()]);
    ends.sort_unstable();
    let mut reader = PlaylistReader::new();
    let pieces = ends.windows(2).map(|ends| answer.get(ends[0]..ends[1]).unwrap());
    let events = pieces.flat_map(|piece| reader.push(piece)).collect();
    (events, reader.finish())
}

fn is_clean(text: &str, max: usize) -> bool {
    (1..=max).contains(&text.chars().count()) && text.trim() == text && !text.chars().any(char::is_control)
}

fn holds_its_limits((events, outcome): &(Vec<PlaylistEvent>, PlaylistOutcome)) -> bool {
    let songs = events.iter().filter(|event| matches!(event, PlaylistEvent::Suggestion(_))).count();
    let broken = events.iter().position(|event| matches!(event, PlaylistEvent::Broken(_)));
    songs == outcome.suggestions
        && songs <= MAX_SUGGESTIONS
        && broken.is_none_or(|at| at + 1 == events.len() && !outcome.is_complete)
        && events.iter().all(|event| match event {
            PlaylistEvent::Name(name) => is_clean(name, 100),
            PlaylistEvent::Description(text) => is_clean(text, 300),
            PlaylistEvent::Summary(text) => is_clean(text, 500),
            PlaylistEvent::Suggestion(song) => {
                let is_plausible = song.year.is_none_or(|year| (1900..=2100).contains(&year));
                is_clean(&song.artist, 200) && is_clean(&song.title, 200) && is_plausible
            }
            PlaylistEvent::Kind(_) | PlaylistEvent::Language(_) | PlaylistEvent::Broken(_) => true,
        })
}

fn check_frame(json: &[u8]) -> Result<(), TestCaseError> {
    match Frame::parse(json) {
        Ok(frame) => {
            for event in frame.events {
                match event {
                    ChatEvent::Content(text) | ChatEvent::Refusal(text) => prop_assert!(!text.is_empty()),
                    ChatEvent::Usage(usage) => {
                        prop_assert!(usage.prompt_tokens.max(usage.completion_tokens) <= 10_000_000);
                    }
                    ChatEvent::Finished(_) => {}
                }
            }
        }
        Err(LlmError::Refused { status }) => prop_assert!((400..600).contains(&status)),
        Err(_) => {}
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_stream_says_what_the_standard_says_however_it_is_cut(stream in stream(), cuts in cuts()) {
        let expected = events_of(&stream);
        prop_assert_eq!(read_stream(&chunks(&stream, &cuts)), &*expected);
        let single: Vec<_> = stream.chunks(1).collect();
        prop_assert_eq!(read_stream(&single), expected);
    }

    #[test]
    fn a_frame_is_understood_or_refused(
        damaged in bytes(),
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
        check_frame(&damaged)?;
        check_frame(any.to_string().as_bytes())?;
        check_frame(near.to_string().as_bytes())?;
        check_frame(json!({"error": {"code": code}}).to_string().as_bytes())?;
    }

    #[test]
    fn an_answer_holds_its_limits_however_it_is_cut(
        damaged in prop_oneof![damaged(ANSWER.as_bytes().to_vec()), mutated("llm-output")],
        near in nearly(serde_json::from_str(ANSWER).unwrap()),
        texts in vec(text(), 3),
        long in 0..600_usize,
        cuts in cuts(),
    ) {
        let song = json!({"artist": texts[0].repeat(long), "title": texts[1], "year": long});
        let texts = json!(
            {"name": texts[0], "description": texts[1].repeat(long), "summary": texts[2], "tracks": [song]}
        );
        let many = json!({"tracks": vec![json!({"artist": "a", "title": "t"}); long]});
        for answer in [
            format!("Here: {}", String::from_utf8_lossy(&damaged)),
            near.to_string(),
            texts.to_string(),
            many.to_string(),
        ] {
            let whole = read_answer(&answer, &[]);
            prop_assert!(holds_its_limits(&whole), "{:?}", whole);
            prop_assert_eq!(read_answer(&answer, &cuts), whole);
        }
    }
}
