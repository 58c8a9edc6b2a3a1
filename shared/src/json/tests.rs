//! Tests of the parts that a document is split into.

use super::{LenientParser, Token};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut parser = LenientParser::default();
    let mut tokens = Vec::new();
    for c in text.chars() {
        parser.push(c, &mut tokens);
    }
    parser.finish(&mut tokens);
    tokens
}

pub(super) fn without_noise(text: &str) -> Vec<Token> {
    tokens(text)
        .into_iter()
        .filter(|token| !matches!(token, Token::Noise(_)))
        .collect()
}

fn key(text: &str) -> Token {
    Token::Key(text.to_owned())
}

fn text(text: &str) -> Token {
    Token::Text(text.to_owned())
}

fn bare(text: &str) -> Token {
    Token::Bare(text.to_owned())
}

#[test]
fn returns_the_parts_of_a_document_in_order() {
    use Token::{ArrayEnd, ArrayStart, ObjectEnd, ObjectStart};
    assert_eq!(
        without_noise(
            r#"so: { "na\u006de" : "Zażółć \"gęślą\" \\ {[", "list": [1, -2.5e3, true, "x", {}], "n":null} !"#
        ),
        [
            ObjectStart,
            key("name"),
            text(r#"Zażółć "gęślą" \ {["#),
            key("list"),
            ArrayStart,
            bare("1"),
            bare("-2.5e3"),
            bare("true"),
            text("x"),
            ObjectStart,
            ObjectEnd,
            ArrayEnd,
            key("n"),
            bare("null"),
            ObjectEnd,
        ]
    );
}

#[test]
fn returns_a_part_with_the_character_that_completes_it() {
    let mut parser = LenientParser::default();
    let mut tokens = Vec::new();
    for (c, expected) in [
        ('{', 1),
        ('"', 1),
        ('a', 1),
        ('"', 1),
        (':', 2),
        ('7', 2),
        ('}', 4),
    ] {
        parser.push(c, &mut tokens);
        assert_eq!(tokens.len(), expected, "{c}");
    }
    assert!(!parser.is_inside());
}

#[test]
fn implies_or_skips_unmatched_brackets() {
    use Token::{ArrayEnd, ArrayStart, ObjectEnd, ObjectStart};
    assert_eq!(
        without_noise("[{]"),
        [ArrayStart, ObjectStart, ObjectEnd, ArrayEnd]
    );
    assert_eq!(
        without_noise("{[}"),
        [ObjectStart, ArrayStart, ArrayEnd, ObjectEnd]
    );
    assert_eq!(without_noise("]}[}]"), [ArrayStart, ArrayEnd]);
}

#[test]
fn characters_outside_documents_are_noise() {
    let noise: String = tokens("Say \"hi\" [1] now")
        .into_iter()
        .filter_map(|token| {
            if let Token::Noise(c) = token {
                Some(c)
            } else {
                None
            }
        })
        .collect();
    assert_eq!(noise, "Say \"hi\"  now");
}
