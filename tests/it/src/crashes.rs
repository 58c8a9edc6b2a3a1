//! PostgreSQL, the Supabase APIs and the functions are killed in the middle of the work, again and again, and come back:
//! nothing that was promised is lost, nothing is there by halves, and nobody pays for nothing.
//!
//! Some tens of listeners generate, edit, search, export and subscribe all the time, on a stack of the test's own with
//! the shared stack's simulators, which outlive it. `CRASHES_SEED` repeats a run.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use fastrand::Rng;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::generation::{FIVE, reply};
use crate::listener::{Listener, Load};
use crate::own_stack::{PATIENCE, Place, Running, descendants, eventually, functions_alone, signal};
use crate::promises;
use crate::runs::{seed, tell};
use crate::stack::Stack;

const LISTENERS: usize = 20;
const ROUNDS: usize = 5;
/// What dies in a round; every one dies in each run.
const PARTS: [&str; 3] = ["postgres", "supabase", "functions"];
/// A kill comes behind so many answers of its round.
const ANSWERS: usize = 50;
/// Long enough that some are under way at any time.
const MODEL_MS: u64 = 300;

/// The lines of an env file: all but the database is the shared stack's.
fn env(shared: &Stack) -> String {
    let own = functions_alone(shared, "");
    let own = own.lines().filter(|line| !line.starts_with("SUPABASE_")).map(|line| format!("{line}\n"));
    let redirect_uri = format!("SPOTIFY_REDIRECT_URI={}\n", shared.function("spotify-oauth/callback"));
    own.chain([redirect_uri]).collect()
}

/// Kills a part with all its processes, as losing power does.
fn kill(running: &Running, part: &str) {
    let pid = running.pid_of(part);
    for pid in std::iter::once(pid).chain(descendants(pid)) {
        signal("KILL", pid);
    }
}

/// Lets it work for a while, kills a part and starts all of it again.
async fn round(place: &Place, mut running: Running, part: &str, load: &Load, behind: usize) -> Running {
    let before = load.answered.load(Ordering::Relaxed);
    let is_time = async || load.answered.load(Ordering::Relaxed) >= before + behind;
    eventually("the listeners get answers", PATIENCE, is_time).await;
    let (under_way, failed) = (load.under_way.load(Ordering::Relaxed), load.failed.load(Ordering::Relaxed));
    let killed = Instant::now();
    kill(&running, part);
    assert!(under_way > 0, "nothing was under way when {part} was killed");
    assert!(!running.dev.ended().await.success());
    promises::log(place, &running.stack);
    drop(running);
    let running = place.start().await;
    let lost = load.failed.load(Ordering::Relaxed) - failed;
    let took = killed.elapsed();
    tell(
        "crashes",
        &format!(
            "{part} killed with {under_way} requests under way; all back in {took:?}, {lost} failed until then"
        ),
    );
    running
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_killed_under_load_nothing_is_lost_or_left_by_halves() {
    let begun = Instant::now();
    let mut rng = Rng::with_seed(seed("crashes", "CRASHES_SEED"));
    let shared = Stack::take().await;
    let place = Place::take().await;
    let mut script = reply(&FIVE);
    script["first_token_ms"] = json!(MODEL_MS);
    shared.llm_script(script).await;
    let mut running = place.start_with(&env(&shared)).await;
    let webhook = running.stack.function("stripe-webhook");
    shared.stripe(Method::PUT, "delivery", &json!({ "url": webhook })).await;

    let load = Arc::new(Load::default());
    let stack = Arc::new(Stack::of(running.stack.ready.clone()));
    let arriving = (0..LISTENERS).map(|number| Listener::arrive(&stack, &shared, &load, number, rng.fork()));
    let listeners = join_all(arriving).await;
    let working: Vec<_> =
        listeners.into_iter().map(|listener| tokio::spawn(listener.work(shared_url(&shared)))).collect();
    let further: Vec<_> = (PARTS.len()..ROUNDS).map(|_| rng.choice(PARTS).unwrap()).collect();
    for part in PARTS.into_iter().chain(further) {
        let behind = ANSWERS + rng.usize(..ANSWERS);
        running = round(&place, running, part, &load, behind).await;
    }
    load.is_over.store(true, Ordering::Relaxed);
    let mut listeners: Vec<Listener> =
        join_all(working).await.into_iter().map(|listener| listener.unwrap()).collect();

    promises::deliver_all(&shared).await;
    for listener in &mut listeners {
        listener.complete().await;
    }
    promises::everything(&running.stack, &shared, &listeners).await;
    promises::log(&place, &running.stack);
    let (answered, failed) = (load.answered.load(Ordering::Relaxed), load.failed.load(Ordering::Relaxed));
    let saved: usize = listeners.iter().map(|listener| listener.saved.len()).sum();
    tell(
        "crashes",
        &format!(
            "{ROUNDS} kills, {answered} answers, {failed} failures; {saved} playlists saved, 0 lost, 0 by halves in {:?}",
            begun.elapsed()
        ),
    );
    // For the tests behind this one.
    shared.stripe(Method::POST, "reset", &Value::Null).await;
}

fn shared_url(shared: &Stack) -> String {
    shared.url("/simulators/stripe").to_owned()
}
