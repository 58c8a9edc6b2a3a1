//! The parts of a model's completion.

use super::Language;
use crate::track::Suggestion;

/// The beginnings of the words with which models name a refusal.
const REFUSALS: [&str; 7] = [
    "refus",
    "declin",
    "reject",
    "denied",
    "not_",
    "off_topic",
    "odmow",
];

/// The kind of the completion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaylistKind {
    /// The completion has songs.
    Playlist,
    /// The wish is not about music.
    Refusal,
}

/// A part of the completion. Texts are trimmed, cut to their limits and free of control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlaylistEvent {
    /// The kind of the completion.
    Kind(PlaylistKind),
    /// The language of the texts.
    Language(Language),
    /// The playlist's name, at most 100 characters.
    Name(String),
    /// The playlist's description, at most 300 characters.
    Description(String),
    /// The model's comment on its choice, at most 500 characters.
    Summary(String),
    /// A song; artist and title are not empty and have at most 200 characters each.
    Suggestion(Suggestion),
    /// Why the song of the event before it was chosen, at most 120 characters.
    Why(String),
}

impl PlaylistKind {
    /// Returns the kind that a model names; models have many words for a refusal.
    pub(super) fn from_name(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        if REFUSALS.iter().any(|stem| text.starts_with(stem)) {
            return Some(Self::Refusal);
        }
        text.starts_with("playlist").then_some(Self::Playlist)
    }
}
