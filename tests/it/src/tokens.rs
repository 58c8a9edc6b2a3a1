//! Which tokens are accepted.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::generation::{FIVE, answer, ask, assert_error, json_with_key, reply, saving};
use crate::spotify;
use crate::stack::{Stack, User, taken};
use crate::stripe::{ask_for_checkout, ask_for_portal};
use crate::token::{self, altered, es256, hs256, keys, rs256};

async fn refused(stack: &Stack, token: &str, code: &str) {
    let request = stack.http.post(stack.function("ai-playlist")).bearer_auth(token).json(&ask("evening"));
    assert_error(&answer(request).await, 401, code);
}

async fn believed(stack: &Stack, token: &str) {
    stack.llm_script(reply(&FIVE)).await;
    let request = stack.http.post(stack.function("ai-playlist")).bearer_auth(token).json(&ask("evening"));
    assert_eq!(answer(request).await.0, StatusCode::OK);
}

fn header(algorithm: &str, kid: &str) -> Value {
    json!({"alg": algorithm, "typ": "JWT", "kid": kid})
}

#[tokio::test]
async fn what_is_no_users_token_is_refused() {
    let (stack, user) = taken().await;
    for authorization in [None, Some("Basic YTpi"), Some("Bearer ")] {
        let mut request = stack.http.post(stack.function("ai-playlist")).json(&ask("evening"));
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        assert_error(&answer(request).await, 401, "missing_token");
    }
    for key in ["/publishable_key", "/secret_key"] {
        refused(&stack, stack.url(key), "invalid_token").await;
    }
    let keys = keys();
    for (changes, code) in [
        (json!({"exp": 1_000_000_000}), "token_expired"),
        (json!({"exp": null}), "invalid_token"),
        (json!({"iss": "https://elsewhere.example/auth/v1"}), "invalid_token"),
        (json!({"aud": "another"}), "invalid_token"),
        (json!({"role": "service_role"}), "invalid_token"),
        (json!({"sub": "admin"}), "invalid_token"),
        (json!({"nbf": 4_000_000_000_u64}), "invalid_token"),
    ] {
        let token = es256(&keys, &header("ES256", &keys.kid), &altered(&user, &changes));
        refused(&stack, &token, code).await;
    }
    believed(&stack, &es256(&keys, &header("ES256", &keys.kid), &altered(&user, &json!({})))).await;
}

#[tokio::test]
async fn a_forged_signature_is_refused() {
    let (stack, user) = taken().await;
    let keys = keys();
    let claims = altered(&user, &json!({}));
    let jwks = token::jwks(&stack).await;
    let public: Value = serde_json::from_str(&jwks).unwrap();
    let public_keys = public["keys"].as_array().unwrap();
    let rsa = public_keys.iter().find(|key| key["kty"] == "RSA").unwrap();
    let other = token::none(&altered(&user, &json!({"sub": uuid::Uuid::new_v4()})));
    let (signed, signature) = user.token.rsplit_once('.').unwrap();
    let (own_header, forged_payload) = (signed.split('.').next().unwrap(), other.split('.').nth(1).unwrap());
    let hs = header("HS256", &keys.kid);
    for forged in [
        token::none(&claims),
        format!("{own_header}.{forged_payload}.{signature}"),
        format!("{signed}."),
        signed.to_owned(),
        // A public key is no secret, and this project has no legacy secret.
        hs256(jwks.as_bytes(), &hs, &claims),
        hs256(public_keys[0].to_string().as_bytes(), &hs, &claims),
        hs256(b"", &hs, &claims),
        hs256(rsa["n"].as_str().unwrap().as_bytes(), &header("HS256", &keys.rsa.kid), &claims),
        hs256(keys.jwt_secret.as_bytes(), &json!({"alg": "HS256", "typ": "JWT"}), &claims),
        // A key is good for its own algorithm alone.
        rs256(&keys, &header("RS256", &keys.kid), &claims),
        rs256(&keys, &header("ES256", &keys.rsa.kid), &claims),
        rs256(&keys, &header("RS512", &keys.rsa.kid), &claims),
        es256(&keys, &header("RS256", &keys.rsa.kid), &claims),
        es256(&keys, &json!({"alg": "ES256"}), &claims),
    ] {
        refused(&stack, &forged, "invalid_token").await;
    }
    // A flood of unknown keys locks no user out.
    for _ in 0..20 {
        refused(&stack, &es256(&keys, &header("ES256", "unknown"), &claims), "invalid_token").await;
    }
    believed(&stack, &user.token).await;
}

#[tokio::test]
async fn an_rs256_token_of_almost_32_kb_is_accepted_by_every_function() {
    let stack = Stack::take().await;
    let User { id, token } = stack.sign_up_with(&json!({ "avatar": "x".repeat(23_200) })).await;
    let keys = keys();
    let claims = altered(&User { id, token }, &json!({}));
    let user = User { id, token: rs256(&keys, &header("RS256", &keys.rsa.kid), &claims) };
    assert!((31 * 1024..32 * 1024).contains(&user.token.len()), "{} bytes", user.token.len());
    stack.llm_script(reply(&FIVE)).await;
    let wish = saving("evening");
    let key = uuid::Uuid::new_v4().to_string();
    for _ in 0..2 {
        // The second answer is read from the tables, as the user.
        let (status, done) = json_with_key(&stack, &user, &wish, &key).await;
        assert_eq!((status.as_u16(), &done["count"]), (200, &json!(5)), "{done}");
    }
    let found = spotify::call(&stack, Method::GET, "spotify-search?title=Lithium", Some(&user), None).await;
    assert!(found.ok()["tracks"].is_array());
    spotify::link(&stack, &user, "ania").await;
    assert_eq!(spotify::status(&stack, &user).await["linked"], true);
    assert_eq!(spotify::export(&stack, &user, &key, None).await.ok()["exported"], 5);
    let unlinked = spotify::call(&stack, Method::DELETE, "spotify-oauth/link", Some(&user), None).await;
    assert_eq!(unlinked.status, StatusCode::NO_CONTENT);
    ask_for_checkout(&stack, &user, "/plan").await.ok();
    ask_for_portal(&stack, &user).await.ok();
    let email: String = stack.sql("select email from auth.users where id = $1", &[&user.id]).await[0].get(0);
    let body = json!({ "confirm": email });
    let deleted = spotify::call(&stack, Method::DELETE, "account", Some(&user), Some(&body)).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_token_above_32_kb_is_refused_by_every_function() {
    let stack = Stack::take().await;
    let user = stack.sign_up_with(&json!({ "avatar": "x".repeat(24_500) })).await;
    assert!((32 * 1024 + 1..40 * 1024).contains(&user.token.len()), "{} bytes", user.token.len());
    for (method, path, body) in [
        (Method::POST, "ai-playlist", Some(ask("evening"))),
        (Method::GET, "spotify-search?title=Lithium", None),
        (Method::GET, "spotify-oauth/status", None),
        (Method::POST, "spotify-export", Some(json!({ "playlist_id": uuid::Uuid::new_v4() }))),
        (Method::POST, "billing/checkout", Some(json!({}))),
        (Method::DELETE, "account", Some(json!({ "confirm": "x" }))),
    ] {
        let refused = spotify::call(&stack, method, path, Some(&user), body.as_ref()).await;
        refused.assert_error(431, "token_too_large");
    }
}
