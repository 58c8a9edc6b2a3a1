//! Measures how similar two folded names are, from 0 to 1.

use super::edits::{distance, edit_ratio};
use super::fold::{MAX_CHARS, Name, Word};
use super::senses::Senses;

/// The tolerance for different spellings of two names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// Both are in one script: a word may have one edit, a long one two.
    Strict,
    /// One is transliterated, and there are many ways to do so.
    Loose,
}

/// The value of a title that differs by a slip in a short word; enough only with the artist's exact name.
pub(super) const SLIP: f64 = 0.74;

/// Compares two artists' names; their words may be in any order.
pub(super) fn artist_similarity(a: Name<'_>, b: Name<'_>) -> f64 {
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    let (a, b) = (a.bare(), b.bare());
    if a.same_letters(b) {
        return if a.words.len() == b.words.len() {
            1.0
        } else {
            0.99
        };
    }
    if is_permutation(a.words, b.words) {
        return 0.99;
    }
    let generation = |name: Name<'_>| {
        name.words
            .last()
            .is_some_and(|word| word.senses.has(Senses::GENERATION))
    };
    if generation(a) != generation(b) {
        return 0.5;
    }
    if adds_middle_name(a, b) || adds_middle_name(b, a) || same_pair(a, b) {
        return 0.9;
    }
    // In a short name, one letter makes another artist: "Dido" and "Dio".
    let longest = a.length().max(b.length());
    let spelling = strict(edit_ratio(a, b), if longest < 6 { 1.5 } else { 1.0 });
    if another_surname(a, b) {
        spelling.min(0.7)
    } else {
        spelling
    }
}

/// Returns whether the longer name adds a middle name: "Sasha Alex Sloan" is Sasha Sloan.
fn adds_middle_name(short: Name<'_>, long: Name<'_>) -> bool {
    matches!((short.words, long.words), ([a, b], [c, _, d]) if a.id == c.id && b.id == d.id)
}

/// Returns whether both name the same pair: "Daryl Hall and John Oates" are Hall and Oates.
fn same_pair(a: Name<'_>, b: Name<'_>) -> bool {
    let and = super::lexicon::lexicon().and.id;
    let halves = |name: Name<'_>| -> Option<(u32, usize, u32, usize)> {
        let at = name.words.iter().position(|word| word.id == and)?;
        let (first, second) = (name.words.get(..at)?, name.words.get(at + 1..)?);
        Some((
            first.last()?.id,
            first.len(),
            second.last()?.id,
            second.len(),
        ))
    };
    let same_length = |m: usize, n: usize| m == n || m.min(n) == 1;
    match (halves(a), halves(b)) {
        (Some((a, m, b, n)), Some((c, o, d, p))) => {
            a == c && b == d && same_length(m, o) && same_length(n, p)
        }
        _ => false,
    }
}

/// Returns whether names of equally many words differ in the whole last word: Kate Nash is not Kate Bush.
///
/// First names have more spellings: Pyotr, Piotr and Peter Ilyich Tchaikovsky are the same person.
fn another_surname(a: Name<'_>, b: Name<'_>) -> bool {
    let last = |name| -> Option<&Word> { Name::words_of(name).last() };
    a.words.len() == b.words.len()
        && a.words.len() > 1
        && last(a).zip(last(b)).is_some_and(|(m, n)| {
            m.id != n.id
                && edit_ratio(
                    a.with(std::slice::from_ref(m)),
                    b.with(std::slice::from_ref(n)),
                ) < 0.6
        })
}

/// Compares two titles word by word.
///
/// A misspelled word is accepted. A different or missing one is not ("Love Me Do" is not "Love Me Too"), and a
/// different number never is.
pub(super) fn title_similarity(a: Name<'_>, b: Name<'_>, spelling: Spelling) -> f64 {
    let (a, b) = (a.bare(), b.bare());
    if a.is_empty() || b.is_empty() {
        return if a.is_empty() && b.is_empty() {
            1.0
        } else {
            0.0
        };
    }
    if a.same_letters(b) {
        return if a.words.len() == b.words.len() {
            1.0
        } else {
            0.99
        };
    }
    if a.same_ids(b) {
        return 0.99;
    }
    let is_catalogue = |name: Name<'_>| {
        name.words
            .iter()
            .any(|word| word.senses.has(Senses::CATALOGUE))
    };
    if is_catalogue(a) || is_catalogue(b) {
        let (left, right) = (
            without_catalogue_numbers(a, b),
            without_catalogue_numbers(b, a),
        );
        return word_by_word(a.with(&left), b.with(&right), spelling);
    }
    word_by_word(a, b, spelling)
}

fn word_by_word(a: Name<'_>, b: Name<'_>, spelling: Spelling) -> f64 {
    if a.same_ids(b) || a.same_letters(b) {
        return 0.99;
    }
    if is_permutation(a.words, b.words) {
        // "Tak trudno", "Trudno tak".
        return SLIP;
    }
    let missing = missing_words(a, b, spelling).and(missing_words(b, a, spelling));
    if missing.kind == Missing::Number {
        return 0.3;
    }
    if missing.kind == Missing::Words {
        return if is_opening(a, b) || is_opening(b, a) {
            0.8
        } else {
            0.6 * missing.shared
        };
    }
    let longest = a.length().max(b.length());
    let ratio = strict(edit_ratio(a, b), if longest < 6 { 2.0 } else { 1.5 });
    let allowed = if spelling == Spelling::Loose {
        MAX_CHARS
    } else {
        1 + a.words.len().max(b.words.len()) / 5
    };
    match missing.kind {
        _ if missing.changed > allowed || missing.particles > 1 + allowed => ratio.min(0.6),
        Missing::Nothing => ratio,
        Missing::Slip => SLIP,
        _ => ratio.clamp(SLIP + 0.01, 0.9),
    }
}

/// Returns a title's words without catalogue numbers that the other title does not mention.
fn without_catalogue_numbers(title: Name<'_>, other: Name<'_>) -> Vec<Word> {
    let (mut words, mut rest) = (
        Vec::with_capacity(title.words.len()),
        title.words.iter().peekable(),
    );
    while let Some(word) = rest.next() {
        let numbered = rest
            .peek()
            .is_some_and(|next| next.senses.has(Senses::NUMBER));
        let is_catalogue =
            word.senses.has(Senses::CATALOGUE) && other.words.iter().all(|own| own.id != word.id);
        if numbered && is_catalogue {
            rest.next();
        } else {
            words.push(*word);
        }
    }
    words
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Missing {
    Nothing,
    Particles,
    Slip,
    Words,
    Number,
}

/// The words that one title lacks of another.
#[derive(Debug, Clone, Copy)]
struct Difference {
    kind: Missing,
    /// The number of words that are spelled differently.
    changed: usize,
    /// The number of function words that one of them lacks.
    particles: usize,
    /// The share of words that both have.
    shared: f64,
}

impl Difference {
    fn and(self, other: Self) -> Self {
        Self {
            kind: self.kind.max(other.kind),
            changed: self.changed.max(other.changed),
            particles: self.particles + other.particles,
            shared: self.shared.min(other.shared),
        }
    }
}

/// Returns which words of `name` have no counterpart in `other`.
fn missing_words(name: Name<'_>, other: Name<'_>, spelling: Spelling) -> Difference {
    let mut found = Difference {
        kind: Missing::Nothing,
        changed: 0,
        particles: 0,
        shared: 0.0,
    };
    let mut same = 0_u32;
    for (at, word) in name.words.iter().enumerate() {
        let near = nearby(other.words, at);
        if near.iter().any(|own| own.id == word.id) {
            same += 1;
            continue;
        }
        let is_number = word.senses.has(Senses::NUMBER);
        let nearest = near
            .iter()
            .filter(|own| !is_number && !own.senses.has(Senses::NUMBER))
            .map(|own| same_word(name, word, other, own, spelling))
            .max()
            .unwrap_or(Same::No);
        let kind = match nearest {
            _ if is_number && other.words.iter().any(|own| own.senses.has(Senses::NUMBER)) => {
                Missing::Number
            }
            Same::Yes => Missing::Nothing,
            _ if word.senses.has(Senses::PARTICLE) => Missing::Particles,
            Same::Short => Missing::Slip,
            Same::No => Missing::Words,
        };
        if kind == Missing::Particles {
            found.particles += 1;
        } else {
            found.changed += 1;
        }
        found.kind = found.kind.max(kind);
    }
    found.shared = f64::from(same) / f64::from(u32::try_from(name.words.len()).unwrap_or(u32::MAX));
    found
}

/// Returns the words at about the same position. A title's words keep their order, and comparing all pairs would
/// take quadratic time.
fn nearby(words: &[Word], at: usize) -> &[Word] {
    const REACH: usize = 4;
    words
        .get(at.saturating_sub(REACH)..words.len().min(at + REACH + 1))
        .unwrap_or_default()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Same {
    No,
    /// One edit in a word so short that it may be another word.
    Short,
    Yes,
}

/// Returns whether two words are one in two spellings, such as "prelude" and "preludes".
pub(super) fn is_spelled_alike(a: Name<'_>, x: &Word, b: Name<'_>, y: &Word) -> bool {
    same_word(a, x, b, y, Spelling::Strict) == Same::Yes
}

fn same_word(a: Name<'_>, x: &Word, b: Name<'_>, y: &Word, spelling: Spelling) -> Same {
    let length = usize::from(x.length.max(y.length));
    let edits = match spelling {
        Spelling::Strict => 1 + length / 8,
        Spelling::Loose => (length * 2 / 5).max(1),
    };
    if usize::from(x.length.abs_diff(y.length)) > edits
        || (x.mask ^ y.mask).count_ones() as usize > 2 * edits
        || distance(
            a.with(std::slice::from_ref(x)),
            b.with(std::slice::from_ref(y)),
            edits,
        )
        .is_none()
    {
        let is_inflected =
            spelling == Spelling::Strict && are_inflected(a.letters_of(x), b.letters_of(y));
        return if is_inflected { Same::Short } else { Same::No };
    }
    match length {
        0..=2 => Same::No,
        3..=4 if spelling == Spelling::Strict => Same::Short,
        _ => Same::Yes,
    }
}

/// Returns whether both are forms of one Polish noun: "Baranek" and "Baranki".
///
/// Only endings of nouns in "-ek" and "-ka" count, which no other language's common forms share.
fn are_inflected(x: &str, y: &str) -> bool {
    const MIN_STEM: usize = 5;
    const ENDINGS: [&str; 12] = [
        "ek", "ka", "ki", "ko", "ku", "ke", "kom", "kow", "kiem", "kami", "kach", "kowi",
    ];
    let stem = x.bytes().zip(y.bytes()).take_while(|(a, b)| a == b).count();
    // The k may belong to the common stem.
    (MIN_STEM..=stem).rev().take(2).any(|at| {
        let is_ending = |word: &str| word.get(at..).is_some_and(|rest| ENDINGS.contains(&rest));
        is_ending(x) && is_ending(y)
    })
}

/// Returns whether a title consists of the other's opening words: "Killing Me Softly" of "… with His Song".
fn is_opening(short: Name<'_>, long: Name<'_>) -> bool {
    let rest = long.words.get(short.words.len()..).unwrap_or_default();
    short.words.len() >= 3
        && short.length() * 2 >= long.length()
        && long
            .words
            .iter()
            .zip(short.words)
            .all(|(a, b)| a.id == b.id)
        && short.words.len() < long.words.len()
        && (rest
            .first()
            .is_some_and(|word| word.senses.has(Senses::COUNT))
            || !rest.iter().any(|word| word.senses.has(Senses::NUMBER)))
}

/// Returns whether both have the same words in any order.
pub(super) fn is_permutation(a: &[Word], b: &[Word]) -> bool {
    // Sums of spread ids distinguish multisets of words.
    let bag = |words: &[Word]| {
        words.iter().fold(0_u64, |sum, word| {
            sum.wrapping_add((u64::from(word.id) + 1).wrapping_pow(3))
        })
    };
    a.len() == b.len() && bag(a) == bag(b)
}

/// Counts every difference `severity` times: "Możliwe" and "Niemożliwe" share seven of ten letters.
fn strict(ratio: f64, severity: f64) -> f64 {
    (1.0 - severity * (1.0 - ratio)).max(0.0)
}

#[cfg(test)]
#[path = "similarity_tests.rs"]
mod tests;
