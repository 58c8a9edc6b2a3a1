//! The events of a generation.

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use shared::api::{GeneratedPlaylist, MissData, StageData, Track};
use shared::matching::MissReason;
use shared::text::one_line;
use shared::track::Suggestion;

/// The most characters of a suggestion's title and artist in a `miss` event.
const MAX_MISS_CHARS: usize = 60;

/// One event of the stream.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The generation entered a stage.
    Stage(StageData),
    /// A track was found.
    Track(Track),
    /// A suggestion was rejected.
    Miss(MissData),
    /// The playlist, finished and settled.
    Done(Box<GeneratedPlaylist>),
    /// The error that ended the generation, as its JSON object.
    Error(Value),
    /// A comment that keeps the connection open.
    Ping,
}

impl Event {
    /// Creates the event of a rejected suggestion, in the model's words, each on one line and cut.
    pub fn miss(suggestion: &Suggestion, reason: MissReason) -> Self {
        let [title, artist] =
            [&suggestion.title, &suggestion.artist].map(|text| one_line(text, MAX_MISS_CHARS));
        Self::Miss(MissData {
            artist,
            reason,
            title,
        })
    }

    /// Appends the event as `text/event-stream` (HTML standard).
    fn write(&self, to: &mut Vec<u8>) {
        match self {
            Self::Ping => to.extend_from_slice(b": ping\n\n"),
            Self::Stage(stage) => frame(to, "stage", stage),
            Self::Track(track) => frame(to, "track", track),
            Self::Miss(miss) => frame(to, "miss", miss),
            Self::Done(done) => frame(to, "done", done),
            Self::Error(error) => frame(to, "error", error),
        }
    }
}

/// Formats events as one piece of `text/event-stream`, because each piece costs the runtime a write of its own.
pub fn to_bytes(events: &[Event]) -> Bytes {
    let mut bytes = Vec::new();
    events.iter().for_each(|event| event.write(&mut bytes));
    bytes.into()
}

/// Appends an event with its data. JSON contains no raw line break, so one `data:` line is enough. If serialising
/// fails, a comment replaces the event, because a client that gets no `done` repeats its request.
fn frame(to: &mut Vec<u8>, name: &str, data: &impl Serialize) {
    let start = to.len();
    to.extend_from_slice(b"event: ");
    to.extend_from_slice(name.as_bytes());
    to.extend_from_slice(b"\ndata: ");
    if let Err(error) = serde_json::to_writer(&mut *to, data) {
        to.truncate(start);
        to.extend_from_slice(format!(": {name}: {error}").as_bytes());
    }
    to.extend_from_slice(b"\n\n");
}

#[cfg(test)]
mod tests {
    use shared::api::Stage;

    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn event_with_line_breaks_is_one_frame() {
        let miss = Event::Miss(MissData {
            title: "a\nb\r".into(),
            artist: "\u{2028}".into(),
            reason: MissReason::NotFound,
        });
        let text = String::from_utf8(to_bytes(&[miss]).to_vec()).unwrap();
        assert_eq!(text.lines().count(), 3);
        assert!(
            text.starts_with("event: miss\ndata: {") && text.ends_with("}\n\n"),
            "{text}"
        );
        assert!(text.contains(r#""reason":"not_found""#));
    }

    #[test]
    fn miss_has_two_short_lines() {
        let song = |artist: &str, title: &str| Suggestion {
            artist: artist.into(),
            title: title.into(),
            year: None,
        };
        let Event::Miss(MissData { title, artist, .. }) = Event::miss(
            &song(&"An essay\n".repeat(99), &"ż".repeat(61)),
            MissReason::NotFound,
        ) else {
            panic!("another event")
        };
        assert_eq!((title, artist.chars().count()), ("ż".repeat(60), 60));
        assert!(artist.starts_with("An essay An essay"), "{artist}");
    }

    #[test]
    fn unserialisable_event_becomes_a_comment() {
        let unserialisable = std::collections::HashMap::from([((), ())]);
        let mut bytes = Vec::new();
        frame(&mut bytes, "done", &unserialisable);
        assert_eq!(bytes, b": done: key must be a string\n\n");
    }

    #[test]
    fn stage_event_counts_the_tracks_found() {
        let stage = Event::Stage(StageData {
            stage: Stage::Refilling,
            found: 3,
            target: 20,
        });
        let expected =
            "event: stage\ndata: {\"found\":3,\"stage\":\"refilling\",\"target\":20}\n\n";
        assert_eq!(to_bytes(&[stage]), expected.as_bytes());
    }
}
