//! The objects and lists of a completion while they are read.

use super::fields::Field;
use super::song::{clean, year};
use super::{Language, PlaylistEvent, PlaylistKind};

const MAX_NAME_CHARACTERS: usize = 100;
const MAX_DESCRIPTION_CHARACTERS: usize = 300;
const MAX_SUMMARY_CHARACTERS: usize = 500;
/// The most texts kept of a list: artist, title, and two that models add.
pub(super) const MAX_TEXTS: usize = 4;

/// An object or list of the completion that has begun and not ended.
#[derive(Debug)]
pub(super) enum Container {
    Object(Object),
    Array(Array),
}

/// An object, and the members that have been read.
#[derive(Debug, Default)]
pub(super) struct Object {
    /// The meaning of the current member.
    pub key: Option<Field>,
    /// The likely meaning of the current member, if its name is unknown.
    pub guess: Option<Field>,
    /// The performer of a song.
    pub artist: Option<String>,
    /// The title of a song, or the playlist's name.
    pub title: Option<String>,
    /// The performer and the title in members with unknown names.
    pub guessed: (Option<String>, Option<String>),
    /// A name, whose meaning depends on the other members.
    pub name: Option<String>,
    /// The year of a song.
    pub year: Option<i32>,
    /// The reason for a song.
    pub why: Option<String>,
    /// The playlist's description.
    pub description: Option<String>,
    /// The comment on the playlist.
    pub summary: Option<String>,
    /// Whether the object holds songs, so that its texts are the playlist's.
    pub has_songs: bool,
    /// Whether the object is in a list, so that its texts are a song's and not the playlist's.
    pub is_in_list: bool,
}

/// A list, and the texts that have been read.
#[derive(Debug)]
pub(super) struct Array {
    /// The meaning of its elements: that of the member whose value the array is.
    pub field: Option<Field>,
    /// Whether the list is the whole document.
    pub is_root: bool,
    /// Whether the list is an element of another one, and so may be a song.
    pub is_in_list: bool,
    /// Its texts, at most four.
    pub texts: Vec<String>,
    /// The year among its elements.
    pub year: Option<i32>,
    /// Whether a song was read from it.
    pub has_songs: bool,
}

impl Object {
    /// Reads the current member's text. Kind and language of the playlist are events at once.
    pub(super) fn read_text(&mut self, text: String, events: &mut Vec<PlaylistEvent>) {
        match self.key {
            Some(Field::Kind) if !self.is_in_list => {
                events.extend(PlaylistKind::from_name(&text).map(PlaylistEvent::Kind));
            }
            Some(Field::Language) if !self.is_in_list => {
                events.extend(Language::from_name(&text).map(PlaylistEvent::Language));
            }
            Some(Field::Year) => self.year = year(&text),
            Some(field) => self.set(field, text),
            None => {
                let place = match self.guess {
                    Some(Field::Artist) => &mut self.guessed.0,
                    Some(Field::Title) => &mut self.guessed.1,
                    _ => &mut self.why,
                };
                if self.guess.is_some() {
                    place.get_or_insert(text);
                }
            }
        }
    }

    /// Reads the current member's number or literal.
    pub(super) fn read_bare(&mut self, text: &str) {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        match self.key {
            Some(Field::Year) => self.year = year(text),
            // A title such as 1979, written as a number.
            Some(field @ (Field::Artist | Field::Title)) if is_number => {
                self.set(field, text.to_owned());
            }
            _ => {}
        }
    }

    /// Stores the text of a member.
    fn set(&mut self, field: Field, text: String) {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        let place = match field {
            Field::Artist => &mut self.artist,
            // The number of a track next to its title.
            Field::Title if is_number && self.title.is_some() => return,
            Field::Title => &mut self.title,
            Field::Why => &mut self.why,
            Field::Name => &mut self.name,
            Field::Description => &mut self.description,
            Field::Summary => &mut self.summary,
            Field::Kind | Field::Language | Field::Year | Field::Songs | Field::Echo => return,
        };
        *place = Some(text);
    }

    /// Takes the playlist's texts and appends their events.
    pub(super) fn take_texts(&mut self, events: &mut Vec<PlaylistEvent>) {
        let mut add = |text: Option<String>, max, event: fn(String) -> PlaylistEvent| {
            let text =
                text.map(|text| clean(text.trim_matches(['"', '*', '“', '”', '„', ' ']), max));
            // Some models wrap the completion in an object with the schema's name.
            let text =
                text.filter(|text| !text.is_empty() && !text.eq_ignore_ascii_case("playlist"));
            events.extend(text.map(event));
        };
        add(
            self.name.take().or(self.title.take()),
            MAX_NAME_CHARACTERS,
            PlaylistEvent::Name,
        );
        add(
            self.description.take(),
            MAX_DESCRIPTION_CHARACTERS,
            PlaylistEvent::Description,
        );
        add(
            self.summary.take(),
            MAX_SUMMARY_CHARACTERS,
            PlaylistEvent::Summary,
        );
    }
}
