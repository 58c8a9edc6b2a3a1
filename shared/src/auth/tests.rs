//! Tests of the request's token, the codes of failures, and the configuration.

use futures_util::FutureExt;
use http::{HeaderMap, HeaderValue, header};
use serde_json::json;

use super::jwt::tests::*;
use super::*;
use crate::error::Code;
use crate::fakes::{FakeClock, FakeHttp};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn authorization(values: &[&'static str]) -> HeaderMap {
    values
        .iter()
        .map(|value| (header::AUTHORIZATION, HeaderValue::from_static(value)))
        .fold(HeaderMap::new(), |mut headers, (name, value)| {
            headers.append(name, value);
            headers
        })
}

#[test]
fn accepts_bearer_in_any_case() {
    for value in [
        "Bearer a.b.c",
        "bearer a.b.c",
        "BEARER   a.b.c ",
        " Bearer a.b.c",
    ] {
        assert_eq!(bearer(&authorization(&[value])), Ok("a.b.c"), "{value}");
    }
}

#[test]
fn refuses_other_authorization_headers() {
    for values in [
        &[][..],
        &[""],
        &["Bearer"],
        &["Bearer "],
        &["Basic YTpi"],
        &["a.b.c"],
        &["Bearera.b.c"],
    ] {
        assert_eq!(
            bearer(&authorization(values)),
            Err(AuthError::Missing),
            "{values:?}"
        );
    }
    let twice = authorization(&["Bearer a.b.c", "Bearer a.b.c"]);
    assert_eq!(bearer(&twice), Err(AuthError::Malformed));
    let binary = HeaderMap::from_iter([(
        header::AUTHORIZATION,
        HeaderValue::from_bytes(b"Bearer \xff").unwrap(),
    )]);
    assert_eq!(bearer(&binary), Err(AuthError::Malformed));
}

#[test]
fn failure_has_a_code_and_a_private_cause() {
    for (error, code) in [
        (AuthError::Missing, Code::MissingToken),
        (AuthError::Malformed, Code::InvalidToken),
        (AuthError::WrongRole, Code::InvalidToken),
        (AuthError::Expired, Code::TokenExpired),
        (AuthError::TooLarge, Code::TokenTooLarge),
        (
            AuthError::KeysUnavailable("status 500".into()),
            Code::DatabaseUnavailable,
        ),
    ] {
        let cause = error.to_string();
        let shown = Error::from(error);
        assert_eq!(shown.code(), code);
        assert_eq!(shown.cause(), Some(cause.as_str()));
        assert_eq!(
            shown.retry_after_seconds().is_some(),
            code == Code::DatabaseUnavailable
        );
    }
}

fn config_with_secret(secret: &str) -> Result<AuthConfig, ConfigError> {
    AuthConfig::from_env(|name| match name {
        "SUPABASE_URL" => Some(FakeIssuer::URL.to_owned()),
        "SUPABASE_JWT_SECRET" => Some(secret.to_owned()),
        _ => None,
    })
}

#[test]
fn accepts_hs256_only_with_a_legacy_secret_and_without_fetching_keys() {
    let receive = |config: &AuthConfig, secret: &str| {
        let claims = FakeIssuer::claims(USER, NOW);
        let token = hs256(
            secret.as_bytes(),
            &json!({ "alg": "HS256", "kid": "legacy" }),
            &claims,
        );
        let (http, clock) = (FakeHttp::answering([]), FakeClock::at_ms(NOW * 1000));
        let user = identify(&token, config, &JwksCache::default(), &http, &clock)
            .now_or_never()
            .unwrap();
        assert!(http.requests().is_empty());
        user.map(|user| user.id())
    };
    let with_secret = config_with_secret(LEGACY_SECRET).unwrap();
    assert_eq!(receive(&with_secret, LEGACY_SECRET), Ok(USER));
    assert_eq!(receive(&with_secret, ""), Err(AuthError::BadSignature));
    for secret in [LEGACY_SECRET, ""] {
        assert_eq!(
            receive(&FakeIssuer::config(), secret),
            Err(AuthError::NoLegacySecret)
        );
    }
}

#[test]
fn refuses_a_short_legacy_secret() {
    let error = config_with_secret("short").unwrap_err();
    assert_eq!(
        error.to_string(),
        "SUPABASE_JWT_SECRET must have at least 32 bytes"
    );
    assert!(!format!("{:?}", config_with_secret(LEGACY_SECRET)).contains(LEGACY_SECRET));
    assert_eq!(
        AuthConfig::from_env(|_| None).unwrap_err().to_string(),
        "SUPABASE_URL is missing"
    );
}
