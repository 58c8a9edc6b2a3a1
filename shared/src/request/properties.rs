//! Property tests with any request.

use http::{HeaderMap, HeaderValue, header};
use inputs::proptest::prelude::*;
use inputs::{bytes, json, mutated, text as any_text};
use serde::Deserialize;
use serde_json::{Value, json};

use super::*;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)] // It is only read.
struct Wish {
    prompt: String,
    songs: Option<Vec<Song>>,
    save: Option<bool>,
    count: Option<Whole>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)] // As above.
struct Song {
    artist: String,
}

fn refusal(body: &Value) -> (String, String) {
    let of = |text: String| parse_json::<Wish>(text.as_bytes()).unwrap_err().to_string();
    (
        of(body.to_string()),
        of(serde_json::to_string_pretty(body).unwrap()),
    )
}

proptest! {
    #[test]
    fn any_body_is_read_or_refused_in_a_sentence(
        bytes in prop_oneof![bytes(), mutated("request-bodies")],
        any in json(),
    ) {
        for (body, is_json) in [(any.to_string().into_bytes(), true), (bytes, false)] {
            let Err(error) = parse_json::<Wish>(&body) else { continue };
            let documented = [Code::InvalidJson, Code::InvalidRequest];
            prop_assert!(
                documented.contains(&error.code()) && !(is_json && error.code() == Code::InvalidJson),
                "{:?}",
                error,
            );
            prop_assert!(error.to_string().ends_with('.'), "{}", error);
        }
    }

    #[test]
    fn names_the_wrong_field_among_any_others(
        before in any_text(),
        wrong in any_text(),
        number in any::<i64>(),
    ) {
        for (body, expected) in [
            (json!({"prompt": before, "save": wrong}), "save must be true or false."),
            (json!({"prompt": before, "count": wrong}), "count must be a whole number."),
            (
                json!({"prompt": before, "songs": [{"artist": before}, {"artist": number}]}),
                "songs.artist must be a text.",
            ),
            (json!({"prompt": before, "songs": [{"artist": before}, {}]}), "songs.artist is missing."),
            (json!({"prompt": before, "songs": wrong}), "songs must be a list."),
            (json!({"save": true}), "prompt is missing."),
        ] {
            prop_assert_eq!(refusal(&body), (expected.to_owned(), expected.to_owned()), "{}", body);
        }
    }

    #[test]
    fn any_text_is_clean_and_within_its_limit_or_is_refused(value in any_text(), max in 1..40_usize) {
        match text("field", &value, max) {
            Ok(text) => {
                prop_assert!((1..=max).contains(&text.chars().count()) && text.trim() == text);
                prop_assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
                prop_assert_eq!(super::text("field", &text, max), Ok(text.clone()), "it is one for ever");
            }
            Err(error) => prop_assert_eq!(error.code(), Code::InvalidRequest),
        }
    }

    #[test]
    fn any_market_is_two_capitals_or_is_refused(code in prop_oneof![any_text(), "[a-zA-Z]{1,3}"]) {
        if let Ok(market) = market(&code) {
            prop_assert!(market.len() == 2 && market.bytes().all(|b| b.is_ascii_uppercase()));
        }
    }

    #[test]
    fn any_header_is_read_or_refused(value in bytes(), id in any::<u128>()) {
        let id = Uuid::from_u128(id);
        for value in [value, id.to_string().into_bytes(), format!("application/json;{id}").into_bytes()] {
            let Ok(value) = HeaderValue::from_bytes(&value) else { continue };
            let headers = HeaderMap::from_iter(
                [(IDEMPOTENCY_KEY, value.clone()), (header::CONTENT_TYPE, value.clone())],
            );
            match idempotency_key(&headers) {
                Ok(key) => prop_assert!(key.is_some_and(|key| !key.is_nil())),
                Err(error) => prop_assert_eq!(error.code(), Code::InvalidHeader),
            }
            let is_json = value.as_bytes().to_ascii_lowercase().trim_ascii_start().starts_with(
                b"application/json",
            );
            prop_assert!(is_json || require_json(&headers).is_err());
        }
    }

    #[test]
    fn whole_number_has_no_fraction(whole in -1_000_000_000_i64..1_000_000_000, fraction in 1..1_000_u16) {
        let written = format!("{whole}.{fraction:03}");
        prop_assert!(parse_json::<Whole>(written.as_bytes()).is_err());
        for written in [whole.to_string(), format!("{whole}.0"), format!("{whole}e0")] {
            prop_assert_eq!(parse_json::<Whole>(written.as_bytes()), Ok(Whole(whole)));
        }
    }
}
