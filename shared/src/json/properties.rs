//! Property tests with any document.

use inputs::proptest::collection::vec;
use inputs::proptest::prelude::*;
use inputs::{damaged, json_with, mutated};
use serde_json::Value;

use super::Token;
use super::tests::{tokens, without_noise};

/// Appends the parts of a value in the order in which `serde_json` writes them.
fn parts(value: &Value, parts_so_far: &mut Vec<Token>) {
    match value {
        Value::Array(items) => {
            parts_so_far.push(Token::ArrayStart);
            items.iter().for_each(|item| parts(item, parts_so_far));
            parts_so_far.push(Token::ArrayEnd);
        }
        Value::Object(members) => {
            parts_so_far.push(Token::ObjectStart);
            for (key, value) in members {
                parts_so_far.push(Token::Key(shown(key)));
                parts(value, parts_so_far);
            }
            parts_so_far.push(Token::ObjectEnd);
        }
        Value::String(text) => parts_so_far.push(Token::Text(shown(text))),
        bare => parts_so_far.push(Token::Bare(bare.to_string())),
    }
}

/// Returns a text as the parser returns it.
fn shown(text: &str) -> String {
    let visible = text.chars().filter(|c| !matches!(c, '\u{8}' | '\u{c}'));
    // `serde_json` escapes the control characters below the space.
    visible
        .map(|c| {
            if matches!(c, '\n' | '\r' | '\t' | '\u{7f}'..='\u{9f}') {
                ' '
            } else {
                c
            }
        })
        .collect()
}

proptest! {
    #[test]
    fn reads_what_serde_json_writes(value in json_with(vec!["tracks", "name", "kind"])) {
        let value = Value::Array(vec![value]);
        let mut expected = Vec::new();
        parts(&value, &mut expected);
        prop_assert_eq!(without_noise(&value.to_string()), expected, "{}", value);
    }

    #[test]
    fn brackets_match_for_any_input(document in prop_oneof![
        damaged(br#"{"tracks":[{"artist":"a","title":"b"}],"n":[[1],{"x":null}]}"#.to_vec()),
        mutated("llm-output"),
    ]) {
        let mut open = Vec::new();
        for token in tokens(&String::from_utf8_lossy(&document)) {
            match token {
                Token::ObjectStart | Token::ArrayStart => open.push(token),
                Token::ObjectEnd => prop_assert_eq!(open.pop(), Some(Token::ObjectStart)),
                Token::ArrayEnd => prop_assert_eq!(open.pop(), Some(Token::ArrayStart)),
                Token::Key(_) => prop_assert_eq!(open.last(), Some(&Token::ObjectStart)),
                Token::Text(text) => prop_assert!(text.len() <= 64 * 1024),
                Token::Bare(text) => prop_assert!(text.len() <= 67),
                Token::Noise(_) => prop_assert!(open.is_empty()),
            }
        }
    }
}

fn inside_quotes(json: &str) -> String {
    json.strip_prefix('"')
        .unwrap()
        .strip_suffix('"')
        .unwrap()
        .to_owned()
}

proptest! {
    #[test]
    fn document_with_broken_texts_is_read_like_a_whole_one(
        texts in vec(vec(prop_oneof![
            "[a\\PC]{0,3}".prop_map(|text| (inside_quotes(&Value::from(text.as_str()).to_string()), text)),
            Just((r"\ud83e\uDD43".to_owned(), "🥃".to_owned())),
            Just((r"\\ud83e".to_owned(), r"\ud83e".to_owned())),
            Just((r"\uDD43 ".to_owned(), "\u{fffd} ".to_owned())),
            (0xd800..=0xdbff_u16).prop_map(|high| (format!(r"\u{high:x} "), "\u{fffd} ".to_owned())),
        ], 0..8), 0..6),
    ) {
        let join = |of: fn(&(String, String)) -> &str| -> Vec<String> {
            texts.iter().map(|parts| parts.iter().map(of).collect()).collect()
        };
        let document = format!("[{}]", join(|part| &part.0).iter().map(|it| format!("\"{it}\"")).collect::<Vec<_>>().join(","));
        let read: Vec<String> = super::read_value(&super::from_slice_lenient(document.as_bytes()).unwrap()).unwrap();
        prop_assert_eq!(read, join(|part| &part.1), "{}", document);
    }

    #[test]
    fn mending_does_not_change_a_readable_document(
        bytes in prop_oneof![mutated("spotify-answers"), mutated("request-bodies")],
    ) {
        let read = super::from_slice_lenient(&bytes);
        if let Ok(strict) = serde_json::from_slice::<Value>(&bytes) {
            prop_assert_eq!(read.unwrap(), strict);
        }
        let mended = super::mended(&bytes);
        prop_assert!(std::str::from_utf8(&mended).is_ok());
        prop_assert_eq!(&super::mended(&mended), &mended);
    }
}
