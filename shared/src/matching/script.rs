//! Cyrillic names that are also written in Latin letters.

use std::borrow::Cow;

/// Both names in one script: where only one of them is Cyrillic, it is transliterated.
pub(super) fn common<'a>(a: &'a str, b: &'a str) -> (Cow<'a, str>, Cow<'a, str>) {
    match (is_cyrillic(a), is_cyrillic(b)) {
        (true, false) => (Cow::Owned(latin(a)), Cow::Borrowed(b)),
        (false, true) => (Cow::Borrowed(a), Cow::Owned(latin(b))),
        _ => (Cow::Borrowed(a), Cow::Borrowed(b)),
    }
}

/// Whether the texts share no script: one in Latin letters, the other without any.
pub(super) fn differ(a: &str, b: &str) -> bool {
    let is_latin = |text: &str| text.chars().any(|c| c.is_ascii_alphabetic());
    is_latin(a) != is_latin(b)
}

fn is_cyrillic(text: &str) -> bool {
    text.chars().any(|c| matches!(c, 'а'..='ё' | 'і' | 'ї' | 'є' | 'ґ'))
}

/// The usual transliteration of folded Russian and Ukrainian (ё is е and й is и by then).
fn latin(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match letter(c) {
            Some(latin) => out.push_str(latin),
            None => out.push(c),
        }
    }
    out
}

fn letter(c: char) -> Option<&'static str> {
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
        _ => return None,
    })
}
