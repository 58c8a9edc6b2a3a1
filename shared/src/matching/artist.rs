//! Splits and compares artists' names.

use std::sync::OnceLock;

use super::{
    fold::{Folded, Name, Word, cut},
    lexicon::lexicon,
    senses::Senses,
    similarity::artist_similarity,
    version::{Version, Versions},
};

/// The factor for one artist of a shared credit: "Queen & David Bowie" against "Queen".
const PART_OF_CREDIT: f64 = 0.95;
/// The factor for matching only the second of the suggested artists: "Puff Daddy & Faith Evans" for Diddy with Faith
/// Evans. Only a title that matches exactly makes up for it.
const SECOND_OF_CREDIT: f64 = 0.76;
/// The factor for a credit by surname only: "Niemen" for Czesław Niemen.
const SURNAME_ALONE: f64 = 0.85;
/// Shorter surnames are too often another artist's whole name.
const MIN_SURNAME_CHARS: u8 = 5;
/// The factor if only one name says "band" or "quartet", or if the names are known aliases.
const ENSEMBLE: f64 = 0.96;

/// Aliases of artists: each normalised name with the one that represents all.
const ALIASES: &str = include_str!("aliases.txt");

/// Folded artists' names, one after another.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    folded: Folded,
    ends: Vec<usize>,
}

impl Names {
    pub(super) fn clear(&mut self) {
        self.folded.clear();
        self.ends.clear();
    }

    pub(super) fn push(&mut self, name: &str) {
        self.folded.push(name);
        self.ends.push(self.folded.count());
    }

    /// Replaces its names by these, folded.
    pub(super) fn read(&mut self, names: &[String]) {
        self.clear();
        names.iter().for_each(|name| self.push(name));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Name<'_>> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let words = self.folded.words().get(start..*end).unwrap_or_default();
            start = *end;
            self.folded.with(words).bare()
        })
    }

    /// Returns all words of all names.
    pub(super) fn all(&self) -> Name<'_> {
        self.folded.name()
    }

    pub(super) fn is_transliterable(&self) -> bool {
        self.folded.is_transliterable
    }
}

/// The artists in "Queen & David Bowie feat. Someone": the whole name, the part before the guests, then each.
#[derive(Debug, Clone, Default)]
pub(super) struct Credits {
    names: Names,
    /// How many of the names are the primary artist's: the whole name and the first part.
    primaries: usize,
    /// How many of the names are not guests'.
    hosts: usize,
}

impl Credits {
    pub(super) fn of(name: &str) -> Self {
        let mut credits = Self::default();
        credits.read(name);
        credits
    }

    pub(super) fn read(&mut self, name: &str) {
        self.names.clear();
        let name = cut(name);
        self.names.push(name);
        let hosts = feat_at(name).and_then(|at| name.get(..at));
        if let Some(hosts) = hosts {
            self.names.push(hosts);
        }
        self.primaries = self.names.ends.len() + 1;
        self.split(hosts.unwrap_or(name));
        self.hosts = self.names.ends.len();
        self.primaries = self.primaries.min(self.hosts);
        if let Some(guests) = hosts.and_then(|hosts| name.get(hosts.len()..)) {
            self.split(guests);
        }
    }

    /// Adds each of the joined names that is not contained yet.
    fn split(&mut self, name: &str) {
        for part in name.split([',', ';', '/']) {
            let mut folded = Folded::default();
            folded.push(part);
            let words = folded.words();
            let is_joint = |at: usize, word: &Word| {
                let neighbour = |at: Option<usize>| {
                    at.and_then(|at| words.get(at))
                        .is_some_and(|word| word.length > 1)
                };
                word.senses.has(Senses::JOINT)
                    // The letters in "T.I." and "Lil Nas X" do not join names.
                    && (word.length > 1 || (neighbour(at.checked_sub(1)) && neighbour(at.checked_add(1))))
            };
            let mut start = 0;
            let ends = words
                .iter()
                .enumerate()
                .filter(|(at, word)| is_joint(*at, word))
                .map(|(at, _)| at);
            for end in ends.chain([words.len()]) {
                let own = folded.with(words.get(start..end).unwrap_or_default());
                start = end + 1;
                let is_new =
                    !own.is_empty() && self.names.iter().all(|name| !name.same_letters(own.bare()));
                if is_new && part.chars().any(char::is_alphanumeric) {
                    self.names.push(&own.text());
                }
            }
        }
    }

    /// Returns the whole name.
    pub(super) fn whole(&self) -> Name<'_> {
        self.names.iter().next().unwrap_or(self.names.all())
    }

    /// Returns the whole name and each part of it.
    pub(super) fn iter(&self) -> impl Iterator<Item = Name<'_>> {
        self.names.iter()
    }

    pub(super) fn is_transliterable(&self) -> bool {
        self.names.is_transliterable()
    }
}

/// Returns where "feat." begins.
fn feat_at(name: &str) -> Option<usize> {
    name.split_whitespace()
        .map(|word| (word, word.as_ptr() as usize - name.as_ptr() as usize))
        .skip(1)
        .find(|(word, _)| {
            let word = word.trim_matches(|c: char| !c.is_alphanumeric());
            ["feat", "ft", "featuring"]
                .iter()
                .any(|feat| word.eq_ignore_ascii_case(feat))
        })
        .map(|(_, at)| at)
}

/// Returns whether two names are the same artist's, in one script and spelling.
pub(super) fn same_artist(a: Name<'_>, b: Name<'_>) -> bool {
    a.bare().same_letters(b.bare())
}

/// Returns how well the suggested artist matches the best of the credited ones.
///
/// If the titles are equal word for word, more forms of a name are accepted.
pub(super) fn best_similarity<'a>(
    suggested: &Credits,
    credited: &'a Names,
    featured: impl Iterator<Item = Name<'a>>,
    is_same_title: bool,
) -> f64 {
    let whole = suggested.whole();
    let mut best: f64 = 0.0;
    for name in credited.iter() {
        if same_artist(whole, name) {
            return if whole.words.len() == name.words.len() {
                1.0
            } else {
                0.99
            };
        }
    }
    let is_credited = |part: Name<'_>| credited.iter().any(|name| same_artist(part, name));
    let mut hosts = suggested.iter().take(suggested.hosts).skip(1).peekable();
    if hosts.peek().is_some() && hosts.all(is_credited)
        || credited.iter().any(|name| same_composer(whole, name))
    {
        return 0.99;
    }
    let surname = match whole.words {
        [_, surname] if surname.length >= MIN_SURNAME_CHARS => Some(surname.id),
        _ => None,
    };
    for name in credited.iter().chain(featured) {
        if matches!(name.words, [only] if surname == Some(only.id)) {
            best = best.max(SURNAME_ALONE);
        }
        best = best.max(artist_similarity(whole, name));
        // The first part is the primary artist; a matching guest alone does not make it the same song.
        for primary in suggested.iter().take(suggested.primaries).skip(1) {
            best = best.max(PART_OF_CREDIT * artist_similarity(primary, name));
        }
        for second in suggested
            .iter()
            .take(suggested.hosts)
            .skip(suggested.primaries)
        {
            // One word of a longer name is not an artist: "Fire" of "Earth, Wind & Fire".
            let is_long = second.words.len() > 1;
            if (is_long || is_same_title) && same_artist(second, name) {
                best = best.max(if is_same_title && is_long {
                    SURNAME_ALONE
                } else {
                    SECOND_OF_CREDIT
                });
            }
        }
        if is_same_title
            && best < ENSEMBLE
            && (differs_by_ensemble(whole, name) || alias(whole) == alias(name))
        {
            best = ENSEMBLE;
        }
    }
    if best > PART_OF_CREDIT {
        return best;
    }
    let all = credited.all();
    best.max(artist_similarity(whole, all))
        .max(part_of_credit(whole, credited, is_same_title))
}

/// Compares a suggested artist with a part of a credit that is one text, such as "Simon & Garfunkel".
fn part_of_credit(whole: Name<'_>, credited: &Names, is_same_title: bool) -> f64 {
    let mut best: f64 = 0.0;
    for name in credited
        .iter()
        .filter(|name| name.words.len() > whole.words.len())
    {
        let mut parts = name
            .words
            .split(|word| word.senses.has(Senses::JOINT) && word.length > 1);
        let first = parts
            .next()
            .map_or(0.0, |part| artist_similarity(whole, name.with(part)));
        best = best.max(PART_OF_CREDIT * first);
        if is_same_title && parts.any(|part| same_artist(whole, name.with(part))) {
            best = best.max(SURNAME_ALONE);
        }
    }
    best
}

/// Returns whether one name is the other with an ensemble: "Dave Brubeck" and "The Dave Brubeck Quartet".
fn differs_by_ensemble(a: Name<'_>, b: Name<'_>) -> bool {
    let (short, long) = if a.words.len() < b.words.len() {
        (a, b)
    } else {
        (b, a)
    };
    let Some(rest) = long
        .words
        .get(short.words.len()..)
        .filter(|rest| !rest.is_empty())
    else {
        return false;
    };
    let is_said = |word: &Word| {
        word.senses.has(
            Senses::ENSEMBLE
                .union(Senses::PARTICLE)
                .union(Senses::JOINT),
        )
    };
    let begins = short
        .words
        .iter()
        .zip(long.words)
        .all(|(a, b)| a.id == b.id);
    let is_enough = short.words.len() > 1 || rest.iter().any(|word| word.length > 4);
    begins && is_enough && rest.iter().all(is_said)
}

/// Returns whether one name is a composer's, and the other is the surname, alone or with initials: "J.S. Bach".
fn same_composer(a: Name<'_>, b: Name<'_>) -> bool {
    let (Some((surname, first)), Some((other, others))) =
        (a.words.split_last(), b.words.split_last())
    else {
        return false;
    };
    let is_initial = |(x, y): (&Word, &Word)| {
        (x.length == 1 || y.length == 1)
            && a.letters_of(x).bytes().next() == b.letters_of(y).bytes().next()
    };
    surname.senses.has(Senses::COMPOSER)
        && surname.id == other.id
        && (first.is_empty()
            || others.is_empty()
            || first.len() == others.len() && first.iter().zip(others).all(is_initial))
}

/// Returns the name that represents all of an artist's names, as a number.
fn alias(name: Name<'_>) -> u64 {
    static TABLE: OnceLock<Vec<(u64, u64)>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let lines = ALIASES.lines().filter_map(|line| line.split_once(": "));
        let key = |text: &str| key(Folded::of(text).name().bare());
        lines
            .flat_map(|(name, others)| {
                let name = key(name);
                others
                    .split(", ")
                    .map(move |other| (key(other), name))
                    .collect::<Vec<_>>()
            })
            .collect()
    });
    let own = key(name);
    table
        .iter()
        .find(|(other, _)| *other == own)
        .map_or(own, |(_, name)| *name)
}

fn key(name: Name<'_>) -> u64 {
    name.words.iter().fold(0, |key, word| {
        (key ^ u64::from(word.id)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Returns the versions that a performer's name reveals: "Karaoke All Hits", "A Tribute Band".
pub(super) fn versions_of_performers(artists: &Names) -> Versions {
    let mut found = Versions::default();
    lexicon().scan(artists.all().words, |_, _, senses| {
        if senses.has(Senses::ANYWHERE) {
            found = found.union(Versions::named_by(senses));
        }
        if Versions::named_by(senses).contains(Version::Tribute) {
            found.insert(Version::Tribute);
        }
    });
    found
        .to_be_asked_for()
        .without(Versions::of(&[Version::Live]))
}

#[cfg(test)]
#[path = "artist_tests.rs"]
mod tests;
