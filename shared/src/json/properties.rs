//! What holds for any document, tried on many.

use inputs::proptest::prelude::*;
use inputs::{damaged, json_with, mutated};
use serde_json::Value;

use super::Token;
use super::tests::{tokens, without_noise};

/// The parts of a value as `serde_json` writes it.
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

/// A text on one line.
fn shown(text: &str) -> String {
    let visible = text.chars().filter(|c| !matches!(c, '\u{8}' | '\u{c}'));
    // Of control characters, `serde_json` escapes those below the space.
    visible.map(|c| if matches!(c, '\n' | '\r' | '\t' | '\u{7f}'..='\u{9f}') { ' ' } else { c }).collect()
}

proptest! {
    #[test]
    fn what_serde_json_writes_is_read_as_it_stands(value in json_with(vec!["tracks", "name", "kind"])) {
        prop_assume!(value.is_object() || value.is_array());
        let mut expected = Vec::new();
        parts(&value, &mut expected);
        prop_assert_eq!(without_noise(&value.to_string()), expected, "{}", value);
    }

    #[test]
    fn brackets_match_whatever_comes(document in prop_oneof![
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
