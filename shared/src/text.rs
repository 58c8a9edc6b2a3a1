//! Cleans texts from outside so that they can be shown and stored.

/// Returns one line of at most `max_chars` characters, like the database's `private.clean_text`: without control
/// characters, line breaks, repeated spaces, and marks that change the text direction.
pub fn one_line(text: &str, max_chars: usize) -> String {
    let mut line = String::new();
    let (mut chars, mut is_spaced) = (0, false);
    for c in text.chars().filter(|c| !is_invisible(*c)) {
        if c.is_whitespace() || c.is_control() {
            is_spaced = chars > 0;
            continue;
        }
        let needed = 1 + usize::from(is_spaced);
        if chars + needed > max_chars {
            break;
        }
        line.extend(is_spaced.then_some(' '));
        line.push(c);
        chars += needed;
        is_spaced = false;
    }
    line
}

/// Returns whether a character is a direction mark or another invisible character.
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn text_becomes_one_clean_line() {
        for (text, expected) in [
            ("Sen o Victorii", "Sen o Victorii"),
            (" a\0b\r\nc\t\u{85}\u{2028} d\u{7f}", "a b c d"),
            ("\u{202e}reversed\u{feff}", "reversed"),
            ("👩‍👩‍👧‍👦 żółć", "👩‍👩‍👧‍👦 żółć"),
            ("\0\n\u{200b} ", ""),
            ("", ""),
        ] {
            assert_eq!(one_line(text, 40), expected, "{text:?}");
        }
    }

    #[test]
    fn cuts_between_characters_without_a_trailing_space() {
        assert_eq!(one_line("ab cd", 4), "ab c");
        assert_eq!(one_line("ab cd", 3), "ab");
        assert_eq!(one_line("żółć", 2), "żó");
        assert_eq!(one_line(&"x ".repeat(100_000), 500).chars().count(), 499);
    }
}
