//! Splits a title into the song's own name and the description of this recording.

use super::{
    addition::{Addition, IMITATIONS, imitated, take_parts},
    fold::{Folded, Name, Word, cut},
    letters::each_letter,
    lexicon::lexicon,
    script,
    senses::Senses,
    structure::{Place, Step, Structure},
    version::{Version, Versions},
};

/// A title's parts. It can be reused for another title without a new allocation.
#[derive(Debug, Clone, Default)]
pub(super) struct Title {
    folded: Folded,
    /// The name without brackets, without the part after a dash, and without part numbers.
    main: Vec<Word>,
    /// The name with its subtitles, if it has any.
    full: Vec<Word>,
    /// The name with the subtitles in brackets only, if more follow a dash.
    lead: Vec<Word>,
    /// The subtitles only.
    subtitle: Vec<Word>,
    /// Other names, one after another: subtitles, nicknames, a movement's own name.
    aliases: Vec<Word>,
    alias_ends: Vec<usize>,
    /// The name in quotes.
    nickname: Vec<Word>,
    /// How many words of `main` there are before its last colon.
    work_length: usize,
    /// The guests listed after "feat.".
    featured: Vec<Word>,
    /// The artist that a karaoke or cover track claims to imitate.
    pub imitated: Vec<Word>,
    /// The words that name the version ("imanbek remix").
    version_words: Vec<Word>,
    /// The versions that the title states.
    pub versions: Versions,
    /// The part's number or numbers, as a set.
    pub parts: u16,
    /// Whether it has an addition that the studio recording rarely has.
    pub is_unusual: bool,
    /// Whether the title states that the song has not been released before.
    pub is_unreleased: bool,
}

impl Title {
    pub(super) fn parse(text: &str) -> Self {
        let mut title = Self::default();
        title.read(text);
        title
    }

    /// Parses another title in place of this one.
    pub(super) fn read(&mut self, text: &str) {
        self.clear();
        let text = cut(text);
        let mut structure = Structure::default();
        let mut start = 0;
        each_letter(text, |previous, c, next| {
            match structure.step(previous, c, next) {
                Step::Letter => {
                    self.folded.put(previous, c, next);
                    if c == ':' && structure.place == Place::Main {
                        self.work_length = self.main.len() + self.folded.count() - start;
                    }
                }
                Step::Space => self.folded.end_word(),
                Step::End(place) => {
                    self.folded.end_word();
                    self.take_piece(place, start);
                    self.folded.begin_piece();
                    start = self.folded.count();
                }
            }
        });
        self.folded.end_word();
        self.take_piece(structure.place, start);
        self.name_unnamed(text);
        self.read_opening(text);
        self.read_scripts(text);
        self.read_nicknames(text);
    }

    fn clear(&mut self) {
        self.folded.clear();
        self.folded.joins = true;
        let lists = [
            &mut self.main,
            &mut self.full,
            &mut self.lead,
            &mut self.subtitle,
            &mut self.aliases,
            &mut self.nickname,
            &mut self.featured,
            &mut self.imitated,
            &mut self.version_words,
        ];
        lists.into_iter().for_each(Vec::clear);
        self.alias_ends.clear();
        (self.versions, self.parts, self.work_length) = (Versions::default(), 0, 0);
        (self.is_unusual, self.is_unreleased) = (false, false);
    }

    /// Assigns a piece's words to the parts.
    fn take_piece(&mut self, place: Place, start: usize) {
        let words = self.folded.since(start);
        let own = match guests_at(words, place, !self.main.is_empty()) {
            Some(at) => {
                self.featured
                    .extend_from_slice(words.get(at + 1..).unwrap_or_default());
                words.get(..at).unwrap_or_default()
            }
            None => words,
        };
        if own.is_empty() {
            return;
        }
        if place == Place::Main {
            let kept = self.main.len();
            self.parts |= take_parts(own, &mut self.main);
            let kept = self.main.get(kept..).unwrap_or_default();
            self.full.extend_from_slice(kept);
            self.lead.extend_from_slice(kept);
            return;
        }
        let addition = Addition::of(own);
        // "青春サツバツ論 - Full size": a listener who cannot write one script names the song by the other.
        if matches!(
            addition,
            Addition::Neutral | Addition::Unusual | Addition::Version(_)
        ) && script::differ(self.folded.with(&self.main), self.folded.with(own))
        {
            self.aliases.extend_from_slice(own);
            self.alias_ends.push(self.aliases.len());
        }
        match addition {
            Addition::Part => {
                let kept = self.full.len();
                self.parts |= take_parts(own, &mut self.full);
                let kept = self.full.get(kept..).unwrap_or_default();
                self.subtitle.extend_from_slice(kept);
            }
            Addition::Count => {
                for list in [&mut self.main, &mut self.full, &mut self.lead] {
                    list.extend_from_slice(own);
                }
            }
            Addition::Subtitle => {
                let kept = self.full.len();
                self.parts |= take_parts(own, &mut self.full);
                let kept = self.full.get(kept..).unwrap_or_default();
                self.subtitle.extend_from_slice(kept);
                if place == Place::Bracket {
                    self.lead.extend_from_slice(kept);
                }
                self.aliases.extend_from_slice(kept);
                self.alias_ends.push(self.aliases.len());
            }
            Addition::Note => {
                self.aliases.extend_from_slice(own);
                self.alias_ends.push(self.aliases.len());
            }
            Addition::Version(versions) => {
                self.versions = self.versions.union(versions);
                self.version_words.extend_from_slice(own);
                if versions.intersects(IMITATIONS) {
                    self.imitated.extend_from_slice(imitated(own));
                }
            }
            Addition::Unusual => self.is_unusual = true,
            Addition::Neutral => {
                self.is_unreleased |= lexicon().senses(own).has(Senses::UNRELEASED);
            }
        }
    }

    /// Names a title that has only brackets or punctuation by these.
    fn name_unnamed(&mut self, text: &str) {
        if !self.main.is_empty() {
            return;
        }
        if self.full.is_empty() {
            if self.folded.count() == 0 {
                self.folded.push_whole(text);
            }
            self.full.extend_from_slice(self.folded.words());
            (self.parts, self.versions) = (0, Versions::default());
            self.version_words.clear();
        }
        self.main.clone_from(&self.full);
        self.lead.clone_from(&self.full);
        self.subtitle.clear();
    }

    /// Adds the part before a mark as another name: "Flashdance... What a Feeling", "Gloria: In Excelsis Deo".
    fn read_opening(&mut self, text: &str) {
        let mark = ["...", "…", ": "]
            .iter()
            .filter_map(|mark| text.find(mark))
            .min();
        let opening = mark.and_then(|at| text.get(..at));
        if let Some(opening) = opening.filter(|opening| opening.chars().any(char::is_alphanumeric))
        {
            self.add_alias(opening);
        }
    }

    /// Adds both names of a title in two scripts, such as "봄날 Spring Day".
    fn read_scripts(&mut self, text: &str) {
        if text.is_ascii() {
            return;
        }
        let name = self.folded.with(&self.main);
        let is_latin = |word: &&Word| name.letters_of(word).is_ascii();
        let (latin, other): (Vec<Word>, Vec<Word>) = self.main.iter().partition(is_latin);
        if !latin.is_empty() && !other.is_empty() {
            for words in [latin, other] {
                self.aliases.extend(words);
                self.alias_ends.push(self.aliases.len());
            }
        }
    }

    fn add_alias(&mut self, name: &str) {
        self.folded.begin();
        let start = self.folded.count();
        self.folded.push(name);
        self.aliases.extend_from_slice(self.folded.since(start));
        self.alias_ends.push(self.aliases.len());
    }

    /// Reads the names in "Bagatelle No. 25 "Für Elise"" and "Suite bergamasque: III. Clair de lune".
    fn read_nicknames(&mut self, text: &str) {
        if !text.contains(['"', '“', '”', ':']) {
            return;
        }
        let own = text.split(['(', '[']).next().unwrap_or_default();
        let own = own.split(" - ").next().unwrap_or_default();
        let quoted = match own.split(['"', '“', '”']).collect::<Vec<_>>().as_slice() {
            [before, quoted, _, ..] if before.chars().any(char::is_alphanumeric) => Some(*quoted),
            _ => None,
        };
        if let Some(quoted) = quoted.filter(|name| name.chars().any(char::is_alphanumeric)) {
            let start = self.aliases.len();
            self.add_alias(quoted);
            self.nickname
                .extend_from_slice(self.aliases.get(start..).unwrap_or_default());
        }
        if let Some((work, name)) = own.rsplit_once(": ") {
            const ARRANGED: Versions = Versions::of(&[Version::Arranged]);
            match Addition::of(Folded::of(work).words()) {
                // "Commentary: Hello", but not "Piano Concerto No. 2: Allegro".
                Addition::Version(versions) if !versions.without(ARRANGED).is_empty() => {
                    self.versions = self.versions.union(versions);
                }
                _ if name.contains(' ') => self.add_alias(movement(name)),
                _ => {}
            }
        }
    }

    /// Returns the name of the work and that of its movement, which follows the last colon.
    pub(super) fn halves(&self) -> (&[Word], &[Word]) {
        let length = self.work_length.min(self.main.len());
        if length == 0 {
            (&self.main, &[])
        } else {
            self.main.split_at(length)
        }
    }

    /// Returns the name in quotes.
    pub(super) fn nickname(&self) -> &[Word] {
        &self.nickname
    }

    pub(super) fn main(&self) -> Name<'_> {
        self.folded.with(&self.main).bare()
    }

    pub(super) fn full(&self) -> Name<'_> {
        self.folded.with(&self.full).bare()
    }

    /// Returns the words of the name with its subtitles, including its article.
    pub(super) fn all_words(&self) -> &[Word] {
        &self.full
    }

    /// Returns every word of the title, including additions and aliases.
    pub(super) fn said_words(&self) -> &[Word] {
        self.folded.words()
    }

    pub(super) fn lead(&self) -> Name<'_> {
        self.folded.with(&self.lead).bare()
    }

    pub(super) fn subtitle(&self) -> Name<'_> {
        self.folded.with(&self.subtitle)
    }

    pub(super) fn version_words(&self) -> Name<'_> {
        self.folded.with(&self.version_words)
    }

    pub(super) fn imitated(&self) -> Name<'_> {
        self.folded.with(&self.imitated)
    }

    pub(super) fn is_transliterable(&self) -> bool {
        self.folded.is_transliterable
    }

    /// Returns the other names of the song.
    pub(super) fn aliases(&self) -> impl Iterator<Item = Name<'_>> {
        let mut start = 0;
        self.alias_ends.iter().map(move |end| {
            let words = self.aliases.get(start..*end).unwrap_or_default();
            start = *end;
            self.folded.with(words)
        })
    }

    /// Returns the guests, each name and then all of them as one name.
    pub(super) fn featured(&self) -> impl Iterator<Item = Name<'_>> {
        let and = lexicon().and.id;
        let each = self.featured.split(move |word| word.id == and);
        let all = self
            .featured
            .iter()
            .any(|word| word.id == and)
            .then_some(self.featured.as_slice());
        each.chain(all)
            .filter(|words| !words.is_empty())
            .map(|words| self.folded.with(words).bare())
    }
}

/// Returns a movement's own name without its number: "In the Hall of the Mountain King" after "IV.".
fn movement(name: &str) -> &str {
    let is_number = |text: &str| {
        let number = text.rsplit(' ').next().unwrap_or_default();
        number.starts_with(|c: char| c.is_ascii_digit())
            || !number.is_empty() && number.bytes().all(|b| matches!(b, b'I' | b'V' | b'X'))
    };
    [". ", ", "]
        .iter()
        .filter_map(|end| name.split_once(end))
        .find(|(number, name)| is_number(number) && name.contains(' '))
        .map_or(name, |(_, name)| name)
}

/// Returns where the guests begin in "umbrella feat jay z"; in an addition "with" begins them, too.
pub(super) fn guests_at(words: &[Word], place: Place, has_name: bool) -> Option<usize> {
    let with = lexicon().with;
    words.iter().enumerate().position(|(at, word)| match place {
        Place::Main => (at > 0 || has_name) && word.senses.has(Senses::FEAT),
        _ => word.senses.has(Senses::FEAT) || (at == 0 && word.id == with),
    })
}

#[cfg(test)]
#[path = "title_tests.rs"]
mod tests;
