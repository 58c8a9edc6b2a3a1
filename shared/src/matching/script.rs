//! Transliterates Cyrillic and Greek names, which are also written in Latin letters.

use super::{
    fold::{MAX_CHARS, Name},
    letters::is_diacritic,
};
use crate::unicode::decompose;
use crate::words::words;

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

/// Rewrites a Latin text with the letters of a transliteration: without x ("Exponat" is "Экспонат"), y and j ("Obiymy"
/// and "Obijmy" are "Обійми").
pub(super) fn with_plain_letters(text: &str) -> String {
    text.replace('x', "ks")
        .replace('X', "Ks")
        .replace(['y', 'Y', 'j', 'J'], "i")
}

words! {include_str!("transliteration.txt");
    CYRILLIC = "cyrillic";
    GREEK = "greek";
}

fn latin_letter(c: char) -> Option<&'static str> {
    if !('α'..='ґ').contains(&c) {
        return None;
    }
    let mut entries = CYRILLIC.pairs().chain(GREEK.pairs());
    entries
        .find(|(letter, _)| letter.starts_with(c))
        .map(|(_, latin)| latin)
}
