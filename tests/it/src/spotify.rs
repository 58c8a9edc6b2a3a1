//! Somebody with a Spotify account, and what they ask the functions.

use reqwest::{Method, StatusCode, Url, header};
use serde_json::{Value, json};

use crate::stack::{Stack, User};

/// An answer with its `Location` and `Retry-After`, where it has them.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub body: Value,
    pub headers: header::HeaderMap,
}

impl Answer {
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!(self.status.is_success(), "{}: {}", self.status, self.body);
        self.body
    }

    #[track_caller]
    pub fn assert_error(&self, status: u16, code: &str) {
        assert_eq!((self.status.as_u16(), self.body["code"].as_str()), (status, Some(code)), "{}", self.body);
        assert!(self.body["request_id"].is_string(), "{}", self.body);
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// One that shows redirects instead of following them.
pub fn browser() -> reqwest::Client {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await.unwrap();
    Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
}

/// Calls a function at a path below it.
pub async fn call(
    stack: &Stack,
    method: Method,
    path: &str,
    user: Option<&User>,
    body: Option<&Value>,
) -> Answer {
    call_with(stack, method, path, user, body, &[]).await
}

/// The same with further headers.
pub async fn call_with(
    stack: &Stack,
    method: Method,
    path: &str,
    user: Option<&User>,
    body: Option<&Value>,
    headers: &[(&str, &str)],
) -> Answer {
    let mut request = browser().request(method, stack.function(path));
    if let Some(user) = user {
        request = request.bearer_auth(&user.token);
    }
    if let Some(body) = body {
        request = request.json(body);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    answer(request).await
}

/// Where the listener is asked.
pub async fn start(stack: &Stack, user: &User) -> Url {
    let started = call(stack, Method::POST, "spotify-oauth/start", Some(user), None).await.ok();
    Url::parse(started["authorize_url"].as_str().unwrap()).unwrap()
}

/// Presses a button of the consent page; answers where the browser is sent.
pub async fn decide(authorize_url: &Url, decision: &str, login: &str) -> Url {
    let form = format!("decision={decision}&login={login}");
    let request = browser().post(authorize_url.clone());
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
    let sent = answer(request).await;
    Url::parse(sent.header("location").unwrap_or_else(|| panic!("{sent:?}"))).unwrap()
}

/// Follows the way back to the app; answers what is in the fragment.
pub async fn come_back(callback: &Url) -> Vec<(String, String)> {
    let sent = answer(browser().get(callback.clone())).await;
    assert_eq!(sent.status, 302, "{sent:?}");
    assert_eq!(sent.header("cache-control"), Some("no-store"));
    let url = Url::parse(sent.header("location").unwrap()).unwrap();
    assert!(url.query().is_none() && url.path() == "/", "{url}");
    let fragment = format!("http://x/?{}", url.fragment().unwrap());
    Url::parse(&fragment).unwrap().query_pairs().into_owned().collect()
}

pub fn value<'a>(pairs: &'a [(String, String)], name: &str) -> &'a str {
    pairs
        .iter()
        .find(|(known, _)| known == name)
        .map_or_else(|| panic!("no {name}: {pairs:?}"), |(_, value)| value)
}

/// Agrees and comes back: code and state.
pub async fn agree(stack: &Stack, user: &User, login: &str) -> Value {
    let callback = decide(&start(stack, user).await, "agree", login).await;
    let fragment = come_back(&callback).await;
    json!({"code": value(&fragment, "spotify_code"), "state": value(&fragment, "spotify_state")})
}

pub async fn complete(stack: &Stack, user: &User, code_and_state: &Value) -> Answer {
    call(stack, Method::POST, "spotify-oauth/complete", Some(user), Some(code_and_state)).await
}

/// Links somebody's account, all the way.
pub async fn link(stack: &Stack, user: &User, login: &str) -> Value {
    let code_and_state = agree(stack, user, login).await;
    complete(stack, user, &code_and_state).await.ok()
}

pub async fn status(stack: &Stack, user: &User) -> Value {
    call(stack, Method::GET, "spotify-oauth/status", Some(user), None).await.ok()
}

/// Addresses of the catalogue.
pub async fn some_tracks(stack: &Stack, count: usize) -> Vec<String> {
    let all = stack.spotify(Method::GET, "catalogue", &Value::Null).await;
    let all = all.as_array().unwrap();
    all.iter().take(count).map(|track| format!("spotify:track:{}", track["id"].as_str().unwrap())).collect()
}

/// A playlist with these tracks.
pub async fn playlist(stack: &Stack, user: &User, name: &str, uris: &[String]) -> String {
    let body = json!({"owner_id": user.id, "name": name, "description": "For the evening."});
    let (status, body) = stack.rest(Method::POST, "playlists", Some(user), Some(&body)).await;
    assert_eq!(status, 201, "{body}");
    let rows = stack.rows(Some(user), &format!("playlists?select=id&name=eq.{name}")).await;
    let id = rows[0]["id"].as_str().unwrap().to_owned();
    if !uris.is_empty() {
        let tracks: Vec<_> = uris.iter().map(|uri| json!({"track_uri": uri})).collect();
        let body = json!({"playlist_id": id, "tracks": tracks});
        let (status, body) = stack.rest(Method::POST, "rpc/add_tracks", Some(user), Some(&body)).await;
        assert_eq!(status, 200, "{body}");
    }
    id
}

pub async fn export(stack: &Stack, user: &User, playlist: &str, key: Option<&str>) -> Answer {
    let headers: Vec<_> = key.map(|key| ("idempotency-key", key)).into_iter().collect();
    let body = json!({"playlist_id": playlist});
    call_with(stack, Method::POST, "spotify-export", Some(user), Some(&body), &headers).await
}

/// The playlists on Spotify.
pub async fn copies(stack: &Stack) -> Vec<Value> {
    stack.spotify(Method::GET, "playlists", &Value::Null).await.as_array().unwrap().clone()
}

/// How often an access token was renewed since the test began.
pub async fn renewals(stack: &Stack) -> usize {
    let asked = stack.log_of("spotify", "/api/token").await;
    asked
        .iter()
        .filter(|entry| entry["body"].as_str().is_some_and(|body| body.contains("grant_type=refresh_token")))
        .count()
}
