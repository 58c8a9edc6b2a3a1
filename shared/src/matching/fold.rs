//! Folds texts once, into words that are compared by their ids.

use super::{
    letters::{each_letter, fold_letter, is_kept_mark, is_voicing, latin_letter},
    lexicon::{Senses, lexicon},
};

/// Longer texts are cut before they are compared. No real title is as long, and the cut bounds the work that a
/// malicious one can cause.
pub(super) const MAX_CHARS: usize = 200;

/// A word of a folded text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word {
    /// Equal for words that songs use interchangeably: "you" and "u", "part" and "pt".
    pub id: u32,
    /// The first of the lexicon's phrases that begin with this word; 0 for none.
    pub phrases: u16,
    start: u16,
    end: u16,
    /// The length in characters.
    pub length: u8,
    /// The letters as a set: words that differ in more than twice as many letters as allowed edits are not similar.
    pub mask: u32,
    /// The meanings of the word.
    pub senses: Senses,
}

/// Folded texts: their letters without spaces, and the positions of the words.
#[derive(Debug, Clone, Default)]
pub(super) struct Folded {
    letters: String,
    words: Vec<Word>,
    /// Where the current word begins.
    open: usize,
    /// Where the words of the current text begin; "n" is "and" only between longer words of one text.
    first: usize,
    /// The length of the current text so far, in characters.
    length: usize,
    /// Whether a text contains Cyrillic or Greek letters.
    pub is_transliterable: bool,
    /// Whether "going to" is read as "gonna", and similar pairs.
    pub joins: bool,
}

/// The words of one folded text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name<'a> {
    letters: &'a str,
    /// The words, in order.
    pub words: &'a [Word],
}

impl Folded {
    /// Folds a text's first [`MAX_CHARS`] characters.
    pub(super) fn of(text: &str) -> Self {
        let mut folded = Self::default();
        folded.push(text);
        folded
    }

    pub(super) fn clear(&mut self) {
        self.letters.clear();
        self.words.clear();
        (self.open, self.first, self.length, self.is_transliterable) = (0, 0, 0, false);
    }

    /// Adds a text's words; a text without words is added as it is.
    pub(super) fn push(&mut self, text: &str) {
        self.begin();
        let text = cut(text);
        each_letter(text, |previous, c, next| self.put(previous, c, next));
        self.end_word();
        if self.words.len() == self.first {
            self.push_whole(text);
        }
    }

    /// Begins another text.
    pub(super) fn begin(&mut self) {
        self.end_word();
        (self.first, self.length) = (self.words.len(), 0);
    }

    /// Begins another piece of the current text.
    pub(super) fn begin_piece(&mut self) {
        self.end_word();
        self.first = self.words.len();
    }

    /// Adds a text of punctuation alone ("!!!") as one word.
    pub(super) fn push_whole(&mut self, text: &str) {
        for part in text.split_whitespace() {
            if self.letters.len() > self.open {
                self.letters.push(' ');
            }
            part.chars()
                .flat_map(char::to_lowercase)
                .for_each(|c| self.letters.push(c));
        }
        self.end_word();
    }

    pub(super) fn name(&self) -> Name<'_> {
        Name {
            letters: &self.letters,
            words: &self.words,
        }
    }

    pub(super) fn with<'a>(&'a self, words: &'a [Word]) -> Name<'a> {
        Name {
            letters: &self.letters,
            words,
        }
    }

    /// Returns the number of words.
    pub(super) fn count(&self) -> usize {
        self.words.len()
    }

    pub(super) fn words(&self) -> &[Word] {
        &self.words
    }

    pub(super) fn since(&self, start: usize) -> &[Word] {
        self.words.get(start..).unwrap_or_default()
    }

    /// Adds one character, given its neighbours.
    pub(super) fn put(&mut self, previous: char, c: char, next: char) {
        if c.is_ascii_alphanumeric() {
            return self.letters.push(c.to_ascii_lowercase());
        }
        match c {
            ' ' => self.end_word(),
            '&' | '+' => {
                self.end_word();
                self.letters.push_str("and");
                self.end_word();
            }
            // Stage names: A$AP, Ke$ha, Bo$$, P!nk.
            '$' if previous.is_alphabetic()
                || next.is_alphabetic()
                || (previous == '$' && self.is_open()) =>
            {
                self.letters.push('s');
            }
            '!' if previous.is_alphanumeric() && next.is_alphanumeric() => self.letters.push('i'),
            // An apostrophe inside a word does not separate: don't, rock'n'roll's, L'amour.
            // "Mambo #5" is "Mambo No. 5".
            '#' if next.is_ascii_digit() => {
                self.end_word();
                self.letters.push_str("no");
                self.end_word();
            }
            '\'' | '’' | '‘' | 'ʼ' | '´' | '`' | '′' | '＇' | '״' | '׳' => {}
            ',' if previous.is_ascii_digit() && next.is_ascii_digit() => {}
            c if c.is_ascii() => self.end_word(),
            c => match latin_letter(c) {
                Some(letter) => self.letters.push(letter),
                None if is_voicing(c) => self.letters.push(c),
                None if c.is_alphanumeric() || is_kept_mark(c) => {
                    c.to_lowercase()
                        .for_each(|c| fold_letter(c, &mut self.letters));
                    self.is_transliterable |= matches!(c, '\u{370}'..='\u{45f}' | 'ґ' | 'Ґ');
                }
                None => self.end_word(),
            },
        }
    }

    fn is_open(&self) -> bool {
        self.letters.len() > self.open
    }

    /// Ends the current word, if there is one.
    pub(super) fn end_word(&mut self) {
        if !self.is_open() {
            return;
        }
        let word = self.letters.get(self.open..).unwrap_or_default();
        let number = word
            .strip_prefix("part")
            .or_else(|| word.strip_prefix("pt"))
            .filter(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()));
        let split = number.map_or(self.letters.len(), |number| {
            self.letters.len() - number.len()
        });
        self.add_word(split);
        self.add_word(self.letters.len());
    }

    fn add_word(&mut self, end: usize) {
        let (start, written, mut end) = (self.open, end, end);
        if start == end {
            return;
        }
        let word = self.letters.get(start..end).unwrap_or_default();
        let mut length = if word.is_ascii() {
            word.len()
        } else {
            word.chars().count()
        };
        if length > MAX_CHARS {
            end = start + cut(word).len();
            length = MAX_CHARS;
        }
        let known = lexicon().word(self.letters.get(start..end).unwrap_or_default());
        self.length += length.max(lexicon().least_length(known.id)) + 1;
        let (Ok(from), Ok(to), Ok(short)) = (start.try_into(), end.try_into(), length.try_into())
        else {
            self.letters.truncate(start);
            return;
        };
        if self.length > MAX_CHARS + 1 {
            self.letters.truncate(start);
            self.open = self.letters.len();
            return;
        }
        let letters = self.letters.get(start..end).unwrap_or_default();
        let word = Word {
            mask: letters
                .bytes()
                .fold(0, |mask, byte| mask | 1 << (byte & 31)),
            id: known.id,
            phrases: known.phrases,
            start: from,
            end: to,
            length: short,
            senses: known.senses,
        };
        self.words.push(word);
        self.open = written;
        self.settle_and(short);
        if self.joins {
            self.join();
        }
    }

    /// Joins two words that are also written as one: "going to" and "gonna".
    fn join(&mut self) {
        let [.., before, last] = self.words.get_mut(self.first..).unwrap_or_default() else {
            return;
        };
        if !before.senses.has(Senses::JOINS) {
            return;
        }
        // "Op. 80: III" is no 83.
        let is_roman = |b: u8| matches!(b, b'i' | b'v' | b'x');
        let spelling = self
            .letters
            .get(usize::from(last.start)..)
            .unwrap_or_default();
        let are_figures = before.senses.has(Senses::DIGITS) && last.senses.has(Senses::DIGITS);
        if spelling.bytes().all(is_roman) || are_figures {
            return;
        }
        if let Some(joint) = lexicon().joint(before.id, last.id) {
            (before.id, before.end) = (joint, last.end);
            (before.length, before.mask) = (
                before.length.saturating_add(last.length),
                before.mask | last.mask,
            );
            self.words.pop();
        }
    }

    /// Reads a lone "n" as "and": in "Rock N Roll", but not in "T.N.T." or "N.W.A".
    fn settle_and(&mut self, length: u8) {
        if length < 2 {
            return;
        }
        let and = lexicon().and;
        let [.., before, middle, _] = self.words.get_mut(self.first..).unwrap_or_default() else {
            return;
        };
        if before.length > 1 && middle.id == and.lone_n {
            (middle.id, middle.senses, middle.phrases) = (and.id, and.senses, 0);
        }
    }
}

impl<'a> Name<'a> {
    pub(super) fn letters_of(self, word: &Word) -> &'a str {
        self.letters
            .get(usize::from(word.start)..usize::from(word.end))
            .unwrap_or_default()
    }

    pub(super) fn with(self, words: &'a [Word]) -> Self {
        Self { words, ..self }
    }

    /// Returns the name without its leading articles, unless it consists of them: "The The".
    pub(super) fn bare(self) -> Self {
        match self.words {
            [article, rest @ ..] if !rest.is_empty() && article.senses.has(Senses::ARTICLE) => {
                self.with(rest).bare()
            }
            _ => self,
        }
    }

    pub(super) fn is_empty(self) -> bool {
        self.words.is_empty()
    }

    pub(super) fn same_ids(self, other: Name<'_>) -> bool {
        self.words.len() == other.words.len()
            && self
                .words
                .iter()
                .zip(other.words)
                .all(|(a, b)| a.id == b.id)
    }

    /// Returns whether both have the same letters, ignoring spaces: "R.E.M." equals "REM".
    pub(super) fn same_letters(self, other: Name<'_>) -> bool {
        let length = |name: Name<'_>| -> usize {
            name.words
                .iter()
                .map(|w| usize::from(w.end - w.start))
                .sum()
        };
        length(self) == length(other) && self.bytes().eq(other.bytes())
    }

    fn bytes(self) -> impl Iterator<Item = u8> + 'a {
        self.words
            .iter()
            .flat_map(move |word| self.letters_of(word).bytes())
    }

    pub(super) fn words_of(self) -> &'a [Word] {
        self.words
    }

    /// Returns the number of characters, including single spaces between the words.
    pub(super) fn length(self) -> usize {
        let letters: usize = self.words.iter().map(|word| usize::from(word.length)).sum();
        letters + self.words.len().saturating_sub(1)
    }

    /// Writes the name's characters, with single spaces between the words.
    pub(super) fn spell(self, out: &mut [char]) -> &[char] {
        let mut length = 0;
        let mut put = |c: char| {
            if let Some(slot) = out.get_mut(length) {
                *slot = c;
                length += 1;
            }
        };
        for (at, word) in self.words.iter().enumerate() {
            if at > 0 {
                put(' ');
            }
            self.letters_of(word).chars().for_each(&mut put);
        }
        out.get(..length).unwrap_or_default()
    }

    /// Returns the letters without spaces.
    pub(super) fn compact(self) -> String {
        self.words
            .iter()
            .map(|word| self.letters_of(word))
            .collect()
    }

    /// Returns the words, separated by single spaces.
    pub(super) fn text(self) -> String {
        let mut text = String::new();
        for word in self.words {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(
                lexicon()
                    .spelling(word)
                    .unwrap_or_else(|| self.letters_of(word)),
            );
        }
        text
    }
}

/// Returns the first [`MAX_CHARS`] characters.
pub(super) fn cut(text: &str) -> &str {
    if text.len() <= MAX_CHARS {
        return text;
    }
    text.char_indices()
        .nth(MAX_CHARS)
        .and_then(|(end, _)| text.get(..end))
        .unwrap_or(text)
}
