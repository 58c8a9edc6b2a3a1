//! Transliterates Cyrillic and Greek names, which are also written in Latin letters.

use super::{
    fold::{MAX_CHARS, Name},
    letters::is_diacritic,
};
use crate::unicode::decompose;

/// Whether the names share no script: one is in Latin letters, the other has none.
pub(super) fn differ(a: Name<'_>, b: Name<'_>) -> bool {
    let is_latin = |name: Name<'_>| {
        name.words.iter().any(|word| name.letters_of(word).bytes().any(|b| b.is_ascii_alphabetic()))
    };
    is_latin(a) != is_latin(b)
}

/// Transliterates Russian, Ukrainian, Serbian and Greek in the usual way.
pub(super) fn to_latin(text: &str) -> String {
    let letters = decompose(text).into_iter().filter(|c| !is_diacritic(*c)).take(2 * MAX_CHARS);
    let lower: String = letters.flat_map(char::to_lowercase).collect();
    let mut out = String::with_capacity(lower.len());
    // The Greek pair is one vowel; a single υ is an i.
    for c in lower.replace("ου", "ou").chars() {
        match cyrillic_letter(c).or_else(|| greek_letter(c)) {
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

fn cyrillic_letter(c: char) -> Option<&'static str> {
    Some(match c {
        'а' => "a",
        'б' => "b",
        'в' => "v",
        'г' | 'ґ' => "g",
        'д' => "d",
        'е' | 'э' | 'є' => "e",
        'ж' => "zh",
        'з' => "z",
        'и' | 'і' | 'ї' => "i",
        'к' => "k",
        'л' => "l",
        'м' => "m",
        'н' => "n",
        'о' => "o",
        'п' => "p",
        'р' => "r",
        'с' => "s",
        'т' => "t",
        'у' => "u",
        'ф' => "f",
        'х' => "kh",
        'ц' => "ts",
        'ч' => "ch",
        'ш' => "sh",
        'щ' => "shch",
        'ы' => "y",
        'ю' => "yu",
        'я' => "ya",
        'ъ' | 'ь' => "",
        'ђ' => "d",
        'ј' => "j",
        'љ' => "lj",
        'њ' => "nj",
        'ћ' => "c",
        'џ' => "dz",
        _ => return None,
    })
}

fn greek_letter(c: char) -> Option<&'static str> {
    Some(match c {
        'α' => "a",
        'β' => "v",
        'γ' => "g",
        'δ' => "d",
        'ε' => "e",
        'ζ' => "z",
        'η' | 'ι' | 'υ' => "i",
        'θ' => "th",
        'κ' => "k",
        'λ' => "l",
        'μ' => "m",
        'ν' => "n",
        'ξ' => "ks",
        'ο' | 'ω' => "o",
        'π' => "p",
        'ρ' => "r",
        'σ' | 'ς' => "s",
        'τ' => "t",
        'φ' => "f",
        'χ' => "h",
        'ψ' => "ps",
        _ => return None,
    })
}
