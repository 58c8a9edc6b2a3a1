//! Property tests with any token and any set of keys.

use http::{HeaderMap, HeaderValue, header};
use inputs::proptest::collection::vec;
use inputs::proptest::prelude::*;
use inputs::{bytes, costly, damaged, json, json_with, mutated, mutated_text, nearly, text};
use serde_json::{Value, json};
use uuid::Uuid;

use super::jwt_tests::{
    LEGACY_SECRET, NOW, USER, es256_key, hs256, issuer, legacy_key, verify_with,
};
use super::*;

fn signed(header: &Value, claims: &Value) -> String {
    hs256(LEGACY_SECRET.as_bytes(), header, claims)
}

fn header() -> Value {
    json!({"alg": "HS256", "typ": "JWT"})
}

proptest! {
    #[test]
    fn no_text_is_a_token(
        text in prop_oneof![text(), mutated_text("jwt")],
        parts in vec(text(), 3), header in json(), claims in json()) {
        let made_up = signed(&header, &claims);
        for token in [&text, &parts.join("."), &made_up] {
            prop_assert!(verify_with(&legacy_key(), token).is_err(), "{}", token);
        }
    }

    #[test]
    fn any_signed_token_is_accepted_only_if_every_claim_is_valid(
        header in nearly(header()),
        claims in nearly(FakeIssuer::claims(USER, NOW)),
        sub in prop_oneof![
            Just(USER.to_string()),
            Just(USER.simple().to_string()),
            any::<u128>().prop_map(|id| Uuid::from_u128(id).to_string()),
            text(),
        ],
    ) {
        let mut other = claims.clone();
        if let Some(place) = other.get_mut("sub") {
            *place = json!(sub);
        }
        for claims in [claims, other] {
            let Ok(user) = verify_with(&legacy_key(), &signed(&header, &claims)) else { continue };
            prop_assert_eq!(claims["sub"].as_str().map(str::to_lowercase), Some(user.id().to_string()));
            prop_assert_eq!(&claims["iss"], "https://project.example/auth/v1");
            prop_assert_eq!(&claims["role"], "authenticated");
            prop_assert!(claims["aud"].to_string().contains("\"authenticated\""));
            prop_assert!(claims["exp"].as_f64().unwrap() > NOW as f64 - 30.0);
            prop_assert_eq!(&header["alg"], "HS256");
            prop_assert!(header.get("crit").is_none());
        }
    }

    #[test]
    fn changed_token_never_verifies(
        token in damaged(signed(&header(), &FakeIssuer::claims(USER, NOW)).into_bytes()),
    ) {
        let Ok(token) = String::from_utf8(token) else { return Ok(()) };
        let is_the_same = token == signed(&header(), &FakeIssuer::claims(USER, NOW));
        prop_assert_eq!(verify_with(&legacy_key(), &token).is_ok(), is_the_same, "{}", token);
    }

    #[test]
    fn oversized_token_is_not_decoded(length in 1..60_000_usize) {
        let mut claims = FakeIssuer::claims(USER, NOW);
        claims["email"] = json!("x".repeat(length));
        let token = signed(&header(), &claims);
        prop_assert_eq!(verify_with(&legacy_key(), &token).is_ok(), token.len() <= 32 * 1024);
    }

    #[test]
    fn any_bearer_token_is_one_visible_text(values in vec(prop_oneof![
        bytes(),
        text().prop_map(|text| format!("Bearer {text}").into_bytes()),
    ], 0..3)) {
        let mut headers = HeaderMap::new();
        for value in values.iter().filter_map(|value| HeaderValue::from_bytes(value).ok()) {
            headers.append(header::AUTHORIZATION, value);
        }
        if let Ok(token) = bearer(&headers) {
            prop_assert_eq!(headers.len(), 1);
            prop_assert!(!token.trim().is_empty() && token.trim() == token && token.is_ascii());
        }
    }
}

proptest! {
    #![proptest_config(costly())]

    #[test]
    fn any_key_set_is_read_or_refused(
        bytes in bytes(),
        any in json_with(vec!["keys", "kty", "crv", "kid", "x", "y", "alg", "use"]),
        near in nearly(issuer().jwks()),
    ) {
        prop_assert!(Jwks::parse(&bytes).map_or(true, |keys| keys.get("current").is_none()));
        for document in [any, near] {
            let read = Jwks::parse(document.to_string().as_bytes());
            prop_assert_eq!(read.is_ok(), document.get("keys").is_some_and(Value::is_array), "{}", document);
            // A parsed key has the original point, because changed coordinates do not lie on the curve.
            if let Some(key) = read.ok().and_then(|keys| keys.get("current")) {
                let token = issuer().token(USER, NOW);
                prop_assert!(verify_with(&key, &token).is_ok(), "{}", document);
            }
        }
    }

    #[test]
    fn changed_key_set_contains_no_original_key(document in mutated("jwks")) {
        let said = serde_json::from_slice::<Value>(&document).unwrap_or_default();
        let read = Jwks::parse(&document);
        prop_assert_eq!(read.is_ok(), said.get("keys").is_some_and(Value::is_array));
        for key in read.iter().flat_map(|keys| [keys.get("current"), keys.get("older")]).flatten() {
            prop_assert!(verify_with(&key, &issuer().token(USER, NOW)).is_err());
        }
    }

    #[test]
    fn finds_a_key_among_any_others(
        before in vec(json_with(vec!["kty", "crv", "kid", "x", "y"]), 0..4),
        after in vec(json_with(vec!["kty", "crv", "kid", "x", "y"]), 0..4),
    ) {
        let ours = issuer().jwks()["keys"].as_array().unwrap().clone();
        let document = json!({ "keys": ([before, ours, after].concat()) });
        let key = Jwks::parse(document.to_string().as_bytes()).unwrap().get("current").unwrap();
        prop_assert!(verify_with(&key, &issuer().token(USER, NOW)).is_ok());
    }

    #[test]
    fn changed_token_of_a_published_key_never_verifies(
        token in damaged(issuer().token(USER, NOW).into_bytes()),
    ) {
        let Ok(changed) = String::from_utf8(token) else { return Ok(()) };
        // The signature of a text is always the same one (RFC 6979).
        let is_the_same = changed == issuer().token(USER, NOW);
        prop_assert_eq!(verify_with(&es256_key(), &changed).is_ok(), is_the_same, "{}", changed);
    }
}
