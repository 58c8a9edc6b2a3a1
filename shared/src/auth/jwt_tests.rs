use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use futures_util::FutureExt;
use hmac::{Hmac, Mac};
use http::{HeaderMap, HeaderValue, header};
use serde_json::{Value, json};
use sha2::Sha256;
use uuid::Uuid;

use super::rsa::tests::FakeRsaSigner;
use super::*;
use crate::error::Code;
use crate::fakes::{FakeClock, FakeHttp};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

pub(super) const NOW: u64 = 1_800_000_000;
pub(super) const USER: Uuid = Uuid::from_u128(0x1111_2222_3333_4444_8555_6666_7777_8888);
pub(super) const LEGACY_SECRET: &str = "a-legacy-secret-with-at-least-32-characters";

pub(super) fn issuer() -> FakeIssuer {
    FakeIssuer::with_kid("current")
}

pub(super) fn es256_key() -> Key {
    Jwks::parse(issuer().jwks().to_string().as_bytes())
        .unwrap()
        .get("current")
        .unwrap()
}

pub(super) fn legacy_key() -> Key {
    Key::Hs256(Secret::new(LEGACY_SECRET))
}

pub(super) fn verify_with(key: &Key, token: &str) -> Result<VerifiedUser, AuthError> {
    UnverifiedJwt::parse(token)?.verify(key, &format!("{}/auth/v1", FakeIssuer::URL), NOW)
}

fn verify(token: &str) -> Result<VerifiedUser, AuthError> {
    verify_with(&es256_key(), token)
}

fn claims_with(changes: Value) -> Value {
    let mut claims = FakeIssuer::claims(USER, NOW);
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

fn claims_without(name: &str) -> Value {
    let mut claims = FakeIssuer::claims(USER, NOW);
    claims.as_object_mut().unwrap().remove(name).unwrap();
    claims
}

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

pub(super) fn hs256(secret: &[u8], header: &Value, claims: &Value) -> String {
    let signed = format!("{}.{}", encode(header), encode(claims));
    let mac = Hmac::<Sha256>::new_from_slice(secret)
        .unwrap()
        .chain_update(&signed)
        .finalize();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.into_bytes()))
}

fn with_signature(token: &str, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = change(URL_SAFE_NO_PAD.decode(signature).unwrap());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[test]
fn token_of_the_project_identifies_its_user() {
    let token = issuer().token(USER, NOW);
    let user = verify(&token).unwrap();
    assert_eq!(user.id(), USER);
    assert_eq!(user.email(), Some("ann@example.com"));
    assert_eq!(user.token().expose(), token);
    assert!(!format!("{user:?}").contains(&token));
}

#[test]
fn accepts_all_forms_that_auth_writes() {
    for claims in [
        claims_with(json!({ "aud": ["other", "authenticated"] })),
        claims_with(json!({ "is_anonymous": true, "email": "" })),
        claims_with(json!({ "exp": NOW as f64 + 0.5, "iat": NOW as f64 - 0.5 })),
        claims_with(json!({ "nbf": NOW })),
        claims_with(json!({ "iat": NOW + 30, "nbf": NOW + 30 })),
        claims_with(json!({ "exp": NOW - 29 })),
        claims_without("iat"),
        claims_without("email"),
        claims_with(json!({ "app_metadata": { "role": "service_role" }, "aal": "aal1" })),
    ] {
        assert_eq!(
            verify(&issuer().sign(&claims)).map(|user| user.id()),
            Ok(USER),
            "{claims}"
        );
    }
    let anonymous = verify(&issuer().sign(&claims_with(json!({ "email": "" })))).unwrap();
    assert_eq!(anonymous.email(), None);
}

#[test]
fn refuses_claims_of_other_tokens() {
    use AuthError::*;
    for (claims, expected) in [
        (claims_with(json!({ "exp": NOW - 30 })), Expired),
        (claims_with(json!({ "exp": NOW - 86_400 })), Expired),
        (claims_with(json!({ "exp": 0 })), Expired),
        (claims_with(json!({ "exp": -1 })), Expired),
        (claims_with(json!({ "exp": null })), Malformed),
        (
            claims_with(json!({ "exp": (NOW + 60).to_string() })),
            Malformed,
        ),
        (claims_without("exp"), Malformed),
        (claims_with(json!({ "nbf": NOW + 31 })), NotYetValid),
        (claims_with(json!({ "iat": NOW + 31 })), NotYetValid),
        (claims_with(json!({ "iat": "yesterday" })), Malformed),
        (
            claims_with(json!({ "iss": "https://other.example/auth/v1" })),
            WrongIssuer,
        ),
        (
            claims_with(json!({ "iss": "https://project.example/auth/v1/" })),
            WrongIssuer,
        ),
        (
            claims_with(json!({ "iss": "https://project.example" })),
            WrongIssuer,
        ),
        (claims_with(json!({ "iss": "supabase" })), WrongIssuer),
        (
            claims_with(json!({ "iss": ["https://project.example/auth/v1"] })),
            Malformed,
        ),
        (claims_without("iss"), WrongIssuer),
        (claims_with(json!({ "aud": "anon" })), WrongAudience),
        (
            claims_with(json!({ "aud": "Authenticated" })),
            WrongAudience,
        ),
        (claims_with(json!({ "aud": [] })), WrongAudience),
        (
            claims_with(json!({ "aud": ["anon", "authenticated "] })),
            WrongAudience,
        ),
        (
            claims_with(json!({ "aud": { "authenticated": true } })),
            WrongAudience,
        ),
        (claims_without("aud"), WrongAudience),
        (claims_with(json!({ "role": "anon" })), WrongRole),
        (claims_with(json!({ "role": "service_role" })), WrongRole),
        (claims_with(json!({ "role": "" })), WrongRole),
        (claims_with(json!({ "role": ["authenticated"] })), Malformed),
        (claims_without("role"), WrongRole),
        (claims_with(json!({ "sub": "ann" })), WrongSubject),
        (claims_with(json!({ "sub": "" })), WrongSubject),
        (
            claims_with(json!({ "sub": USER.simple().to_string() })),
            WrongSubject,
        ),
        (
            claims_with(json!({ "sub": USER.braced().to_string() })),
            WrongSubject,
        ),
        (
            claims_with(json!({ "sub": USER.urn().to_string() })),
            WrongSubject,
        ),
        (claims_with(json!({ "sub": 7 })), Malformed),
        (claims_without("sub"), WrongSubject),
        (claims_with(json!({ "email": 7 })), Malformed),
        (json!({}), Malformed),
        (json!([]), Malformed),
        (json!("claims"), Malformed),
    ] {
        assert_eq!(
            verify(&issuer().sign(&claims)).unwrap_err(),
            expected,
            "{claims}"
        );
    }
}

#[test]
fn refuses_other_headers() {
    use AuthError::*;
    let claims = FakeIssuer::claims(USER, NOW);
    for (header, expected) in [
        (
            json!({ "alg": "none", "kid": "current" }),
            UnsupportedAlgorithm("none"),
        ),
        (
            json!({ "alg": "None", "kid": "current" }),
            UnsupportedAlgorithm("an unknown algorithm"),
        ),
        (
            json!({ "alg": "", "kid": "current" }),
            UnsupportedAlgorithm("an unknown algorithm"),
        ),
        (
            json!({ "alg": "es256", "kid": "current" }),
            UnsupportedAlgorithm("an unknown algorithm"),
        ),
        (
            json!({ "alg": "ES384", "kid": "current" }),
            UnsupportedAlgorithm("ES384"),
        ),
        (
            json!({ "alg": "PS256", "kid": "current" }),
            UnsupportedAlgorithm("PS256"),
        ),
        (
            json!({ "alg": "EdDSA", "kid": "current" }),
            UnsupportedAlgorithm("EdDSA"),
        ),
        (json!({ "alg": "RS256", "kid": "current" }), WrongAlgorithm),
        (json!({ "alg": "HS256", "kid": "current" }), WrongAlgorithm),
        (json!({ "alg": ["ES256"], "kid": "current" }), Malformed),
        (json!({ "alg": null, "kid": "current" }), Malformed),
        (json!({ "kid": "current" }), Malformed),
        (json!({ "alg": "ES256", "kid": 1 }), Malformed),
        (
            json!({ "alg": "ES256", "kid": "current", "crit": ["exp"] }),
            UnsupportedExtension,
        ),
        (
            json!({ "alg": "ES256", "kid": "current", "crit": [] }),
            UnsupportedExtension,
        ),
        (
            json!({ "alg": "ES256", "kid": "current", "crit": null }),
            UnsupportedExtension,
        ),
        (
            json!({ "alg": "ES256", "kid": "current", "crit": ["b64"], "b64": false }),
            UnsupportedExtension,
        ),
        (json!(["ES256"]), Malformed),
    ] {
        assert_eq!(
            verify(&issuer().sign_with_header(&header, &claims)).unwrap_err(),
            expected,
            "{header}"
        );
    }
}

#[test]
fn refuses_a_repeated_algorithm() {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256","kid":"current","alg":"ES256"}"#);
    let token = issuer().token(USER, NOW);
    let (_, rest) = token.split_once('.').unwrap();
    assert_eq!(
        verify(&format!("{header}.{rest}")).unwrap_err(),
        AuthError::Malformed
    );
}

#[test]
fn refuses_tokens_other_than_three_parts_of_strict_base64url() {
    let token = issuer().token(USER, NOW);
    let parts: Vec<&str> = token.split('.').collect();
    let (header, claims, signature) = (parts[0], parts[1], parts[2]);
    let pad = |text: &str| URL_SAFE.encode(URL_SAFE_NO_PAD.decode(text).unwrap());
    for malformed in [
        String::new(),
        ".".into(),
        "..".into(),
        "sb_publishable_abc".into(),
        header.into(),
        format!("{header}.{claims}"),
        format!("{token}.{signature}"),
        format!(".{token}"),
        format!("{token}."),
        format!("{token}="),
        format!("{token}\n"),
        format!("{token} "),
        format!("{header}.{claims}.{}", pad(signature)),
        format!("{header}.{claims}.!{signature}"),
        format!(
            "{}.{claims}.{signature}",
            STANDARD.encode("{\"alg\":\"ES256\",\"kid\":\"???>>>\"}")
        ),
        format!(
            "{}.{claims}.{signature}",
            URL_SAFE_NO_PAD.encode([0xff, 0xfe])
        ),
    ] {
        assert_eq!(
            verify(&malformed).unwrap_err(),
            AuthError::Malformed,
            "{malformed}"
        );
    }
    assert_eq!(
        verify(&format!("{header}..{signature}")).unwrap_err(),
        AuthError::BadSignature
    );
}

#[test]
fn accepts_tokens_up_to_32_kb() {
    let token = |bytes: usize| {
        let metadata = json!({ "user_metadata": { "bio": "x".repeat(bytes) } });
        issuer().sign(&claims_with(metadata))
    };
    for bytes in [5_000, 10_000, 16_000, 24_000] {
        let token = token(bytes);
        assert!(token.len() <= 32 * 1024);
        assert_eq!(
            verify(&token).map(|user| user.id()),
            Ok(USER),
            "{} bytes",
            token.len()
        );
    }
    for bytes in [24_600, 100_000] {
        assert!(token(bytes).len() > 32 * 1024);
        assert_eq!(verify(&token(bytes)).unwrap_err(), AuthError::TooLarge);
    }
}

#[test]
fn ignores_profile_data_of_users_and_providers() {
    let deep = format!("{}{}", "[".repeat(3_000), "]".repeat(3_000));
    let claims = FakeIssuer::claims(USER, NOW).to_string();
    for metadata in [
        deep.as_str(),
        r#"{"half an emoji":"\ud83d"}"#,
        r#"{"sub":"admin","role":"service_role","aud":["x"]}"#,
        "1e999",
        "null",
    ] {
        let claims = claims.replacen('{', &format!("{{\"user_metadata\":{metadata},"), 1);
        let token = issuer().sign_text(
            &json!({ "alg": "ES256", "kid": "current" }).to_string(),
            &claims,
        );
        assert_eq!(
            verify(&token).map(|user| user.id()),
            Ok(USER),
            "{metadata:.20}"
        );
    }
}

#[test]
fn refuses_signatures_of_other_forms_or_keys() {
    let token = issuer().token(USER, NOW);
    let other_key = FakeIssuer::with_kid("other").sign_with_header(
        &json!({ "alg": "ES256", "kid": "current" }),
        &FakeIssuer::claims(USER, NOW),
    );
    let der = |raw: Vec<u8>| {
        p256::ecdsa::Signature::from_slice(&raw)
            .unwrap()
            .to_der()
            .as_bytes()
            .to_vec()
    };
    for (name, forged) in [
        ("another key", other_key),
        ("DER", with_signature(&token, der)),
        ("empty", with_signature(&token, |_| Vec::new())),
        ("zeros", with_signature(&token, |_| vec![0; 64])),
        ("ones", with_signature(&token, |_| vec![0xff; 64])),
        ("63 bytes", with_signature(&token, |raw| raw[..63].to_vec())),
        (
            "65 bytes",
            with_signature(&token, |raw| [raw, vec![0]].concat()),
        ),
        (
            "r and s swapped",
            with_signature(&token, |raw| [&raw[32..], &raw[..32]].concat()),
        ),
    ] {
        assert_eq!(
            verify(&forged).unwrap_err(),
            AuthError::BadSignature,
            "{name}"
        );
    }
}

#[test]
fn refuses_a_token_with_any_flipped_bit() {
    let es256 = issuer().token(USER, NOW);
    let hs256 = hs256(
        LEGACY_SECRET.as_bytes(),
        &json!({ "alg": "HS256" }),
        &FakeIssuer::claims(USER, NOW),
    );
    let rs256 = FakeRsaSigner::new("rsa").sign_with_header(
        &json!({ "alg": "RS256", "kid": "rsa" }),
        &FakeIssuer::claims(USER, NOW),
    );
    for (key, token) in [
        (es256_key(), es256),
        (legacy_key(), hs256),
        (rs256_key(), rs256),
    ] {
        assert!(verify_with(&key, &token).is_ok());
        for index in 0..token.len() {
            // One bit of each character: a verification takes its time.
            let mut flipped = token.clone().into_bytes();
            flipped[index] ^= 1 << (index % 7);
            if let Ok(flipped) = String::from_utf8(flipped) {
                assert!(verify_with(&key, &flipped).is_err(), "byte {index}");
            }
        }
    }
}

#[test]
fn refuses_the_public_key_as_hmac_secret() {
    let jwk = issuer().jwk();
    let (x, y) = (jwk["x"].as_str().unwrap(), jwk["y"].as_str().unwrap());
    let point = [
        vec![4],
        URL_SAFE_NO_PAD.decode(x).unwrap(),
        URL_SAFE_NO_PAD.decode(y).unwrap(),
    ]
    .concat();
    let header = json!({ "alg": "HS256", "kid": "current" });
    for secret in [
        point,
        jwk.to_string().into_bytes(),
        issuer().jwks().to_string().into_bytes(),
        Vec::new(),
    ] {
        let token = hs256(&secret, &header, &FakeIssuer::claims(USER, NOW));
        assert_eq!(verify(&token).unwrap_err(), AuthError::WrongAlgorithm);
        assert_eq!(
            verify_with(&legacy_key(), &token).unwrap_err(),
            AuthError::BadSignature
        );
    }
}

#[test]
fn legacy_secret_verifies_only_hs256() {
    let claims = FakeIssuer::claims(USER, NOW);
    let secret = LEGACY_SECRET.as_bytes();
    for header in [
        json!({ "alg": "HS256" }),
        json!({ "alg": "HS256", "kid": "legacy" }),
    ] {
        assert_eq!(
            verify_with(&legacy_key(), &hs256(secret, &header, &claims))
                .unwrap()
                .id(),
            USER
        );
    }
    for (header, expected) in [
        (
            json!({ "alg": "ES256", "kid": "current" }),
            AuthError::WrongAlgorithm,
        ),
        (
            json!({ "alg": "RS256", "kid": "current" }),
            AuthError::WrongAlgorithm,
        ),
        (
            json!({ "alg": "HS512" }),
            AuthError::UnsupportedAlgorithm("HS512"),
        ),
        (
            json!({ "alg": "none" }),
            AuthError::UnsupportedAlgorithm("none"),
        ),
    ] {
        let token = hs256(secret, &header, &claims);
        assert_eq!(
            verify_with(&legacy_key(), &token).unwrap_err(),
            expected,
            "{header}"
        );
    }
    let valid = hs256(secret, &json!({ "alg": "HS256" }), &claims);
    for forged in [
        hs256(
            b"another secret, at least as long as that one",
            &json!({ "alg": "HS256" }),
            &claims,
        ),
        with_signature(&valid, |mac| mac[..31].to_vec()),
        with_signature(&valid, |_| Vec::new()),
    ] {
        assert_eq!(
            verify_with(&legacy_key(), &forged).unwrap_err(),
            AuthError::BadSignature
        );
    }
    let anon_key = hs256(
        secret,
        &json!({ "alg": "HS256" }),
        &claims_with(json!({ "role": "anon" })),
    );
    assert_eq!(
        verify_with(&legacy_key(), &anon_key).unwrap_err(),
        AuthError::WrongRole
    );
}

fn rs256_key() -> Key {
    let document = json!({ "keys": [FakeRsaSigner::new("rsa").jwk()] });
    Jwks::parse(document.to_string().as_bytes())
        .unwrap()
        .get("rsa")
        .unwrap()
}

#[test]
fn rs256_token_identifies_its_user() {
    let claims = FakeIssuer::claims(USER, NOW);
    let token = |header: Value| FakeRsaSigner::new("rsa").sign_with_header(&header, &claims);
    let valid = token(json!({ "alg": "RS256", "typ": "JWT", "kid": "rsa" }));
    assert_eq!(
        verify_with(&rs256_key(), &valid).map(|user| user.id()),
        Ok(USER)
    );
    for (header, expected) in [
        (
            json!({ "alg": "ES256", "kid": "rsa" }),
            AuthError::WrongAlgorithm,
        ),
        (
            json!({ "alg": "HS256", "kid": "rsa" }),
            AuthError::WrongAlgorithm,
        ),
        (
            json!({ "alg": "RS384", "kid": "rsa" }),
            AuthError::UnsupportedAlgorithm("RS384"),
        ),
        (
            json!({ "alg": "PS256", "kid": "rsa" }),
            AuthError::UnsupportedAlgorithm("PS256"),
        ),
        (
            json!({ "alg": "none", "kid": "rsa" }),
            AuthError::UnsupportedAlgorithm("none"),
        ),
        (
            json!({ "alg": "RS256", "kid": "rsa", "crit": ["exp"] }),
            AuthError::UnsupportedExtension,
        ),
    ] {
        assert_eq!(
            verify_with(&rs256_key(), &token(header.clone())).unwrap_err(),
            expected,
            "{header}"
        );
    }
    let (signed, _) = valid.rsplit_once('.').unwrap();
    let es256 = issuer().sign_with_header(&json!({ "alg": "RS256", "kid": "rsa" }), &claims);
    for forged in [
        format!("{signed}."),
        with_signature(&valid, |raw| vec![0; raw.len()]),
        with_signature(&valid, |raw| raw[1..].to_vec()),
        with_signature(&valid, |raw| [raw, vec![0]].concat()),
        es256,
    ] {
        assert_eq!(
            verify_with(&rs256_key(), &forged).unwrap_err(),
            AuthError::BadSignature
        );
    }
    assert_eq!(
        verify(&valid).unwrap_err(),
        AuthError::WrongAlgorithm,
        "with a key on P-256"
    );
}

#[test]
fn refuses_the_public_rsa_key_as_hmac_secret() {
    let jwk = FakeRsaSigner::new("rsa").jwk();
    let modulus = URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap()).unwrap();
    for secret in [
        modulus,
        jwk["n"].as_str().unwrap().into(),
        jwk.to_string().into_bytes(),
    ] {
        let token = hs256(
            &secret,
            &json!({ "alg": "HS256", "kid": "rsa" }),
            &FakeIssuer::claims(USER, NOW),
        );
        assert_eq!(
            verify_with(&rs256_key(), &token).unwrap_err(),
            AuthError::WrongAlgorithm
        );
        assert_eq!(
            verify_with(&legacy_key(), &token).unwrap_err(),
            AuthError::BadSignature
        );
    }
}

#[test]
fn logs_known_algorithms_and_no_text_of_the_sender() {
    let cause = |alg: &str| {
        let token = issuer().sign_with_header(&json!({ "alg": alg, "kid": "current" }), &json!({}));
        Error::from(verify(&token).unwrap_err())
            .cause()
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        cause("EdDSA"),
        "the token is signed with EdDSA; ES256, RS256 and HS256 are supported"
    );
    assert!(cause("PS256").contains("PS256") && cause("none").contains("none"));
    assert!(!cause("secret\n{}").contains("secret"));
}

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
