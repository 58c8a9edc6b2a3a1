//! Two hundred users at once for a minute; afterwards everything that was acknowledged is there, and nothing has failed.

mod neighbour;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use fastrand::Rng;
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::iter;
use serde_json::json;

use crate::listener::{Listener, Load};
use crate::promises;
use crate::stack::Stack;

const LISTENERS: usize = 200;
const DURATION: Duration = Duration::from_secs(60);
/// Until here instances are made, caches are filled and what is hot is compiled.
const WARM_UP: u64 = 20;
/// A user reads, and thinks, before the next thing.
const PAUSE_MS: std::ops::Range<u64> = 1_000..6_000;
/// How many sign up at once.
const AT_ONCE: usize = 8;
const SEED: u64 = 11;
/// How much larger the runtime may be at the end than after the warm-up, once it has settled.
const MOST_GROWTH: u64 = 25;
/// What the runtime may grow to before its garbage collectors hold it there, with nine isolates in one process: 570 MiB
/// were seen after 25,000 requests, and 564 after 20,000 more.
const SETTLED_KIB: u64 = 640 * 1024;

/// The resident memory of a process in KiB, where the system tells.
fn memory_of(pid: u64) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    resident.trim().trim_end_matches(" kB").parse().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_listeners_for_a_minute_lose_nothing() {
    let stack = Arc::new(Stack::take().await);
    stack.spotify_latency(json!({"search_ms": 10, "token_ms": 10, "jitter_ms": 5})).await;
    let load = Arc::new(Load { pause_ms: PAUSE_MS, ..Load::default() });
    let mut rng = Rng::with_seed(SEED);
    let arriving = (0..LISTENERS).map(|number| Listener::arrive(&stack, &stack, &load, number, rng.fork()));
    let arriving: Vec<_> = arriving.collect();
    let listeners: Vec<_> = iter(arriving).buffer_unordered(AT_ONCE).collect().await;

    let stripe = stack.url("/simulators/stripe").to_owned();
    let working: Vec<_> =
        listeners.into_iter().map(|listener| tokio::spawn(listener.work(stripe.clone()))).collect();
    let runtime = stack.ready["pids"]["functions"].as_u64().unwrap();
    let (began, mut memory) = (Instant::now(), BTreeMap::new());
    for second in 1..=DURATION.as_secs() {
        tokio::time::sleep_until((began + Duration::from_secs(second)).into()).await;
        memory.extend(memory_of(runtime).map(|kib| (second, kib)));
    }
    load.is_over.store(true, Ordering::Relaxed);
    let mut listeners: Vec<Listener> =
        join_all(working).await.into_iter().map(|listener| listener.unwrap()).collect();

    let answered = load.answered.load(Ordering::Relaxed);
    let kib = memory.values().next_back();
    println!("load: {answered} answers in {DURATION:?}; the runtime has {kib:?} KiB");
    let failures = load.failures.lock().unwrap().clone();
    assert!(failures.is_empty(), "{failures:?}");
    promises::deliver_all(&stack).await;
    for listener in &mut listeners {
        listener.complete().await;
    }
    promises::everything(&stack, &stack, &listeners).await;
    // The most within ten seconds: memory goes up and down with the garbage collector.
    let most = |until: u64| memory.range(until.saturating_sub(9)..=until).map(|(_, kib)| *kib).max();
    if let (Some(before), Some(now)) = (most(WARM_UP), most(DURATION.as_secs())) {
        let is_flat = now * 100 <= before * (100 + MOST_GROWTH) || now <= SETTLED_KIB;
        assert!(is_flat, "the runtime grew from {before} to {now} KiB");
    }
}
