//! One remembered song.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::json::read_value;
use crate::matching::{Constraints, MissReason, Scored, best_match, candidates_of, song_key};
use crate::text::one_line;
use crate::track::{ListedTrack, MAX_TEXT_CHARS, Suggestion};

/// Two searches return ten candidates each.
const MAX_TRACKS: usize = 20;

/// What the searches for a song returned.
#[derive(Debug)]
pub struct Finding {
    /// The song.
    pub suggestion: Suggestion,
    /// The result of the search by field.
    pub by_field: Vec<ListedTrack>,
    /// The result of the search by plain words, if it was needed.
    pub by_words: Option<Vec<ListedTrack>>,
}

impl Finding {
    /// Returns the song's key and what is remembered of it.
    #[must_use]
    pub fn into_entry(self) -> (String, Entry) {
        let Self {
            suggestion,
            by_field,
            by_words,
        } = self;
        let is_complete = by_words.is_some();
        let found = by_field.iter().chain(by_words.iter().flatten());
        let is_any_playable = found.into_iter().any(|track| track.recording.is_playable);
        let mut tracks = candidates_of(&suggestion, by_field);
        let by_field = tracks.len();
        // The first of two equal candidates wins, so the second may be left out.
        for track in candidates_of(&suggestion, by_words.unwrap_or_default()) {
            if !tracks.contains(&track) {
                tracks.push(track);
            }
        }
        (
            song_key(&suggestion),
            Entry {
                tracks,
                by_field,
                is_complete,
                is_any_playable,
            },
        )
    }
}

/// The candidates that are a song for some user, in the catalogue's order; none if the catalogue does not have it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    tracks: Vec<ListedTrack>,
    /// How many of them the search by field returned; the rest are of the search by plain words.
    by_field: usize,
    /// Whether both searches were made.
    is_complete: bool,
    /// Whether they returned anything that can be played, this song or another.
    is_any_playable: bool,
}

impl Entry {
    /// Reads what the database returned: untrusted input, like a response of Spotify. `None` for anything that
    /// [`Finding::into_entry`] does not make.
    pub(super) fn parse(value: Value) -> Option<Self> {
        let entry: Self = is_clean(&value).then(|| read_value(&value).ok())??;
        let is_possible = entry.by_field <= entry.tracks.len()
            && entry.tracks.len() <= MAX_TRACKS
            && (entry.is_complete || entry.by_field == entry.tracks.len())
            && (entry.is_any_playable || entry.tracks.is_empty());
        (is_possible && entry.tracks.iter().all(ListedTrack::is_usable)).then_some(entry)
    }

    /// Whether the catalogue has the song.
    #[must_use]
    pub fn is_found(&self) -> bool {
        !self.tracks.is_empty()
    }

    /// The candidates that are the song for some user.
    #[must_use]
    pub fn tracks(&self) -> &[ListedTrack] {
        &self.tracks
    }

    /// Judges what was found, like the searches themselves: the candidates by plain words only if those by field do not
    /// suffice. Returns `None` if that search would have to be made. The suggestion's artist is not excluded.
    #[must_use]
    pub fn best_match(
        &self,
        suggestion: &Suggestion,
        constraints: &Constraints,
    ) -> Option<Result<Scored<'_, ListedTrack>, MissReason>> {
        let judge = |tracks| match best_match(suggestion, tracks, constraints) {
            Err(MissReason::NotFound) if self.is_any_playable => Err(MissReason::LowScore),
            judged => judged,
        };
        match judge(self.tracks.get(..self.by_field).unwrap_or_default()) {
            Err(MissReason::NotFound | MissReason::LowScore) => {
                self.is_complete.then(|| judge(&self.tracks))
            }
            decided => Some(decided),
        }
    }
}

/// Whether all texts are as they were written: short, on one line, without invisible characters. Members that this
/// version does not know count, too.
fn is_clean(value: &Value) -> bool {
    match value {
        Value::String(text) => one_line(text, MAX_TEXT_CHARS) == *text,
        Value::Array(values) => values.iter().all(is_clean),
        Value::Object(members) => members.values().all(is_clean),
        _ => true,
    }
}
