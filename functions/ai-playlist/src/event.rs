//! The events of a generation, and its result.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::Code;
use shared::matching::{MissReason, Version};
use shared::text::one_line;
use shared::track::Suggestion;
use uuid::Uuid;

use crate::quota::{Quota, SavedPlaylist};
use crate::resolve::Found;

/// A track of the playlist, in Spotify's own spelling.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Track {
    /// The position, from 0.
    pub index: usize,
    /// `spotify:track:…`
    pub track_uri: String,
    /// The title.
    pub title: String,
    /// The credited artists, separated by commas.
    pub artist: String,
    /// The album.
    pub album: String,
    /// The duration in milliseconds.
    pub duration_ms: u32,
    /// Whether it is marked as explicit.
    pub explicit: bool,
    /// How well it matches the suggestion, from 0 to 1.
    pub score: f64,
    /// The version, if it is not the plain recording.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<&'static str>,
}

impl Track {
    /// Creates the track at `index` that was found for a suggestion.
    pub fn found(index: usize, found: &Found) -> Self {
        let Found { track, score, version } = found;
        Self {
            index,
            track_uri: track.uri.as_str().to_owned(),
            title: track.title.clone(),
            artist: track.artist(),
            album: track.album.clone(),
            duration_ms: track.duration_ms,
            explicit: track.explicit,
            score: (score * 100.0).round() / 100.0,
            version: version.map(Version::as_str),
        }
    }
}

/// The stage of a generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// A slot of the quota is reserved.
    Reserved,
    /// The model was asked.
    Thinking,
    /// The first suggestion is being searched.
    Resolving,
    /// The model was asked for more.
    Refilling,
}

/// The reasons why the search for tracks ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// The playlist is full.
    Completed,
    /// There were no more suggestions that could be found.
    NoProgress,
    /// The deadline has passed.
    Deadline,
    /// The invocation has used up its outbound requests.
    Budget,
    /// The client left, or the function was stopped.
    Interrupted,
}

/// The finished playlist.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Done {
    /// The id of the generation, and of the playlist if it was saved.
    pub session_id: Uuid,
    /// The playlist's name.
    pub name: String,
    /// Its description.
    pub description: String,
    /// A sentence about the playlist.
    pub summary: String,
    /// `en` or `pl`.
    pub language: &'static str,
    /// The tracks, in order.
    pub tracks: Vec<Track>,
    /// The number of tracks.
    pub count: usize,
    /// The number of tracks that was asked for.
    pub target: usize,
    /// `fewer_than_12` if fewer were found although at least 12 were asked for.
    pub warning: Option<&'static str>,
    /// The reason why the search for tracks ended.
    pub stop_reason: StopReason,
    /// The saved playlist's id.
    pub playlist_id: Option<Uuid>,
    /// `playlist_limit_reached` if the playlist was to be saved and the account has no room for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_saved: Option<&'static str>,
    /// The user's quota after this generation.
    pub quota: Quota,
}

impl Done {
    /// Marks the playlist as saved.
    pub fn save_as(&mut self, saved: SavedPlaylist) {
        (self.playlist_id, self.name, self.quota) = (Some(saved.id), saved.name, saved.quota);
    }

    /// Marks the playlist as delivered but not saved, because the account has no room for it.
    pub fn stays_unsaved(&mut self) {
        self.not_saved = Some(Code::PlaylistLimitReached.as_str());
    }
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
    Stage {
        /// The stage.
        stage: Stage,
        /// The number of tracks found so far.
        found: usize,
        /// The number of tracks asked for.
        target: usize,
    },
    /// A track was found.
    Track(Track),
    /// A suggestion was rejected.
    Miss {
        /// The suggested title.
        title: String,
        /// The suggested artist.
        artist: String,
        /// The reason.
        reason: MissReason,
    },
    /// The result, settled.
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
        Self::Miss { title, artist, reason }
    }

    /// Formats the event as `text/event-stream` (HTML standard).
    pub fn to_bytes(&self) -> Bytes {
        match self {
            Self::Ping => Bytes::from_static(b": ping\n\n"),
            Self::Stage { stage, found, target } => {
                frame("stage", &serde_json::json!({"stage": stage, "found": found, "target": target}))
            }
            Self::Track(track) => frame("track", track),
            Self::Miss { title, artist, reason } => {
                frame("miss", &serde_json::json!({"title": title, "artist": artist, "reason": reason}))
            }
            Self::Done(done) => frame("done", done),
            Self::Error(error) => frame("error", error),
        }
    }
}

/// JSON contains no raw line break, so one `data:` line is enough.
fn frame(name: &str, data: &impl Serialize) -> Bytes {
    let data = serde_json::to_string(data).unwrap_or_default();
    Bytes::from(format!("event: {name}\ndata: {data}\n\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn an_event_is_one_frame_even_with_line_breaks_in_its_text() {
        let miss =
            Event::Miss { title: "a\nb\r".into(), artist: "\u{2028}".into(), reason: MissReason::NotFound };
        let text = String::from_utf8(miss.to_bytes().to_vec()).unwrap();
        assert_eq!(text.lines().count(), 3);
        assert!(text.starts_with("event: miss\ndata: {") && text.ends_with("}\n\n"), "{text}");
        assert!(text.contains(r#""reason":"not_found""#));
    }

    #[test]
    fn a_miss_is_two_short_lines() {
        let song =
            |artist: &str, title: &str| Suggestion { artist: artist.into(), title: title.into(), year: None };
        let Event::Miss { title, artist, .. } =
            Event::miss(&song(&"An essay\n".repeat(99), &"ż".repeat(61)), MissReason::NotFound)
        else {
            panic!("another event")
        };
        assert_eq!((title, artist.chars().count()), ("ż".repeat(60), 60));
        assert!(artist.starts_with("An essay An essay"), "{artist}");
    }

    #[test]
    fn a_stage_says_how_far_it_is() {
        let stage = Event::Stage { stage: Stage::Refilling, found: 3, target: 20 };
        let expected = "event: stage\ndata: {\"found\":3,\"stage\":\"refilling\",\"target\":20}\n\n";
        assert_eq!(stage.to_bytes(), expected.as_bytes());
    }

    #[test]
    fn few_tracks_are_worth_a_warning_only_where_more_were_wanted() {
        assert_eq!(warning(11, 20), Some("fewer_than_12"));
        assert_eq!(warning(12, 20), None);
        assert_eq!(warning(5, 5), None);
        assert_eq!(warning(4, 5), Some("fewer_than_12"));
    }
}
