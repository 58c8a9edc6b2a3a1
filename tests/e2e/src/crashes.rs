//! PostgreSQL, the Supabase APIs and the functions are killed under load, again and again, and come back: nothing that was
//! confirmed is lost, nothing is saved by half, and nothing is charged that was not delivered.
//!
//! Users generate, edit, search, export and subscribe all the time, on a stack of the test's own with the shared stack's
//! simulators, which outlive it. `CRASHES_SEED` repeats a run.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use fastrand::Rng;
use reqwest::Method;
use serde_json::{Value, json};

use crate::generation::after_ms;
use crate::invariants::assert_log;
use crate::own_stack::{Place, Running, descendants, eventually, functions_alone, signal};
use crate::runs::{seed, tell};
use crate::stack::Stack;
use crate::virtual_user::{Crowd, Load};

const USERS: usize = 20;
const ROUNDS: usize = 5;
const PARTS: [&str; 3] = ["postgres", "supabase", "functions"];
/// Each round kills after this many responses, or up to twice as many.
const RESPONSES: usize = 50;
/// Long enough that some generations are under way at any time.
const MODEL_MS: u64 = 300;

/// The lines of an env file: everything but the database belongs to the shared stack.
fn env(shared: &Stack) -> String {
    let own = functions_alone(shared, "");
    let own = own.lines().filter(|line| !line.starts_with("SUPABASE_")).map(|line| format!("{line}\n"));
    let redirect_uri = format!("SPOTIFY_REDIRECT_URI={}\n", shared.function("spotify-oauth/callback"));
    own.chain([redirect_uri]).collect()
}

/// Lets the users work for a while, kills a part with all its processes, and starts everything again.
async fn round(place: &Place, mut running: Running, part: &str, load: &Load, after: usize) -> Running {
    let before = load.responses.load(Ordering::Relaxed);
    let is_time = async || {
        load.responses.load(Ordering::Relaxed) >= before + after && load.under_way.load(Ordering::Relaxed) > 0
    };
    eventually("the users get responses and wait for more", is_time).await;
    let (under_way, failed) = (load.under_way.load(Ordering::Relaxed), load.failed());
    let killed = Instant::now();
    let pid = running.pid_of(part);
    for pid in std::iter::once(pid).chain(descendants(pid)) {
        signal("KILL", pid);
    }
    assert!(!running.dev.ended().await.success());
    assert_log(place, &running.stack);
    drop(running);
    let running = place.start().await;
    let (took, lost) = (killed.elapsed(), load.failed() - failed);
    tell(
        "crashes",
        &format!("{part} killed with {under_way} requests under way, {lost} failed; back in {took:?}"),
    );
    running
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_under_load_lose_nothing_and_save_nothing_partially() {
    let started = Instant::now();
    let mut rng = Rng::with_seed(seed("crashes", "CRASHES_SEED"));
    let shared = Stack::take().await;
    let place = Place::take().await;
    shared.llm_script(after_ms(MODEL_MS)).await;
    let mut running = place.start_with(&env(&shared)).await;
    let webhook = running.stack.function("stripe-webhook");
    shared.stripe(Method::PUT, "delivery", json!({"url": webhook})).await;
    let load = Arc::new(Load::default());
    let stack = Arc::new(Stack::of(running.stack.ready.clone()));
    let crowd = Crowd::start(&stack, &shared, &load, USERS, &mut rng).await;
    let further: Vec<_> = (PARTS.len()..ROUNDS).map(|_| rng.choice(PARTS).unwrap()).collect();
    for part in PARTS.into_iter().chain(further) {
        let after = RESPONSES + rng.usize(..RESPONSES);
        running = round(&place, running, part, &load, after).await;
    }
    let users = crowd.finish(&running.stack, &shared, &load).await;
    assert_log(&place, &running.stack);
    let (responses, failed) = (load.responses.load(Ordering::Relaxed), load.failed());
    let (saved, took) = (users.iter().map(|user| user.saved.len()).sum::<usize>(), started.elapsed());
    tell(
        "crashes",
        &format!("{ROUNDS} kills, {responses} responses, {failed} failures, {saved} saved in {took:?}"),
    );
    // For the tests after this one.
    shared.stripe(Method::POST, "reset", Value::Null).await;
}
