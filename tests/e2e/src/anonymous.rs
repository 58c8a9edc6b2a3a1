//! The first playlist, which needs no account and is kept by adding an address.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::generation::{FIVE, reply, saving};
use crate::spotify::export;
use crate::stack::{Stack, User, send};
use crate::stripe::{ask_for_checkout, ask_for_portal};

async fn auth(stack: &Stack, method: Method, path: &str, user: Option<&User>, body: Value) -> Value {
    let url = format!("{}/auth/v1/{path}", stack.url("/supabase_url"));
    let mut request = stack.http.request(method, url).header("apikey", stack.url("/publishable_key"));
    if let Some(user) = user {
        request = request.bearer_auth(&user.token);
    }
    send(request.json(&body)).await.ok()
}

fn user_of(session: &Value) -> User {
    let text = |pointer: &str| session.pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
    User { id: text("/user/id").parse().unwrap(), email: String::new(), token: text("/access_token") }
}

#[tokio::test]
async fn anonymous_user_makes_one_playlist_and_keeps_it_with_an_address() {
    let stack = Stack::take().await;
    let user = user_of(&auth(&stack, Method::POST, "signup", None, json!({})).await);
    stack.llm_script(reply(&FIVE)).await;
    let made = stack.call(Method::POST, "ai-playlist", &user, saving("calm")).await.ok();
    let playlist = made["playlist_id"].as_str().unwrap();
    let start = async || stack.call(Method::POST, "spotify-oauth/start", &user, Value::Null).await;
    for refused in [
        stack.call(Method::POST, "ai-playlist", &user, saving("loud")).await,
        ask_for_checkout(&stack, &user, "/plan").await,
        ask_for_portal(&stack, &user).await,
        export(&stack, &user, playlist, None).await,
        start().await,
    ] {
        refused.assert_error(403, "account_required");
    }

    let credentials =
        json!({"email": format!("{}@example.com", Uuid::new_v4()), "password": "correct horse battery"});
    auth(&stack, Method::PUT, "user", Some(&user), credentials.clone()).await;
    start().await.assert_error(403, "account_required");
    export(&stack, &user, playlist, None).await.assert_error(403, "spotify_not_linked");
    let kept = user_of(&auth(&stack, Method::POST, "token?grant_type=password", None, credentials).await);
    assert_eq!(kept.id, user.id);
    stack.assert_used(&kept, 1, 1).await;
    assert_eq!(stack.ai_usage(&kept).await["limit"], 3);
    stack.call(Method::POST, "spotify-oauth/start", &kept, Value::Null).await.ok();
}
