//! The model's answer, piece by piece. Whatever it says, the limits are ours.

use serde_json::Value;

use super::{Language, MAX_SUGGESTIONS};
use crate::json::{ObjectScanner, ScanError, ScanEvent};
use crate::track::Suggestion;

const MAX_NAME_CHARACTERS: usize = 100;
const MAX_DESCRIPTION_CHARACTERS: usize = 300;
const MAX_SUMMARY_CHARACTERS: usize = 500;
const MAX_SONG_CHARACTERS: usize = 200;

/// Recorded music that a catalogue holds begins about here.
const PLAUSIBLE_YEARS: std::ops::RangeInclusive<i32> = 1900..=2100;

/// What the model answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaylistKind {
    /// Songs.
    Playlist,
    /// The wish is not about music.
    Refusal,
}

/// A piece of the answer. Texts are trimmed, cut to their limits and free of control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlaylistEvent {
    /// Whether there will be songs.
    Kind(PlaylistKind),
    /// The language of the texts.
    Language(Language),
    /// The playlist's name, at most 100 characters.
    Name(String),
    /// The playlist's description, at most 300 characters.
    Description(String),
    /// What the model says about its choice, at most 500 characters.
    Summary(String),
    /// A song; artist and title are not empty, and at most 200 characters each.
    Suggestion(Suggestion),
    /// The answer is broken from here on; what came before stays valid.
    Broken(ScanError),
}

/// What came of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaylistOutcome {
    /// Whether the answer was complete JSON.
    pub is_complete: bool,
    /// Songs that were read.
    pub suggestions: usize,
    /// Elements that were no songs.
    pub skipped: usize,
}

/// Reads the content of an answer as it arrives, cut anywhere.
///
/// At most 100 songs are read; what follows them is ignored.
#[derive(Debug)]
pub struct PlaylistReader {
    scanner: ObjectScanner,
    suggestions: usize,
    skipped: usize,
}

impl Default for PlaylistReader {
    fn default() -> Self {
        Self::new()
    }
}

impl PlaylistReader {
    /// A reader of one answer.
    pub fn new() -> Self {
        Self { scanner: ObjectScanner::new("tracks"), suggestions: 0, skipped: 0 }
    }

    /// Reads a piece of content; answers what it completed.
    pub fn push(&mut self, content: &str) -> Vec<PlaylistEvent> {
        let events = self.scanner.push(content.as_bytes());
        events.into_iter().filter_map(|event| self.read(event)).collect()
    }

    /// What came of the answer.
    pub fn finish(&self) -> PlaylistOutcome {
        PlaylistOutcome {
            is_complete: self.scanner.is_complete(),
            suggestions: self.suggestions,
            skipped: self.skipped,
        }
    }

    fn read(&mut self, event: ScanEvent) -> Option<PlaylistEvent> {
        match event {
            ScanEvent::Member { key, json } => member(&key, &json),
            ScanEvent::Broken(error) => Some(PlaylistEvent::Broken(error)),
            ScanEvent::Element(_) if self.suggestions == MAX_SUGGESTIONS => None,
            ScanEvent::Element(json) => {
                let suggestion = suggestion(&json);
                match suggestion {
                    Some(_) => self.suggestions += 1,
                    None => self.skipped += 1,
                }
                suggestion.map(PlaylistEvent::Suggestion)
            }
        }
    }
}

fn member(key: &str, json: &str) -> Option<PlaylistEvent> {
    let text: String = serde_json::from_slice(json.as_bytes()).ok()?;
    let cut = |max| Some(clean(&text, max)).filter(|text| !text.is_empty());
    match key {
        "kind" => match text.as_str() {
            "playlist" => Some(PlaylistEvent::Kind(PlaylistKind::Playlist)),
            "refusal" => Some(PlaylistEvent::Kind(PlaylistKind::Refusal)),
            _ => None,
        },
        "language" => Language::from_code(&text).map(PlaylistEvent::Language),
        "name" => cut(MAX_NAME_CHARACTERS).map(PlaylistEvent::Name),
        "description" => cut(MAX_DESCRIPTION_CHARACTERS).map(PlaylistEvent::Description),
        "summary" => cut(MAX_SUMMARY_CHARACTERS).map(PlaylistEvent::Summary),
        _ => None,
    }
}

fn suggestion(json: &str) -> Option<Suggestion> {
    let song: Value = serde_json::from_slice(json.as_bytes()).ok()?;
    let text = |name| {
        let text = clean(song.get(name)?.as_str()?, MAX_SONG_CHARACTERS);
        Some(text).filter(|text| !text.is_empty())
    };
    Some(Suggestion { artist: text("artist")?, title: text("title")?, year: song.get("year").and_then(year) })
}

/// A year; without a schema that is enforced, models also write it as text.
fn year(json: &Value) -> Option<i32> {
    let year = match json {
        Value::String(text) => text.trim().parse().ok(),
        number => number.as_i64().and_then(|year| i32::try_from(year).ok()),
    };
    year.filter(|year| PLAUSIBLE_YEARS.contains(year))
}

/// The text on one line, without what steers a terminal or the direction of writing.
fn clean(text: &str, max_characters: usize) -> String {
    let visible: String = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !c.is_control() && !is_direction_control(*c))
        .collect();
    let cut: String = visible.trim().chars().take(max_characters).collect();
    cut.trim_end().to_owned()
}

fn is_direction_control(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
