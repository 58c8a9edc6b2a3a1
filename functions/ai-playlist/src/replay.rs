//! Replays a day of generations with and without the catalogue memory, in virtual time:
//! `cargo test -p ai-playlist replay -- --ignored --nocapture`.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use bytes::Bytes;
use futures_util::future::{FutureExt, LocalBoxFuture};
use futures_util::stream;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use shared::fakes::{FakeClock, FakeHttp, fake_context};
use shared::runtime::clock::Clock;
use shared::runtime::http_client::{HttpClient, InboundResponse, OutboundRequest, ResponseFuture};
use uuid::Uuid;

use crate::Config;
use crate::budget::Budgeted;
use crate::event::Event;
use crate::handler::Context;
use crate::job::Job;
use crate::outbox;
use crate::quota::Session;
use crate::refine::Base;
use crate::request;

#[path = "virtual_time.rs"]
mod virtual_time;
use virtual_time::VirtualTime;

const GENERATIONS: usize = 2_000;
const TARGET: usize = 20;
/// The number of songs that the model suggests; the generation ends when its list is full.
const SUGGESTED: usize = 30;
/// The interval between two generations, which fill one day.
const EVERY_MS: u64 = 86_400_000 / GENERATIONS as u64;
/// One song in this many does not exist.
const INVENTED: usize = 8;
const SONGS: usize = 50_000;
/// The number of entries in the lists from which the file is a sample.
const LISTED: usize = 11_598;

const SEARCH_MS: u64 = 150;
const DATABASE_MS: u64 = 12;
const FIRST_TOKEN_MS: u64 = 400;
const SONG_MS: u64 = 115;

/// The remembered entries with their expiry (virtual milliseconds), by key.
type Stored = Rc<RefCell<BTreeMap<String, (u64, Value)>>>;

#[derive(Clone, Default)]
struct World {
    time: VirtualTime,
    stored: Stored,
    suggested: Rc<RefCell<Vec<usize>>>,
    calls: Rc<RefCell<BTreeMap<&'static str, usize>>>,
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
                let live = |song: &Value| {
                    let (until_ms, entry) = stored.get(song.as_str()?)?;
                    (*until_ms > now_ms).then(|| entry.clone())
                };
                let entries: Vec<_> = args()["p_songs"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(live)
                    .collect();
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
        let tracks: Vec<_> = self
            .suggested
            .borrow()
            .iter()
            .map(|number| song(*number))
            .collect();
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
        let time = self.time.clone();
        let chunks = stream::unfold(frames.into_iter(), move |mut frames| {
            let time = time.clone();
            async move {
                let frame = frames.next()?;
                time.sleep_ms(SONG_MS).await;
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

/// Draws songs by their weights, in the same order in every run.
struct Draw {
    sums: Vec<f64>,
    state: u64,
}

impl Draw {
    fn by_weight(weights: impl Iterator<Item = f64>) -> Self {
        let add = |sum: &mut f64, weight: f64| {
            *sum += weight;
            Some(*sum)
        };
        Self {
            sums: weights.scan(0.0, add).collect(),
            state: 20_261_126,
        }
    }

    fn zipf() -> Self {
        // Exact for such small numbers.
        #[allow(clippy::cast_precision_loss)]
        Self::by_weight((1..=SONGS).map(|rank| 1.0 / rank as f64))
    }

    fn listed() -> Self {
        let lines = include_str!("replay_songs.txt")
            .lines()
            .filter(|line| !line.starts_with('#'));
        let classes: Vec<(usize, usize)> = lines
            .map(|line| line.split_once(' ').unwrap())
            .map(|(times, songs)| (times.parse().unwrap(), songs.parse().unwrap()))
            .collect();
        let entries: usize = classes.iter().map(|(times, songs)| times * songs).sum();
        #[allow(clippy::cast_precision_loss)]
        let weights = classes
            .into_iter()
            .flat_map(|(times, songs)| std::iter::repeat_n(times as f64, songs * LISTED / entries));
        Self::by_weight(weights)
    }

    #[allow(clippy::cast_precision_loss)]
    fn next(&mut self) -> usize {
        // SplitMix64.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let share = ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64;
        let at = share * self.sums.last().copied().unwrap();
        self.sums.partition_point(|sum| *sum <= at)
    }

    fn songs(&mut self) -> Vec<usize> {
        let mut songs = Vec::new();
        let mut seen = BTreeSet::new();
        while songs.len() < SUGGESTED {
            let number = self.next();
            if seen.insert(number) {
                songs.push(number);
            }
        }
        // Ranks that are close have nothing else in common: the popular ones are not the invented ones.
        songs.iter().map(|rank| rank * 7_919 % SONGS).collect()
    }
}

fn env(days: &'static str) -> impl Fn(&str) -> Option<String> {
    move |name| {
        let value = match name {
            "SUPABASE_URL" => "https://db.example",
            "SUPABASE_PUBLISHABLE_KEY" => "sb_publishable_x",
            "SUPABASE_SECRET_KEY" => "sb_secret_x",
            "SPOTIFY_CLIENT_ID" | "SPOTIFY_CLIENT_SECRET" => "spotify",
            "SPOTIFY_API_BASE_URL" => "https://spotify.example",
            "SPOTIFY_ACCOUNTS_BASE_URL" => "https://accounts.example",
            "LLM_BASE_URL" => "https://llm.example/v1",
            "LLM_API_KEY" | "LLM_MODEL" => "llm",
            "CATALOGUE_MEMORY_DAYS" => days,
            _ => return None,
        };
        Some(value.to_owned())
    }
}

/// The means of one half of the day.
#[derive(Default)]
struct Means {
    calls: BTreeMap<&'static str, usize>,
    first_ms: u64,
    done_ms: u64,
    lists: Vec<Vec<String>>,
}

impl Means {
    fn of(&self, what: &str) -> f64 {
        per_generation(self.calls.get(what).copied().unwrap_or_default() as u64)
    }
}

#[allow(clippy::cast_precision_loss)]
fn per_generation(sum: u64) -> f64 {
    sum as f64 / (GENERATIONS / 2) as f64
}

fn replay(mut draw: Draw, days: &'static str) -> [Means; 2] {
    let world = World::default();
    let nothing = FakeHttp::answering([]);
    let (context, _): (Context, _) = fake_context(
        &nothing,
        &FakeClock::at_ms(0),
        Config::from_env(env(days)).unwrap(),
    );
    [(); 2].map(|()| {
        world.calls.borrow_mut().clear();
        let mut means = Means::default();
        for _ in 0..GENERATIONS / 2 {
            *world.suggested.borrow_mut() = draw.songs();
            let (first_ms, done_ms, list) = generate(&world, &context);
            means.first_ms += first_ms;
            means.done_ms += done_ms;
            means.lists.push(list);
            world.time.advance_ms(EVERY_MS);
        }
        means.calls = world.calls.borrow().clone();
        means
    })
}

fn generate(world: &World, context: &Context) -> (u64, u64, Vec<String>) {
    let started_ms = world.time.now_ms();
    let work: Rc<RefCell<Vec<LocalBoxFuture<'static, ()>>>> = Rc::default();
    let spawned = work.clone();
    let mut call = context.request.clone();
    call.started_ms = started_ms;
    let context = Context {
        http: Rc::new(world.clone()),
        clock: Rc::new(world.time.clone()),
        spawn: Rc::new(move |future| spawned.borrow_mut().push(future)),
        request: call,
        ..context.clone()
    };
    let body = json!({"prompt": "evening", "target_count": TARGET}).to_string();
    let first_ms = Rc::new(Cell::new(None));
    let (time, seen) = (world.time.clone(), first_ms.clone());
    let job = Job {
        http: Budgeted::new(context.http.clone(), context.config.subrequest_limit),
        context,
        gone: std::future::pending().boxed_local(),
        session: Session {
            id: Uuid::nil(),
            user_id: Uuid::nil(),
        },
        request: request::parse(body.as_bytes()).unwrap(),
        base: Base::default(),
        emit: Rc::new(move |event| {
            if matches!(event, Event::Track(_)) && seen.get().is_none() {
                seen.set(Some(time.now_ms()));
            }
        }),
        every: Some(outbox::enough(TARGET)),
    };
    let done = world.time.run(job.run(std::future::pending())).unwrap();
    let done_ms = world.time.now_ms() - started_ms;
    for work in work.take() {
        world.time.run(work);
    }
    let list = done
        .tracks
        .into_iter()
        .map(|track| track.track_uri)
        .collect();
    (first_ms.get().unwrap() - started_ms, done_ms, list)
}

fn compare(name: &str, draw: fn() -> Draw) {
    let (without, with) = (replay(draw(), "0"), replay(draw(), "7"));
    println!("{name}");
    for (half, (without, with)) in ["first half", "warm half"]
        .into_iter()
        .zip(without.iter().zip(&with))
    {
        println!(
            "{half}: searches {:.1} of {:.1}, reads {:.1}, writes {:.1}; first track {:.0} of {:.0} ms, done {:.0} of {:.0} ms",
            with.of("searches"),
            without.of("searches"),
            with.of("reads"),
            with.of("writes"),
            per_generation(with.first_ms),
            per_generation(without.first_ms),
            per_generation(with.done_ms),
            per_generation(without.done_ms),
        );
        assert_eq!(with.lists, without.lists, "the lists are the same");
    }
    let searches = |halves: &[Means]| halves.iter().map(|half| half.of("searches")).sum::<f64>();
    let (all, warm) = (
        searches(&with) / searches(&without),
        searches(&with[1..]) / searches(&without[1..]),
    );
    println!(
        "searches: {:.0} % of all, {:.0} % of the warm half's",
        all * 100.0,
        warm * 100.0
    );
    assert!(all <= 0.40 && warm <= 0.25, "{all} {warm}");
}

#[test]
#[ignore = "takes minutes"]
fn memory_saves_most_searches_of_songs_that_follow_a_zipf_law() {
    compare("Zipf's law, exponent 1.0 over 50,000 songs", Draw::zipf);
}

#[test]
#[ignore = "takes minutes"]
fn memory_saves_most_searches_of_songs_that_real_lists_name() {
    compare("as often as real lists name them", Draw::listed);
}
