//! Asking for a playlist, by stream or as a document.

use futures_util::StreamExt;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::stack::{Stack, User};

/// An event of the stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub name: String,
    pub data: Value,
}

/// A finished stream.
#[derive(Debug)]
pub struct Stream {
    pub events: Vec<Event>,
}

impl Stream {
    /// The data of the events of a kind.
    pub fn all(&self, name: &str) -> Vec<&Value> {
        self.events.iter().filter(|event| event.name == name).map(|event| &event.data).collect()
    }

    /// The data of the last event, which must be of this kind.
    pub fn last(&self, name: &str) -> &Value {
        let last = self.events.last().expect("an empty stream");
        assert_eq!(last.name, name, "{last:?}");
        &last.data
    }
}

/// A request for a playlist of five.
pub fn ask(prompt: &str) -> Value {
    json!({"prompt": prompt, "target_count": 5})
}

/// The same, to be saved.
pub fn saving(prompt: &str) -> Value {
    let mut body = ask(prompt);
    body["save"] = json!(true);
    body
}

/// What the model answers: `[(artist, title, year)]` as a playlist.
pub fn reply(songs: &[(&str, &str, i64)]) -> Value {
    let tracks: Vec<_> = songs
        .iter()
        .map(|(artist, title, year)| json!({"artist": artist, "title": title, "year": year}))
        .collect();
    json!({"reply": {
        "kind": "playlist", "language": "en", "name": "Evening", "description": "For the evening.",
        "summary": "Calm songs.", "tracks": tracks,
    }})
}

/// Five songs that the catalogue has.
pub const FIVE: [(&str, &str, i64); 5] = [
    ("Nirvana", "Come as You Are", 1991),
    ("Radiohead", "Karma Police", 1997),
    ("Dżem", "Whisky", 1985),
    ("Queen", "Bohemian Rhapsody", 1975),
    ("The Beatles", "Let It Be", 1970),
];

/// A request to ai-playlist, yet to be completed.
pub fn request(stack: &Stack, user: &User, body: &Value) -> reqwest::RequestBuilder {
    stack.http.post(stack.function("ai-playlist")).bearer_auth(&user.token).json(body)
}

/// Asks for a document.
pub async fn json(stack: &Stack, user: &User, body: &Value) -> (StatusCode, Value) {
    answer(request(stack, user, body).header("accept", "application/json")).await
}

/// Asks under an idempotency key.
pub async fn json_with_key(stack: &Stack, user: &User, body: &Value, key: &str) -> (StatusCode, Value) {
    answer(request(stack, user, body).header("idempotency-key", key)).await
}

/// Sends a request and reads status and JSON.
pub async fn answer(request: reqwest::RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    let status = response.status();
    let content_type = response.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(content_type.starts_with("application/json"), "{status} {content_type}");
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status}, not JSON: {text}")))
}

/// Asks for a stream and reads it to its end.
pub async fn stream(stack: &Stack, user: &User, body: &Value) -> Stream {
    let response = request(stack, user, body).header("accept", "text/event-stream").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "{}", response.text().await.unwrap());
    read(response).await
}

/// Reads a stream to its end.
pub async fn read(response: reqwest::Response) -> Stream {
    let content_type = response.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(content_type.starts_with("text/event-stream"), "{content_type}");
    let mut chunks = response.bytes_stream();
    let mut text = Vec::new();
    while let Some(chunk) = chunks.next().await {
        text.extend_from_slice(&chunk.unwrap());
    }
    Stream { events: events(&String::from_utf8(text).unwrap()) }
}

/// The events of a stream.
pub fn events(text: &str) -> Vec<Event> {
    text.split("\n\n").filter_map(event).collect()
}

fn event(frame: &str) -> Option<Event> {
    let name = frame.lines().find_map(|line| line.strip_prefix("event: "))?;
    let data = frame.lines().find_map(|line| line.strip_prefix("data: "))?;
    Some(Event { name: name.to_owned(), data: serde_json::from_str(data).unwrap() })
}

/// Asserts an error's status, code and shape.
pub fn assert_error((status, body): &(StatusCode, Value), expected_status: u16, expected_code: &str) {
    assert_eq!((status.as_u16(), body["code"].as_str()), (expected_status, Some(expected_code)), "{body}");
    assert!(body["message"].as_str().is_some_and(|m| m.len() > 5), "{body}");
    assert!(body["request_id"].as_str().is_some_and(|id| id.parse::<uuid::Uuid>().is_ok()), "{body}");
}
