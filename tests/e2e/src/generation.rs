//! Requests for a playlist, as a stream or as a document.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::stack::{Response, Stack, User, send, with};

#[derive(Debug)]
pub struct Event {
    pub name: String,
    pub data: Value,
}

#[derive(Debug)]
pub struct Stream {
    pub events: Vec<Event>,
}

impl Stream {
    pub fn all(&self, name: &str) -> Vec<&Value> {
        self.events.iter().filter(|event| event.name == name).map(|event| &event.data).collect()
    }

    /// The data of the last event, asserting its name.
    #[track_caller]
    pub fn last(&self, name: &str) -> &Value {
        let last = self.events.last().expect("an empty stream");
        assert_eq!(last.name, name, "{last:?}");
        &last.data
    }
}

pub fn ask(prompt: &str) -> Value {
    json!({"prompt": prompt, "target_count": 5})
}

pub fn saving(prompt: &str) -> Value {
    with(ask(prompt), &json!({"save": true}))
}

/// A script of the model: `(artist, title, year)` as a playlist.
pub fn reply(songs: &[(&str, &str, i64)]) -> Value {
    let track = |(artist, title, year): &_| json!({"artist": artist, "title": title, "year": year});
    json!({"reply": {
        "kind": "playlist", "language": "en", "name": "Evening", "description": "For the evening.",
        "summary": "Calm songs.", "tracks": songs.iter().map(track).collect::<Vec<_>>(),
    }})
}

pub const FIVE: [(&str, &str, i64); 5] = [
    ("Nirvana", "Come as You Are", 1991),
    ("Radiohead", "Karma Police", 1997),
    ("Dżem", "Whisky", 1985),
    ("Queen", "Bohemian Rhapsody", 1975),
    ("The Beatles", "Let It Be", 1970),
];

pub fn after_ms(first_token_ms: u64) -> Value {
    with(reply(&FIVE), &json!({"first_token_ms": first_token_ms}))
}

/// The script of the five songs, with almost the longest silence that is allowed after the first ones.
pub fn pausing_after(songs: usize) -> Value {
    let text = reply(&FIVE)["reply"].to_string();
    let end = text.match_indices("},").nth(songs - 1).unwrap().0 + 2;
    json!({"text": text, "first_token_ms": 1, "chunk_chars": end, "chunk_ms": 25_000})
}

pub fn request(stack: &Stack, user: &User, body: &Value) -> RequestBuilder {
    stack.request(Method::POST, "ai-playlist", user).json(body)
}

pub fn streaming(stack: &Stack, user: &User, body: &Value) -> RequestBuilder {
    request(stack, user, body).header("accept", "text/event-stream")
}

pub async fn document(stack: &Stack, user: &User, body: &Value) -> Response {
    send(request(stack, user, body)).await
}

pub async fn document_with_key(stack: &Stack, user: &User, body: &Value, key: &str) -> Response {
    send(request(stack, user, body).header("idempotency-key", key)).await
}

pub async fn stream(stack: &Stack, user: &User, body: &Value) -> Stream {
    read(streaming(stack, user, body).send().await.unwrap()).await
}

pub async fn read(response: reqwest::Response) -> Stream {
    assert_eq!(response.status(), 200, "{}", response.text().await.unwrap());
    let headers = response.headers();
    for (name, value) in [
        ("content-type", "text/event-stream; charset=utf-8"),
        ("cache-control", "no-cache, no-transform"),
        ("x-accel-buffering", "no"),
    ] {
        assert_eq!(headers[name], value);
    }
    assert!(headers.contains_key("x-request-id"));
    Stream { events: events(&response.text().await.unwrap()) }
}

fn events(text: &str) -> Vec<Event> {
    text.split("\n\n").filter_map(event).collect()
}

fn event(frame: &str) -> Option<Event> {
    let field = |name| frame.lines().find_map(|line| line.strip_prefix(name));
    let (name, data) = (field("event: ")?.to_owned(), serde_json::from_str(field("data: ")?).unwrap());
    Some(Event { name, data })
}

pub struct Reading {
    response: reqwest::Response,
    text: String,
}

impl Reading {
    pub async fn start(request: RequestBuilder) -> Self {
        Self::of(request.send().await.unwrap())
    }

    pub fn of(response: reqwest::Response) -> Self {
        assert_eq!(response.status(), 200);
        Self { response, text: String::new() }
    }

    /// Reads until `count` events of a name have arrived, and returns their data.
    pub async fn until(&mut self, name: &str, count: usize) -> Vec<Value> {
        loop {
            let whole = self.text.rfind("\n\n").map_or("", |end| &self.text[..end]);
            let found = events(whole).into_iter().filter(|event| event.name == name);
            let found: Vec<_> = found.map(|event| event.data).collect();
            if found.len() >= count {
                return found;
            }
            let chunk = self.response.chunk().await.unwrap().expect("the stream ended early");
            self.text.push_str(&String::from_utf8_lossy(&chunk));
        }
    }
}

pub fn uris(document: &Value) -> Vec<&str> {
    document["tracks"].as_array().unwrap().iter().map(|track| track["track_uri"].as_str().unwrap()).collect()
}
