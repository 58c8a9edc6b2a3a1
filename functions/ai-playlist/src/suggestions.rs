//! Keeps the model's suggestions: all of them for the next prompt, and those that are not resolved yet.

use std::collections::VecDeque;

use shared::track::Suggestion;

/// A suggested song.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggested {
    /// The song in the model's own spelling.
    pub song: Suggestion,
    /// Why the model chose it.
    pub why: Option<String>,
}

/// A suggested song at its place.
#[derive(Debug)]
pub struct Queued {
    /// The place among all suggestions, from 0.
    pub place: usize,
    /// The song in the model's own spelling.
    pub song: Suggestion,
    /// Why the model chose it.
    pub why: Option<String>,
}

/// The suggestions of a generation, in the model's order.
#[derive(Default)]
pub struct Suggestions {
    songs: Vec<Suggestion>,
    /// Those that wait for a search.
    waiting: VecDeque<Queued>,
    resolved: usize,
}

impl Suggestions {
    /// Adds a new suggestion.
    pub fn add(&mut self, Suggested { song, why }: Suggested) {
        self.waiting.push_back(Queued {
            place: self.songs.len(),
            song: song.clone(),
            why,
        });
        self.songs.push(song);
    }

    /// Returns all suggested songs.
    pub fn songs(&self) -> &[Suggestion] {
        &self.songs
    }

    /// Takes the next suggestion that waits for a search.
    pub fn next(&mut self) -> Option<Queued> {
        self.waiting.pop_front()
    }

    /// Records that one more suggestion was found or rejected.
    pub fn note_resolved(&mut self) {
        self.resolved += 1;
    }

    /// Returns how many suggestions are neither found nor rejected.
    pub fn unresolved(&self) -> usize {
        self.songs.len() - self.resolved
    }
}
