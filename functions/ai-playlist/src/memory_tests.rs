//! Tests of generations with the catalogue memory.

use std::collections::BTreeMap;

use super::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

type Stored = Rc<RefCell<BTreeMap<String, Value>>>;

fn key(args: &Value, song: &Value) -> String {
    format!("{} {} {song}", args["p_market"], args["p_matcher"])
}

/// Returns upstreams with a database that remembers songs.
fn remembering(
    stored: &Stored,
    works: impl Fn(&OutboundRequest) -> FakeResponse + 'static,
) -> impl Fn(&OutboundRequest) -> FakeResponse + 'static {
    let stored = stored.clone();
    move |request| {
        let args = || serde_json::from_slice::<Value>(&request.body).unwrap();
        match request.url.rsplit('/').next().unwrap() {
            "recall_songs" => {
                let (args, stored) = (args(), stored.borrow());
                let songs = args["p_songs"].as_array().unwrap().iter();
                let entries =
                    songs.map(|song| stored.get(&key(&args, song)).cloned().unwrap_or_default());
                FakeResponse::json(200, &entries.collect())
            }
            "remember_songs" => {
                let args = args();
                for entry in args["p_entries"].as_array().unwrap() {
                    stored
                        .borrow_mut()
                        .insert(key(&args, &entry["song"]), entry["candidates"].clone());
                }
                FakeResponse::text(204, "text/plain", "")
            }
            _ => works(request),
        }
    }
}

fn searches(bench: &Bench) -> usize {
    bench.sent_to("/v1/search").len()
}

fn busy() -> FakeResponse {
    FakeResponse::json(429, &json!({})).with_header(header::RETRY_AFTER, "48925")
}

#[test]
fn second_generation_of_the_same_songs_searches_for_none() {
    let stored = Stored::default();
    let first = Bench::new(remembering(&stored, world(SONGS)));
    let second = Bench::new(remembering(&stored, world(SONGS)));
    let (fresh, remembered) = (
        first.json(&wish(3)).unwrap(),
        second.json(&wish(3)).unwrap(),
    );
    assert_eq!(fresh, remembered);
    assert_eq!((searches(&first), searches(&second)), (3, 0));
    assert_eq!(
        (
            second.sent_to("recall_songs").len(),
            second.sent_to("remember_songs").len()
        ),
        (1, 0)
    );
    let another = Bench::new(remembering(&stored, world(SONGS)));
    another
        .json(&json!({"prompt": "wieczór", "target_count": 3, "market": "PL"}))
        .unwrap();
    assert_eq!(searches(&another), 3, "another market is searched");
}

#[test]
fn songs_are_neither_read_nor_written_if_the_memory_is_switched_off() {
    let mut bench = Bench::new(world(SONGS));
    bench.forget();
    bench.json(&wish(3)).unwrap();
    assert_eq!(bench.sent_to("_songs").len(), 0);
}

#[test]
fn unavailable_or_poisoned_memory_changes_nothing() {
    let fresh = Bench::new(world(SONGS)).json(&wish(3)).unwrap();
    let evil = json!({"tracks": [{"recording": {"uri": "spotify:track:4uLU6hMCjMI75M1A2tKUQC", "title": "Other",
        "artists": ["Evil"], "album": "", "release_year": null, "duration_ms": 1, "explicit": false,
        "is_playable": true, "isrc": null}}],
        "by_field": 1, "is_complete": false, "is_any_playable": true});
    for answer in [
        FakeResponse::json(503, &json!({"message": "away"})),
        FakeResponse::json(200, &json!([evil.clone(), evil, {"tracks": "half"}])),
    ] {
        let works = world(SONGS);
        let bench = Bench::new(move |request| match request.url.ends_with("_songs") {
            true => answer.clone(),
            false => works(request),
        });
        assert_eq!(
            (bench.json(&wish(3)).unwrap(), searches(&bench)),
            (fresh.clone(), 3)
        );
    }
}

#[test]
fn rate_limited_generation_delivers_remembered_songs_and_reports_the_others() {
    const SIX: &[(&str, &str)] = &[
        ("Kult", "Arahja"),
        ("New", "Song"),
        ("Newer", "Song"),
        ("Hey", "Teksanski"),
        ("Newest", "Song"),
        ("Maanam", "Boskie Buenos"),
    ];
    let stored = Stored::default();
    Bench::new(remembering(&stored, world(SONGS)))
        .json(&wish(3))
        .unwrap();
    let limited = || {
        let works = world(SIX);
        move |request: &OutboundRequest| match request.url.contains("/v1/search") {
            true => busy(),
            false => works(request),
        }
    };
    let bench = Bench::new(remembering(&stored, limited()));
    let response = bench.ask("text/event-stream", &wish(6)).unwrap().unwrap();
    let Body::Stream(chunks) = response.into_body() else {
        panic!("no stream")
    };
    let chunks: Vec<Bytes> = bench.settle(chunks.collect()).unwrap();
    let text = String::from_utf8(chunks.concat()).unwrap();
    assert_eq!(text.matches("event: track").count(), 3, "{text}");
    assert!(
        text.contains(r#"{"artist":"New","reason":"lookup_failed","title":"Song"}"#),
        "{text}"
    );
    assert_eq!(
        (searches(&bench), bench.sent_to("chat/completions").len()),
        (1, 1)
    );
    assert_eq!(
        Bench::new(remembering(&Stored::default(), limited())).error(&wish(6)),
        Code::SpotifyRateLimited
    );
}

#[test]
fn remembers_songs_found_for_a_disconnected_client() {
    let (stored, works) = (Stored::default(), world(SONGS));
    let mut bench = Bench::new(remembering(&stored, move |request| {
        match request.url.contains("Boskie") {
            true => FakeResponse::Silence,
            false => works(request),
        }
    }));
    assert!(bench.ask("application/json", &wish(3)).is_none());
    assert!(
        stored.borrow().is_empty(),
        "nothing is written before the generation has ended"
    );
    bench.client_leaves.take().unwrap().send(()).unwrap();
    bench.settle(poll_fn(|_| std::task::Poll::<()>::Pending));
    assert_eq!(
        (bench.settled(), stored.borrow().len()),
        (vec!["failed".to_owned()], 2)
    );
}

/// Returns a catalogue with every version of a song, which either the search by field or only the one by words finds.
fn versions(request: &OutboundRequest) -> FakeResponse {
    let is_by_field = request.url.contains("track%3A");
    let item = |number: usize, title: &str, explicit: bool, year: &str| {
        json!({"uri": format!("spotify:track:{number:022}"), "name": title, "artists": [{"name": "Kult"}],
            "album": {"name": "An Album", "release_date": year}, "duration_ms": 1, "explicit": explicit})
    };
    let title = ["Arahja", "Celina", "Polska"]
        .into_iter()
        .position(|title| request.url.contains(title))
        .unwrap();
    let name = ["Arahja", "Celina", "Polska"][title];
    let all = [
        item(title * 10 + 1, &format!("{name} (Live)"), false, "1987"),
        item(title * 10 + 2, &format!("{name} - Acoustic"), false, "2001"),
        item(title * 10 + 3, name, true, "1987"),
        item(title * 10 + 4, name, false, "2015"),
        item(title * 10 + 5, "Another Song", false, "1987"),
    ];
    let found: Vec<_> = match (title, is_by_field) {
        (0, _) => all.to_vec(),
        (1, true) => all[..2].to_vec(),
        (1, false) => all[2..].to_vec(),
        (_, true) => vec![all[4].clone()],
        (_, false) => all[..1].to_vec(),
    };
    FakeResponse::json(200, &json!({"tracks": {"items": found}}))
}

#[test]
fn memory_of_other_users_does_not_change_the_playlist() {
    const KULT: &[(&str, &str)] = &[("Kult", "Arahja"), ("Kult", "Celina"), ("Kult", "Polska")];
    let wishes: Vec<Value> = (0..32)
        .map(|bits: u32| {
            let is = |bit: u32| bits & (1 << bit) != 0;
            let mut wish = json!({"prompt": if is(0) { "Kult live" } else { "Kult" }, "target_count": 3,
                "allow_explicit": is(1), "allow_versions": is(2)});
            if is(3) {
                wish["era"] = json!({"from": 2000, "to": 2020});
            }
            if is(4) {
                wish["market"] = json!("PL");
            }
            wish
        })
        .collect();
    let upstreams = || {
        let works = world(KULT);
        move |request: &OutboundRequest| match request.url.contains("/v1/search") {
            true => versions(request),
            false => works(request),
        }
    };
    let run = |stored: &Stored, wish: &Value| {
        let bench = Bench::new(remembering(stored, upstreams()));
        bench.json(wish).map_err(|error| error.code())
    };
    let stored = Stored::default();
    let fresh: Vec<_> = wishes
        .iter()
        .map(|wish| run(&Stored::default(), wish))
        .collect();
    assert!(fresh.iter().flatten().count() > 16, "{fresh:?}");
    // Each user follows every other user, in both orders.
    for round in [
        wishes.iter().zip(&fresh).collect::<Vec<_>>(),
        wishes.iter().zip(&fresh).rev().collect(),
    ] {
        for (wish, fresh) in round {
            assert_eq!(&run(&stored, wish), fresh, "{wish}");
        }
    }
    assert!(stored.borrow().len() <= 6);
}
