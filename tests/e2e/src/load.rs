//! Two hundred concurrent users for a minute: no request fails, and everything confirmed is stored.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use fastrand::Rng;
use futures_util::future::{join, join_all};
use reqwest::Method;
use serde_json::json;

use crate::spotify::{playlist, some_tracks};
use crate::stack::{Stack, User};
use crate::virtual_user::{Crowd, Load};

const USERS: usize = 200;
const DURATION: Duration = Duration::from_secs(60);
/// The warm-up: instances start, caches fill and hot code is compiled.
const WARM_UP: u64 = 20;
const PAUSE_MS: std::ops::Range<u64> = 1_000..6_000;
/// How much the runtime may grow after the warm-up, in percent.
const MAX_GROWTH: u64 = 25;
/// Memory that nine isolates in one process reach before their garbage collectors limit it: 570 MiB after 25,000
/// requests, and 564 after 20,000 more.
const SETTLED_KIB: u64 = 640 * 1024;

/// The resident memory of a process in KiB; `None` where the system does not show it.
fn memory_of(pid: u64) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    resident.trim().trim_end_matches(" kB").parse().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_users_for_a_minute_lose_nothing() {
    let stack = Arc::new(Stack::take().await);
    let latency = json!({"search_ms": 10, "token_ms": 10, "jitter_ms": 5});
    stack.spotify(Method::PUT, "latency", latency).await;
    let load = Arc::new(Load { pause_ms: PAUSE_MS, ..Load::default() });
    let crowd = Crowd::start(&stack, &stack, &load, USERS, &mut Rng::with_seed(11)).await;
    let runtime = stack.ready["pids"]["functions"].as_u64().unwrap();
    let (began, mut memory) = (Instant::now(), BTreeMap::new());
    for second in 1..=DURATION.as_secs() {
        tokio::time::sleep_until((began + Duration::from_secs(second)).into()).await;
        memory.extend(memory_of(runtime).map(|kib| (second, kib)));
    }
    let (responses, kib) = (load.responses.load(Ordering::Relaxed), memory.values().next_back());
    println!("load: {responses} responses in {DURATION:?}; the runtime has {kib:?} KiB");
    crowd.finish(&stack, &stack, &load).await;
    let failures = load.failures.lock().unwrap().clone();
    assert!(failures.is_empty(), "{failures:?}");
    // The most within ten seconds: memory goes up and down with the garbage collector.
    let most = |until: u64| memory.range(until.saturating_sub(9)..=until).map(|(_, kib)| *kib).max();
    if let (Some(before), Some(after)) = (most(WARM_UP), most(DURATION.as_secs())) {
        let is_flat = after * 100 <= before * (100 + MAX_GROWTH) || after <= SETTLED_KIB;
        assert!(is_flat, "the runtime grew from {before} to {after} KiB");
    }
}

/// While another user floods the data API, a read may take this many times its quiet time.
const MOST_RATIO: f64 = 10.0;

async fn timed_read(stack: &Stack, user: &User) -> Duration {
    let began = Instant::now();
    assert_eq!(stack.rows(user, "playlists?select=*,playlist_tracks(*)").await.len(), 1);
    began.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flood_of_one_user_leaves_anothers_reads_below_ten_times_their_quiet_time() {
    let stack = Stack::take().await;
    let (flooder, neighbour) = (stack.sign_up().await, stack.sign_up().await);
    let uris = some_tracks(&stack, 100).await;
    let flooded = playlist(&stack, &flooder, "Flood", &uris).await;
    playlist(&stack, &neighbour, "Evening", &uris[..10]).await;
    let mut quiet = Vec::new();
    for _ in 0..40 {
        quiet.push(timed_read(&stack, &neighbour).await);
    }
    let write = |n: usize| {
        let body = json!({"playlist_id": flooded, "track_uri": uris[n]});
        stack.rest(Method::POST, "rpc/move_track", &flooder, body)
    };
    let is_over = std::cell::Cell::new(false);
    let flood = async {
        let mut statuses = Vec::new();
        for _ in 0..5 {
            statuses.extend(join_all((0..40).map(write)).await.iter().map(|response| response.status));
        }
        is_over.set(true);
        statuses
    };
    let reads = async {
        let mut times = Vec::new();
        while !is_over.get() {
            times.push(timed_read(&stack, &neighbour).await);
        }
        times
    };
    let (statuses, during) = join(flood, reads).await;
    assert!(statuses.iter().all(|status| [200, 429, 503].contains(status)), "{statuses:?}");
    assert!(statuses.contains(&200) && statuses.contains(&503), "{statuses:?}");
    let (quiet, during) = (median(quiet), median(during));
    println!("load: a neighbour's read takes {during:?} during a flood and {quiet:?} without");
    assert!(during.as_secs_f64() < MOST_RATIO * quiet.as_secs_f64(), "{during:?} instead of {quiet:?}");
}
