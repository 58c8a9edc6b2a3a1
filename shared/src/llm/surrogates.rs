//! Joins surrogate halves that a server has separated.
//!
//! Servers that cut UTF-16 between two frames send half a character in each. `serde_json` refuses such a document,
//! so a lone half is first replaced by a private character, and two of these are joined afterwards.

use std::borrow::Cow;

use crate::json::replace_lone_surrogates_by;

/// The private character for U+D800; the other halves follow in order.
const FIRST: u32 = 0x10_F000;
const HALF_PAIRS: std::ops::Range<u32> = 0xD800..0xE000;

/// Replaces the escapes of lone halves in a JSON document.
pub(super) fn mark(json: &[u8]) -> Cow<'_, [u8]> {
    let private = |half: u16| char::from_u32(FIRST + u32::from(half) - HALF_PAIRS.start);
    replace_lone_surrogates_by(json, |half| {
        private(half).unwrap_or(char::REPLACEMENT_CHARACTER)
    })
}

/// Joins halves at the boundary of consecutive texts.
#[derive(Debug, Default)]
pub(super) struct Joiner {
    high: Option<u32>,
}

impl Joiner {
    /// Returns the text with its halves joined. A half at its end is kept for the next text.
    pub(super) fn join(&mut self, text: &str) -> String {
        let mut joined = String::with_capacity(text.len());
        for c in text.chars() {
            let half = (c as u32)
                .checked_sub(FIRST)
                .map(|offset| HALF_PAIRS.start + offset);
            match (
                self.high.take(),
                half.filter(|half| HALF_PAIRS.contains(half)),
            ) {
                (high, Some(half @ 0xD800..0xDC00)) => {
                    joined.extend(high.map(|_| char::REPLACEMENT_CHARACTER));
                    self.high = Some(half);
                }
                (Some(high), Some(low)) => {
                    let pair = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                    joined.push(char::from_u32(pair).unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                (high, half) => {
                    joined.extend(high.map(|_| char::REPLACEMENT_CHARACTER));
                    joined.push(if half.is_some() {
                        char::REPLACEMENT_CHARACTER
                    } else {
                        c
                    });
                }
            }
        }
        joined
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn read(documents: &[&str]) -> String {
        let mut joiner = Joiner::default();
        let texts = documents.iter().map(|json| {
            let text: String = serde_json::from_slice(&mark(json.as_bytes())).unwrap();
            joiner.join(&text)
        });
        texts.collect()
    }

    #[test]
    fn joins_a_pair_split_between_frames() {
        assert_eq!(
            read(&[r#""Night \ud83c""#, r#""\udfb5 drive""#]),
            "Night 🎵 drive"
        );
    }

    #[test]
    fn replaces_a_lone_half() {
        assert_eq!(
            read(&[r#""a\ud83cb\udfb5c\ud83c\ud83c\udfb5""#]),
            "a\u{fffd}b\u{fffd}c\u{fffd}🎵"
        );
    }

    #[test]
    fn leaves_everything_else_alone() {
        for text in [
            r#""\\ud83c""#,
            r#""\ud83c\udfb5 \u017c \\\" 🎵""#,
            r#""\u12"#,
            "\\",
        ] {
            assert!(matches!(mark(text.as_bytes()), Cow::Borrowed(_)), "{text}");
        }
    }
}
