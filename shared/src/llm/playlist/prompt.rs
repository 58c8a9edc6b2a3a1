//! Builds the prompt for the model from a user's wish.

use serde::Serialize;

use super::rules::{ANGLES, RULES, SCHEMA, SCHEMA_NAME};
use crate::llm::{ChatRequest, Message, Role};
use crate::track::{Era, Suggestion};

/// The most songs read from one completion.
pub const MAX_SUGGESTIONS: usize = 100;

/// Tokens for the texts, and for the thoughts of a reasoning model at low effort.
const BASE_TOKENS: u32 = 4_000;
const TOKENS_PER_SONG: u32 = 110;

/// Tokens that a completion needs without thoughts: a song has 30 to 60 tokens, the texts 100 to 200.
const MIN_BASE_TOKENS: u32 = 300;
const MIN_TOKENS_PER_SONG: u32 = 60;

/// The number of additional songs that are asked for, in percent, because some are not in the catalogue.
const SPARE: usize = 25;
/// The additional percentage for each condition that is checked after the search and rejects songs.
const SPARE_PER_CONDITION: usize = 10;
/// The same for a second prompt, which replaces songs that were not found.
const SPARE_OF_REFILL: usize = 50;
const MAX_SPARE: usize = 50;

/// How well known the songs should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(
    feature = "openapi",
    derive(utoipa::ToSchema),
    schema(rename_all = "snake_case")
)]
pub enum Discovery {
    /// Songs that most listeners know.
    Familiar,
    /// Known and unknown songs.
    #[default]
    Balanced,
    /// Songs that few listeners know.
    Adventurous,
}

/// The problem of the previous completion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Complaint {
    /// It had no content.
    Empty,
    /// It was not the requested JSON.
    Unreadable,
    /// It was cut off.
    CutOff,
}

/// An earlier playlist that the user wants changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refine {
    /// The songs that may change.
    pub previous: Vec<Suggestion>,
    /// The songs that stay.
    pub kept: Vec<Suggestion>,
    /// The change in the user's words; `None` asks for other songs in place of the previous ones.
    pub instruction: Option<String>,
}

/// A user's wish.
///
/// The texts are the user's own, and the songs the user's or the model's. No data of Spotify belongs here: its terms
/// do not allow sending its content to a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaylistPrompt {
    /// The wish, in the user's words.
    pub prompt: String,
    /// The number of songs that the playlist should have; more are asked for.
    pub wanted: usize,
    /// Examples of songs that fit.
    pub seeds: Vec<Suggestion>,
    /// The mood.
    pub mood: Option<String>,
    /// The tempo.
    pub tempo: Option<String>,
    /// The years in which the songs were released.
    pub era: Option<Era>,
    /// Whether explicit lyrics are allowed.
    pub allow_explicit: bool,
    /// Artists who must not appear.
    pub exclude_artists: Vec<String>,
    /// The playlist that the user wants changed.
    pub refine: Option<Refine>,
    /// The model's earlier suggestions; not empty in a refill.
    pub already_suggested: Vec<Suggestion>,
    /// How well known the songs should be.
    pub discovery: Discovery,
    /// A hash of the user's id, with which the provider can identify abuse.
    pub user: Option<String>,
    /// The problem of the previous completion, which this prompt states.
    pub complaint: Option<Complaint>,
    /// A random number, so that the same wish does not always return the same list.
    pub variation: u32,
}

impl Default for PlaylistPrompt {
    fn default() -> Self {
        Self {
            prompt: String::new(),
            wanted: 0,
            seeds: Vec::new(),
            mood: None,
            tempo: None,
            era: None,
            allow_explicit: true,
            exclude_artists: Vec::new(),
            refine: None,
            already_suggested: Vec::new(),
            discovery: Discovery::default(),
            user: None,
            complaint: None,
            variation: 0,
        }
    }
}

impl PlaylistPrompt {
    /// Builds the prompt for the model.
    pub fn to_request(&self) -> ChatRequest {
        let songs = u32::try_from(self.count()).unwrap_or_default();
        ChatRequest {
            system: RULES.to_owned(),
            messages: vec![Message {
                role: Role::User,
                content: self.user_turn(),
            }],
            schema_name: SCHEMA_NAME,
            schema: SCHEMA,
            max_tokens: BASE_TOKENS + TOKENS_PER_SONG * songs,
            min_tokens: MIN_BASE_TOKENS + MIN_TOKENS_PER_SONG * songs,
            user: self.user.clone(),
            private: self.private(),
            is_second: matches!(
                self.complaint,
                Some(Complaint::Empty | Complaint::Unreadable)
            ),
        }
    }

    /// Returns the total size of the user's texts in bytes of UTF-8.
    pub fn text_bytes(&self) -> usize {
        let earlier = self
            .refine
            .iter()
            .flat_map(|refine| refine.previous.iter().chain(&refine.kept));
        let songs = earlier.map(|song| song.artist.len() + song.title.len());
        self.private().iter().map(String::len).chain(songs).sum()
    }

    /// Returns the user's own words.
    fn private(&self) -> Vec<String> {
        let instruction = self
            .refine
            .as_ref()
            .and_then(|refine| refine.instruction.as_ref());
        let texts = [
            Some(&self.prompt),
            self.mood.as_ref(),
            self.tempo.as_ref(),
            instruction,
        ];
        let songs = self
            .seeds
            .iter()
            .flat_map(|song| [&song.artist, &song.title]);
        texts
            .into_iter()
            .flatten()
            .chain(songs)
            .chain(&self.exclude_artists)
            .cloned()
            .collect()
    }

    /// Returns how many songs to ask for, so that enough of them are found.
    pub fn count(&self) -> usize {
        let is_bounded = |era: &Era| era.from.is_some() || era.to.is_some();
        let conditions = [
            !self.allow_explicit,
            !self.exclude_artists.is_empty(),
            self.era.as_ref().is_some_and(is_bounded),
            self.discovery == Discovery::Adventurous,
        ];
        let conditions = conditions.into_iter().filter(|holds| *holds).count();
        let spare = match self.already_suggested.is_empty() {
            true => (SPARE + SPARE_PER_CONDITION * conditions).min(MAX_SPARE),
            false => SPARE_OF_REFILL,
        };
        (self.wanted * (100 + spare))
            .div_ceil(100)
            .min(MAX_SUGGESTIONS)
    }

    /// Returns the user's turn: the number of songs, the complaint, and the data as JSON. Within JSON, the users' texts
    /// cannot be mistaken for instructions.
    fn user_turn(&self) -> String {
        let count = self.count();
        let unit = if count == 1 { "song" } else { "songs" };
        let condition = if self.avoided().is_empty() {
            ""
        } else {
            ", all of them new: none of those in \"already_suggested\" may come again"
        };
        let complaint = match self.complaint {
            None => "",
            Some(Complaint::Empty) => {
                " The previous answer was empty: write the JSON object at once."
            }
            Some(Complaint::Unreadable) => {
                " The previous answer was not the requested JSON object: write nothing else."
            }
            Some(Complaint::CutOff) => " The previous answer was cut off: keep the texts short.",
        };
        format!(
            "Suggest {count} {unit}{condition}. Write exactly {count}, then the texts, then stop.{complaint}\n{}",
            self.data()
        )
    }

    /// Returns the songs that must not come again.
    fn avoided(&self) -> Vec<Song<'_>> {
        let replaced = self
            .refine
            .as_ref()
            .filter(|refine| refine.instruction.is_none());
        let replaced = replaced.map_or(&[][..], |refine| &refine.previous);
        songs(replaced.iter().chain(&self.already_suggested))
    }

    fn data(&self) -> serde_json::Value {
        let refine = self
            .refine
            .as_ref()
            .filter(|refine| refine.instruction.is_some() || !refine.kept.is_empty());
        serde_json::json!(Data {
            prompt: &self.prompt,
            seeds: songs(&self.seeds),
            mood: self.mood.as_deref(),
            tempo: self.tempo.as_deref(),
            era: self.era,
            allow_explicit: self.allow_explicit,
            exclude_artists: &self.exclude_artists,
            refine: refine.map(|refine| RefineData {
                previous: songs(
                    refine
                        .previous
                        .iter()
                        .filter(|_| refine.instruction.is_some())
                ),
                kept: songs(&refine.kept),
                instruction: refine.instruction.as_deref(),
            }),
            already_suggested: self.avoided(),
            discovery: Some(self.discovery).filter(|discovery| *discovery != Discovery::Balanced),
            angle: angle(self.variation),
        })
    }
}

/// The user's data under the names that the rules use.
#[derive(Serialize)]
struct Data<'a> {
    prompt: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    seeds: Vec<Song<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mood: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tempo: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    era: Option<Era>,
    allow_explicit: bool,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    exclude_artists: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    refine: Option<RefineData<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    already_suggested: Vec<Song<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    discovery: Option<Discovery>,
    angle: &'static str,
}

#[derive(Serialize)]
struct RefineData<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    previous: Vec<Song<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    kept: Vec<Song<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instruction: Option<&'a str>,
}

#[derive(Serialize)]
struct Song<'a> {
    artist: &'a str,
    title: &'a str,
}

fn angle(variation: u32) -> &'static str {
    let index = variation as usize % ANGLES.len();
    ANGLES.get(index).copied().unwrap_or_default()
}

fn songs<'a>(songs: impl IntoIterator<Item = &'a Suggestion>) -> Vec<Song<'a>> {
    songs
        .into_iter()
        .map(|song| Song {
            artist: &song.artist,
            title: &song.title,
        })
        .collect()
}

#[cfg(test)]
#[path = "prompt_tests.rs"]
mod tests;
