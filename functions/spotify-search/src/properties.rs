//! Property tests with any query.

use inputs::proptest::collection::vec;
use inputs::proptest::prelude::*;
use inputs::text;
use shared::Code;
use shared::form::form_urlencoded;

use crate::request::{SearchRequest, parse};

fn holds_its_limits(request: &SearchRequest) -> bool {
    let is_name = |name: &str| name.chars().count() <= 200 && name.trim() == name;
    let sought = &request.sought;
    is_name(&sought.artist)
        && is_name(&sought.title)
        && !(sought.artist.is_empty() && sought.title.is_empty())
        && (1..=10).contains(&request.limit)
        && request
            .market
            .as_ref()
            .is_none_or(|it| it.len() == 2 && it.bytes().all(|b| b.is_ascii_uppercase()))
}

proptest! {
    #[test]
    fn any_query_is_a_search_within_the_limits_or_is_refused(
        any in text(),
        pairs in vec((prop_oneof![
            Just("artist".to_owned()), Just("title".to_owned()), Just("limit".to_owned()), Just(
                "market".to_owned(),
            ), text(),
        ], prop_oneof![text(), "[a-z]{2}", "[0-9]{1,2}"]), 0..5),
        times in 1..40_usize,
        title in text(),
    ) {
        let borrowed: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let long = form_urlencoded(&[("title", &title.repeat(times))]);
        for query in [any, form_urlencoded(&borrowed), long] {
            match parse(&query) {
                Ok(request) => prop_assert!(holds_its_limits(&request), "{:?}", request),
                Err(error) => prop_assert_eq!(error.code(), Code::InvalidRequest),
            }
        }
    }

    #[test]
    fn query_parameters_are_searched_unchanged(
        artist in "[!-~ż]{1,9}",
        title in "[!-~ż]{1,9}",
        limit in 1..=10_usize,
    ) {
        let query = form_urlencoded(&[("title", &title), ("limit", &limit.to_string()), ("artist", &artist)]);
        let request = parse(&query).unwrap();
        prop_assert_eq!((request.sought.artist, request.sought.title, request.limit), (artist, title, limit));
    }
}
