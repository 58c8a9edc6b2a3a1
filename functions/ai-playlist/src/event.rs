//! The events of a generation, and its result.

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use shared::Code;
pub use shared::api::{GeneratedPlaylist as Done, MissData, Stage, StageData, StopReason, Track};
use shared::matching::{MissReason, Version};
use shared::text::one_line;
use shared::track::Suggestion;

use crate::quota::SavedPlaylist;
use crate::resolve::Found;

/// Returns the response's track at `index` for a found track; `why` is the model's reason.
pub fn found_track(index: usize, found: &Found, why: Option<String>) -> Track {
    let Found {
        track,
        score,
        version,
    } = found;
    Track {
        index,
        track_uri: track.uri.as_str().to_owned(),
        title: track.title.clone(),
        artist: track.artist(),
        album: track.album.clone(),
        duration_ms: track.duration_ms,
        explicit: track.explicit,
        score: (score * 100.0).round() / 100.0,
        version: version.map(Version::as_str),
        image_url: track.image_url.clone(),
        why,
    }
}

/// Adds the id, version, name and quota of the saved playlist.
pub fn save_as(done: &mut Done, saved: SavedPlaylist) {
    (done.playlist_id, done.version) = (Some(saved.id), Some(saved.version));
    (done.name, done.quota) = (saved.name, saved.quota);
}

/// Marks a playlist that is delivered unsaved because the account has reached its limit.
pub fn stays_unsaved(done: &mut Done) {
    done.not_saved = Some(Code::PlaylistLimitReached.as_str());
}

/// The number of tracks below which there is a warning, if at least as many were asked for.
const FEW_TRACKS: usize = 12;

/// Returns the warning for `count` tracks out of `target`.
pub fn warning(count: usize, target: usize) -> Option<&'static str> {
    (count < target.min(FEW_TRACKS)).then_some("fewer_than_12")
}

const MAX_FALLBACK_NAME_CHARS: usize = 60;

/// Returns a name for a playlist that the model did not name.
pub fn fallback_name(prompt: &str) -> String {
    prompt.chars().take(MAX_FALLBACK_NAME_CHARS).collect()
}

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
    Done(Box<Done>),
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

    #[test]
    fn warns_of_few_tracks_only_if_more_were_requested() {
        assert_eq!(warning(11, 20), Some("fewer_than_12"));
        assert_eq!(warning(12, 20), None);
        assert_eq!(warning(5, 5), None);
        assert_eq!(warning(4, 5), Some("fewer_than_12"));
    }
}
