//! The words with which titles, albums and artists' names describe a recording.
//!
//! They are in `lexicon.txt`, folded like titles: `sense+sense: word, two words, …` defines what words and phrases
//! mean, and `=word: …` lists other spellings of a word. The file has no comments, because it is part of every
//! function that matches.

use std::sync::OnceLock;

use super::{fold::Word, version::Version};
use crate::unicode::decompose;

/// The numbers from one to twelve in the lexicon's spelling.
const NUMBERS: &str = "one to three for five six seven eight nine ten eleven twelve";
const TEXT: &str = include_str!("lexicon.txt");

/// The meanings of a word, as a set. The lowest bits are the [`Version`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Senses(u64);

macro_rules! senses {
    ($($constant:ident = $name:literal),* $(,)?) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        #[repr(u32)]
        enum Bit { $($constant),* }

        impl Senses {
            $(pub(super) const $constant: Self = Self(1 << (Version::COUNT + Bit::$constant as u32));)*
            const NAMES: &'static [(&'static str, Self)] = &[$(($name, Self::$constant)),*];
        }
    };
}

senses! {
    // In an addition: the studio recording itself.
    NEUTRAL = "neutral",
    // Begins an addition that names the song's origin.
    ORIGIN = "origin",
    // "Version", "edition": the words around it specify it.
    VERSION = "version",
    // A song that was first recorded later: it has no other recording.
    UNRELEASED = "unreleased",
    // "Mix", "edit": a named person's, or the studio's.
    MIX = "mix",
    // Counts only at the end of an addition, or before a number: "Take 2".
    AT_END = "at-end",
    // Also counts in a name that is not an addition.
    ANYWHERE = "anywhere",
    LIVE_WORD = "live-word",
    BEFORE_VERB = "before-verb",
    AFTER_VERB = "after-verb",
    LIVE_ALBUM = "live-album",
    ARTICLE = "article",
    PARTICLE = "particle",
    // "Theme", "song", "official": one side may say so without the other.
    NOTE = "note",
    NUMBER = "number",
    PART = "part",
    COUNT = "count",
    CATALOGUE = "catalogue",
    FEAT = "feat",
    JOINT = "joint",
    ENSEMBLE = "ensemble",
    GENERATION = "generation",
    // A language in which a song can be sung.
    TONGUE = "tongue",
    REISSUE = "reissue",
    COMPILATION = "compilation",
    WORK = "work",
    IMITATES = "imitates",
    PLACE = "place",
    YEAR = "year",
    // Can form one word with the next one.
    JOINS = "joins",
    // Begins with a digit: "7", "1999", "5th".
    DIGITS = "digits",
}

impl Senses {
    const VERSIONS: u64 = (1 << Version::COUNT) - 1;

    pub(super) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    #[must_use]
    pub(super) const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[must_use]
    pub(super) const fn only(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Returns the bits of the versions.
    #[allow(clippy::cast_possible_truncation)]
    pub(super) const fn versions(self) -> u32 {
        (self.0 & Self::VERSIONS) as u32
    }

    fn named(name: &str) -> Self {
        let version = Version::NAMES
            .iter()
            .position(|own| *own == name)
            .map(|bit| Self(1 << bit));
        let sense = || {
            Self::NAMES
                .iter()
                .find(|(own, _)| *own == name)
                .map(|(_, sense)| *sense)
        };
        version.or_else(sense).unwrap_or_default()
    }
}

/// The lexicon's entry for a word.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Known {
    pub id: u32,
    /// The index of the first phrase that begins with the word; 0 for none.
    pub phrases: u16,
    pub senses: Senses,
}

/// The word "and", and the letter that can replace it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct And {
    pub id: u32,
    pub senses: Senses,
    pub lone_n: u32,
}

/// The words after the first one of a phrase.
#[derive(Debug)]
struct Phrase {
    rest: Vec<u32>,
    senses: Senses,
    /// The next phrase with the same first word; 0 for none.
    next: u16,
}

/// The words and phrases of `lexicon.txt`, parsed.
#[derive(Debug)]
pub(super) struct Lexicon {
    /// The entries with the hash of their letters, by open addressing. The length is a power of two.
    table: Vec<(u32, Known)>,
    phrases: Vec<Phrase>,
    /// Two words that are written as one: "going to" and "gonna".
    joints: Vec<(u32, u32, u32)>,
    /// The ids of the numbers from one to twelve, and of three Roman numerals that are letters.
    numbers: Vec<(u32, u8)>,
    pub and: And,
    pub with: u32,
    part: u32,
}

/// Returns the lexicon; it is parsed on first use.
pub(super) fn lexicon() -> &'static Lexicon {
    static LEXICON: OnceLock<Lexicon> = OnceLock::new();
    LEXICON.get_or_init(|| Lexicon::read(TEXT))
}

/// Hashes a word with FNV-1a.
fn hash(word: &str) -> u32 {
    word.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

impl Lexicon {
    /// Parses lines of `sense+sense: word, two words, …` and of `=word: other spellings`.
    fn read(text: &str) -> Self {
        const SIZE: usize = 4096;
        let mut lexicon = Self {
            table: vec![(0, Known::default()); SIZE],
            // Index 0 means none.
            phrases: vec![Phrase {
                rest: Vec::new(),
                senses: Senses::default(),
                next: 0,
            }],
            joints: Vec::new(),
            numbers: NUMBERS
                .split(' ')
                .zip(1..)
                .map(|(word, number)| (hash(word), number))
                .collect(),
            and: And::default(),
            with: hash("with"),
            part: hash("part"),
        };
        lexicon
            .numbers
            .extend([("i", 1), ("v", 5), ("x", 10)].map(|(word, number)| (hash(word), number)));
        let decomposed: String = if text.is_ascii() {
            text.to_owned()
        } else {
            decompose(text).into_iter().collect()
        };
        let lines = || decomposed.lines().filter_map(|line| line.split_once(": "));
        for (word, spellings) in
            lines().filter_map(|(head, list)| Some((head.strip_prefix('=')?, list)))
        {
            for spelling in spellings.split(", ") {
                match spelling.split_once(' ') {
                    Some((one, two)) => {
                        let ids = (lexicon.word(one).id, lexicon.word(two).id, hash(word));
                        lexicon.joints.push(ids);
                    }
                    None => lexicon.entry(spelling).id = hash(word),
                }
            }
        }
        lexicon.join_numbers();
        for (head, entries) in lines().filter(|(head, _)| !head.starts_with(['=', '#'])) {
            let senses = head
                .split('+')
                .map(Senses::named)
                .fold(Senses::default(), Senses::union);
            entries
                .split(", ")
                .for_each(|entry| lexicon.add(entry, senses));
        }
        let and = lexicon.word("and");
        lexicon.and = And {
            id: and.id,
            senses: and.senses,
            lone_n: hash("n"),
        };
        lexicon
    }

    /// Joins spelled-out numbers: "twenty one" is 21, "ten thousand" 10000.
    fn join_numbers(&mut self) {
        let units = "one to three for five six seven eight nine ten".split(' ');
        let tens = "twenty thirty forty fifty sixty seventy eighty ninety".split(' ');
        let written = |number: usize| hash(&number.to_string());
        for (unit, number) in units.zip(1_usize..) {
            for (ten, of) in tens.clone().zip(2_usize..).filter(|_| number < 10) {
                self.joints
                    .push((hash(ten), hash(unit), written(10 * of + number)));
            }
            for (noun, of) in [("hundred", 100), ("thousand", 1000)] {
                let joint = if number == 1 {
                    hash(noun)
                } else {
                    written(number * of)
                };
                self.joints.push((hash(unit), hash(noun), joint));
            }
        }
        for (first, _, _) in &self.joints {
            let at = self.slot(*first);
            if let Some((key, known)) = self.table.get_mut(at)
                && *key == 0
            {
                (*key, known.id) = (*first, *first);
            }
        }
        let begins = |id: u32| self.joints.iter().any(|(first, _, _)| *first == id);
        for (_, known) in self
            .table
            .iter_mut()
            .filter(|(key, known)| *key != 0 && begins(known.id))
        {
            known.senses = known.senses.union(Senses::JOINS);
        }
    }

    fn add(&mut self, entry: &str, senses: Senses) {
        let mut words = entry.split(' ');
        let first = words.next().unwrap_or_default();
        let rest: Vec<u32> = words.map(|word| self.word(word).id).collect();
        let next = u16::try_from(self.phrases.len()).unwrap_or_default();
        let known = self.entry(first);
        if rest.is_empty() {
            known.senses = known.senses.union(senses);
        } else {
            let after = std::mem::replace(&mut known.phrases, next);
            self.phrases.push(Phrase {
                rest,
                senses,
                next: after,
            });
        }
    }

    fn entry(&mut self, word: &str) -> &mut Known {
        let hash = hash(word);
        let at = self.slot(hash);
        // The table is never full, so a free slot is always found.
        #[allow(clippy::indexing_slicing)]
        let (key, known) = &mut self.table[at];
        if *key == 0 {
            (*key, known.id) = (hash, hash);
        }
        known
    }

    /// Returns the slot of the hash, or the free one for it.
    #[allow(clippy::cast_possible_truncation)]
    fn slot(&self, hash: u32) -> usize {
        let mask = self.table.len() - 1;
        let mut at = hash as usize & mask;
        while self
            .table
            .get(at)
            .is_some_and(|(key, _)| *key != 0 && *key != hash)
        {
            at = (at + 1) & mask;
        }
        at
    }

    /// Returns the entry of a folded word; every number has one.
    pub(super) fn word(&self, word: &str) -> Known {
        let hash = hash(word);
        let mut known = match self.table.get(self.slot(hash)) {
            Some((key, known)) if *key == hash => *known,
            _ => Known {
                id: hash,
                ..Known::default()
            },
        };
        if word.starts_with(char::is_numeric) {
            known.senses = known.senses.union(Senses::DIGITS);
            if word.chars().all(char::is_numeric) {
                known.senses = known.senses.union(Senses::NUMBER);
                if word.len() == 4 && (word.starts_with("19") || word.starts_with("20")) {
                    known.senses = known.senses.union(Senses::YEAR);
                }
            }
        }
        known
    }

    /// Returns the one word as which these two are also written.
    pub(super) fn joint(&self, first: u32, second: u32) -> Option<u32> {
        self.joints
            .iter()
            .find(|(one, two, _)| *one == first && *two == second)
            .map(|(_, _, word)| *word)
    }

    /// Returns the number from 1 to 12 that a word means after "part".
    pub(super) fn number(&self, word: &Word) -> Option<u8> {
        self.numbers
            .iter()
            .find(|(id, _)| *id == word.id)
            .map(|(_, number)| *number)
    }

    /// Returns the common spelling of a word with several spellings.
    pub(super) fn spelling(&self, word: &Word) -> Option<&'static str> {
        if word.id == self.and.id {
            Some("and")
        } else if word.id == self.part {
            Some("part")
        } else {
            None
        }
    }

    /// Returns the least length of a word in its common spelling: "n" can become "and", and "pt" is "part".
    pub(super) fn least_length(&self, id: u32) -> usize {
        if id == self.and.lone_n {
            3
        } else if id == self.part {
            4
        } else {
            0
        }
    }

    /// Passes the meaning of each word, or of the longest phrase that begins with it, and its number of words to
    /// `take`.
    pub(super) fn scan(&self, words: &[Word], mut take: impl FnMut(usize, usize, Senses)) {
        let mut at = 0;
        while let Some(word) = words.get(at) {
            let (mut senses, mut length) = (word.senses, 1);
            let mut next = usize::from(word.phrases);
            while let Some(phrase) = self.phrases.get(next).filter(|_| next > 0) {
                let after = words.get(at + 1..at + 1 + phrase.rest.len());
                if after.is_some_and(|after| {
                    after
                        .iter()
                        .zip(&phrase.rest)
                        .all(|(word, id)| word.id == *id)
                }) {
                    senses = senses.union(phrase.senses);
                    length = length.max(1 + phrase.rest.len());
                }
                next = usize::from(phrase.next);
            }
            take(at, length, senses);
            at += 1;
        }
    }

    /// Returns the combined meaning of all words and phrases.
    pub(super) fn senses(&self, words: &[Word]) -> Senses {
        let mut all = Senses::default();
        self.scan(words, |_, _, senses| all = all.union(senses));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::super::fold::Folded;
    use super::*;

    #[test]
    fn every_lexicon_line_is_valid_and_folded() {
        for line in TEXT
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            let (head, entries) = line.split_once(": ").unwrap();
            if !head.starts_with('=') {
                assert!(
                    head.split('+').all(|name| !Senses::named(name).is_empty()),
                    "{head}"
                );
            }
            for entry in entries.split(", ") {
                let folded = Folded::of(entry);
                let words: Vec<&str> = entry.split(' ').collect();
                assert_eq!(folded.count(), words.len(), "{entry}");
            }
        }
    }

    #[test]
    fn words_and_phrases_have_the_senses_of_the_file() {
        let senses = |text: &str| lexicon().senses(Folded::of(text).words());
        assert!(senses("Greatest Hits").has(Senses::COMPILATION));
        assert!(Versions::named_by(senses("Like a Version")).contains(Version::Session));
        assert!(senses("zzyzx").is_empty());
    }

    use super::super::version::Versions;
}
