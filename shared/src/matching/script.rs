//! Transliterates Cyrillic and Greek names, which are also written in Latin letters.

use super::{
    fold::{MAX_CHARS, Name},
    letters::is_diacritic,
};
use crate::unicode::decompose;
use crate::words::{pairs, words};

/// Returns whether the names share no script: one is in Latin letters, the other has none.
pub(super) fn differ(a: Name<'_>, b: Name<'_>) -> bool {
    let is_latin = |name: Name<'_>| {
        name.words.iter().any(|word| {
            name.letters_of(word)
                .bytes()
                .any(|b| b.is_ascii_alphabetic())
        })
    };
    is_latin(a) != is_latin(b)
}

/// Transliterates Russian, Ukrainian, Serbian and Greek in the usual way.
pub(super) fn to_latin(text: &str) -> String {
    let letters = decompose(text)
        .into_iter()
        .filter(|c| !is_diacritic(*c))
        .take(2 * MAX_CHARS);
    let lower: String = letters.flat_map(char::to_lowercase).collect();
    let mut out = String::with_capacity(lower.len());
    // The Greek pair is one vowel; a single υ is an i.
    for c in lower.replace("ου", "ou").chars() {
        match latin_letter(c) {
            Some(latin) => out.push_str(latin),
            None => out.push(c),
        }
    }
    out
}

/// Rewrites a Latin text as a transliteration would, without x: "Exponat" is "Экспонат", "Alexiou" is "Αλεξίου".
pub(super) fn without_x(text: &str) -> String {
    text.replace('x', "ks").replace('X', "Ks")
}

words! {include_str!("transliteration.txt");
    CYRILLIC = "cyrillic";
    GREEK = "greek";
}

/// The first and the last letter that is transliterated.
const RANGE: (usize, usize) = ('α' as usize, 'ґ' as usize);

/// The Latin form of each letter of the range.
const LATIN: [Option<&str>; RANGE.1 - RANGE.0 + 1] =
    with_letters(with_letters([None; RANGE.1 - RANGE.0 + 1], CYRILLIC), GREEK);

#[expect(clippy::indexing_slicing, reason = "the compiler evaluates it")]
const fn with_letters<const N: usize>(
    mut latin: [Option<&'static str>; N],
    mut entries: &[&'static str],
) -> [Option<&'static str>; N] {
    while let Some((entry, rest)) = entries.split_first() {
        let [(letter, form)] = pairs(&[*entry]);
        // Every letter of the range has two bytes in UTF-8.
        if let [first, second] = letter.as_bytes() {
            latin[(((*first & 0x1f) as usize) << 6 | (*second & 0x3f) as usize) - RANGE.0] =
                Some(form);
        }
        entries = rest;
    }
    latin
}

fn latin_letter(c: char) -> Option<&'static str> {
    LATIN
        .get((c as usize).checked_sub(RANGE.0)?)
        .copied()
        .flatten()
}
