//! Property tests with any path, origin, text and track URI.

use http::{HeaderMap, HeaderValue, Method, header};
use inputs::proptest::prelude::*;
use inputs::{bytes, text};

use crate::runtime::cors::AllowedOrigins;
use crate::runtime::endpoint::route;
use crate::text::{is_invisible, one_line};
use crate::track::TrackUri;

const ORIGINS: [&str; 3] = [
    "https://app.example",
    "http://127.0.0.1:8787",
    "http://[::1]:3000",
];

fn origins() -> AllowedOrigins {
    AllowedOrigins::parse(&ORIGINS.join(",")).unwrap()
}

/// Generates origins, and texts that resemble one.
fn origin() -> impl Strategy<Value = String> {
    let one = || prop::sample::select(&ORIGINS[..]);
    prop_oneof![
        one().prop_map(str::to_owned),
        text(),
        (one(), text()).prop_map(|(origin, tail)| format!("{origin}{tail}")),
        (text(), one()).prop_map(|(before, origin)| format!("{before}{origin}")),
        ("https?", "[a-zA-Z0-9.:@\\[\\]/-]{0,12}")
            .prop_map(|(scheme, rest)| format!("{scheme}://{rest}")),
    ]
}

proptest! {
    #[test]
    fn any_text_becomes_one_clean_line(text in text(), max in 0..40_usize) {
        let line = one_line(&text, max);
        prop_assert!(line.chars().count() <= max && line.trim() == line && !line.contains("  "), "{:?}", line);
        prop_assert!(!line.chars().any(|c| c.is_control() || is_invisible(c)), "{:?}", line);
        prop_assert_eq!(one_line(&line, max), line);
    }

    #[test]
    fn cors_names_only_listed_origins(
        origin in origin(),
        other in bytes(),
        is_preflight in any::<bool>(),
    ) {
        for value in [origin.as_bytes(), &other] {
            let Ok(value) = HeaderValue::from_bytes(value) else { continue };
            let headers = HeaderMap::from_iter([(header::ORIGIN, value.clone())]);
            let method = if is_preflight { Method::OPTIONS } else { Method::GET };
            let preflight = origins().preflight(&headers, &method, || "GET".to_owned());
            prop_assert_eq!(preflight.is_some(), is_preflight);
            let answer = preflight.unwrap_or_else(|| origins().headers_for(&headers));
            let is_known = ORIGINS.iter().any(|known| known.as_bytes() == value.as_bytes());
            let expected = is_known.then_some(&value);
            prop_assert_eq!(answer.get(header::ACCESS_CONTROL_ALLOW_ORIGIN), expected);
            prop_assert_eq!(&answer[header::VARY], "Origin");
            prop_assert!(is_known || answer.len() == 1);
        }
    }

    #[test]
    fn any_list_of_origins_is_read_or_refused(list in origin()) {
        let Ok(read) = AllowedOrigins::parse(&list) else { return Ok(()) };
        let (scheme, authority) = read.first().split_once("://").unwrap();
        prop_assert!(["http", "https"].contains(&scheme));
        prop_assert!(
            !authority.is_empty() && !authority.contains(['/', '?', '#', '@', '\\', '*', ' ']),
            "{}",
            list,
        );
        prop_assert!(read.has_url(read.first()));
    }

    #[test]
    fn accepted_url_has_a_listed_authority(url in origin()) {
        let Some((scheme, rest)) = url.split_once("://").filter(
            |_| origins().has_url(&url),
        ) else { return Ok(()) };
        let authority = rest.split(['/', '?', '#']).next().unwrap();
        prop_assert!(ORIGINS.contains(&&*format!("{scheme}://{authority}")), "{}", url);
    }

    #[test]
    fn route_is_the_path_below_the_function(
        path in text(),
        name in "[a-z][a-z-]{0,8}",
        below in text(),
    ) {
        let below = format!("/{below}");
        let expected = below.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(&below);
        for mounted in [format!("/functions/v1/{name}{below}"), format!("/{name}{below}")] {
            prop_assert_eq!(route(&mounted, &name), Some(expected));
        }
        let itself = format!("/{name}");
        prop_assert_eq!(route(&itself, &name), Some("/"));
        if let Some(found) = route(&path, &name) {
            prop_assert!(found.starts_with('/') && path.contains(&name));
        }
    }

    #[test]
    fn track_uri_is_kept_unchanged(id in "[0-9A-Za-z]{22}", other in text(), tail in text()) {
        let uri = format!("spotify:track:{id}");
        prop_assert_eq!(TrackUri::parse(&uri).unwrap().to_string(), uri.as_str());
        prop_assert!(TrackUri::parse(&other).is_err());
        prop_assert_eq!(TrackUri::parse(&format!("{uri}{tail}")).is_ok(), tail.is_empty());
    }
}
