//! Property tests with any body.

use inputs::proptest::prelude::*;
use inputs::{bytes, json_with, mutated, nearly, text};
use serde_json::json;
use shared::runtime::cors::AllowedOrigins;
use shared::{Code, Error};

use crate::request::{parse_checkout, parse_portal};

const APP: &str = "https://app.example";

/// Generates URLs of the app, and URLs that look like them.
fn url() -> impl Strategy<Value = String> {
    prop_oneof![
        text(),
        text().prop_map(|tail| format!("{APP}{tail}")),
        "[!-~]{0,8}".prop_map(|tail| format!("{APP}/{tail}")),
        (0..3_000_usize).prop_map(|length| format!("{APP}/{}", "x".repeat(length))),
    ]
}

/// Returns whether every browser resolves the URL to one of the app's origins.
fn is_of_the_app(url: &str) -> bool {
    let authority = url
        .strip_prefix("https://")
        .map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    url.len() <= 2_048
        && authority == Some("app.example")
        && url.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
}

fn is_documented(error: &Error) -> bool {
    [Code::InvalidJson, Code::InvalidRequest].contains(&error.code())
}

proptest! {
    #[test]
    fn any_return_url_belongs_to_the_app_or_is_refused(
        bytes in prop_oneof![bytes(), mutated("request-bodies")],
        any in json_with(vec!["success_url", "cancel_url", "return_url"]),
        urls in (url(), url()).prop_map(
            |(success, cancel)| json!({"success_url": success, "cancel_url": cancel}),
        ),
        near in nearly(
            json!({"success_url": "https://app.example/paid", "cancel_url": "https://app.example"}),
        ),
        url in url().prop_map(|url| json!({ "return_url": url })),
    ) {
        let origins = AllowedOrigins::parse(APP).unwrap();
        let documents = [any, urls, near, url].map(|it| it.to_string().into_bytes());
        for body in documents.iter().chain([&bytes]) {
            match parse_checkout(body, &origins) {
                Ok(urls) => prop_assert!(
                    is_of_the_app(&urls.success_url) && is_of_the_app(&urls.cancel_url),
                    "{:?}",
                    urls,
                ),
                Err(error) => prop_assert!(is_documented(&error), "{:?}", error),
            }
            match parse_portal(body, &origins) {
                Ok(urls) => prop_assert!(is_of_the_app(&urls.return_url), "{:?}", urls),
                Err(error) => prop_assert!(is_documented(&error), "{:?}", error),
            }
        }
    }
}
