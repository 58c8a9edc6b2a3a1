use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use uuid::Uuid;

use super::super::*;
use super::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[path = "jwt_signature_tests.rs"]
mod signatures;

pub(in crate::auth) const NOW: u64 = 1_800_000_000;
pub(in crate::auth) const USER: Uuid = Uuid::from_u128(0x1111_2222_3333_4444_8555_6666_7777_8888);
pub(in crate::auth) const LEGACY_SECRET: &str = "a-legacy-secret-with-at-least-32-characters";

pub(in crate::auth) fn issuer() -> FakeIssuer {
    FakeIssuer::with_kid("current")
}

pub(in crate::auth) fn es256_key() -> Key {
    Jwks::parse(issuer().jwks().to_string().as_bytes())
        .unwrap()
        .get("current")
        .unwrap()
}

pub(in crate::auth) fn legacy_key() -> Key {
    Key::Hs256(Secret::new(LEGACY_SECRET))
}

pub(in crate::auth) fn verify_with(key: &Key, token: &str) -> Result<VerifiedUser, AuthError> {
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

pub(in crate::auth) fn hs256(secret: &[u8], header: &Value, claims: &Value) -> String {
    let signed = format!("{}.{}", encode(header), encode(claims));
    let mac = Hmac::<Sha256>::new_from_slice(secret)
        .unwrap()
        .chain_update(&signed)
        .finalize();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.into_bytes()))
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
