//! One listener: what they do, and what they were told is done.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::dice::Dice;
use crate::generation;
use crate::stack::{Stack, User};
use crate::stripe::{app, pay};

/// What the documentation answers to somebody who asks for more than there is: no error.
const REFUSALS: [&str; 5] = [
    "quota_exceeded",
    "spotify_not_linked",
    "nothing_to_manage",
    "playlist_limit_reached",
    "too_many_attempts",
];
/// Somebody reads, and thinks, before the next thing.
const LEAST_PAUSE_MS: usize = 500;
const MOST_PAUSE_MS: usize = 3_500;

pub enum Outcome {
    Done,
    /// With its code, which is documented.
    Refused(String),
    Failed(String),
}

pub struct Sample {
    pub what: &'static str,
    pub took: Duration,
    pub outcome: Outcome,
}

pub struct Listener<'a> {
    pub user: User,
    dice: Dice,
    uris: &'a [String],
    is_linked: bool,
    pub has_paid: bool,
    /// Name and tracks of every playlist, as they must be.
    pub playlists: BTreeMap<String, (String, Vec<String>)>,
    /// How many generations were delivered.
    pub delivered: u64,
    /// What was copied to Spotify, by the copy's id.
    pub copies: Vec<(String, Vec<String>)>,
    /// Of every answer of a function.
    pub request_ids: Vec<String>,
    pub samples: Vec<Sample>,
}

impl<'a> Listener<'a> {
    pub fn new(user: User, dice: Dice, uris: &'a [String], is_linked: bool) -> Self {
        Self {
            user,
            dice,
            uris,
            is_linked,
            has_paid: false,
            playlists: BTreeMap::new(),
            delivered: 0,
            copies: Vec::new(),
            request_ids: Vec::new(),
            samples: Vec::new(),
        }
    }

    /// One thing after the other until the end.
    pub async fn work(&mut self, stack: &Stack, end: Instant) {
        loop {
            let pause = LEAST_PAUSE_MS + self.dice.below(MOST_PAUSE_MS - LEAST_PAUSE_MS);
            tokio::time::sleep(Duration::from_millis(pause as u64)).await;
            if Instant::now() >= end {
                return;
            }
            match self.dice.below(100) {
                0..12 => self.generate(stack).await,
                12..27 => self.search(stack).await,
                27..45 => self.look(stack).await,
                45..57 => self.create(stack).await,
                57..77 => self.edit(stack).await,
                77..84 => self.rename(stack).await,
                84..91 => self.export(stack).await,
                91..96 => self.buy(stack).await,
                _ => self.link_status(stack).await,
            }
        }
    }

    /// Sends; answers what came of it where it succeeded.
    async fn send(&mut self, what: &'static str, request: RequestBuilder) -> Option<Value> {
        let began = Instant::now();
        let answer = match request.send().await {
            Ok(response) => {
                let id = response.headers().get("x-request-id").and_then(|id| id.to_str().ok());
                self.request_ids.extend(id.map(str::to_owned));
                let status = response.status();
                response.text().await.map(|text| (status.as_u16(), text))
            }
            Err(error) => Err(error),
        };
        let (outcome, value) = match answer {
            Ok((status, text)) => judged(status, serde_json::from_str(&text).unwrap_or(Value::String(text))),
            Err(error) => (Outcome::Failed(format!("no answer: {error}")), None),
        };
        self.samples.push(Sample { what, took: began.elapsed(), outcome });
        value
    }

    fn function(&self, stack: &Stack, method: Method, path: &str) -> RequestBuilder {
        stack.http.request(method, stack.function(path)).bearer_auth(&self.user.token)
    }

    fn rest(&self, stack: &Stack, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/rest/v1/{path}", stack.url("/supabase_url"));
        let request = stack.http.request(method, url).header("apikey", stack.url("/publishable_key"));
        request.bearer_auth(&self.user.token).header("prefer", "return=representation")
    }

    fn some_playlist(&mut self) -> Option<String> {
        let at = self.dice.below(self.playlists.len().max(1));
        self.playlists.keys().nth(at).cloned()
    }

    fn some_uris(&mut self, most: usize) -> Vec<String> {
        let count = 1 + self.dice.below(most);
        let from = self.dice.below(self.uris.len() - count);
        self.uris[from..from + count].to_vec()
    }

    async fn generate(&mut self, stack: &Stack) {
        let wish = format!("a calm evening, number {}", self.dice.below(1_000));
        let body = json!({"prompt": wish, "target_count": 5, "save": true});
        let request = generation::request(stack, &self.user, &body)
            .header("accept", "text/event-stream")
            .header("idempotency-key", Uuid::new_v4().to_string());
        let began = Instant::now();
        let response = match request.send().await {
            Ok(response) if response.status() == 200 => response,
            Ok(response) => return self.refused(began, response).await,
            Err(error) => return self.note("generate", began, Outcome::Failed(error.to_string())),
        };
        self.request_ids.push(response.headers()["x-request-id"].to_str().unwrap().to_owned());
        let (mut text, mut chunks, mut has_track) = (Vec::new(), response.bytes_stream(), false);
        while let Some(chunk) = chunks.next().await {
            match chunk {
                Ok(chunk) => text.extend_from_slice(&chunk),
                Err(error) => return self.note("generate", began, Outcome::Failed(error.to_string())),
            }
            if !has_track && text.windows(12).any(|it| it == b"event: track") {
                has_track = true;
                self.note("generate, first track", began, Outcome::Done);
            }
        }
        let events = generation::events(&String::from_utf8(text).unwrap());
        let Some(last) = events.last().filter(|event| event.name == "done") else {
            let said = events.last().map(|event| event.data.to_string()).unwrap_or_default();
            return self.note("generate", began, Outcome::Failed(said));
        };
        let tracks = last.data["tracks"].as_array().unwrap();
        let uris: Vec<String> =
            tracks.iter().map(|track| track["track_uri"].as_str().unwrap().to_owned()).collect();
        let mut found: Vec<_> = events.iter().filter(|event| event.name == "track").collect();
        found.retain(|event| uris.iter().any(|uri| event.data["track_uri"] == uri.as_str()));
        assert_eq!(found.len(), uris.len(), "each track was shown before the end");
        let text_of = |name: &str| last.data[name].as_str().unwrap().to_owned();
        self.playlists.insert(text_of("playlist_id"), (text_of("name"), uris));
        self.delivered += 1;
        self.note("generate", began, Outcome::Done);
    }

    async fn refused(&mut self, began: Instant, response: reqwest::Response) {
        let id = response.headers().get("x-request-id").and_then(|id| id.to_str().ok());
        self.request_ids.extend(id.map(str::to_owned));
        let status = response.status().as_u16();
        let body = response.json().await.unwrap_or_default();
        let what = "generate, refused";
        self.note(what, began, judged(status, body).0);
    }

    fn note(&mut self, what: &'static str, began: Instant, outcome: Outcome) {
        self.samples.push(Sample { what, took: began.elapsed(), outcome });
    }

    async fn search(&mut self, stack: &Stack) {
        let title = self.dice.one_of(&["Lithium", "Whisky", "Karma%20Police", "Let%20It%20Be", "Arahja"]);
        let request = self.function(stack, Method::GET, &format!("spotify-search?title={title}&limit=10"));
        self.send("search", request).await;
    }

    async fn look(&mut self, stack: &Stack) {
        let all = "playlists?select=id,name,updated_at,playlist_tracks(count)&order=updated_at.desc";
        let request = self.rest(stack, Method::GET, all);
        self.send("list playlists", request).await;
        let request = self.rest(stack, Method::POST, "rpc/usage").json(&json!({}));
        self.send("usage", request).await;
    }

    async fn create(&mut self, stack: &Stack) {
        let name = format!("Evening {}", Uuid::new_v4());
        let body = json!({"owner_id": self.user.id, "name": name});
        let request = self.rest(stack, Method::POST, "playlists?select=id").json(&body);
        let Some(rows) = self.send("create playlist", request).await else { return };
        let id = rows[0]["id"].as_str().unwrap().to_owned();
        self.playlists.insert(id.clone(), (name, Vec::new()));
        let uris = self.some_uris(12);
        self.add(stack, &id, uris).await;
    }

    async fn add(&mut self, stack: &Stack, id: &str, uris: Vec<String>) {
        let tracks: Vec<_> = uris.iter().map(|uri| json!({"track_uri": uri, "title": "t"})).collect();
        let body = json!({"playlist_id": id, "tracks": tracks});
        let request = self.rest(stack, Method::POST, "rpc/add_tracks").json(&body);
        if self.send("add tracks", request).await.is_some() {
            self.tracks(id).extend(uris);
        }
    }

    fn tracks(&mut self, id: &str) -> &mut Vec<String> {
        &mut self.playlists.get_mut(id).unwrap().1
    }

    async fn edit(&mut self, stack: &Stack) {
        let Some(id) = self.some_playlist() else { return self.create(stack).await };
        let count = self.tracks(&id).len();
        if count < 2 {
            let mut uris = self.some_uris(5);
            uris.retain(|uri| !self.tracks(&id).contains(uri));
            return if uris.is_empty() { self.look(stack).await } else { self.add(stack, &id, uris).await };
        }
        let (from, to) = (self.dice.below(count), self.dice.below(count));
        if self.dice.below(3) == 0 {
            let body = json!({"playlist_id": id, "position": from + 1});
            let request = self.rest(stack, Method::POST, "rpc/remove_track").json(&body);
            if self.send("remove track", request).await.is_some() {
                self.tracks(&id).remove(from);
            }
            return;
        }
        let body = json!({"playlist_id": id, "from_position": from + 1, "to_position": to + 1});
        let request = self.rest(stack, Method::POST, "rpc/move_track").json(&body);
        if self.send("move track", request).await.is_some() {
            let track = self.tracks(&id).remove(from);
            self.tracks(&id).insert(to, track);
        }
    }

    async fn rename(&mut self, stack: &Stack) {
        let Some(id) = self.some_playlist() else { return self.create(stack).await };
        let name = format!("Night {}", Uuid::new_v4());
        let path = format!("playlists?id=eq.{id}&select=id");
        let request = self.rest(stack, Method::PATCH, &path).json(&json!({"name": name}));
        if self.send("rename playlist", request).await.is_some_and(|rows| rows[0]["id"] == *id) {
            self.playlists.get_mut(&id).unwrap().0 = name;
        }
    }

    async fn export(&mut self, stack: &Stack) {
        let Some(id) = self.some_playlist() else { return self.create(stack).await };
        let uris = self.tracks(&id).clone();
        if uris.is_empty() {
            return;
        }
        let request = self.function(stack, Method::POST, "spotify-export");
        let request = request.header("idempotency-key", Uuid::new_v4().to_string());
        let request = request.json(&json!({"playlist_id": id}));
        let what = if self.is_linked { "export" } else { "export, not linked" };
        if let Some(answer) = self.send(what, request).await {
            self.copies.push((answer["spotify_playlist_id"].as_str().unwrap().to_owned(), uris));
        }
    }

    /// Pays on Stripe's page, or looks at what was paid.
    async fn buy(&mut self, stack: &Stack) {
        if self.has_paid {
            let body = json!({"return_url": app(stack, "/plan")});
            let request = self.function(stack, Method::POST, "billing/portal").json(&body);
            self.send("portal", request).await;
            return;
        }
        let body = json!({"success_url": app(stack, "/paid"), "cancel_url": app(stack, "/")});
        let request = self.function(stack, Method::POST, "billing/checkout").json(&body);
        if let Some(answer) = self.send("checkout", request).await {
            pay(answer["url"].as_str().unwrap()).await;
            self.has_paid = true;
        }
    }

    async fn link_status(&mut self, stack: &Stack) {
        let request = self.function(stack, Method::GET, "spotify-oauth/status");
        self.send("link status", request).await;
        let request = self.function(stack, Method::POST, "spotify-oauth/start");
        self.send("link start", request).await;
    }
}

fn judged(status: u16, body: Value) -> (Outcome, Option<Value>) {
    let code = body["code"].as_str().unwrap_or_default();
    match status {
        200..300 => (Outcome::Done, Some(body)),
        400..500 if REFUSALS.contains(&code) => (Outcome::Refused(code.to_owned()), None),
        _ => (Outcome::Failed(format!("{status} {body}")), None),
    }
}
