//! Reads the model's completion as it arrives. All limits hold for any completion.

use super::container::{Array, Container, MAX_TEXTS, Object};
use super::fields::{self, Field};
use super::song::{self, year};
use super::thoughts::Thoughts;
use super::{MAX_SUGGESTIONS, PlaylistEvent};
use crate::json::{LenientParser, Token};
use crate::track::Suggestion;

/// The most bytes kept of a completion without JSON, to be read as a list of songs.
const MAX_PROSE_BYTES: usize = 16 * 1024;

/// The most bytes kept of thoughts, to be read as the completion if their end is not marked.
const MAX_THOUGHTS_BYTES: usize = 64 * 1024;

/// The longest run of white space within a document. A constrained model that fails writes white space for ever.
const MAX_WHITE_SPACE: usize = 16 * 1024;

/// The most documents that are inside texts of one another.
const MAX_NESTING: u8 = 3;

/// The most characters that complete nothing.
const MAX_CHARACTERS_WITHOUT_PROGRESS: usize = 256 * 1024;

/// Reads the content of a completion as it arrives, cut anywhere and in any usable form.
///
/// The songs may have any name and may be in lists, wrapper objects or documents within a text; as objects, pairs or
/// lines such as `"Title" by Artist`; or as a plain list without JSON. Thoughts in the content are skipped. At most
/// 100 songs are read.
#[derive(Debug, Default)]
pub struct PlaylistReader {
    thoughts: Thoughts,
    parser: LenientParser,
    /// The objects and lists that have begun and not ended, the innermost last.
    open: Vec<Container>,
    prose: String,
    thought_text: String,
    suggestions: usize,
    is_complete: bool,
    has_content: bool,
    has_list: bool,
    white_space: usize,
    without_progress: usize,
    /// In how many texts of other documents the document is.
    nesting: u8,
}

impl PlaylistReader {
    /// Creates a reader for one completion.
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
                self.open.clear();
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

    /// Ends the completion; returns the parts that its end completes.
    pub fn finish(&mut self) -> Vec<PlaylistEvent> {
        let mut events = Vec::new();
        let mut tokens = Vec::new();
        self.parser.finish(&mut tokens);
        self.take_all(&mut tokens, &mut events);
        if self.suggestions == 0 && self.nesting == 0 && !self.has_list {
            let prose = std::mem::take(&mut self.prose);
            for song in song::list(&prose) {
                self.suggest(song, &mut events);
            }
            // Thoughts that were never closed are the completion.
            let thoughts = std::mem::take(&mut self.thought_text);
            self.nested(&thoughts, &mut events);
        }
        self.is_complete |= self.suggestions > 0 && !self.parser.is_inside();
        events
    }

    /// Returns whether the completion has ended, so that nothing useful can follow.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Returns whether the completion was only white space and thoughts.
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
                self.open.push(Container::Object(Object {
                    is_in_list,
                    ..Object::default()
                }));
            }
            Token::ArrayStart => self.open_array(events),
            Token::Key(key) => {
                if let Some(Container::Object(object)) = self.open.last_mut() {
                    object.key = fields::of(&key);
                    object.guess = fields::guess(&key);
                }
            }
            Token::Text(text) => self.text(text, events),
            Token::Bare(text) => self.bare(&text),
            Token::ObjectEnd => self.close_object(events),
            Token::ArrayEnd => self.close_array(events),
        }
        if self.open.is_empty() {
            return;
        }
        self.take_texts(events);
    }

    fn starts_in_list(&self) -> bool {
        match self.open.last() {
            Some(Container::Object(object)) => object.is_in_list,
            Some(Container::Array(array)) => !array.is_root,
            None => false,
        }
    }

    fn open_array(&mut self, events: &mut Vec<PlaylistEvent>) {
        let field = match self.open.last_mut() {
            Some(Container::Object(object)) => {
                object.has_songs |= object.key == Some(Field::Songs);
                object.key
            }
            Some(Container::Array(array)) => array.field,
            None => None,
        };
        self.take_texts(events);
        let is_root = self.open.is_empty();
        let is_in_list = matches!(self.open.last(), Some(Container::Array(_)));
        let array = Array {
            field,
            is_root,
            is_in_list,
            texts: Vec::new(),
            year: None,
            has_songs: false,
        };
        self.open.push(Container::Array(array));
    }

    fn text(&mut self, text: String, events: &mut Vec<PlaylistEvent>) {
        let is_document = text.trim_start().starts_with(['{', '[', '"']);
        if is_document && self.nested(&text, events) {
            return;
        }
        match self.open.last_mut() {
            None => {}
            Some(Container::Array(_)) => self.element(text, events),
            Some(Container::Object(object)) => object.read_text(text, events),
        }
    }

    /// Reads a text in a list: a song in one line, or a part of a song.
    fn element(&mut self, text: String, events: &mut Vec<PlaylistEvent>) {
        let Some(Container::Array(array)) = self.open.last_mut() else {
            return;
        };
        let may_be_song = !array.is_in_list && (array.is_root || array.field == Some(Field::Songs));
        let song = if may_be_song { song::line(&text) } else { None };
        if let Some(song) = song {
            self.suggest(song, events);
            self.mark_parents();
        } else if array.texts.len() < MAX_TEXTS {
            array.texts.push(text);
        }
    }

    fn bare(&mut self, text: &str) {
        match self.open.last_mut() {
            Some(Container::Object(object)) => object.read_bare(text),
            Some(Container::Array(array)) if array.is_in_list => {
                array.year = year(text).or(array.year)
            }
            _ => {}
        }
    }

    /// Reads a document that is inside a text; returns whether there is one.
    fn nested(&mut self, text: &str, events: &mut Vec<PlaylistEvent>) -> bool {
        if self.nesting == MAX_NESTING {
            return false;
        }
        let mut reader = Self {
            nesting: self.nesting + 1,
            suggestions: self.suggestions,
            ..Self::default()
        };
        let found = reader.push(text);
        let songs = reader.suggestions > self.suggestions;
        self.suggestions = reader.suggestions;
        let is_document = !found.is_empty();
        events.extend(found);
        if songs {
            self.mark_parents();
            self.is_complete |= self.open.is_empty() && reader.is_complete;
        }
        is_document
    }

    fn close_object(&mut self, events: &mut Vec<PlaylistEvent>) {
        let Some(Container::Object(mut object)) = self.open.pop() else {
            return;
        };
        let is_attribute = self.is_within_song();
        // An object next to the songs may have a title and an author, too, and an artist an id.
        let (artist, title) = if !is_attribute && (object.is_in_list || self.open.is_empty()) {
            std::mem::take(&mut object.guessed)
        } else {
            (None, None)
        };
        match (
            object.artist.take().or(artist),
            object.title.clone().or(object.name.clone()).or(title),
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
            (None, None) if self.open.is_empty() => self.end_container(object, events),
            (None, None) => {}
        }
    }

    /// Returns whether the object that has ended describes a song, such as its album, and is not a song.
    fn is_within_song(&self) -> bool {
        let Some(Container::Object(parent)) = self.open.last() else {
            return false;
        };
        parent.is_in_list && !matches!(parent.key, Some(Field::Songs | Field::Title))
    }

    /// Handles the end of an object: of the whole completion, or of a part of it.
    fn end_container(&mut self, mut object: Object, events: &mut Vec<PlaylistEvent>) {
        object.take_texts(events);
        let is_whole = self
            .open
            .iter()
            .all(|container| matches!(container, Container::Array(array) if array.is_root));
        if object.has_songs && is_whole && self.suggestions > 0 && !self.parser.is_doubtful() {
            self.is_complete = true;
        }
    }

    /// Passes on the name of an object that is not a song: the artist of the song around it, or a song in one line.
    fn name_for_parent(&mut self, name: String, events: &mut Vec<PlaylistEvent>) {
        let is_line = match self.open.last_mut() {
            Some(Container::Object(parent)) if parent.key == Some(Field::Artist) => {
                parent.artist.get_or_insert(name);
                return;
            }
            Some(Container::Object(parent)) if parent.key == Some(Field::Title) => {
                parent.title.get_or_insert(name);
                return;
            }
            Some(Container::Array(array)) if array.field == Some(Field::Artist) => {
                array.texts.push(name);
                return;
            }
            Some(Container::Array(array)) => array.is_root || array.field == Some(Field::Songs),
            _ => false,
        };
        if is_line && let Some(song) = song::line(&name) {
            self.suggest(song, events);
            self.mark_parents();
        }
    }

    fn close_array(&mut self, events: &mut Vec<PlaylistEvent>) {
        let Some(Container::Array(array)) = self.open.pop() else {
            return;
        };
        match self.open.last_mut() {
            Some(Container::Object(parent)) => {
                self.has_list |= array.field == Some(Field::Songs);
                let place = match array.field {
                    Some(Field::Artist) => &mut parent.artist,
                    Some(Field::Title) => &mut parent.title,
                    _ => return,
                };
                if let Some(first) = array.texts.first() {
                    place.get_or_insert(first.clone());
                }
            }
            Some(Container::Array(parent)) => {
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
        for container in &mut self.open {
            match container {
                Container::Object(object) => object.has_songs = true,
                Container::Array(array) => array.has_songs = true,
            }
        }
    }

    fn suggest(&mut self, song: Suggestion, events: &mut Vec<PlaylistEvent>) {
        let is_echo = |container: &Container| matches!(container, Container::Object(object) if object.key == Some(Field::Echo));
        if self.suggestions < MAX_SUGGESTIONS && !self.open.iter().any(is_echo) {
            self.suggestions += 1;
            events.push(PlaylistEvent::Suggestion(song));
        }
    }

    /// Appends the texts of the object that holds the songs as soon as they are complete.
    fn take_texts(&mut self, events: &mut Vec<PlaylistEvent>) {
        if let Some(Container::Object(object)) = self.open.last_mut()
            && object.has_songs
        {
            object.take_texts(events);
        }
    }
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
