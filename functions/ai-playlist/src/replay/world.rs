//! The upstreams of the replay: a model that writes, a database that remembers, and a catalogue of every song but some.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use bytes::Bytes;
use futures_util::future::FutureExt;
use futures_util::stream;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use shared::runtime::clock::Clock;
use shared::runtime::http_client::{HttpClient, InboundResponse, OutboundRequest, ResponseFuture};

use super::SONGS;
use super::virtual_time::VirtualTime;

/// One song in this many does not exist.
const INVENTED: usize = 8;
const SEARCH_MS: u64 = 150;
const DATABASE_MS: u64 = 12;
const FIRST_TOKEN_MS: u64 = 400;

/// The remembered entries with their expiry (virtual milliseconds), by key.
pub type Stored = Rc<RefCell<BTreeMap<String, (u64, Value)>>>;

/// All upstreams of a generation.
#[derive(Clone, Default)]
pub struct World {
    /// The time that passes.
    pub time: VirtualTime,
    /// The time that the model takes for a song.
    pub song_ms: u64,
    /// The database.
    pub stored: Stored,
    /// The songs that the model suggests.
    pub suggested: Vec<usize>,
    /// The calls by their kinds.
    pub calls: Rc<RefCell<BTreeMap<&'static str, usize>>>,
}

/// Returns a name that resembles no other one.
fn name(number: usize) -> String {
    let mut state = number as u64;
    let mut word = || {
        (0..3)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let letter =
                    |letters: &[u8], at: u64| char::from(letters[usize::try_from(at).unwrap()]);
                let consonant = letter(b"bcdfghjklmnprstvwxyz", (state >> 40) % 20);
                format!("{consonant}{}", letter(b"aeiou", (state >> 50) % 5))
            })
            .collect::<String>()
    };
    format!("{} {}{number}", word(), word())
}

fn song(number: usize) -> (String, String) {
    (name(SONGS + number), name(number))
}

impl World {
    fn respond(&self, request: &OutboundRequest) -> (&'static str, u64, Value) {
        let args = || serde_json::from_slice::<Value>(&request.body).unwrap();
        let now_ms = self.time.now_ms();
        match request.url.rsplit('/').next().unwrap() {
            "token" => (
                "token",
                SEARCH_MS,
                json!({"access_token": "t", "token_type": "Bearer", "expires_in": 3600}),
            ),
            "recall_songs" => {
                let stored = self.stored.borrow();
                let songs = args()["p_songs"].as_array().unwrap().clone();
                *self
                    .calls
                    .borrow_mut()
                    .entry("songs asked about")
                    .or_default() += songs.len();
                let live = |song: &Value| {
                    let (until_ms, entry) = stored.get(song.as_str()?)?;
                    (*until_ms > now_ms).then(|| entry.clone())
                };
                let entries: Vec<_> = songs.iter().map(live).collect();
                ("reads", DATABASE_MS, json!(entries))
            }
            "remember_songs" => {
                for entry in args()["p_entries"].as_array().unwrap() {
                    let until_ms = now_ms + entry["hours"].as_u64().unwrap() * 3_600_000;
                    let song = entry["song"].as_str().unwrap().to_owned();
                    self.stored
                        .borrow_mut()
                        .insert(song, (until_ms, entry["candidates"].clone()));
                }
                ("writes", DATABASE_MS, Value::Null)
            }
            "ai_deliver" => ("other", DATABASE_MS, json!({"outcome": "delivered"})),
            "ai_settle" => {
                let quota = json!({"plan": "pro", "used": 1, "limit": 50, "remaining": 49, "next_free_at": null});
                (
                    "other",
                    DATABASE_MS,
                    json!({"outcome": "settled", "quota": quota}),
                )
            }
            search => {
                let number: usize = search
                    .split(|c: char| !c.is_ascii_digit())
                    .filter_map(|digits| digits.parse().ok())
                    .find(|number| {
                        search.contains(&name(*number).replace(' ', "+"))
                            || search.contains(&name(*number).replace(' ', "%20"))
                    })
                    .expect("a song is searched for");
                let (artist, title) = song(number);
                let track = json!({"uri": format!("spotify:track:{number:022}"), "name": title,
                    "artists": [{"name": artist}], "album": {"name": "Album", "release_date": "1999"},
                    "duration_ms": 200_000, "explicit": false});
                let items = if number.is_multiple_of(INVENTED) {
                    vec![]
                } else {
                    vec![track]
                };
                ("searches", SEARCH_MS, json!({"tracks": {"items": items}}))
            }
        }
    }

    fn completion(&self) -> InboundResponse {
        let tracks: Vec<_> = self.suggested.iter().map(|number| song(*number)).collect();
        let mut texts = vec![
            r#"{"kind":"playlist","language":"en","name":"N","description":"","summary":"","tracks":["#
                .to_owned(),
        ];
        for (at, (artist, title)) in tracks.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            texts.push(format!(
                "{comma}{}",
                json!({"artist": artist, "title": title, "year": 1999})
            ));
        }
        texts.push("]}".to_owned());
        let mut frames: Vec<_> = texts
            .into_iter()
            .map(|text| {
                format!(
                    "data: {}\n\n",
                    json!({"choices": [{"delta": {"content": text}}]})
                )
            })
            .collect();
        frames.push("data: [DONE]\n\n".to_owned());
        let (time, song_ms) = (self.time.clone(), self.song_ms);
        let chunks = stream::unfold(frames.into_iter(), move |mut frames| {
            let time = time.clone();
            async move {
                let frame = frames.next()?;
                time.sleep_ms(song_ms).await;
                Some((Ok(Bytes::from(frame)), frames))
            }
        });
        InboundResponse {
            status: StatusCode::OK,
            headers: event_stream(),
            body: Box::pin(chunks),
        }
    }
}

fn event_stream() -> HeaderMap {
    let kind = http::HeaderValue::from_static("text/event-stream");
    HeaderMap::from_iter([(http::header::CONTENT_TYPE, kind)])
}

impl HttpClient for World {
    fn send(&self, request: OutboundRequest) -> ResponseFuture<'_> {
        async move {
            if request.url.ends_with("/chat/completions") {
                self.time.sleep_ms(FIRST_TOKEN_MS).await;
                return Ok(self.completion());
            }
            let (what, after_ms, body) = self.respond(&request);
            *self.calls.borrow_mut().entry(what).or_default() += 1;
            self.time.sleep_ms(after_ms).await;
            let body = stream::iter([Ok(Bytes::from(body.to_string()))]);
            Ok(InboundResponse {
                status: StatusCode::OK,
                headers: HeaderMap::new(),
                body: Box::pin(body),
            })
        }
        .boxed_local()
    }
}
