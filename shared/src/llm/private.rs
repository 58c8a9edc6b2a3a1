//! Texts that must not be logged: the user's words and the key.

/// The number of letters and digits of a longer text that count as a quotation.
const QUOTE_CHARACTERS: usize = 12;
/// A shorter text reveals nothing.
const MIN_CHARACTERS: usize = 4;

/// Texts that must not be logged.
#[derive(Debug, Clone, Default)]
pub(super) struct Private(Vec<Vec<char>>);

impl Private {
    pub(super) fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        Self(
            texts
                .into_iter()
                .map(essence)
                .filter(|text| text.len() >= MIN_CHARACTERS)
                .collect(),
        )
    }

    /// Returns whether `told` repeats one of them, or a long part of one. Case, punctuation and JSON's escapes are
    /// ignored.
    pub(super) fn is_quoted_in(&self, told: &str) -> bool {
        let told = essence(told);
        self.0.iter().any(|text| {
            let length = text.len().min(QUOTE_CHARACTERS);
            text.windows(length)
                .any(|part| told.windows(length).any(|window| window == part))
        })
    }
}

/// Returns the letters and digits in lower case.
fn essence(text: &str) -> Vec<char> {
    unescaped(text)
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Returns the text with JSON's escapes of letters decoded.
fn unescaped(text: &str) -> String {
    let mut parts = text.split("\\u");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let letter = part
            .get(..4)
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .and_then(char::from_u32);
        match letter {
            Some(letter) => {
                whole.push(letter);
                whole.push_str(part.get(4..).unwrap_or_default());
            }
            None => whole.push_str(part),
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn finds_a_quotation_in_any_spelling() {
        let private = Private::new([
            "My very private evening with Ann",
            "jazz",
            "źdźbło \"trawy\"",
            "sk-secret",
            "x",
        ]);
        for told in [
            "Invalid input: 'my very private evening'",
            "unexpected: MY-VERY-PRIVATE…",
            "no rule for jazz",
            r#"value \u017ad\u017ab\u0142o \"trawy\""#,
            r#"{\"prompt\":\"My very private evening with Ann\"}"#,
            "key sk-secret",
        ] {
            assert!(private.is_quoted_in(told), "{told}");
        }
        for told in [
            "Unsupported parameter: 'temperature'",
            "my very own",
            "x",
            "",
        ] {
            assert!(!private.is_quoted_in(told), "{told}");
        }
    }
}
