//! JSON bodies, with errors that name the field in plain words.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeOwned, Deserializer, Visitor};

use crate::error::{Code, Error};
use crate::json::replace_lone_surrogates;

/// Reads a JSON body.
///
/// # Errors
/// Returns [`Code::InvalidJson`] if it is not JSON, and [`Code::InvalidRequest`] with a message that names the field if
/// it does not have the shape of `T`.
pub fn parse_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    let body = &*replace_lone_surrogates(body);
    // Serde accepts a list in place of an object.
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(match serde_json::from_slice::<de::IgnoredAny>(body) {
            Ok(_) => Error::invalid("The body must be an object."),
            Err(_) => Error::of(Code::InvalidJson),
        });
    }
    serde_json::from_slice(body).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => {
            let read = body
                .get(..offset_of(body, error.line(), error.column()))
                .unwrap_or(body);
            Error::invalid(in_words(&error.to_string(), &path_at(read)))
        }
        _ => Error::of(Code::InvalidJson),
    })
}

/// A whole number, which JSON may also write as `5.0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whole(pub i64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WholeVisitor)
    }
}

struct WholeVisitor;

impl Visitor<'_> for WholeVisitor {
    type Value = Whole;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Whole, E> {
        Ok(Whole(number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Whole, E> {
        Ok(Whole(i64::try_from(number).unwrap_or(i64::MAX)))
    }

    // The cast saturates, far above every limit.
    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Whole, E> {
        if number.fract() == 0.0 {
            return Ok(Whole(number as i64));
        }
        Err(E::invalid_type(de::Unexpected::Float(number), &self))
    }
}

/// Returns the offset in bytes of serde's position: lines count from 1, a column counts the bytes read of its line.
fn offset_of(body: &[u8], line: usize, column: usize) -> usize {
    let before: usize = body
        .split(|b| *b == b'\n')
        .take(line.saturating_sub(1))
        .map(|it| it.len() + 1)
        .sum();
    before + column
}

/// Returns the path of the member at the end of a document's beginning, such as `refine.previous.artist`.
fn path_at(beginning: &[u8]) -> String {
    // A missing member is noticed at the end of its object, after the last member.
    let (beginning, last) = match beginning {
        [inner @ .., b'}' | b']'] => (inner, Some(&b',')),
        all => (all, None),
    };
    let mut open: Vec<String> = Vec::new(); // Of each object its member; of each list nothing.
    let (mut text, mut in_text, mut is_escaped) = (Vec::new(), false, false);
    for byte in beginning.iter().chain(last) {
        match (in_text, byte) {
            (true, _) if is_escaped => is_escaped = false,
            (true, b'\\') => is_escaped = true,
            (true, b'"') => in_text = false,
            (true, _) => text.push(*byte),
            (false, b'"') => {
                in_text = true;
                text.clear();
            }
            (false, b'{' | b'[') => open.push(String::new()),
            (false, b'}' | b']') => drop(open.pop()),
            (false, b':') => {
                if let Some(member) = open.last_mut() {
                    *member = String::from_utf8_lossy(&text).into_owned();
                }
            }
            (false, b',') => {
                if let Some(member) = open.last_mut() {
                    member.clear();
                }
            }
            _ => {}
        }
    }
    open.retain(|member| !member.is_empty());
    open.join(".")
}

/// Returns serde's message without its type names, lines and columns.
fn in_words(error: &str, path: &str) -> String {
    let said = error
        .rsplit_once(" at line ")
        .map_or(error, |(said, _)| said);
    let named = said.split('`').nth(1).unwrap_or_default();
    let member = if path.is_empty() {
        named.to_owned()
    } else {
        format!("{path}.{named}")
    };
    if said.starts_with("missing field") {
        return format!("{member} is missing.");
    }
    if said.starts_with("unknown field") {
        return format!("There is no field {member}.");
    }
    if said.starts_with("duplicate field") {
        return format!("{member} is given twice.");
    }
    let expected = said.rsplit_once("expected ").map(|(_, expected)| expected);
    // The errors of our own types say "not a …".
    let expected = match expected
        .or(said.strip_prefix("not "))
        .unwrap_or("another value")
    {
        _ if said.starts_with("UUID ") => "a UUID",
        other if other.contains("UUID") => "a UUID",
        "a string" => "a text",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        other if other.starts_with("struct ") => "an object",
        other => other,
    };
    format!(
        "{} must be {expected}.",
        if path.is_empty() { "The body" } else { path }
    )
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::track::TrackUri;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "it is only deserialised")]
    struct Wish {
        prompt: String,
        count: Option<Whole>,
        save: Option<bool>,
        id: Option<Uuid>,
        uris: Option<Vec<TrackUri>>,
        inner: Option<Vec<Inner>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "it is only deserialised")]
    struct Inner {
        artist: String,
        names: Option<Vec<String>>,
    }

    fn refused(body: &str) -> String {
        let error = parse_json::<Wish>(body.as_bytes()).unwrap_err();
        assert_eq!(error.code(), Code::InvalidRequest, "{body}");
        error.to_string()
    }

    #[test]
    fn refusal_names_the_field_and_the_expected_value() {
        for (body, expected) in [
            (r#"{}"#, "prompt is missing."),
            (r#"{"prompt":7}"#, "prompt must be a text."),
            (r#"{"prompt":null}"#, "prompt must be a text."),
            (r#"{"prompt":["x"]}"#, "prompt must be a text."),
            (r#"{"prompt":{"x":1}}"#, "prompt must be a text."),
            (
                r#"{"prompt":"x","colour":"blue"}"#,
                "There is no field colour.",
            ),
            (r#"{"prompt":"x","prompt":"y"}"#, "prompt is given twice."),
            (
                r#"{"prompt":"a \"b\": {","count":"5"}"#,
                "count must be a whole number.",
            ),
            (
                r#"{"prompt":"x","count":1.5}"#,
                "count must be a whole number.",
            ),
            (
                r#"{"prompt":"x","save":"yes"}"#,
                "save must be true or false.",
            ),
            (
                r#"{"prompt":"x","save":"UUID"}"#,
                "save must be true or false.",
            ),
            (r#"{"prompt":"x","id":"1"}"#, "id must be a UUID."),
            (r#"{"prompt":"x","id":1}"#, "id must be a UUID."),
            (
                r#"{"prompt":"x","uris":["y"]}"#,
                "uris must be a Spotify track URI.",
            ),
            (r#"{"prompt":"x","inner":"y"}"#, "inner must be a list."),
            (
                r#"{"prompt":"x","inner":["y"]}"#,
                "inner must be an object.",
            ),
            (
                r#"{"prompt":"x","inner":[{"artist":"y"},{"names":[]}]}"#,
                "inner.artist is missing.",
            ),
            (
                r#"{"prompt":"x","inner":[{"artist":"y","age":1}]}"#,
                "There is no field inner.age.",
            ),
            (
                r#"{"prompt":"x","inner":[{"artist":"y","names":["a",1]}]}"#,
                "inner.names must be a text.",
            ),
            (
                "{\n \"prompt\": \"x\",\n \"save\": 1\n}",
                "save must be true or false.",
            ),
            (r#""x""#, "The body must be an object."),
            ("null", "The body must be an object."),
            ("[]", "The body must be an object."),
            (r#"["x",1,true]"#, "The body must be an object."),
        ] {
            assert_eq!(refused(body), expected, "{body}");
        }
    }

    #[test]
    fn reads_whole_numbers_in_every_notation() {
        for (text, expected) in [
            ("5", 5),
            ("5.0", 5),
            ("5e0", 5),
            ("-1", -1),
            ("18446744073709551615", i64::MAX),
            ("1e300", i64::MAX),
        ] {
            assert_eq!(
                parse_json::<Whole>(text.as_bytes()).unwrap(),
                Whole(expected),
                "{text}"
            );
        }
    }

    #[test]
    fn replaces_lone_surrogates() {
        assert_eq!(
            parse_json::<Wish>(br#"{"prompt":"a \ud83e"}"#)
                .unwrap()
                .prompt,
            "a \u{fffd}"
        );
        assert_eq!(
            refused(r#"{"prompt":"\ud83e","save":1}"#),
            "save must be true or false."
        );
    }

    #[test]
    fn refuses_invalid_json() {
        for body in ["", "{", "{\"prompt\":", "prompt", "[", "[1", "[\"x\"]]"] {
            assert_eq!(
                parse_json::<Wish>(body.as_bytes()).unwrap_err().code(),
                Code::InvalidJson,
                "{body}"
            );
        }
    }
}
