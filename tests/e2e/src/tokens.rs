//! Which tokens are accepted.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::generation::{ask, document_with_key, saving};
use crate::spotify::{self, agree, complete};
use crate::stack::{Stack, User, now, stack_and_user};
use crate::stripe::{ask_for_checkout, ask_for_portal};
use crate::token::{altered, hs256, keys, none};

fn requests() -> [(Method, &'static str, Value); 6] {
    [
        (Method::POST, "ai-playlist", ask("evening")),
        (Method::GET, "spotify-search?title=Lithium", Value::Null),
        (Method::GET, "spotify-oauth/status", Value::Null),
        (Method::POST, "spotify-export", json!({"playlist_id": Uuid::new_v4()})),
        (Method::POST, "billing/checkout", json!({})),
        (Method::DELETE, "account", json!({"confirm": "x"})),
    ]
}

async fn assert_refused(stack: &Stack, token: &str, status: u16, code: &str) {
    for (method, path, body) in requests() {
        stack.call(method, path, &User::bearer(token), body).await.assert_error(status, code);
    }
}

#[tokio::test]
async fn forged_or_foreign_token_is_refused_by_every_function() {
    let (stack, user) = stack_and_user().await;
    for (method, path, body) in requests() {
        stack.call(method, path, None, body).await.assert_error(401, "missing_token");
    }
    let keys = keys();
    let claims = altered(&user, &json!({}));
    let signed = |changes: Value| keys.es256(&altered(&user, &changes));
    let other = none(&altered(&user, &json!({"sub": Uuid::new_v4()})));
    let (own, signature) = user.token.rsplit_once('.').unwrap();
    let (header, payload) = (own.split('.').next().unwrap(), other.split('.').nth(1).unwrap());
    assert_refused(&stack, &signed(json!({"exp": 1_000_000_000})), 401, "token_expired").await;
    for token in [
        stack.url("/publishable_key"),
        stack.url("/secret_key"),
        &none(&claims),
        &format!("{header}.{payload}.{signature}"),
        // This project has no legacy secret.
        &hs256(keys.jwt_secret.as_bytes(), &json!({"alg": "HS256", "typ": "JWT"}), &claims),
        &keys.es256_as(&json!({"alg": "RS256", "typ": "JWT", "kid": keys.kid}), &claims),
        &keys.es256_as(&json!({"alg": "ES256", "typ": "JWT", "kid": "unknown"}), &claims),
        &signed(json!({"exp": null})),
        &signed(json!({"iss": "https://elsewhere.example/auth/v1"})),
        &signed(json!({"aud": "another"})),
        &signed(json!({"role": "service_role"})),
        &signed(json!({"sub": "admin"})),
    ] {
        assert_refused(&stack, token, 401, "invalid_token").await;
    }
    let user = User { token: signed(json!({})), ..user };
    stack.call(Method::POST, "ai-playlist", &user, ask("evening")).await.ok();
}

#[tokio::test]
async fn token_of_almost_32_kb_is_accepted_by_every_function() {
    let stack = Stack::take().await;
    let user = stack.sign_up_with(json!({"avatar": "x".repeat(23_400)})).await;
    assert!((31 * 1024..32 * 1024).contains(&user.token.len()), "{} bytes", user.token.len());
    let key = Uuid::new_v4().to_string();
    for _ in 0..2 {
        // The second response comes from the tables, read as the user.
        assert_eq!(document_with_key(&stack, &user, &saving("evening"), &key).await.ok()["count"], 5);
    }
    let found = stack.call(Method::GET, "spotify-search?title=Lithium", &user, Value::Null).await.ok();
    assert!(found["tracks"].is_array());
    spotify::link(&stack, &user, "ania").await;
    assert_eq!(spotify::status(&stack, &user).await["linked"], true);
    assert_eq!(spotify::export(&stack, &user, &key, None).await.ok()["exported"], 5);
    stack.call(Method::DELETE, "spotify-oauth/link", &user, Value::Null).await.ok();
    ask_for_checkout(&stack, &user, "/plan").await.ok();
    ask_for_portal(&stack, &user).await.ok();
    stack.call(Method::DELETE, "account", &user, json!({"confirm": user.email})).await.ok();
}

#[tokio::test]
async fn token_above_32_kb_is_refused_by_every_function() {
    let stack = Stack::take().await;
    let user = stack.sign_up_with(json!({"avatar": "x".repeat(24_500)})).await;
    assert!((32 * 1024 + 1..40 * 1024).contains(&user.token.len()), "{} bytes", user.token.len());
    assert_refused(&stack, &user.token, 431, "token_too_large").await;
}

#[tokio::test]
async fn old_sign_in_neither_links_an_account_nor_deletes_the_user() {
    let (stack, user) = stack_and_user().await;
    // As after a refresh: the token is new, the sign-in is not.
    let old = json!({"amr": [{"method": "password", "timestamp": now() - 601}]});
    let held = User { token: keys().es256(&altered(&user, &old)), ..user.clone() };
    let body = json!({"confirm": user.email});
    for (method, path) in [(Method::POST, "spotify-oauth/start"), (Method::DELETE, "account")] {
        stack.call(method, path, &held, body.clone()).await.assert_error(403, "sign_in_again");
    }
    assert_eq!(spotify::status(&stack, &held).await, json!({"linked": false}));
    complete(&stack, &user, &agree(&stack, &user, "ania").await).await.ok();
    stack.call(Method::DELETE, "account", &user, body).await.ok();
}
