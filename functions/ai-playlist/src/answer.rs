//! Reads one answer of the model, and decides when to stop.

use shared::llm::playlist::{Complaint, Language, PlaylistEvent, PlaylistKind, PlaylistReader};
use shared::llm::{ChatEvent, ChatStream, Cost, FinishReason, LlmError};
use shared::track::Suggestion;

/// The time for a few superfluous songs and the texts after the last song that is needed.
const TEXTS_MS: u64 = 12_000;
/// The longest silence after the model or its server has ended the answer.
const SILENCE_MS: u64 = 5_000;
/// The time for the usage after a complete answer or a refusal.
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
    /// The language of the answer.
    pub language: Option<Language>,
    /// The playlist's name.
    pub name: String,
    /// Its description.
    pub description: String,
    /// A sentence about the playlist.
    pub summary: String,
}

impl About {
    /// Fills missing texts from a later answer. The first answer was to the whole wish, so its texts stay.
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

/// The next part of an answer.
#[derive(Debug)]
pub enum Said {
    /// New songs, each with why it was chosen; may be empty.
    Songs(Vec<(Suggestion, Option<String>)>),
    /// The end of the answer, with an error if the answer was unusable.
    Ended(Result<(), LlmError>),
    /// The model declares that the wish is not about music, or refuses to answer.
    Declined,
}

/// An answer that is being read. Dropping it aborts the call.
pub struct Answer<'a> {
    chat: ChatStream<'a>,
    reader: PlaylistReader,
    about: About,
    /// Whether a refusal counts. A refusal of the second question does not: there are songs already.
    may_decline: bool,
    is_declined: bool,
    refusal: String,
    /// The server reported a finish reason. Some report one too early, so the rest of an incomplete answer is
    /// awaited.
    is_finished: bool,
    /// The most new songs that are read.
    max_songs: usize,
    /// The number of songs so far, including repeats.
    songs: usize,
    repeats: usize,
    repeats_in_a_row: usize,
    max_repeats_in_a_row: usize,
}

impl<'a> Answer<'a> {
    /// Creates the reader of an answer to a wish for `wanted` songs, of which `suggested` are known already.
    pub fn new(chat: ChatStream<'a>, wanted: usize, suggested: usize) -> Self {
        Self {
            chat,
            reader: PlaylistReader::new(),
            about: About::default(),
            may_decline: suggested == 0,
            is_declined: false,
            refusal: String::new(),
            is_finished: false,
            max_songs: 2 * wanted + MAX_REPEATS_IN_A_ROW,
            songs: 0,
            repeats: 0,
            repeats_in_a_row: 0,
            // A second answer may begin with the songs of the first one.
            max_repeats_in_a_row: MAX_REPEATS_IN_A_ROW.max(suggested + 1),
        }
    }

    /// Allows more repeats in a row: a model may list the songs that stay, too.
    pub fn may_repeat(mut self, songs: usize) -> Self {
        self.max_repeats_in_a_row += songs;
        self
    }

    /// Returns the cost of the answer so far.
    pub fn cost(&self) -> Cost {
        self.chat.cost()
    }

    /// Returns the texts about the playlist.
    pub fn into_about(self) -> About {
        self.about
    }

    /// Returns the next part of the answer. Cancel-safe.
    pub async fn next(&mut self) -> Said {
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
                    Said::Songs(songs)
                }
            }
            Some(Ok(event)) => self.read(event),
            Some(Err(error)) => {
                let songs = self.finish();
                // A complete answer is not lost because of an error after it.
                match (songs.is_empty(), self.reader.is_complete()) {
                    (false, _) => Said::Songs(songs),
                    (true, true) => Said::Ended(Ok(())),
                    (true, false) => Said::Ended(Err(error)),
                }
            }
        }
    }

    /// Returns the longest silence that is allowed; `None` while the model writes.
    fn max_silence_ms(&self) -> Option<u64> {
        if self.is_declined || self.reader.is_complete() {
            Some(USAGE_MS)
        } else {
            self.is_finished.then_some(SILENCE_MS)
        }
    }

    /// Records whether a song had been suggested before. Small models repeat themselves until they are stopped.
    pub fn note_song(&mut self, is_repeat: bool) {
        self.repeats += usize::from(is_repeat);
        self.repeats_in_a_row = if is_repeat {
            self.repeats_in_a_row + 1
        } else {
            0
        };
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

    fn read(&mut self, event: ChatEvent) -> Said {
        match event {
            ChatEvent::Usage(_) => {}
            ChatEvent::Finished(FinishReason::ContentFilter) => {
                self.decline();
                return self.end();
            }
            ChatEvent::Finished(_) => self.is_finished = true,
            ChatEvent::Refusal(text) => {
                // Only its language is detected.
                if self.refusal.len() < MAX_REFUSAL_BYTES {
                    self.refusal.push_str(&text);
                }
                self.decline();
            }
            ChatEvent::Content(text) => {
                let events = self.reader.push(&text);
                let songs = self.take(events);
                if self.is_declined && self.about.language.is_some() {
                    return self.end();
                }
                return Said::Songs(songs);
            }
        }
        Said::Songs(Vec::new())
    }

    fn finish(&mut self) -> Vec<(Suggestion, Option<String>)> {
        let rest = self.reader.finish();
        self.take(rest)
    }

    fn take(&mut self, events: Vec<PlaylistEvent>) -> Vec<(Suggestion, Option<String>)> {
        let mut songs: Vec<(Suggestion, Option<String>)> = Vec::new();
        for event in events {
            match event {
                PlaylistEvent::Kind(PlaylistKind::Refusal) => self.decline(),
                PlaylistEvent::Kind(PlaylistKind::Playlist) => {}
                PlaylistEvent::Language(language) => self.about.language = Some(language),
                PlaylistEvent::Name(name) => self.about.name = name,
                PlaylistEvent::Description(description) => self.about.description = description,
                PlaylistEvent::Summary(summary) => self.about.summary = summary,
                PlaylistEvent::Suggestion(_) if self.is_declined || self.is_full() => {}
                PlaylistEvent::Suggestion(song) => {
                    self.songs += 1;
                    songs.push((song, None));
                }
                PlaylistEvent::Why(text) => {
                    if let Some((_, why)) = songs.last_mut() {
                        why.get_or_insert(text);
                    }
                }
            }
        }
        songs
    }

    /// Handles a refusal, which counts only without songs. Its language is awaited, but not for long: small models
    /// keep writing.
    fn decline(&mut self) {
        self.is_declined = self.may_decline && self.songs == 0;
        if self.is_declined {
            self.chat.end_within_ms(USAGE_MS);
        }
    }

    fn goes_on_and_on(&self) -> bool {
        self.repeats_in_a_row >= self.max_repeats_in_a_row
            || self.is_full()
            || self.reader.is_runaway()
    }

    fn is_full(&self) -> bool {
        self.songs - self.repeats >= self.max_songs
    }

    fn end(&mut self) -> Said {
        if self.is_declined {
            let said = Some(&self.refusal).filter(|refusal| !refusal.is_empty());
            let language = said.map(|refusal| Language::detect(refusal));
            self.about.language = self.about.language.or(language);
            return Said::Declined;
        }
        Said::Ended(match self.songs {
            0 if self.reader.has_list() => Ok(()),
            0 if self.reader.is_empty() => Err(LlmError::Empty),
            0 => Err(LlmError::InvalidResponse),
            _ if self.reader.is_complete() || self.goes_on_and_on() => Ok(()),
            _ => Err(LlmError::CutOff),
        })
    }
}

/// Returns the complaint about the previous answer that the next question states; `None` if the model was not at fault.
pub fn complaint(error: &LlmError) -> Option<Complaint> {
    match error {
        LlmError::Empty => Some(Complaint::Empty),
        LlmError::InvalidResponse | LlmError::Unusable(_) => Some(Complaint::Unreadable),
        LlmError::CutOff => Some(Complaint::CutOff),
        _ => None,
    }
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
