//! Cyrillic and Greek names that are also written in Latin letters.

use std::borrow::Cow;

/// Both names in one script: where only one of them is Cyrillic or Greek, it is transliterated.
pub(super) fn common<'a>(a: &'a str, b: &'a str) -> (Cow<'a, str>, Cow<'a, str>) {
    // A transliteration has no x: "Exponat" is "Экспонат", "Alexiou" is "Αλεξίου".
    match (is_transliterated(a), is_transliterated(b)) {
        (true, false) => (Cow::Owned(latin(a)), Cow::Owned(b.replace('x', "ks"))),
        (false, true) => (Cow::Owned(a.replace('x', "ks")), Cow::Owned(latin(b))),
        _ => (Cow::Borrowed(a), Cow::Borrowed(b)),
    }
}

/// Whether the texts share no script: one in Latin letters, the other without any.
pub(super) fn differ(a: &str, b: &str) -> bool {
    let is_latin = |text: &str| text.chars().any(|c| c.is_ascii_alphabetic());
    is_latin(a) != is_latin(b)
}

fn is_transliterated(text: &str) -> bool {
    text.chars().any(|c| matches!(c, 'а'..='џ' | 'ґ' | 'α'..='ω'))
}

/// The usual transliteration of folded Russian, Ukrainian and Serbian (ё is е and й is и by then),
/// and of Greek.
fn latin(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // The Greek pair is one vowel; a υ alone is an i.
    for c in text.replace("ου", "ou").chars() {
        match cyrillic_letter(c).or_else(|| greek_letter(c)) {
            Some(latin) => out.push_str(latin),
            None => out.push(c),
        }
    }
    out
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
        'σ' => "s",
        'τ' => "t",
        'φ' => "f",
        'χ' => "h",
        'ψ' => "ps",
        _ => return None,
    })
}
