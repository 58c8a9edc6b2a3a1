//! Reads one completion of the model, and decides when to stop.

use shared::llm::playlist::{Complaint, Language, PlaylistEvent, PlaylistKind, PlaylistReader};
use shared::llm::{ChatEvent, ChatStream, Cost, FinishReason, LlmError};

use crate::suggestions::Suggested;

/// The time for a few superfluous songs and the texts after the last song that is needed.
const TEXTS_MS: u64 = 12_000;
/// The longest silence after the model or its server has ended the completion.
const SILENCE_MS: u64 = 5_000;
/// The time for the usage after a complete one or a refusal.
const USAGE_MS: u64 = 1_000;
/// The time for what has already arrived, if the cost can be estimated.
const ARRIVED_MS: u64 = 100;
/// The most bytes read of a refusal, which are enough to detect its language.
const MAX_REFUSAL_BYTES: usize = 1_000;
/// The number of repeats in a row after which a model has nothing more to say.
const MAX_REPEATS_IN_A_ROW: usize = 8;

/// The texts about the whole playlist.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct About {
    /// The language of the completion.
    pub language: Option<Language>,
    /// The playlist's name.
    pub name: String,
    /// Its description.
    pub description: String,
    /// A sentence about the playlist.
    pub summary: String,
}

impl About {
    /// Fills missing texts from a later completion. The first one was for the whole wish, so its texts stay.
    pub fn complete(&mut self, later: Self) {
        self.language = self.language.or(later.language);
        let texts = [
            (&mut self.name, later.name),
            (&mut self.description, later.description),
            (&mut self.summary, later.summary),
        ];
        for (text, later) in texts {
            if text.is_empty() {
                *text = later;
            }
        }
    }

    fn lacks_texts(&self) -> bool {
        self.name.is_empty() || self.description.is_empty() || self.summary.is_empty()
    }
}

/// The next part of a completion.
#[derive(Debug)]
pub enum Part {
    /// New songs; may be empty.
    Songs(Vec<Suggested>),
    /// The end of the completion, with an error if it was unusable.
    Ended(Result<(), LlmError>),
    /// The model declares that the wish is not about music, or refuses to answer.
    Declined,
}

/// The songs that a completion may contain.
#[derive(Debug, Clone, Copy, Default)]
pub struct Expected {
    /// The length of the playlist.
    pub songs: usize,
    /// How many songs were suggested before.
    pub suggested: usize,
    /// How many songs of a refined playlist stay. A model may list them, too.
    pub kept: usize,
}

/// Counts the songs of a completion. Small models repeat themselves until they are stopped.
struct SongCount {
    /// All songs, including repeats.
    total: usize,
    repeats: usize,
    repeats_in_a_row: usize,
    max_new: usize,
    max_repeats_in_a_row: usize,
}

impl SongCount {
    fn new(expected: Expected) -> Self {
        Self {
            total: 0,
            repeats: 0,
            repeats_in_a_row: 0,
            max_new: 2 * expected.songs + MAX_REPEATS_IN_A_ROW,
            // A second completion may begin with the songs of the first one.
            max_repeats_in_a_row: MAX_REPEATS_IN_A_ROW.max(expected.suggested + 1) + expected.kept,
        }
    }

    fn note(&mut self, is_repeat: bool) {
        self.repeats += usize::from(is_repeat);
        self.repeats_in_a_row = if is_repeat {
            self.repeats_in_a_row + 1
        } else {
            0
        };
    }

    fn is_full(&self) -> bool {
        self.total - self.repeats >= self.max_new
    }

    fn is_repetitive(&self) -> bool {
        self.repeats_in_a_row >= self.max_repeats_in_a_row
    }
}

/// The model's refusal, if there is one.
struct Refusal {
    /// Whether a refusal counts. That of a second prompt does not: there are songs already.
    counts: bool,
    is_declared: bool,
    text: String,
}

/// A completion that is being read. Dropping it aborts the request.
pub struct Completion<'a> {
    chat: ChatStream<'a>,
    reader: PlaylistReader,
    about: About,
    refusal: Refusal,
    songs: SongCount,
    /// The server reported a finish reason. Some report one too early, so the rest of an incomplete completion is
    /// awaited.
    is_finished: bool,
}

impl<'a> Completion<'a> {
    /// Creates the reader of a completion that has begun.
    pub fn new(chat: ChatStream<'a>, expected: Expected) -> Self {
        Self {
            chat,
            reader: PlaylistReader::new(),
            about: About::default(),
            refusal: Refusal {
                counts: expected.suggested == 0,
                is_declared: false,
                text: String::new(),
            },
            songs: SongCount::new(expected),
            is_finished: false,
        }
    }

    /// Returns the cost of the completion so far.
    pub fn cost(&self) -> Cost {
        self.chat.cost()
    }

    /// Returns the texts about the playlist.
    pub fn into_about(self) -> About {
        self.about
    }

    /// Returns the next part of the completion. Cancel-safe.
    pub async fn next(&mut self) -> Part {
        if self.goes_on_and_on() {
            return self.end();
        }
        self.chat.allow_silence_ms(self.max_silence_ms());
        match self.chat.next().await {
            None => {
                let songs = self.finish();
                if songs.is_empty() {
                    self.end()
                } else {
                    Part::Songs(songs)
                }
            }
            Some(Ok(event)) => self.read(event),
            Some(Err(error)) => {
                let songs = self.finish();
                // A complete playlist is not lost because of an error after it.
                match (songs.is_empty(), self.reader.is_complete()) {
                    (false, _) => Part::Songs(songs),
                    (true, true) => Part::Ended(Ok(())),
                    (true, false) => Part::Ended(Err(error)),
                }
            }
        }
    }

    /// Returns the longest silence that is allowed; `None` while the model writes.
    fn max_silence_ms(&self) -> Option<u64> {
        if self.refusal.is_declared || self.reader.is_complete() {
            Some(USAGE_MS)
        } else {
            self.is_finished.then_some(SILENCE_MS)
        }
    }

    /// Records whether a song of this completion had been suggested before.
    pub fn note_song(&mut self, is_repeat: bool) {
        self.songs.note(is_repeat);
    }

    /// Returns whether reading continues although the playlist is full: for the texts that `known` lacks, or for the
    /// usage.
    pub fn is_awaited(&mut self, known: &About, has_prices: bool) -> bool {
        let mut about = known.clone();
        about.complete(self.about.clone());
        let lacks_usage = self.chat.usage().is_none();
        let (is_awaited, patience_ms) = match (self.reader.is_complete(), about.lacks_texts()) {
            (true, _) => (lacks_usage, USAGE_MS),
            (false, true) => (true, TEXTS_MS),
            (false, false) => (lacks_usage, if has_prices { ARRIVED_MS } else { USAGE_MS }),
        };
        self.chat.end_within_ms(patience_ms);
        is_awaited
    }

    fn read(&mut self, event: ChatEvent) -> Part {
        match event {
            ChatEvent::Usage(_) => {}
            ChatEvent::Finished(FinishReason::ContentFilter) => {
                self.decline();
                return self.end();
            }
            ChatEvent::Finished(_) => self.is_finished = true,
            ChatEvent::Refusal(text) => {
                // Only its language is detected.
                if self.refusal.text.len() < MAX_REFUSAL_BYTES {
                    self.refusal.text.push_str(&text);
                }
                self.decline();
            }
            ChatEvent::Content(text) => {
                let events = self.reader.push(&text);
                let songs = self.take(events);
                if self.refusal.is_declared && self.about.language.is_some() {
                    return self.end();
                }
                return Part::Songs(songs);
            }
        }
        Part::Songs(Vec::new())
    }

    fn finish(&mut self) -> Vec<Suggested> {
        let rest = self.reader.finish();
        self.take(rest)
    }

    fn take(&mut self, events: Vec<PlaylistEvent>) -> Vec<Suggested> {
        let mut songs: Vec<Suggested> = Vec::new();
        for event in events {
            match event {
                PlaylistEvent::Kind(PlaylistKind::Refusal) => self.decline(),
                PlaylistEvent::Kind(PlaylistKind::Playlist) => {}
                PlaylistEvent::Language(language) => self.about.language = Some(language),
                PlaylistEvent::Name(name) => self.about.name = name,
                PlaylistEvent::Description(description) => self.about.description = description,
                PlaylistEvent::Summary(summary) => self.about.summary = summary,
                PlaylistEvent::Suggestion(_)
                    if self.refusal.is_declared || self.songs.is_full() => {}
                PlaylistEvent::Suggestion(song) => {
                    self.songs.total += 1;
                    songs.push(Suggested { song, why: None });
                }
                PlaylistEvent::Why(text) => {
                    if let Some(suggested) = songs.last_mut() {
                        suggested.why.get_or_insert(text);
                    }
                }
            }
        }
        songs
    }

    /// Handles a refusal, which counts only without songs. Its language is awaited, but not for long: small models
    /// keep writing.
    fn decline(&mut self) {
        self.refusal.is_declared = self.refusal.counts && self.songs.total == 0;
        if self.refusal.is_declared {
            self.chat.end_within_ms(USAGE_MS);
        }
    }

    fn goes_on_and_on(&self) -> bool {
        self.songs.is_repetitive() || self.songs.is_full() || self.reader.is_runaway()
    }

    fn end(&mut self) -> Part {
        if self.refusal.is_declared {
            let text = Some(&self.refusal.text).filter(|text| !text.is_empty());
            let language = text.map(|text| Language::detect(text));
            self.about.language = self.about.language.or(language);
            return Part::Declined;
        }
        Part::Ended(match self.songs.total {
            0 if self.reader.has_list() => Ok(()),
            0 if self.reader.is_empty() => Err(LlmError::Empty),
            0 => Err(LlmError::InvalidResponse),
            _ if self.reader.is_complete() || self.goes_on_and_on() => Ok(()),
            _ => Err(LlmError::CutOff),
        })
    }
}

/// Returns the complaint about the previous completion that the next prompt states; `None` if the model was not at fault.
pub fn complaint(error: &LlmError) -> Option<Complaint> {
    match error {
        LlmError::Empty => Some(Complaint::Empty),
        LlmError::InvalidResponse | LlmError::Unusable(_) => Some(Complaint::Unreadable),
        LlmError::CutOff => Some(Complaint::CutOff),
        _ => None,
    }
}

#[cfg(test)]
#[path = "completion_tests.rs"]
mod tests;
