//! Property tests with any body.

use inputs::proptest::prelude::*;
use inputs::{bytes, damaged, json_with, mutated, nearly};
use serde_json::json;
use shared::Code;

use crate::request::parse;

proptest! {
    #[test]
    fn any_body_is_a_confirmation_or_is_refused(
        bytes in prop_oneof![
            bytes(),
            damaged(br#"{"confirm":"ann@example.com"}"#.to_vec()),
            mutated("request-bodies"),
        ],
        any in json_with(vec!["confirm"]),
        near in nearly(json!({"confirm": "ann@example.com"})),
    ) {
        for body in [bytes, any.to_string().into_bytes(), near.to_string().into_bytes()] {
            match parse(&body) {
                Ok(address) => prop_assert!(
                    (1..=254).contains(&address.chars().count()) && address.trim() == address,
                ),
                Err(error) => prop_assert!([Code::InvalidJson, Code::InvalidRequest].contains(&error.code())),
            }
        }
    }
}
