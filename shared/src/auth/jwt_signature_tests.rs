//! Tests of signatures, and of keys that serve one algorithm only.

use super::*;
use crate::auth::rsa::tests::FakeRsaSigner;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

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

fn with_signature(token: &str, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = change(URL_SAFE_NO_PAD.decode(signature).unwrap());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
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
