//! JSON bodies, with errors that name the field in plain words.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeOwned, Deserializer, Visitor};
use serde_json::Value;

use crate::error::{Code, Error};
use crate::json::{read_value, replace_lone_surrogates};

/// Reads a JSON body.
///
/// # Errors
/// Returns [`Code::InvalidJson`] if it is not JSON, and [`Code::InvalidRequest`] with a message that names the field if
/// it does not have the shape of `T`.
pub fn parse_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    let body = &*replace_lone_surrogates(body);
    let value = serde_json::from_slice(body).map_err(|_| Error::of(Code::InvalidJson))?;
    let read = read_value(&value).map_err(|unfit| Error::invalid(unfit.to_string()))?;
    match given_twice(body) {
        Some(path) => Err(Error::invalid(format!("{path} is given twice."))),
        None => Ok(read),
    }
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

/// Returns the path of the first member that a JSON document gives twice, such as `refine.previous.artist`.
///
/// It compares each member with all before it, so the document has to fit a type first: types refuse unknown members.
fn given_twice(document: &[u8]) -> Option<String> {
    let mut open: Vec<Vec<String>> = Vec::new(); // Of each object its members so far; of each list nothing.
    let (mut text, mut begins, mut is_escaped) = (&[][..], None, false);
    for (at, byte) in document.iter().enumerate() {
        match (begins, byte) {
            (Some(_), _) if is_escaped => is_escaped = false,
            (Some(_), b'\\') => is_escaped = true,
            (Some(begin), b'"') => {
                text = document.get(begin..=at)?;
                begins = None;
            }
            (Some(_), _) => {}
            (None, b'"') => begins = Some(at),
            (None, b'{' | b'[') => open.push(Vec::new()),
            (None, b'}' | b']') => drop(open.pop()),
            (None, b':') => {
                let members = open.last_mut()?;
                let name: Value = serde_json::from_slice(text).ok()?;
                let name = name.as_str()?.to_owned();
                let is_known = members.contains(&name);
                members.push(name);
                if is_known {
                    let path = open.iter().filter_map(|members| members.last());
                    return Some(path.cloned().collect::<Vec<_>>().join("."));
                }
            }
            _ => {}
        }
    }
    None
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
                r#"{"prompt":"x","pr\u006fmpt":"y"}"#,
                "prompt is given twice.",
            ),
            (
                r#"{"prompt":"{\"a\":1,","inner":[{"artist":"x"},{"names":[],"artist":"y","names":[]}]}"#,
                "inner.names is given twice.",
            ),
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
