//! Measures how similar the names of two songs are.

use super::{
    addition::Addition,
    fold::{Name, Word},
    piece::is_same_piece,
    script,
    senses::Senses,
    similarity::{SLIP, Spelling, is_permutation, title_similarity},
    title::Title,
    version::Versions,
};

/// The similarity of two titles, and the versions that bare words after a name state: "Creep live at Glastonbury".
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Likeness {
    /// From 0 to 1. Up to [`WEAK`] it is enough only with the artist's exact name and no other song as similar.
    pub score: f64,
    /// Versions that bare words of the first title name.
    pub left: Versions,
    /// Versions that bare words of the second title name.
    pub right: Versions,
}

/// The highest value for a title that equals the other except for a slip or a missing part.
pub(super) const WEAK: f64 = 0.75;

/// Shorter single words in brackets are rarely a name of the song: "Biking (Solo)".
const MIN_LONE_ALIAS: usize = 6;
/// The value if one title is a distinctive part of the other.
const CONTAINED: f64 = 0.73;
/// The value if the titles of a classical piece differ in what the catalogue adds.
const PIECE: f64 = 0.9;
/// The factor for a part number that only one title has.
const PART_ON_ONE_SIDE: f64 = 0.96;
/// The factor for matching a name other than the title's own.
const OTHER_NAME: f64 = 0.95;
/// The factor for a subtitle that is missing on one side.
const WITHOUT_SUBTITLE: f64 = 0.98;

/// Compares two titles. A subtitle may be missing on one side, and main name and subtitle may be in any order.
pub(super) fn likeness(a: &Title, b: &Title, spelling: Spelling) -> Likeness {
    let parts = parts_factor(a.parts, b.parts);
    if parts == 0.0 {
        return Likeness {
            score: 0.3,
            ..Likeness::default()
        };
    }
    let (mine, left) = without_bare_version(a.main(), b.main());
    let (theirs, right) = without_bare_version(b.main(), a.main());
    let fulls = (
        if left.is_empty() { a.full() } else { mine },
        if right.is_empty() { b.full() } else { theirs },
    );
    let compare = |a, b| title_similarity(a, b, spelling);
    let mut best = compare(fulls.0, fulls.1);
    let has_subtitle = |title: &Title| !title.subtitle().is_empty();
    let (mine_too, theirs_too) = (has_subtitle(a), has_subtitle(b));
    if best < 0.99 && (mine_too || theirs_too) {
        if !(mine_too && theirs_too) {
            best = best.max(WITHOUT_SUBTITLE * compare(mine, theirs));
        }
        if is_permutation(a.all_words(), b.all_words()) {
            best = best.max(0.97);
        }
        // "Mayonaka no Door / Stay With Me" is "真夜中のドア - Stay With Me".
        if mine_too && script::differ(a.main(), b.main()) && a.subtitle().same_ids(b.subtitle()) {
            best = best.max(OTHER_NAME);
        }
        // The part after a dash may be missing if the brackets agree.
        let is_led = |title: &Title| title.lead().words.len() == title.full().words.len();
        if is_led(a) || is_led(b) {
            best = best.max(OTHER_NAME * compare(a.lead(), b.lead()));
        }
    }
    if best < OTHER_NAME {
        for (one, other) in [(a, b), (b, a)] {
            for alias in one.aliases() {
                let score = compare(alias, other.main()).max(compare(alias, other.full()));
                let is_name = alias.words.len() > 1 || script::differ(one.main(), other.main());
                best = best.max(match alias.length() {
                    _ if is_name => OTHER_NAME * score,
                    MIN_LONE_ALIAS.. => SLIP.min(score),
                    _ => 0.0,
                });
            }
        }
    }
    if best < PIECE && is_same_piece(a, b) {
        best = PIECE;
    }
    if best < CONTAINED && spelling == Spelling::Strict && contains_either(a, b) {
        best = CONTAINED;
    }
    Likeness {
        score: best * parts,
        left,
        right,
    }
}

/// Returns the factor for the titles' parts. A missing part number means the first part, or the first two; different
/// parts are different songs.
fn parts_factor(a: u16, b: u16) -> f64 {
    const FIRST: u16 = 1 << 1;
    if a == b {
        1.0
    } else if a & b != 0 || (a | b) & FIRST != 0 && (a == 0 || b == 0) {
        PART_ON_ONE_SIDE
    } else {
        0.0
    }
}

/// Returns the name without bare words that describe a version, if the rest is the other's name.
fn without_bare_version<'a>(name: Name<'a>, other: Name<'_>) -> (Name<'a>, Versions) {
    let length = other.words.len();
    let is_longer = name.words.len() > length && length > 0;
    if is_longer
        && name
            .words
            .iter()
            .zip(other.words)
            .all(|(a, b)| a.id == b.id)
    {
        let rest = name.words.get(length..).unwrap_or_default();
        if let Addition::Version(versions) = Addition::of(rest) {
            return (
                name.with(name.words.get(..length).unwrap_or_default()),
                versions,
            );
        }
    }
    (name, Versions::default())
}

fn contains_either(a: &Title, b: &Title) -> bool {
    contains(a.full(), b.full())
        || contains(b.full(), a.full())
        || contains(a.main(), b.full())
        || contains(b.main(), a.full())
}

/// Returns whether the longer name contains the shorter one, and the shorter one is distinctive: "Sex Machine",
/// "Zapytaj mnie".
fn contains(long: Name<'_>, short: Name<'_>) -> bool {
    let is_content = |word: &&Word| !word.senses.has(Senses::PARTICLE.union(Senses::NUMBER));
    let content = || short.words.iter().filter(is_content);
    let letters: u32 = content().map(|word| u32::from(word.length)).sum();
    let is_longer = long.words.len() > short.words.len();
    if !is_longer || content().count() < 2 || letters < 8 {
        return false;
    }
    let last = long.words.len() - short.words.len();
    long.words
        .windows(short.words.len())
        .enumerate()
        .any(|(at, window)| {
            // Opening or closing words are more distinctive than words from the middle.
            let times = if at == 0 || at == last { 4 } else { 2 };
            let others = || {
                long.words
                    .iter()
                    .take(at)
                    .chain(long.words.iter().skip(at + window.len()))
            };
            short.length() * times >= long.length()
                && window.iter().zip(short.words).all(|(a, b)| a.id == b.id)
                && !others().any(|word| word.senses.has(Senses::NUMBER))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addition_in_another_script_is_an_alias() {
        let alike = |a, b| likeness(&Title::parse(a), &Title::parse(b), Spelling::Strict).score;
        assert!(alike("Full size", "青春サツバツ論 - Full size") > 0.9);
        assert!(alike("Full size", "Youth - Full size") < 0.7);
    }
}
