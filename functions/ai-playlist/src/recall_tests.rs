//! Tests of the batches in which the memory is queried.

use std::rc::Rc;

use futures_util::future::{Either, join_all, select};
use serde_json::{Value, json};
use shared::config::ConfigError;
use shared::fakes::{FakeHttp, FakeResponse, SharedClock};
use shared::supabase::{Supabase, SupabaseConfig};

use super::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn database() -> Result<SupabaseConfig, ConfigError> {
    SupabaseConfig::from_env(|name| match name {
        "SUPABASE_URL" => Some("https://db.example".to_owned()),
        "SUPABASE_PUBLISHABLE_KEY" => Some("sb_publishable_x".to_owned()),
        "SUPABASE_SECRET_KEY" => Some("sb_secret_x".to_owned()),
        _ => None,
    })
}

fn song(number: u64) -> Suggestion {
    Suggestion {
        artist: "kult".into(),
        title: number.to_string(),
        year: None,
    }
}

fn asked(request: &shared::runtime::http_client::OutboundRequest) -> Vec<String> {
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let songs = body["p_songs"].as_array().unwrap().iter();
    songs
        .map(|song| {
            song.as_str()
                .unwrap()
                .trim_start_matches("kult\n")
                .to_owned()
        })
        .collect()
}

/// A time, a song that is requested then, and whether it is urgent.
type Requested = (u64, u64, bool);

/// Returns the batches and the virtual milliseconds at which all songs had their results. `songs` are requested at
/// their times; a pause follows if `pauses`.
fn read_batches(
    songs: &[Requested],
    pauses: bool,
    available: usize,
    respond: impl Fn(usize) -> FakeResponse + 'static,
) -> (Vec<Vec<String>>, u64) {
    let clock = SharedClock::at_ms(1_000);
    let http = FakeHttp::responding(move |request| respond(asked(request).len()));
    let config = database().unwrap();
    let memory = Memory::new(Supabase::new(&config, &http).service(), &clock, None);
    let (recall, mut recaller) = Recaller::new(memory, &clock, available);
    let expecting = async {
        let mut last_ms = 0;
        let mut expected = Vec::new();
        for (at_ms, number, is_urgent) in songs {
            if *at_ms > last_ms {
                clock.sleep_ms(at_ms - last_ms).await;
            }
            last_ms = *at_ms;
            recall.expect(&song(*number), *is_urgent);
            expected.push(song(*number));
        }
        if pauses {
            recall.pause();
        }
        join_all(expected.iter().map(|song| recall.entry(song))).await;
        clock.now_ms() - 1_000
    };
    let both = select(Box::pin(expecting), Box::pin(recaller.run()));
    let ended = clock.run(vec![both]).remove(0);
    let Either::Left((ended_ms, _)) = ended;
    (http.requests().iter().map(asked).collect(), ended_ms)
}

fn nothing(count: usize) -> FakeResponse {
    FakeResponse::json(200, &json!(vec![Value::Null; count]))
}

#[test]
fn urgent_songs_are_looked_up_at_once_and_others_in_batches() {
    for (songs, expected, ended) in [
        (&[(0, 1, true), (0, 2, false)][..], &["1 2"][..], 0),
        (
            &[
                (0, 1, true),
                (9, 2, false),
                (9, 3, false),
                (9, 4, false),
                (20, 5, false),
                (21, 6, false),
            ],
            &["1", "2 3 4 5 6"],
            21,
        ),
        (
            &[
                (0, 1, true),
                (9, 2, false),
                (258, 3, false),
                (260, 4, false),
            ],
            &["1", "2 3", "4"],
            510,
        ),
        (
            &[(0, 1, true), (9, 2, true), (58, 3, true), (60, 4, true)],
            &["1", "2 3", "4"],
            110,
        ),
        (
            &[(0, 1, true), (9, 2, false), (90, 3, true), (91, 4, true)],
            &["1", "2 3", "4"],
            141,
        ),
    ] {
        let (batches, ended_ms) = read_batches(songs, false, 1_000, nothing);
        let batches: Vec<_> = batches.iter().map(|songs| songs.join(" ")).collect();
        assert_eq!(
            (batches, ended_ms),
            (expected.iter().map(ToString::to_string).collect(), ended)
        );
    }
}

#[test]
fn pause_or_fifty_songs_end_a_batch() {
    let few = [(0, 1, true), (10, 2, false), (20, 3, false)];
    let (batches, ended_ms) = read_batches(&few, true, 1_000, nothing);
    assert_eq!((batches.len(), ended_ms), (2, 20));
    let many: Vec<_> = (0..120).map(|number| (0, number, false)).collect();
    let (batches, _) = read_batches(&many, true, 1_000, nothing);
    assert_eq!(
        batches.iter().map(Vec::len).collect::<Vec<_>>(),
        [50, 50, 20]
    );
}

#[test]
fn failing_memory_is_not_used_again() {
    let songs = [(0, 1, true), (100, 2, false), (2_000, 3, false)];
    for (answer, ended_ms) in [
        (FakeResponse::json(500, &json!({"message": "down"})), 2_000),
        (FakeResponse::json(200, &json!([])), 2_000),
        (FakeResponse::json(200, &json!({"code": "x"})), 2_000),
        (FakeResponse::text(200, "text/html", "<h1>Hi</h1>"), 2_000),
        (FakeResponse::Silence, 2_000),
    ] {
        let answer = Rc::new(answer);
        let (batches, at_ms) = read_batches(&songs, false, 1_000, move |_| answer.as_ref().clone());
        assert_eq!((batches, at_ms), (vec![vec!["1".to_owned()]], ended_ms));
    }
    let silent = read_batches(&[(0, 1, true)], false, 1_000, |_| FakeResponse::Silence);
    assert_eq!(silent.1, 1_000, "a silent memory is waited for once");
}

#[test]
fn memory_uses_at_most_an_eighth_of_the_requests() {
    let songs: Vec<_> = (0..9).map(|number| (number * 100, number, true)).collect();
    for (available, batches) in [(7, 0), (8, 1), (31, 3), (1_000, 9)] {
        assert_eq!(
            read_batches(&songs, true, available, nothing).0.len(),
            batches,
            "{available}"
        );
    }
}
