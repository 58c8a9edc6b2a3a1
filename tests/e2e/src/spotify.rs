//! The steps of a user who links a Spotify account.

use reqwest::{Method, Url};
use serde_json::{Value, json};

use crate::stack::{Response, Stack, User, client, send};

/// Starts to link an account; returns the URL of the consent page.
pub async fn start(stack: &Stack, user: &User) -> Url {
    let started = stack.call(Method::POST, "spotify-oauth/start", user, Value::Null).await.ok();
    Url::parse(started["authorize_url"].as_str().unwrap()).unwrap()
}

/// Presses a button of the consent page; returns the URL of the redirect.
pub async fn decide(authorize_url: &Url, decision: &str, login: &str) -> Url {
    let form = [("decision", decision), ("login", login)];
    let sent = send(client().post(authorize_url.clone()).form(&form)).await;
    Url::parse(sent.header("location").unwrap_or_else(|| panic!("{sent:?}"))).unwrap()
}

pub fn pairs(url: &Url) -> Vec<(String, String)> {
    url.query_pairs().into_owned().collect()
}

pub fn value<'a>(pairs: &'a [(String, String)], name: &str) -> &'a str {
    let found = pairs.iter().find(|(known, _)| known == name);
    found.map_or_else(|| panic!("no {name}: {pairs:?}"), |(_, value)| value)
}

/// Follows the callback to the app; returns what the app finds in the fragment.
pub async fn come_back(callback: &Url) -> Vec<(String, String)> {
    let sent = send(client().get(callback.clone())).await;
    assert_eq!((sent.status, sent.header("cache-control")), (302, Some("no-store")), "{sent:?}");
    let url = Url::parse(sent.header("location").unwrap()).unwrap();
    assert!(url.query().is_none() && url.path() == "/", "{url}");
    pairs(&Url::parse(&format!("http://x/?{}", url.fragment().unwrap())).unwrap())
}

pub async fn agree(stack: &Stack, user: &User, login: &str) -> Value {
    let callback = decide(&start(stack, user).await, "agree", login).await;
    let fragment = come_back(&callback).await;
    json!({"code": value(&fragment, "spotify_code"), "state": value(&fragment, "spotify_state")})
}

pub async fn complete(stack: &Stack, user: &User, code_and_state: &Value) -> Response {
    stack.call(Method::POST, "spotify-oauth/complete", user, code_and_state.clone()).await
}

pub async fn link(stack: &Stack, user: &User, login: &str) -> Value {
    complete(stack, user, &agree(stack, user, login).await).await.ok()
}

pub async fn status(stack: &Stack, user: &User) -> Value {
    stack.call(Method::GET, "spotify-oauth/status", user, Value::Null).await.ok()
}

pub async fn some_tracks(stack: &Stack, count: usize) -> Vec<String> {
    let all = stack.spotify(Method::GET, "catalogue", Value::Null).await;
    let uri = |track: &Value| format!("spotify:track:{}", track["id"].as_str().unwrap());
    all.as_array().unwrap().iter().take(count).map(uri).collect()
}

pub async fn playlist(stack: &Stack, user: &User, name: &str, uris: &[String]) -> String {
    let body = json!({"owner_id": user.id, "name": name, "description": "For the evening."});
    stack.rest(Method::POST, "playlists", user, body).await.ok();
    let rows = stack.rows(user, &format!("playlists?select=id&name=eq.{name}")).await;
    let id = rows[0]["id"].as_str().unwrap().to_owned();
    if !uris.is_empty() {
        let tracks: Vec<_> = uris.iter().map(|uri| json!({"track_uri": uri})).collect();
        let body = json!({"playlist_id": id, "tracks": tracks});
        stack.rest(Method::POST, "rpc/add_tracks", user, body).await.ok();
    }
    id
}

pub async fn export(stack: &Stack, user: &User, playlist: &str, key: Option<&str>) -> Response {
    let mut request = stack.request(Method::POST, "spotify-export", user);
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    send(request.json(&json!({"playlist_id": playlist}))).await
}

pub async fn copies(stack: &Stack) -> Vec<Value> {
    stack.spotify(Method::GET, "playlists", Value::Null).await.as_array().unwrap().clone()
}
