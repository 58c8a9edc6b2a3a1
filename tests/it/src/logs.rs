//! What the functions write into their log: one line of JSON for each request, with all that operators need and nothing
//! that is a secret or names a listener.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::generation::{self, FIVE, ask, reply};
use crate::own_stack::{PATIENCE, eventually};
use crate::spotify;
use crate::stack::{User, taken};
use crate::stripe;

/// What has been written since the test began.
pub struct Log {
    path: PathBuf,
    begins: usize,
}

impl Log {
    pub fn begin() -> Self {
        let folder = std::env::var("SOUND_WHISKERS_DATA_DIR").expect("SOUND_WHISKERS_DATA_DIR is not set");
        let path = PathBuf::from(folder).join("logs/functions.log");
        let begins = std::fs::read(&path).unwrap().len();
        Self { path, begins }
    }

    fn text(&self) -> String {
        let all = std::fs::read(&self.path).unwrap();
        String::from_utf8(all[self.begins..].to_vec()).unwrap()
    }

    /// Every line is one of ours.
    pub fn lines(&self) -> Vec<Value> {
        let text = self.text();
        // The last one may be half written.
        let whole = text.rsplit_once('\n').map(|(whole, _)| whole).unwrap_or_default();
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"));
        whole.lines().filter(|line| !line.is_empty()).map(parse).collect()
    }

    /// The lines that fit, as soon as there is one.
    async fn wait_for(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Vec<Value> {
        let mut found = Vec::new();
        eventually(what, PATIENCE, async || {
            found = self.lines();
            found.retain(|line| fits(line));
            !found.is_empty()
        })
        .await;
        found
    }

    /// The one line of a request.
    async fn line_of(&self, request_id: &str) -> Value {
        let lines = self.wait_for(request_id, |line| line["request_id"] == request_id).await;
        let [line] = lines.try_into().unwrap();
        line
    }

    /// The one line of somebody's only request to a function.
    async fn line_of_user(&self, function: &str, user: &User) -> Value {
        let hash = hash_of(user);
        let fits = |line: &Value| line["function"] == function && line["user"] == hash.as_str();
        let [line] = self.wait_for(function, fits).await.try_into().unwrap();
        line
    }
}

/// As operators compute it: `printf %s "$ID" | sha256sum | cut -c1-16`.
fn hash_of(user: &User) -> String {
    let hash = Sha256::digest(user.id.to_string());
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Sends; answers the status and the request's id.
async fn send(request: RequestBuilder) -> (u16, String) {
    let response = request.send().await.unwrap();
    let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let status = response.status().as_u16();
    response.bytes().await.unwrap();
    (status, id)
}

fn calls(line: &Value, upstream: &str) -> u64 {
    line["upstreams"][upstream]["calls"].as_u64().unwrap_or_default()
}

#[tokio::test]
async fn every_request_writes_exactly_one_line() {
    let (stack, user) = taken().await;
    let log = Log::begin();
    let mut sent = Vec::new();
    for (method, path, is_known, body, route) in [
        (Method::GET, "spotify-search?title=Lithium", true, Value::Null, Value::Null),
        (Method::GET, "spotify-search?title=Lithium", false, Value::Null, Value::Null),
        (Method::GET, "spotify-search/nowhere", true, Value::Null, Value::Null),
        (Method::POST, "spotify-oauth/start", true, json!({}), json!("/start")),
        (Method::GET, "spotify-oauth/status", true, Value::Null, json!("/status")),
        (Method::GET, "spotify-oauth/callback?code=a&state=b", false, Value::Null, json!("/callback")),
        (Method::PUT, "spotify-oauth/link", true, Value::Null, json!("/link")),
        (
            Method::POST,
            "billing/portal",
            true,
            json!({"return_url": stripe::app(&stack, "/")}),
            json!("/portal"),
        ),
        (Method::POST, "billing/ann@example.com", true, json!({}), Value::Null),
        (Method::POST, "spotify-export", true, json!({"playlist_id": Uuid::new_v4()}), Value::Null),
        (Method::DELETE, "account", true, json!({"confirm": "other@example.com"}), Value::Null),
        (Method::POST, "stripe-webhook", false, json!({}), Value::Null),
        (Method::POST, "ai-playlist", true, json!({"prompt": ""}), Value::Null),
        (Method::GET, "ai-playlist/health", false, Value::Null, json!("/health")),
    ] {
        let mut request = spotify::browser().request(method.clone(), stack.function(path));
        if is_known {
            request = request.bearer_auth(&user.token);
        }
        if !body.is_null() {
            request = request.json(&body);
        }
        let (status, id) = send(request).await;
        sent.push((method, path, route, status, id));
    }
    for (method, path, route, status, id) in &sent {
        let line = log.line_of(id).await;
        let function = path.split(['/', '?']).next().unwrap();
        assert_eq!((&line["function"], &line["method"]), (&json!(function), &json!(method.as_str())));
        assert_eq!((&line["status"], &line["route"]), (&json!(status), route), "{line}");
        assert_eq!(line["code"].is_string(), *status >= 400, "{line}");
        assert!(line["duration_ms"].is_u64() && line["subrequests"].is_u64(), "{line}");
        let upstreams = line["upstreams"].as_object().cloned().unwrap_or_default();
        let all: u64 = upstreams.values().map(|it| it["calls"].as_u64().unwrap()).sum();
        assert_eq!(line["subrequests"], all, "{line}");
        assert!(upstreams.values().all(|it| it["ms"].is_u64()), "{line}");
    }
    let lines = log.lines();
    assert_eq!(lines.len(), sent.len(), "{lines:?}");
    let verified = lines.iter().filter(|line| line["user"] == hash_of(&user).as_str()).count();
    assert_eq!(verified, 7, "who was verified is named: {lines:?}");
    assert!(!log.text().contains("ann@example.com"));
}

#[tokio::test]
async fn the_line_of_a_generation_tells_what_it_took_and_nothing_of_the_listener() {
    let (stack, user) = taken().await;
    stack.llm_script(reply(&FIVE)).await;
    let log = Log::begin();
    let prompt = "a very private evening with somebody";
    let request = generation::request(&stack, &user, &ask(prompt)).header("accept", "text/event-stream");
    let response = request.send().await.unwrap();
    let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let done = generation::read(response).await.last("done").clone();
    let line = log.line_of(&id).await;
    assert_eq!((&line["user"], &line["session_id"]), (&json!(hash_of(&user)), &done["session_id"]));
    assert_eq!((&line["found"], &line["target"], &line["quota"]), (&json!(5), &json!(5), &json!("charged")));
    // One reserves and one settles; of five tracks every second one is charged before it leaves.
    assert!((3..=4).contains(&calls(&line, "database")) && calls(&line, "model") == 1, "{line}");
    assert!(calls(&line, "spotify") >= 5, "{line}");
    assert!(line["upstreams"]["spotify"]["ms"].as_u64().unwrap() > 0, "{line}");

    let (_, document) = generation::json(&stack, &user, &ask(prompt)).await;
    let session = |line: &Value| line["session_id"] == document["session_id"];
    let [line] = log.wait_for("the document's line", session).await.try_into().unwrap();
    assert_eq!((&line["found"], &line["quota"]), (&json!(5), &json!("charged")), "{line}");

    let email: String = stack.sql("select email from auth.users where id = $1", &[&user.id]).await[0].get(0);
    let text = log.text();
    for told in [&user.id.to_string(), &user.token, &email, "private", "Karma Police"] {
        assert!(!text.contains(told), "{told}");
    }
}

/// Sends and goes away before there is an answer.
async fn leave(request: RequestBuilder, is_under_way: impl AsyncFnMut() -> bool) {
    let sending = tokio::spawn(request.send());
    eventually("it is under way", PATIENCE, is_under_way).await;
    sending.abort();
    assert!(sending.await.is_err(), "it was answered before the client could leave");
}

#[tokio::test]
async fn a_client_that_leaves_is_logged_all_the_same() {
    let (stack, user) = taken().await;
    spotify::link(&stack, &user, "ania").await;
    let tracks = spotify::some_tracks(&stack, 3).await;
    let playlist = spotify::playlist(&stack, &user, "Evening", &tracks).await;
    let log = Log::begin();
    let held = json!([{"path_prefix": "/v1/me/playlists", "hold_ms": 1_500}]);
    stack.faults("spotify", held).await;
    let post = |function: &str| {
        // A client of its own, so that its connection goes with it.
        let client = reqwest::Client::builder().timeout(Duration::from_secs(60)).build().unwrap();
        client.post(stack.function(function)).bearer_auth(&user.token)
    };
    let export = post("spotify-export").json(&json!({ "playlist_id": playlist }));
    leave(export, async || !stack.log_of("spotify", "/v1/me/playlists").await.is_empty()).await;
    let line = log.line_of_user("spotify-export", &user).await;
    assert_eq!(line["status"], 200, "the copy is completed: {line}");
    assert!(calls(&line, "spotify") >= 2, "{line}");

    let mut script = reply(&FIVE);
    script["first_token_ms"] = json!(1_500);
    stack.llm_script(script).await;
    let generation = post("ai-playlist").json(&ask("evening"));
    leave(generation, async || !stack.log_of("llm", "/v1/chat/completions").await.is_empty()).await;
    let line = log.line_of_user("ai-playlist", &user).await;
    // Deno does not always tell that the client has left; then the playlist is made and charged.
    let ended = (line["status"].as_u64().unwrap(), line["quota"].as_str().unwrap());
    assert!([(499, "released"), (200, "charged")].contains(&ended), "{line}");
}
