//! Replays a day of generations with and without the catalogue memory, in virtual time: `cargo xtask bench --only memory`.

mod draw;
mod virtual_time;
mod world;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::rc::Rc;

use futures_util::future::{FutureExt, LocalBoxFuture, join_all};
use serde_json::json;
use shared::fakes::{FakeClock, FakeHttp, fake_context};
use shared::runtime::clock::Clock;
use uuid::Uuid;

use crate::Config;
use crate::budget::Budgeted;
use crate::event::Event;
use crate::handler::Context;
use crate::job::{Delivery, Job};
use crate::quota::Session;
use crate::refine::Base;
use crate::request;

use draw::Draw;
use world::World;

const GENERATIONS: usize = 2_000;
const TARGET: usize = 20;
/// The number of songs that the model suggests; the generation ends when its list is full.
const SUGGESTED: usize = 30;
const DAY_MS: u64 = 86_400_000;
const SONGS: usize = 50_000;
/// The time that a fast model takes for a song.
const SONG_MS: u64 = 115;

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
    count: usize,
    calls: BTreeMap<&'static str, usize>,
    first_ms: u64,
    done_ms: u64,
    lists: Vec<Vec<String>>,
}

impl Means {
    fn calls(&self, what: &str) -> f64 {
        self.mean(self.calls.get(what).copied().unwrap_or_default() as u64)
    }

    fn first_ms(&self) -> f64 {
        self.mean(self.first_ms)
    }

    fn done_ms(&self) -> f64 {
        self.mean(self.done_ms)
    }

    // Exact for such small numbers.
    #[allow(clippy::cast_precision_loss)]
    fn mean(&self, sum: u64) -> f64 {
        sum as f64 / self.count as f64
    }
}

/// Both halves of a day; in the second one the memory is warm.
fn replay(mut draw: Draw, days: &'static str, generations: usize, song_ms: u64) -> [Means; 2] {
    let world = World {
        song_ms,
        ..World::default()
    };
    [(); 2].map(|()| {
        world.calls.borrow_mut().clear();
        let mut means = Means {
            count: generations / 2,
            ..Means::default()
        };
        for _ in 0..means.count {
            let (first_ms, done_ms, list) = world.time.run(generate(&world, days, draw.songs()));
            means.first_ms += first_ms;
            means.done_ms += done_ms;
            means.lists.push(list);
            world.time.advance_ms(DAY_MS / generations as u64);
        }
        means.calls = world.calls.borrow().clone();
        means
    })
}

/// Generates a list from the songs that the model suggests, and remembers what was found. Returns the milliseconds to
/// the first track and to the last one, and the list.
async fn generate(
    world: &World,
    days: &'static str,
    suggested: Vec<usize>,
) -> (u64, u64, Vec<String>) {
    let world = Rc::new(World {
        suggested,
        ..world.clone()
    });
    let started_ms = world.time.now_ms();
    let work: Rc<RefCell<Vec<LocalBoxFuture<'static, ()>>>> = Rc::default();
    let spawned = work.clone();
    let (nothing, config) = (FakeHttp::answering([]), Config::from_env(env(days)));
    let (context, _): (Context, _) = fake_context(&nothing, &FakeClock::at_ms(0), config.unwrap());
    let mut call = context.request.clone();
    call.started_ms = started_ms;
    let context = Context {
        http: world.clone(),
        clock: Rc::new(world.time.clone()),
        spawn: Rc::new(move |future| spawned.borrow_mut().push(future)),
        request: call,
        ..context
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
    };
    let delivery = Delivery::Stream {
        emit: Rc::new(move |event| {
            if matches!(event, Event::Track(_)) && seen.get().is_none() {
                seen.set(Some(time.now_ms()));
            }
        }),
        left: std::future::pending().boxed_local(),
    };
    let done = job.run(delivery).await.unwrap();
    let done_ms = world.time.now_ms() - started_ms;
    join_all(work.take()).await;
    let list = done
        .tracks
        .into_iter()
        .map(|track| track.details.track_uri)
        .collect();
    (first_ms.get().unwrap() - started_ms, done_ms, list)
}

#[test]
fn a_hundred_generations_at_once_find_the_lists_that_they_find_without_memory() {
    let lists = |days| {
        let (mut draw, world) = (Draw::zipf(), World::default());
        let songs: Vec<_> = (0..10).map(|_| draw.songs()).collect();
        [(); 2].map(|()| {
            let at_once = (0..100).map(|user| generate(&world, days, songs[user % 10].clone()));
            let ended = world.time.run(join_all(at_once));
            let searches = world.calls.take().remove("searches").unwrap_or_default();
            let lists: Vec<_> = ended.into_iter().map(|(_, _, list)| list).collect();
            (lists, searches)
        })
    };
    let ([without, _], [first, again]) = (lists("0"), lists("7"));
    assert_eq!((&first.0, &again.0), (&without.0, &without.0));
    assert_eq!(again.1, 0, "each song is remembered");
    assert!(first.1 <= without.1, "{} {}", first.1, without.1);
}

/// Prints the table that `cargo xtask bench` records.
fn compare(title: &str, draw: fn() -> Draw) {
    let run = |days| replay(draw(), days, GENERATIONS, SONG_MS);
    let (without, with) = (run("0"), run("7"));
    for (without, with) in without.iter().zip(&with) {
        assert_eq!(with.lists, without.lists, "the lists are the same");
    }
    let mut table = format!(
        "\n## {title}\n\n| mean of a generation | without | with the memory | ratio | goal |\n|---|---|---|---|---|\n"
    );
    let mut row = |what: &str, of: &dyn Fn(&[Means; 2]) -> f64, most: Option<f64>| {
        let (without, with) = (of(&without), of(&with));
        let ratio = with / without;
        let goal = most.map_or(String::new(), |most| {
            let missed = if ratio >= most + 0.005 {
                " (missed)"
            } else {
                ""
            };
            format!("≤ {most:.2}{missed}")
        });
        let precision = if without < 100.0 { 1 } else { 0 };
        writeln!(
            table,
            "| {what} | {without:.precision$} | {with:.precision$} | {ratio:.2} | {goal} |"
        )
        .unwrap();
    };
    row(
        "searches, first half",
        &|halves| halves[0].calls("searches"),
        None,
    );
    row(
        "searches, warm half",
        &|halves| halves[1].calls("searches"),
        Some(0.25),
    );
    row(
        "searches, all",
        &|halves| {
            halves
                .iter()
                .map(|half| half.calls("searches"))
                .sum::<f64>()
                / 2.0
        },
        Some(0.40),
    );
    row(
        "first track, warm half, ms",
        &|halves| halves[1].first_ms(),
        Some(1.0),
    );
    row(
        "done, warm half, ms",
        &|halves| halves[1].done_ms(),
        Some(1.0),
    );
    println!("{table}");
}

#[test]
#[ignore = "takes minutes; `cargo xtask bench --only memory` runs it"]
fn memory_saves_most_searches_of_songs_that_follow_a_zipf_law() {
    compare("Songs by Zipf's law", Draw::zipf);
}

#[test]
#[ignore = "takes minutes; `cargo xtask bench --only memory` runs it"]
fn memory_saves_most_searches_of_songs_that_real_lists_name() {
    compare("Songs by real lists", Draw::listed);
}

#[test]
#[ignore = "takes minutes; `cargo xtask bench --only memory` runs it"]
fn reads_of_the_memory_are_the_fewer_the_faster_the_model_writes() {
    let mut table = "\n## Calls of the memory, warm half, songs by Zipf's law\n\n\
        | a song takes, ms | reads | writes | songs a read | first track, ms | done, ms |\n|---|---|---|---|---|---|\n"
        .to_owned();
    for song_ms in [1, 10, 25, 50, SONG_MS, 400] {
        let [_, warm] = replay(Draw::zipf(), "7", GENERATIONS / 4, song_ms);
        let (reads, songs) = (warm.calls("reads"), warm.calls("songs asked about"));
        writeln!(
            table,
            "| {song_ms} | {reads:.1} | {:.1} | {:.1} | {:.0} | {:.0} |",
            warm.calls("writes"),
            songs / reads,
            warm.first_ms(),
            warm.done_ms()
        )
        .unwrap();
    }
    println!("{table}");
}
