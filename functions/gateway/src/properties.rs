//! Property tests with any path, health report and URL.

use inputs::proptest::prelude::*;
use inputs::{json, text};
use serde_json::Value;

use crate::{Page, Report, Route, function_name, origin_of, page_headers, route, shared_document};

fn path() -> impl Strategy<Value = String> {
    prop_oneof![
        text(),
        text().prop_map(|below| format!("/functions/v1/{below}")),
        text().prop_map(|below| format!("/functions{below}")),
        "/functions/v1/[a-zA-Z0-9_-]{1,8}(/.{0,4})?",
    ]
}

proptest! {
    #[test]
    fn any_path_routes_only_to_the_function_it_names(
        path in path(),
        name in "[a-z][a-z0-9-]{0,12}",
        below in text(),
    ) {
        if let Route::Function(binding) = route(&path, "") {
            let named = path.strip_prefix("/functions/v1/").and_then(|rest| rest.split('/').next());
            prop_assert_eq!(Some(function_name(&binding)), named.map(str::to_owned));
            prop_assert!(binding.starts_with(|c: char| c.is_ascii_uppercase()));
            prop_assert!(binding.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_'));
        }
        prop_assert!(
            !path.starts_with("/functions/") || matches!(route(&path, ""), Route::Function(_) | Route::Nowhere),
        );
        let Route::Function(binding) = route(&format!("/functions/v1/{name}/{below}"), "") else {
            return Err(TestCaseError::fail(name));
        };
        prop_assert_eq!(function_name(&binding), name);
    }

    #[test]
    fn any_report_is_healthy_only_if_each_function_is(answer in json(), is_ok in any::<bool>()) {
        let mut report = Report::default();
        let answer = if is_ok { serde_json::json!({"status": "ok", "more": answer}) } else { answer };
        let says_so = answer.get("status").and_then(Value::as_str) == Some("ok");
        report.add("account".to_owned(), Some(answer));
        let (status, body) = report.answer(true);
        prop_assert_eq!(status, if says_so { 200 } else { 503 });
        prop_assert_eq!(body["functions"]["account"]["status"] == "ok", says_so);
    }

    #[test]
    fn no_database_url_extends_the_policy(
        url in prop_oneof![text(), text().prop_map(|tail| format!("https://x.example{tail}"))],
    ) {
        let page = Page::from_env(
            |name| match name {
                "SUPABASE_URL" => Some(url.clone()),
                "SUPABASE_PUBLISHABLE_KEY" => Some("sb_publishable_x".to_owned()),
                _ => None,
            },
        );
        let policy = |page: Option<&Page>| page_headers(page)[0].1.clone();
        let (with, without) = (policy(page.as_ref()), policy(None));
        prop_assert_eq!(with.matches(';').count(), without.matches(';').count(), "{}", with);
        prop_assert!(with.bytes().all(|b| b.is_ascii_graphic() || b == b' '), "{}", with);
        if let Some(origin) = origin_of(&url) {
            prop_assert!(url.starts_with(origin));
        }
    }
    #[test]
    fn no_text_of_a_shared_playlist_becomes_markup(
        name in text(), description in text(), title in text(), artist in text(),
    ) {
        let html = include_str!("../../../web/index.html");
        let playlist = serde_json::json!({
            "name": name, "description": description, "tracks": [{"title": title, "artist": artist}],
        });
        let document = shared_document(html, Some(&playlist));
        let tags = |html: &str| html.matches('<').count();
        // The document gets one more tag, which excludes it from search engines.
        prop_assert_eq!(tags(&document), tags(html) + 1);
        prop_assert_eq!(document.matches('"').count(), html.matches('"').count() + 4);
    }
}
