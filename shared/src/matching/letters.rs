//! Normalises letters: without accents, decomposed, in lower case.

use super::fold::MAX_CHARS;
use crate::unicode::decompose;

/// Passes each character with its neighbours to `take`, decomposed where it matters and without accents.
pub(super) fn each_letter(text: &str, mut take: impl FnMut(char, char, char)) {
    let is_plain = |c: char| c.is_ascii() || latin_letter(c).is_some() || is_plain_mark(c);
    let decomposed = if text.chars().all(is_plain) {
        None
    } else {
        Some(without_accents(text))
    };
    let (mut previous, mut letters) = (
        ' ',
        decomposed.as_deref().unwrap_or(text).chars().peekable(),
    );
    while let Some(c) = letters.next() {
        take(previous, c, letters.peek().copied().unwrap_or(' '));
        previous = c;
    }
}

fn without_accents(text: &str) -> String {
    // A decomposition would change these two.
    let letters = decompose(&text.replace('´', "'").replace('～', "〜"));
    // One character may decompose into eighteen, so the bound also holds for the result.
    letters
        .into_iter()
        .filter(|c| !is_diacritic(*c))
        .take(2 * MAX_CHARS)
        .collect()
}

/// Returns whether a character is a quotation mark or a dash, which do not decompose.
fn is_plain_mark(c: char) -> bool {
    matches!(
        c,
        '´' | '‘' | '’' | '“' | '”' | '„' | '–' | '—' | '…' | '«' | '»' | '¡' | '¿'
    )
}

/// The base letter of À to ž, which is the result of their decomposition; `?` if there is none, or more than one
/// letter.
const LATIN: &[u8; 0xc0] = b"aaaaaa?ceeeeiiiidnooooo?ouuuuy??aaaaaa?ceeeeiiiidnooooo?ouuuuy?y\
aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii??jjkk?llllll??llnnnnnn?nnoooooo??rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

pub(super) fn latin_letter(c: char) -> Option<char> {
    let at = (c as usize).checked_sub(0xc0)?;
    LATIN
        .get(at)
        .copied()
        .filter(|letter| *letter != b'?')
        .map(char::from)
}

/// Appends a letter in its basic form, including those that do not decompose into a base and a mark.
pub(super) fn fold_letter(c: char, out: &mut String) {
    match c {
        'ł' | 'ƚ' => out.push('l'),
        'ø' | 'ɵ' => out.push('o'),
        'đ' | 'ð' | 'ɖ' => out.push('d'),
        'ħ' => out.push('h'),
        'ŧ' => out.push('t'),
        'ı' => out.push('i'),
        'ŋ' => out.push('n'),
        'ə' => out.push('e'),
        'ς' => out.push('σ'),
        'ß' => out.push_str("ss"),
        'æ' => out.push_str("ae"),
        'œ' => out.push_str("oe"),
        'þ' => out.push_str("th"),
        c if is_diacritic(c) => {}
        c => out.push(c),
    }
}

/// Returns whether spellings omit a mark: Latin, Greek and Cyrillic accents, Hebrew points, Arabic vowels. Marks of
/// other scripts (Devanagari, Thai, …) are vowels and are kept.
pub(super) fn is_diacritic(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{5bf}'..='\u{5c7}'
        | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{fe20}'..='\u{fe2f}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}' | '\u{640}')
}

/// Returns whether a mark distinguishes が from か: such marks make other letters and are not accents.
pub(super) fn is_voicing(c: char) -> bool {
    matches!(c, '\u{3099}' | '\u{309a}' | 'ー')
}

/// Returns whether a character is a vowel sign or similar mark of an Indic or South-East Asian script.
pub(super) fn is_kept_mark(c: char) -> bool {
    matches!(c, '\u{900}'..='\u{109f}' | '\u{1700}'..='\u{1cff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn latin_table_equals_the_decomposition() {
        for c in ('\u{c0}'..='\u{17f}').filter(|c| latin_letter(*c).is_some()) {
            let mut folded = String::new();
            for c in decompose(&c.to_string())
                .into_iter()
                .filter(|c| !is_diacritic(*c))
            {
                c.to_lowercase().for_each(|c| fold_letter(c, &mut folded));
            }
            assert_eq!(
                Some(folded),
                latin_letter(c).map(|letter| letter.to_string()),
                "{c}"
            );
        }
    }
}
