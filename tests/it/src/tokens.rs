//! Whose token is believed.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::generation::{FIVE, answer, ask, assert_error, reply};
use crate::spotify;
use crate::stack::{Stack, User};
use crate::stripe::{ask_for_checkout, ask_for_portal};
use crate::token::{self, altered, es256, hs256, keys, rs256};

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
        "x".repeat(20_000),
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

/// What every function does for a user with this token, ending with the deletion of the account.
async fn everything_is_open_to(stack: &Stack, user: &User) {
    stack.llm_script(reply(&FIVE)).await;
    let mut wish = ask("evening");
    wish["save"] = json!(true);
    let key = uuid::Uuid::new_v4().to_string();
    for _ in 0..2 {
        // The second answer is read from the tables, as the user.
        let (status, done) = crate::generation::json_with_key(stack, user, &wish, &key).await;
        assert_eq!((status.as_u16(), &done["count"]), (200, &json!(5)), "{done}");
    }
    assert_eq!(crate::generation::stream(stack, user, &ask("evening")).await.last("done")["count"], 5);
    let found = spotify::call(stack, Method::GET, "spotify-search?title=Lithium", Some(user), None).await;
    assert!(found.ok()["tracks"].is_array());
    spotify::link(stack, user, "ania").await;
    assert_eq!(spotify::status(stack, user).await["linked"], true);
    assert_eq!(spotify::export(stack, user, &key, None).await.ok()["exported"], 5);
    let unlinked = spotify::call(stack, Method::DELETE, "spotify-oauth/link", Some(user), None).await;
    assert_eq!(unlinked.status, StatusCode::NO_CONTENT);
    ask_for_checkout(stack, user, "/plan").await.ok();
    ask_for_portal(stack, user).await.ok();
    let email =
        stack.sql("select email from auth.users where id = $1", &[&user.id]).await[0].get::<_, String>(0);
    let body = json!({ "confirm": email });
    let deleted = spotify::call(stack, Method::DELETE, "account", Some(user), Some(&body)).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_14_kb_token_works_everywhere() {
    let stack = Stack::take().await;
    let user = stack.sign_up_with(&json!({ "avatar": "x".repeat(9_800) })).await;
    assert!((14_000..15_000).contains(&user.token.len()), "{} bytes", user.token.len());
    let gateway = format!("{}/functions/v1", stack.url("/supabase_url"));
    let behind_supabase = stack.http.get(format!("{gateway}/spotify-oauth/status"));
    let request = behind_supabase.bearer_auth(&user.token).header("apikey", stack.url("/publishable_key"));
    assert_eq!(answer(request).await, (StatusCode::OK, json!({"linked": false})));
    everything_is_open_to(&stack, &user).await;
}

#[tokio::test]
async fn a_token_of_32_kb_is_the_largest_that_is_read() {
    let stack = Stack::take().await;
    let User { id, token } = stack.sign_up_with(&json!({ "avatar": "x".repeat(23_500) })).await;
    assert!((31 * 1024..32 * 1024).contains(&token.len()), "{} bytes", token.len());
    everything_is_open_to(&stack, &User { id, token }).await;

    let user = stack.sign_up_with(&json!({ "avatar": "x".repeat(24_500) })).await;
    assert!((32 * 1024 + 1..40 * 1024).contains(&user.token.len()), "{} bytes", user.token.len());
    for (method, path, body) in [
        (Method::POST, "ai-playlist", Some(ask("evening"))),
        (Method::GET, "spotify-search?title=Lithium", None),
        (Method::GET, "spotify-oauth/status", None),
        (Method::POST, "spotify-oauth/start", None),
        (Method::DELETE, "spotify-oauth/link", None),
        (Method::POST, "spotify-export", Some(json!({ "playlist_id": uuid::Uuid::new_v4() }))),
        (Method::POST, "billing/checkout", Some(json!({}))),
        (Method::POST, "billing/portal", Some(json!({}))),
        (Method::DELETE, "account", Some(json!({ "confirm": "x" }))),
    ] {
        let refused = spotify::call(&stack, method, path, Some(&user), body.as_ref()).await;
        refused.assert_error(431, "token_too_large");
        assert!(!refused.body["message"].as_str().unwrap().contains("Sign in again"), "{}", refused.body);
    }
}

#[tokio::test]
async fn a_token_that_is_signed_with_rs256_is_believed_everywhere() {
    let (stack, user) = taken().await;
    let keys = keys();
    let header = json!({"alg": "RS256", "typ": "JWT", "kid": keys.rsa.kid});
    let token = rs256(&keys, &header, &altered(&user, &json!({})));
    everything_is_open_to(&stack, &User { id: user.id, token }).await;
}

#[tokio::test]
async fn a_key_is_good_for_its_own_algorithm_and_no_other() {
    let (stack, user) = taken().await;
    let keys = keys();
    let claims = altered(&user, &json!({}));
    let header = |alg: &str, kid: &str| json!({"alg": alg, "typ": "JWT", "kid": kid});
    let public: Value = serde_json::from_str(&token::jwks(&stack).await).unwrap();
    let rsa = public["keys"].as_array().unwrap().iter().find(|key| key["kty"] == "RSA").unwrap();
    for forged in [
        rs256(&keys, &header("RS256", &keys.kid), &claims),
        rs256(&keys, &header("ES256", &keys.rsa.kid), &claims),
        rs256(&keys, &header("PS256", &keys.rsa.kid), &claims),
        rs256(&keys, &header("RS512", &keys.rsa.kid), &claims),
        es256(&keys, &header("RS256", &keys.rsa.kid), &claims),
        es256(&keys, &header("ES256", &keys.rsa.kid), &claims),
        hs256(rsa.to_string().as_bytes(), &header("HS256", &keys.rsa.kid), &claims),
        hs256(rsa["n"].as_str().unwrap().as_bytes(), &header("HS256", &keys.rsa.kid), &claims),
    ] {
        refused(&stack, &forged, "invalid_token").await;
    }
}
