//! Property tests with any body and any query.

use std::collections::BTreeMap;

use inputs::proptest::collection::vec;
use inputs::proptest::prelude::*;
use inputs::{bytes, damaged, json_with, mutated, mutated_text, nearly, text};
use serde_json::json;
use shared::Code;
use shared::fakes::FakeRandom;
use shared::form::form_urlencoded;
use shared::spotify::StateKeys;
use uuid::Uuid;

use crate::callback::location;
use crate::request::{is_code, parse, parse_query};

const APP: &str = "https://app.example";
const NOW: u64 = 1_790_000_000;

fn keys() -> StateKeys {
    StateKeys::from_env(|_| Some("k".repeat(32))).unwrap()
}

proptest! {
    #[test]
    fn any_body_is_a_completion_or_is_refused(
        bytes in prop_oneof![
            bytes(),
            damaged(br#"{"code":"a","state":"b"}"#.to_vec()),
            mutated("request-bodies"),
        ],
        any in json_with(vec!["code", "state"]),
        near in nearly(json!({"code": "a", "state": "b"})),
        (code, state, times) in ("[!-~]{0,9}", text(), 0..400_usize),
    ) {
        let texts = json!({"code": code.repeat(times), "state": state.repeat(times)});
        for body in [
            bytes,
            any.to_string().into_bytes(),
            near.to_string().into_bytes(),
            texts.to_string().into_bytes(),
        ] {
            match parse(&body) {
                Ok(completion) => prop_assert!(
                    is_code(
                        &completion.code,
                    ) && completion.code.len() <= 2_048 && completion.state.len() <= 512,
                ),
                Err(error) => {
                    let documented = [
                        Code::InvalidJson,
                        Code::InvalidCode,
                        Code::InvalidState,
                        Code::InvalidRequest,
                    ];
                    prop_assert!(documented.contains(&error.code()), "{:?}", error);
                }
            }
        }
    }

    #[test]
    fn query_returns_parameters_that_occur_once(pairs in vec(("[ab=&+%é]{0,2}", text()), 0..6), any in text()) {
        let borrowed: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let times = |name: &str| pairs.iter().filter(|(other, _)| other == name).count();
        let expected: BTreeMap<_, _> = pairs.iter().filter(|(name, _)| times(name) == 1).cloned().collect();
        prop_assert_eq!(parse_query(&form_urlencoded(&borrowed)), expected);
        parse_query(&any);
    }

    #[test]
    fn any_callback_redirects_to_the_app(
        query in prop_oneof![text(), mutated_text("oauth-state")],
        code in text(),
        error in text(),
        state in text(),
    ) {
        let ours = keys().sign(Uuid::from_u128(7), NOW, &FakeRandom::default()).text;
        let coded = form_urlencoded(&[("code", &code), ("state", &ours)]);
        let refused = form_urlencoded(&[("error", &error), ("state", &ours), ("code", &code)]);
        let made_up = form_urlencoded(&[("code", &code), ("state", &state)]);
        for query in [&query, &coded, &refused, &made_up] {
            let url = location(APP, query, &keys(), NOW);
            let fragment = url.strip_prefix("https://app.example/#").unwrap();
            prop_assert!(fragment.bytes().all(|b| b.is_ascii_graphic()));
            let passed = parse_query(fragment);
            let is_passed_on = passed.contains_key("spotify_code");
            prop_assert_eq!(is_passed_on, query == &coded && is_code(&code), "{}", query);
            prop_assert!(!is_passed_on || passed.get("spotify_state") == Some(&ours));
        }
    }
}
