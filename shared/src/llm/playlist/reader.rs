//! Reads the model's answer as it arrives. All limits hold for any answer.

use super::fields::{self, Field};
use super::song::{self, clean, year};
use super::thoughts::Thoughts;
use super::{Language, MAX_SUGGESTIONS};
use crate::json::{LenientParser, Token};
use crate::track::Suggestion;

const MAX_NAME_CHARACTERS: usize = 100;
const MAX_DESCRIPTION_CHARACTERS: usize = 300;
const MAX_SUMMARY_CHARACTERS: usize = 500;

/// The most bytes kept of an answer without JSON, to be read as a list of songs.
const MAX_PROSE_BYTES: usize = 16 * 1024;

/// The most bytes kept of thoughts, to be read as the answer if their end is not marked.
const MAX_THOUGHTS_BYTES: usize = 64 * 1024;

/// The longest run of white space within a document. A constrained model that fails writes white space for ever.
const MAX_WHITE_SPACE: usize = 16 * 1024;

/// The most characters that complete nothing.
const MAX_CHARACTERS_WITHOUT_PROGRESS: usize = 256 * 1024;

/// The kind of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaylistKind {
    /// The answer has songs.
    Playlist,
    /// The wish is not about music.
    Refusal,
}

/// A part of the answer. Texts are trimmed, cut to their limits and free of control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlaylistEvent {
    /// The kind of the answer.
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

/// Reads the content of an answer as it arrives, cut anywhere and in any usable form.
///
/// The songs may have any name and may be in lists, wrapper objects or documents within a text; as objects, pairs or
/// lines such as `"Title" by Artist`; or as a plain list without JSON. Thoughts in the content are skipped. At most
/// 100 songs are read.
#[derive(Debug, Default)]
pub struct PlaylistReader {
    thoughts: Thoughts,
    parser: LenientParser,
    frames: Vec<Frame>,
    prose: String,
    thought_text: String,
    suggestions: usize,
    is_complete: bool,
    has_content: bool,
    has_list: bool,
    white_space: usize,
    without_progress: usize,
    /// Reads a document that is inside a text of another one.
    is_nested: bool,
}

#[derive(Debug)]
enum Frame {
    Object(Object),
    Array(Array),
}

#[derive(Debug, Default)]
struct Object {
    key: Option<Field>,
    artist: Option<String>,
    title: Option<String>,
    name: Option<String>,
    year: Option<i32>,
    why: Option<String>,
    description: Option<String>,
    summary: Option<String>,
    /// Whether the object holds songs, so that its texts are the playlist's.
    has_songs: bool,
    /// Whether the object is in a list, so that its texts are a song's and not the playlist's.
    is_in_list: bool,
}

#[derive(Debug)]
struct Array {
    /// The meaning of its elements: that of the member whose value the array is.
    field: Option<Field>,
    is_root: bool,
    is_in_list: bool,
    texts: Vec<String>,
    year: Option<i32>,
    has_songs: bool,
}

impl PlaylistReader {
    /// Creates a reader for one answer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a piece of content; returns the parts that it completes.
    pub fn push(&mut self, content: &str) -> Vec<PlaylistEvent> {
        let mut events = Vec::new();
        let mut tokens = Vec::new();
        for c in content.chars() {
            if self.is_runaway() {
                break;
            }
            if self.thoughts.ends_with(c) {
                // A closing mark without an opening one, which a server has cut off: the text before it is thoughts,
                // too.
                self.parser = LenientParser::default();
                self.frames.clear();
                self.prose.clear();
                self.thought_text.clear();
                self.is_complete = false;
                continue;
            }
            if self.thoughts.are_open(c, self.parser.is_inside()) {
                if self.thought_text.len() < MAX_THOUGHTS_BYTES {
                    self.thought_text.push(c);
                }
                continue;
            }
            self.count(c);
            self.parser.push(c, &mut tokens);
            self.take_all(&mut tokens, &mut events);
        }
        events
    }

    /// Ends the answer; returns the parts that its end completes.
    pub fn finish(&mut self) -> Vec<PlaylistEvent> {
        let mut events = Vec::new();
        let mut tokens = Vec::new();
        self.parser.finish(&mut tokens);
        self.take_all(&mut tokens, &mut events);
        if self.suggestions == 0 && !self.is_nested && !self.has_list {
            let prose = std::mem::take(&mut self.prose);
            for song in song::list(&prose) {
                self.suggest(song, &mut events);
            }
            // Thoughts that were never closed are the answer.
            let thoughts = std::mem::take(&mut self.thought_text);
            self.nested(&thoughts, &mut events);
        }
        self.is_complete |= self.suggestions > 0 && !self.parser.is_inside();
        events
    }

    /// Returns whether the answer has ended, so that nothing useful can follow.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Returns whether the answer was only white space and thoughts.
    pub fn is_empty(&self) -> bool {
        !self.has_content
    }

    /// Returns whether there was a list of songs, possibly an empty one.
    pub fn has_list(&self) -> bool {
        self.has_list
    }

    /// Returns whether the model keeps writing without completing anything.
    pub fn is_runaway(&self) -> bool {
        self.white_space > MAX_WHITE_SPACE
            || self.without_progress > MAX_CHARACTERS_WITHOUT_PROGRESS
            || self.suggestions >= MAX_SUGGESTIONS
    }

    fn count(&mut self, c: char) {
        self.has_content |= !c.is_whitespace();
        self.without_progress += 1;
        let is_waste = c.is_whitespace() && self.parser.is_inside();
        self.white_space = if is_waste { self.white_space + 1 } else { 0 };
    }

    fn take_all(&mut self, tokens: &mut Vec<Token>, events: &mut Vec<PlaylistEvent>) {
        let before = events.len();
        for token in tokens.drain(..) {
            self.take(token, events);
        }
        if events.len() > before {
            self.without_progress = 0;
        }
    }

    fn take(&mut self, token: Token, events: &mut Vec<PlaylistEvent>) {
        match token {
            Token::Noise(c) => {
                if self.prose.len() < MAX_PROSE_BYTES {
                    self.prose.push(c);
                }
            }
            Token::ObjectStart => {
                let is_in_list = self.starts_in_list();
                self.frames.push(Frame::Object(Object {
                    is_in_list,
                    ..Object::default()
                }));
            }
            Token::ArrayStart => self.open_array(events),
            Token::Key(key) => {
                if let Some(Frame::Object(object)) = self.frames.last_mut() {
                    object.key = fields::of(&key);
                }
            }
            Token::Text(text) => self.text(text, events),
            Token::Bare(text) => self.bare(&text),
            Token::ObjectEnd => self.close_object(events),
            Token::ArrayEnd => self.close_array(events),
        }
        if self.frames.is_empty() {
            return;
        }
        self.tell_texts(events);
    }

    fn starts_in_list(&self) -> bool {
        match self.frames.last() {
            Some(Frame::Object(object)) => object.is_in_list,
            Some(Frame::Array(array)) => !array.is_root,
            None => false,
        }
    }

    fn open_array(&mut self, events: &mut Vec<PlaylistEvent>) {
        let field = match self.frames.last_mut() {
            Some(Frame::Object(object)) => {
                object.has_songs |= object.key == Some(Field::Songs);
                object.key
            }
            Some(Frame::Array(array)) => array.field,
            None => None,
        };
        self.tell_texts(events);
        let is_root = self.frames.is_empty();
        let is_in_list = matches!(self.frames.last(), Some(Frame::Array(_)));
        let array = Array {
            field,
            is_root,
            is_in_list,
            texts: Vec::new(),
            year: None,
            has_songs: false,
        };
        self.frames.push(Frame::Array(array));
    }

    fn text(&mut self, text: String, events: &mut Vec<PlaylistEvent>) {
        let key = match self.frames.last() {
            Some(Frame::Object(object)) => object.key,
            Some(Frame::Array(_)) | None => None,
        };
        let may_hold_songs = self.frames.is_empty() || matches!(key, Some(Field::Songs));
        if may_hold_songs && text.starts_with(['{', '[']) && !self.is_nested {
            return self.nested(&text, events);
        }
        match self.frames.last_mut() {
            None => {}
            Some(Frame::Array(array)) => {
                let is_line =
                    !array.is_in_list && (array.is_root || array.field == Some(Field::Songs));
                let song = if is_line { song::line(&text) } else { None };
                match song {
                    Some(song) => {
                        self.suggest(song, events);
                        self.mark_parents();
                    }
                    None if array.texts.len() < 4 => array.texts.push(text),
                    None => {}
                }
            }
            Some(Frame::Object(object)) => {
                let is_in_list = object.is_in_list;
                match key {
                    Some(Field::Kind) if !is_in_list => {
                        events.extend(kind(&text).map(PlaylistEvent::Kind));
                    }
                    Some(Field::Language) if !is_in_list => {
                        events.extend(Language::from_name(&text).map(PlaylistEvent::Language));
                    }
                    Some(Field::Year) => object.year = year(&text),
                    Some(field) => object.set(field, text),
                    None => {}
                }
            }
        }
    }

    fn bare(&mut self, text: &str) {
        match self.frames.last_mut() {
            Some(Frame::Object(object)) => match object.key {
                Some(Field::Year) => object.year = year(text),
                // A title such as 1979, written as a number.
                Some(field @ (Field::Artist | Field::Title))
                    if text.bytes().all(|byte| byte.is_ascii_digit()) =>
                {
                    object.set(field, text.to_owned());
                }
                _ => {}
            },
            Some(Frame::Array(array)) if array.is_in_list => array.year = year(text).or(array.year),
            _ => {}
        }
    }

    /// Reads a document that is inside a text.
    fn nested(&mut self, text: &str, events: &mut Vec<PlaylistEvent>) {
        let mut reader = Self {
            is_nested: true,
            suggestions: self.suggestions,
            ..Self::default()
        };
        let found = reader.push(text);
        let songs = reader.suggestions > self.suggestions;
        self.suggestions = reader.suggestions;
        events.extend(found);
        if songs {
            self.mark_parents();
            self.is_complete |= self.frames.is_empty() && reader.is_complete;
        }
    }

    fn close_object(&mut self, events: &mut Vec<PlaylistEvent>) {
        let Some(Frame::Object(mut object)) = self.frames.pop() else {
            return;
        };
        let is_attribute = self.is_within_song();
        match (
            object.artist.take(),
            object.title.clone().or(object.name.clone()),
        ) {
            _ if object.has_songs => self.end_container(object, events),
            (Some(_), Some(_)) if is_attribute => {}
            (Some(artist), Some(title)) => {
                if let Some(song) = song::new(&artist, &title, object.year) {
                    let before = events.len();
                    self.suggest(song, events);
                    self.mark_parents();
                    let why = object.why.as_deref().filter(|_| events.len() > before);
                    events.extend(why.and_then(song::why).map(PlaylistEvent::Why));
                }
            }
            (None, Some(name)) => self.name_for_parent(name, events),
            (Some(artist), None) => self.name_for_parent(artist, events),
            (None, None) if self.frames.is_empty() => self.end_container(object, events),
            (None, None) => {}
        }
    }

    /// Returns whether the object that has ended describes a song, such as its album, and is not a song.
    fn is_within_song(&self) -> bool {
        let Some(Frame::Object(parent)) = self.frames.last() else {
            return false;
        };
        parent.is_in_list && !matches!(parent.key, Some(Field::Songs | Field::Title))
    }

    /// Handles the end of an object: of the whole answer, or of a part of it.
    fn end_container(&mut self, mut object: Object, events: &mut Vec<PlaylistEvent>) {
        object.tell(events);
        let is_whole = self
            .frames
            .iter()
            .all(|frame| matches!(frame, Frame::Array(array) if array.is_root));
        if object.has_songs && is_whole && self.suggestions > 0 && !self.parser.is_doubtful() {
            self.is_complete = true;
        }
    }

    /// Passes on the name of an object that is not a song: the artist of the song around it, or a song in one line.
    fn name_for_parent(&mut self, name: String, events: &mut Vec<PlaylistEvent>) {
        let is_line = match self.frames.last_mut() {
            Some(Frame::Object(parent)) if parent.key == Some(Field::Artist) => {
                parent.artist.get_or_insert(name);
                return;
            }
            Some(Frame::Object(parent)) if parent.key == Some(Field::Title) => {
                parent.title.get_or_insert(name);
                return;
            }
            Some(Frame::Array(array)) if array.field == Some(Field::Artist) => {
                array.texts.push(name);
                return;
            }
            Some(Frame::Array(array)) => array.is_root || array.field == Some(Field::Songs),
            _ => false,
        };
        if is_line && let Some(song) = song::line(&name) {
            self.suggest(song, events);
            self.mark_parents();
        }
    }

    fn close_array(&mut self, events: &mut Vec<PlaylistEvent>) {
        let Some(Frame::Array(array)) = self.frames.pop() else {
            return;
        };
        match self.frames.last_mut() {
            Some(Frame::Object(parent)) => {
                self.has_list |= array.field == Some(Field::Songs);
                if let (Some(Field::Artist), Some(first)) = (array.field, array.texts.first()) {
                    parent.artist.get_or_insert(first.clone());
                }
            }
            Some(Frame::Array(parent)) => {
                let are_songs = parent.is_root || parent.field == Some(Field::Songs);
                if are_songs
                    && let [artist, title, ..] = array.texts.as_slice()
                    && let Some(song) = song::new(artist, title, array.year)
                {
                    self.suggest(song, events);
                    self.mark_parents();
                }
            }
            None => self.is_complete |= array.has_songs && !self.parser.is_doubtful(),
        }
    }

    fn mark_parents(&mut self) {
        for frame in &mut self.frames {
            match frame {
                Frame::Object(object) => object.has_songs = true,
                Frame::Array(array) => array.has_songs = true,
            }
        }
    }

    fn suggest(&mut self, song: Suggestion, events: &mut Vec<PlaylistEvent>) {
        let is_echo = |frame: &Frame| matches!(frame, Frame::Object(object) if object.key == Some(Field::Echo));
        if self.suggestions < MAX_SUGGESTIONS && !self.frames.iter().any(is_echo) {
            self.suggestions += 1;
            events.push(PlaylistEvent::Suggestion(song));
        }
    }

    /// Returns the texts of the object that holds the songs as soon as they are complete.
    fn tell_texts(&mut self, events: &mut Vec<PlaylistEvent>) {
        if let Some(Frame::Object(object)) = self.frames.last_mut()
            && object.has_songs
        {
            object.tell(events);
        }
    }
}

impl Object {
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

    fn tell(&mut self, events: &mut Vec<PlaylistEvent>) {
        let mut tell = |text: Option<String>, max, event: fn(String) -> PlaylistEvent| {
            let text =
                text.map(|text| clean(text.trim_matches(['"', '*', '“', '”', '„', ' ']), max));
            // Some models wrap the answer in an object with the schema's name.
            let text =
                text.filter(|text| !text.is_empty() && !text.eq_ignore_ascii_case("playlist"));
            events.extend(text.map(event));
        };
        tell(
            self.name.take().or(self.title.take()),
            MAX_NAME_CHARACTERS,
            PlaylistEvent::Name,
        );
        tell(
            self.description.take(),
            MAX_DESCRIPTION_CHARACTERS,
            PlaylistEvent::Description,
        );
        tell(
            self.summary.take(),
            MAX_SUMMARY_CHARACTERS,
            PlaylistEvent::Summary,
        );
    }
}

fn kind(text: &str) -> Option<PlaylistKind> {
    let text = text.trim().to_lowercase();
    if [
        "refus",
        "declin",
        "reject",
        "denied",
        "not_",
        "off_topic",
        "odmow",
    ]
    .iter()
    .any(|stem| text.starts_with(stem))
    {
        return Some(PlaylistKind::Refusal);
    }
    text.starts_with("playlist")
        .then_some(PlaylistKind::Playlist)
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
