//! Whose token is believed.

use serde_json::{Value, json};

use crate::generation::{FIVE, answer, ask, assert_error, reply};
use crate::stack::{Stack, User};
use crate::token::{self, altered, es256, hs256, keys};

async fn refused(stack: &Stack, token: &str, code: &str) {
    let request = stack.http.post(stack.function("ai-playlist")).bearer_auth(token).json(&ask("evening"));
    assert_error(&answer(request).await, 401, code);
}

fn header(kid: &str) -> Value {
    json!({"alg": "ES256", "typ": "JWT", "kid": kid})
}

async fn taken() -> (Stack, User) {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
    (stack, user)
}

#[tokio::test]
async fn a_request_without_a_token_is_refused() {
    let (stack, _) = taken().await;
    for authorization in [None, Some("Basic YTpi"), Some("Bearer"), Some("Bearer ")] {
        let mut request = stack.http.post(stack.function("ai-playlist")).json(&ask("evening"));
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        assert_error(&answer(request).await, 401, "missing_token");
    }
}

#[tokio::test]
async fn an_api_key_is_not_a_user() {
    let (stack, _) = taken().await;
    for key in ["/publishable_key", "/secret_key"] {
        refused(&stack, stack.url(key), "invalid_token").await;
    }
}

#[tokio::test]
async fn the_same_claims_signed_as_they_should_be_are_believed() {
    let (stack, user) = taken().await;
    stack.llm_script(reply(&FIVE)).await;
    let keys = keys();
    let token = es256(&keys, &header(&keys.kid), &altered(&user, &json!({})));
    let request = stack.http.post(stack.function("ai-playlist")).bearer_auth(token).json(&ask("evening"));
    assert_eq!(answer(request).await.0, 200);
}

#[tokio::test]
async fn claims_that_are_not_a_current_users_are_refused() {
    let (stack, user) = taken().await;
    let keys = keys();
    for (changes, code) in [
        (json!({"exp": 1_000_000_000}), "token_expired"),
        (json!({"exp": null}), "invalid_token"),
        (json!({"iss": "https://elsewhere.example/auth/v1"}), "invalid_token"),
        (json!({"iss": null}), "invalid_token"),
        (json!({"aud": "somebody-else"}), "invalid_token"),
        (json!({"aud": null}), "invalid_token"),
        (json!({"role": "service_role"}), "invalid_token"),
        (json!({"role": "anon"}), "invalid_token"),
        (json!({"sub": "admin"}), "invalid_token"),
        (json!({"sub": null}), "invalid_token"),
        (json!({"nbf": 4_000_000_000_u64}), "invalid_token"),
    ] {
        let token = es256(&keys, &header(&keys.kid), &altered(&user, &changes));
        refused(&stack, &token, code).await;
    }
}

#[tokio::test]
async fn the_algorithm_is_not_the_tokens_to_choose() {
    let (stack, user) = taken().await;
    let keys = keys();
    let claims = altered(&user, &json!({}));
    let jwks = token::jwks(&stack).await;
    let public: Value = serde_json::from_str(&jwks).unwrap();
    let public_key = public["keys"][0].to_string();
    let hs_header = json!({"alg": "HS256", "typ": "JWT", "kid": keys.kid});
    refused(&stack, &token::none(&claims), "invalid_token").await;
    for secret in
        [jwks.as_bytes(), public_key.as_bytes(), public["keys"][0]["x"].as_str().unwrap().as_bytes(), b""]
    {
        refused(&stack, &hs256(secret, &hs_header, &claims), "invalid_token").await;
    }
    // Even the secret that this Supabase uses within: no legacy secret is configured.
    let within = hs256(keys.jwt_secret.as_bytes(), &json!({"alg": "HS256", "typ": "JWT"}), &claims);
    refused(&stack, &within, "invalid_token").await;
}

#[tokio::test]
async fn an_unknown_key_and_a_changed_token_are_refused() {
    let (stack, user) = taken().await;
    let keys = keys();
    let claims = altered(&user, &json!({}));
    for kid in ["unknown", ""] {
        refused(&stack, &es256(&keys, &header(kid), &claims), "invalid_token").await;
    }
    refused(&stack, &es256(&keys, &json!({"alg": "ES256"}), &claims), "invalid_token").await;
    let (signed, signature) = user.token.rsplit_once('.').unwrap();
    let other = altered(&user, &json!({"sub": uuid::Uuid::new_v4()}));
    let forged = token::none(&other);
    let forged_payload = forged.split('.').nth(1).unwrap();
    let own_header = signed.split('.').next().unwrap();
    for token in [
        format!("{own_header}.{forged_payload}.{signature}"),
        format!("{signed}."),
        format!("{signed}.{}", "A".repeat(86)),
        signed.to_owned(),
        "x".repeat(9_000),
    ] {
        refused(&stack, &token, "invalid_token").await;
    }
}

#[tokio::test]
async fn an_unknown_key_does_not_make_every_request_fetch_the_keys() {
    let (stack, user) = taken().await;
    let keys = keys();
    let claims = altered(&user, &json!({}));
    for _ in 0..20 {
        refused(&stack, &es256(&keys, &header("unknown"), &claims), "invalid_token").await;
    }
    // The published keys are still believed: a flood of unknown ones locks nobody out.
    stack.llm_script(reply(&FIVE)).await;
    let request =
        stack.http.post(stack.function("ai-playlist")).bearer_auth(&user.token).json(&ask("evening"));
    assert_eq!(answer(request).await.0, 200);
}
