//! One user who floods the data API, and another who reads meanwhile.

use std::cell::Cell;
use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use reqwest::Method;
use serde_json::json;

use crate::spotify::{playlist, some_tracks};
use crate::stack::{Stack, User};

const WRITERS: usize = 40;
const WAVES: usize = 5;
const QUIET_READS: usize = 40;
/// How many times as long as in quiet a read may take.
const MOST_RATIO: f64 = 10.0;

async fn read(stack: &Stack, user: &User) -> Duration {
    let began = Instant::now();
    let rows = stack.rows(Some(user), "playlists?select=*,playlist_tracks(*)").await;
    assert_eq!(rows.len(), 1);
    began.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forty_writers_of_one_playlist_leave_a_neighbours_read_below_ten_times_its_quiet_time() {
    let stack = Stack::take().await;
    let (flooder, neighbour) = (stack.sign_up().await, stack.sign_up().await);
    let uris = some_tracks(&stack, 100).await;
    let flooded = playlist(&stack, &flooder, "Flood", &uris).await;
    playlist(&stack, &neighbour, "Evening", &uris[..10]).await;
    let mut quiet = Vec::new();
    for _ in 0..QUIET_READS {
        quiet.push(read(&stack, &neighbour).await);
    }

    let is_over = Cell::new(false);
    let flood = async {
        let body = json!({"playlist_id": flooded, "from_position": 1, "to_position": 100});
        let mut answers = Vec::new();
        for _ in 0..WAVES {
            let write = || stack.rest(Method::POST, "rpc/move_track", Some(&flooder), Some(&body));
            answers.extend(join_all((0..WRITERS).map(|_| write())).await);
        }
        is_over.set(true);
        answers
    };
    let reads = async {
        let mut times = Vec::new();
        while !is_over.get() {
            times.push(read(&stack, &neighbour).await);
        }
        times
    };
    let (answers, flooded) = join(flood, reads).await;
    for (status, body) in &answers {
        let told = format!("{status} {}", body["code"].as_str().unwrap_or("done"));
        let known = ["200 done", "429 too_many_attempts", "503 too_many_at_once"];
        assert!(known.contains(&told.as_str()), "{status} {body}");
    }
    let count = |status: u16| answers.iter().filter(|answer| answer.0 == status).count();
    let (quiet, flooded) = (median(quiet), median(flooded));
    let ratio = flooded.as_secs_f64() / quiet.as_secs_f64();
    println!(
        "{WRITERS} writers, {} done, {} too many at once: a neighbour's read took {flooded:?} instead of {quiet:?}, {ratio:.1} times",
        count(200),
        count(503)
    );
    assert!(count(200) > 0 && count(503) > 0);
    assert!(ratio < MOST_RATIO, "{ratio:.1} times as long");
}
