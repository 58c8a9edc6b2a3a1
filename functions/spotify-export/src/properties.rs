//! Property tests with any body.

use inputs::proptest::prelude::*;
use inputs::{bytes, damaged, json_with, mutated, nearly, text};
use serde_json::json;
use shared::Code;

use crate::request::parse;

const ID: &str = "8b3c2a10-5f7e-4c55-9d53-0f0e6f4b8a11";

fn is_within(text: Option<&str>, limits: std::ops::RangeInclusive<usize>) -> bool {
    text.is_none_or(|text| limits.contains(&text.chars().count()) && text.trim() == text)
}

proptest! {
    #[test]
    fn any_body_is_an_export_within_the_limits_or_is_refused(
        bytes in prop_oneof![
            bytes(),
            damaged(format!(r#"{{"playlist_id":"{ID}","name":"x"}}"#).into_bytes()),
            mutated("request-bodies"),
        ],
        any in json_with(vec!["playlist_id", "name", "description", "new_copy"]),
        near in nearly(json!({"playlist_id": ID, "name": "Noc", "description": "Cisza", "new_copy": true})),
        (name, description, times) in (text(), text(), 0..200_usize),
    ) {
        let texts = json!(
            {"playlist_id": ID, "name": name.repeat(times), "description": description.repeat(times)}
        );
        for body in [
            bytes,
            any.to_string().into_bytes(),
            near.to_string().into_bytes(),
            texts.to_string().into_bytes(),
        ] {
            match parse(&body) {
                Ok(request) => {
                    prop_assert!(is_within(request.name.as_deref(), 1..=200), "{:?}", request);
                    prop_assert!(is_within(request.description.as_deref(), 0..=1_000), "{:?}", request);
                    // A request that is stored for a repeat is read back unchanged.
                    prop_assert_eq!(parse(json!(request).to_string().as_bytes()), Ok(request));
                }
                Err(error) => prop_assert!([Code::InvalidJson, Code::InvalidRequest].contains(&error.code())),
            }
        }
    }
}
