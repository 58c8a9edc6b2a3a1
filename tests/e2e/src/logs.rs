//! The functions' log: one line of JSON for each request, without secrets and without anything that identifies a user.

use std::path::PathBuf;

use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::generation::{self, ask, document, streaming};
use crate::own_stack::eventually;
use crate::spotify;
use crate::stack::{User, client, data_dir, stack_and_user};

pub struct Log {
    path: PathBuf,
    begins: usize,
}

impl Log {
    pub fn begin() -> Self {
        let path = data_dir().join("logs/functions.log");
        let begins = std::fs::read(&path).unwrap().len();
        Self { path, begins }
    }

    fn text(&self) -> String {
        String::from_utf8(std::fs::read(&self.path).unwrap()[self.begins..].to_vec()).unwrap()
    }

    /// The lines, asserting that each is JSON.
    pub fn lines(&self) -> Vec<Value> {
        let text = self.text();
        // The last line may be incomplete.
        let whole = text.rsplit_once('\n').map(|(whole, _)| whole).unwrap_or_default();
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"));
        whole.lines().filter(|line| !line.is_empty()).map(parse).collect()
    }

    /// Waits for the only line with these members.
    async fn line_with(&self, members: Value) -> Value {
        let mut found = Vec::new();
        eventually(&members.to_string(), async || {
            found = self.lines();
            found
                .retain(|line| members.as_object().unwrap().iter().all(|(name, value)| &line[name] == value));
            !found.is_empty()
        })
        .await;
        let [line] = found.try_into().unwrap();
        line
    }
}

/// The pseudonym of a user, as operators compute it: `printf %s "$ID" | sha256sum | cut -c1-16`.
fn hash_of(user: &User) -> String {
    let hash = Sha256::digest(user.id.to_string());
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn calls(line: &Value, upstream: &str) -> u64 {
    line["upstreams"][upstream]["calls"].as_u64().unwrap_or_default()
}

#[tokio::test]
async fn every_request_logs_exactly_one_line() {
    let (stack, user) = stack_and_user().await;
    let log = Log::begin();
    let mut sent = Vec::new();
    for (method, path, is_known, body, route) in [
        (Method::GET, "spotify-search?title=Lithium", true, Value::Null, Value::Null),
        (Method::GET, "spotify-search?title=Lithium", false, Value::Null, Value::Null),
        (Method::POST, "spotify-oauth/start", true, json!({}), json!("/start")),
        (Method::GET, "spotify-oauth/callback?code=a&state=b", false, Value::Null, json!("/callback")),
        (Method::PUT, "spotify-oauth/link", true, Value::Null, json!("/link")),
        (Method::POST, "billing/portal", true, json!({"return_url": stack.app("/")}), json!("/portal")),
        (Method::POST, "billing/ann@example.com", true, json!({}), Value::Null),
        (Method::POST, "spotify-export", true, json!({"playlist_id": Uuid::new_v4()}), Value::Null),
        (Method::DELETE, "account", true, json!({"confirm": "other@example.com"}), Value::Null),
        (Method::POST, "stripe-webhook", false, json!({}), Value::Null),
        (Method::POST, "ai-playlist", true, json!({"prompt": ""}), Value::Null),
        (Method::GET, "ai-playlist/health", false, Value::Null, json!("/health")),
    ] {
        let response = stack.call(method.clone(), path, is_known.then_some(&user), body).await;
        let id = response.header("x-request-id").unwrap();
        let line = log.line_with(json!({"request_id": id})).await;
        let function = path.split(['/', '?']).next().unwrap();
        for (name, value) in [
            ("function", json!(function)),
            ("method", json!(method.as_str())),
            ("status", json!(response.status)),
            ("route", route),
        ] {
            assert_eq!(line[name], value, "{line}");
        }
        assert_eq!(line["code"].is_string(), response.status >= 400, "{line}");
        assert!(line["duration_ms"].is_u64(), "{line}");
        let upstreams = line["upstreams"].as_object().cloned().unwrap_or_default();
        let all: u64 = upstreams.values().map(|it| it["calls"].as_u64().unwrap()).sum();
        assert!(line["subrequests"] == all && upstreams.values().all(|it| it["ms"].is_u64()), "{line}");
        sent.push(line);
    }
    assert_eq!(log.lines(), sent);
    let verified = sent.iter().filter(|line| line["user"] == hash_of(&user)).count();
    assert_eq!(verified, 6, "verified users are named: {sent:?}");
    assert!(!log.text().contains("ann@example.com"));
}

#[tokio::test]
async fn log_line_of_a_generation_has_its_costs_and_no_text_of_the_user() {
    let (stack, user) = stack_and_user().await;
    let log = Log::begin();
    let prompt = "a very private evening with somebody";
    let response = streaming(&stack, &user, &ask(prompt)).send().await.unwrap();
    let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let stream = generation::read(response).await;
    let line = log.line_with(json!({"request_id": id, "user": hash_of(&user)})).await;
    assert_eq!(line["session_id"], stream.last("done")["session_id"]);
    // One call reserves and one settles; every second track may be charged before it is sent.
    assert!((3..=4).contains(&calls(&line, "database")) && calls(&line, "model") == 1, "{line}");
    assert!(calls(&line, "spotify") >= 5 && line["upstreams"]["spotify"]["ms"].as_u64() > Some(0), "{line}");
    let document = document(&stack, &user, &ask(prompt)).await.ok();
    for session in [&stream.last("done")["session_id"], &document["session_id"]] {
        let line = log.line_with(json!({"session_id": session})).await;
        assert_eq!(
            (&line["found"], &line["target"], &line["quota"]),
            (&json!(5), &json!(5), &json!("charged"))
        );
    }
    let text = log.text();
    for told in [&user.id.to_string(), &user.token, &user.email, "private", "Karma Police"] {
        assert!(!text.contains(told), "{told}");
    }
}

#[tokio::test]
async fn export_of_a_client_that_disconnects_is_completed_and_logged() {
    let (stack, user) = stack_and_user().await;
    spotify::link(&stack, &user, "ania").await;
    let playlist = spotify::playlist(&stack, &user, "Evening", &spotify::some_tracks(&stack, 3).await).await;
    let log = Log::begin();
    stack.faults("spotify", json!([{"path_prefix": "/v1/me/playlists", "hold_ms": 5_000}])).await;
    // A client of its own, so that its connection ends with it.
    let export = client().post(stack.function("spotify-export")).bearer_auth(&user.token);
    let sending = tokio::spawn(export.json(&json!({"playlist_id": playlist})).send());
    let is_asked = async || !stack.log("spotify", "/v1/me/playlists").await.is_empty();
    eventually("the request is under way", is_asked).await;
    sending.abort();
    assert!(sending.await.is_err(), "there was a response before the client could disconnect");
    let line = log.line_with(json!({"function": "spotify-export", "user": hash_of(&user)})).await;
    assert!(line["status"] == 200 && calls(&line, "spotify") >= 2, "the copy is completed: {line}");
}
