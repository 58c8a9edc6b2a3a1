//! Two hundred listeners at once for a minute, each doing what the page does; then everything that was acknowledged is
//! looked for. Speed is reported and never judged.

mod checks;
mod listener;
mod neighbour;
mod report;

use std::io::Write;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::iter;
use serde_json::json;

use self::listener::Listener;
use self::report::{Memory, Report};
use crate::dice::Dice;
use crate::logs::Log;
use crate::spotify::{link, some_tracks};
use crate::stack::Stack;

const LISTENERS: usize = 200;
const DURATION: Duration = Duration::from_secs(60);
/// Until here instances are made, caches are filled and what is hot is compiled.
const WARM_UP: Duration = Duration::from_secs(20);
/// How much larger the runtime may be at the end than after the warm-up, once it has settled.
const MOST_GROWTH: f64 = 1.25;
/// How many sign up at once.
const AT_ONCE: usize = 8;
/// Every so-manieth has linked Spotify before.
const LINKED: usize = 2;
const SEED: u64 = 11;

/// Servers close what is idle for five seconds; who sends at that very moment, and is no browser, is told of a reset.
fn http_client() -> reqwest::Client {
    let client = reqwest::Client::builder().pool_idle_timeout(Duration::from_secs(2));
    client.timeout(Duration::from_secs(90)).build().unwrap()
}

/// Shown although the test passes.
fn tell(text: &str) {
    writeln!(std::io::stderr(), "{text}").unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_listeners_for_a_minute_lose_nothing() {
    let mut stack = Stack::take().await;
    stack.http = http_client();
    stack.spotify_latency(json!({"search_ms": 10, "token_ms": 10, "jitter_ms": 5})).await;
    let uris = some_tracks(&stack, 400).await;
    let mut listeners = listeners(&stack, &uris).await;
    let log = Log::begin();
    let runtime = u32::try_from(stack.ready["pids"]["functions"].as_u64().unwrap()).unwrap();
    let mut memory = Memory::of(runtime);
    let began = Instant::now();
    let end = began + DURATION;
    let work = join_all(listeners.iter_mut().map(|listener| listener.work(&stack, end)));
    let watch = async {
        for seconds in 1..=DURATION.as_secs() {
            tokio::time::sleep_until((began + Duration::from_secs(seconds)).into()).await;
            memory.note(seconds);
        }
    };
    futures_util::future::join(work, watch).await;
    let report = Report::of(&listeners, began.elapsed(), &memory);
    tell(&report.table());
    report.write();
    checks::every_request_left_one_line(&listeners, &log).await;
    checks::plans_are_what_stripe_says(&stack, &listeners).await;
    checks::nothing_is_lost(&stack, &listeners).await;
    report.assert_no_errors();
    memory.assert_flat(WARM_UP.as_secs(), MOST_GROWTH);
}

/// Everybody has signed up before, and half of them have linked Spotify.
async fn listeners<'a>(stack: &Stack, uris: &'a [String]) -> Vec<Listener<'a>> {
    let one = async |number: usize| {
        let user = stack.sign_up().await;
        let is_linked = number.is_multiple_of(LINKED);
        if is_linked {
            link(stack, &user, &format!("listener{number}")).await;
        }
        Listener::new(user, Dice::new(SEED + number as u64), uris, is_linked)
    };
    iter((0..LISTENERS).map(one)).buffer_unordered(AT_ONCE).collect().await
}
