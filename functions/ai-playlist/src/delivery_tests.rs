//! Tests that sent tracks are charged and kept, however the request ends.

use std::cell::Cell;

use super::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const TWELVE: &[(&str, &str)] = &[
    ("A", "Aa"),
    ("B", "Bb"),
    ("C", "Cc"),
    ("D", "Dd"),
    ("E", "Ee"),
    ("F", "Ff"),
    ("G", "Gg"),
    ("H", "Hh"),
    ("I", "Ii"),
    ("J", "Jj"),
    ("K", "Kk"),
    ("L", "Ll"),
];

/// Returns upstreams in which `found` songs are found and the search for the next one never ends.
pub(super) fn stuck_after(
    found: usize,
    delivered: FakeResponse,
) -> impl Fn(&OutboundRequest) -> FakeResponse {
    let (works, searches) = (world(TWELVE), Cell::new(0));
    move |request| match request.url.as_str() {
        url if url.ends_with("rpc/ai_deliver") => delivered.clone(),
        url if url.ends_with("rpc/save_generated_playlist") => FakeResponse::json(
            200,
            &json!({"outcome": "saved", "playlist_id": USER, "version": 1, "name": "Wieczór", "quota": quota()}),
        ),
        url if url.contains("/v1/search") => {
            searches.set(searches.get() + 1);
            if searches.get() > found {
                FakeResponse::Silence
            } else {
                works(request)
            }
        }
        _ => works(request),
    }
}

pub(super) fn delivered() -> FakeResponse {
    FakeResponse::json(200, &json!({"outcome": "delivered"}))
}

/// Returns how many tracks are sent before the generation is stuck. Then the client leaves.
pub(super) fn tracks_until_stuck(bench: &Bench, body: &Value) -> usize {
    let response = bench.ask("text/event-stream", body).unwrap().unwrap();
    let Body::Stream(mut chunks) = response.into_body() else {
        panic!("no stream")
    };
    let mut text = Vec::new();
    while let Some(Some(chunk)) = bench.settle(chunks.next()) {
        text.extend_from_slice(&chunk);
    }
    drop(chunks);
    bench.settle(poll_fn(|_| std::task::Poll::<()>::Pending));
    String::from_utf8(text)
        .unwrap()
        .matches("event: track")
        .count()
}

#[test]
fn lost_client_is_charged_for_a_delivery_and_keeps_it() {
    // Four of twelve are enough.
    for (found, deliveries, settled) in [(3, 0, "failed"), (4, 1, "succeeded"), (7, 1, "succeeded")]
    {
        let bench = Bench::new(stuck_after(found, delivered()));
        assert_eq!(tracks_until_stuck(&bench, &wish(12)), found);
        assert_eq!(bench.sent_to("rpc/ai_deliver").len(), deliveries, "{found}");
        assert_eq!(bench.settled(), [settled], "{found}");
        let settling = bench.sent_to("rpc/ai_settle").remove(0);
        let kept = settling["p_result"]["tracks"]
            .as_array()
            .map_or(0, Vec::len);
        assert_eq!(kept, if settled == "succeeded" { found } else { 0 });
        if kept > 0 {
            assert_eq!(settling["p_result"]["stop_reason"], "interrupted");
            assert_eq!(
                bench.sent_to("rpc/ai_deliver")[0]["p_tracks"]
                    .as_array()
                    .unwrap()
                    .len(),
                found
            );
        }
    }
}

#[test]
fn saves_the_playlist_of_a_disconnected_client() {
    let bench = Bench::new(stuck_after(5, delivered()));
    let mut body = wish(12);
    body["save"] = json!(true);
    assert_eq!(tracks_until_stuck(&bench, &body), 5);
    assert_eq!(
        bench.sent_to("save_generated_playlist")[0]["p_tracks"]
            .as_array()
            .unwrap()
            .len(),
        5
    );
    assert_eq!(bench.settled(), Vec::<String>::new());
}

#[test]
fn charges_before_it_sends() {
    let expired = FakeResponse::json(200, &json!({"outcome": "expired", "quota": quota()}));
    for answer in [FakeResponse::Silence, expired.clone()] {
        let (stuck, expired) = (stuck_after(5, answer), expired.clone());
        let bench = Bench::new(move |request| match request.url.ends_with("ai_settle") {
            true => expired.clone(),
            false => stuck(request),
        });
        assert_eq!(tracks_until_stuck(&bench, &wish(12)), 0);
    }
}

#[test]
fn failed_charge_ends_the_generation_with_the_tracks_so_far() {
    let bench = Bench::new(stuck_after(
        5,
        FakeResponse::json(400, &json!({"code": "22P05", "message": "no"})),
    ));
    let response = bench.ask("text/event-stream", &wish(12)).unwrap().unwrap();
    let Body::Stream(chunks) = response.into_body() else {
        panic!("no stream")
    };
    let chunks: Vec<Bytes> = bench.settle(chunks.collect()).unwrap();
    let text = String::from_utf8(chunks.concat()).unwrap();
    assert_eq!(
        (
            text.matches("event: track").count(),
            text.matches("event: done").count()
        ),
        (5, 1),
        "{text}"
    );
    assert_eq!(bench.settled(), ["succeeded"]);
}

#[test]
fn abandoned_json_response_is_not_charged() {
    let mut bench = Bench::new(stuck_after(7, delivered()));
    assert!(bench.ask("application/json", &wish(12)).is_none());
    bench.client_leaves.take().unwrap().send(()).unwrap();
    bench.settle(poll_fn(|_| std::task::Poll::<()>::Pending));
    assert_eq!(
        (bench.sent_to("rpc/ai_deliver").len(), bench.settled()),
        (0, vec!["failed".to_owned()])
    );
}

#[test]
fn playlist_over_the_limit_is_delivered_unsaved() {
    let works = world(SONGS);
    let bench = Bench::new(
        move |request| match request.url.contains("save_generated_playlist") {
            true => FakeResponse::json(200, &json!({"outcome": "playlist_limit"})),
            false => works(request),
        },
    );
    let mut body = wish(3);
    body["save"] = json!(true);
    let done = bench.json(&body).unwrap();
    assert_eq!(
        (&done["not_saved"], &done["playlist_id"]),
        (&json!("playlist_limit_reached"), &Value::Null)
    );
    assert_eq!(
        (done["tracks"].as_array().unwrap().len(), bench.settled()),
        (3, vec!["succeeded".to_owned()])
    );
}

#[test]
fn repeat_returns_and_saves_what_was_delivered() {
    let track = json!({"track_uri": "spotify:track:1", "title": "Arahja", "artist": "Kult", "album": null,
        "duration_ms": 1000, "explicit": false});
    let whole = json!({"name": "Rain", "description": "d", "summary": "s", "stop_reason": "completed", "tracks": [track]});
    let cut = json!({"tracks": [track]});
    let limit = json!({"outcome": "playlist_limit"});
    let saved = json!({"outcome": "saved", "playlist_id": USER, "version": 1, "name": "Rain (2)", "quota": quota()});
    for (kept, save, saving, name, stop_reason, id, not_saved) in [
        (
            &whole,
            false,
            &limit,
            "Rain",
            "completed",
            Value::Null,
            Value::Null,
        ),
        (
            &cut,
            false,
            &limit,
            "wieczór",
            "interrupted",
            Value::Null,
            Value::Null,
        ),
        (
            &cut,
            true,
            &saved,
            "Rain (2)",
            "interrupted",
            json!(USER),
            Value::Null,
        ),
        (
            &whole,
            true,
            &limit,
            "Rain",
            "completed",
            Value::Null,
            json!("playlist_limit_reached"),
        ),
    ] {
        let works = world(SONGS);
        let reserved = json!({"outcome": "finished", "quota": quota(), "delivered": kept});
        let saving = saving.clone();
        let bench = Bench::new(
            move |request| match request.url.rsplit('/').next().unwrap() {
                "ai_reserve" => FakeResponse::json(200, &reserved),
                "save_generated_playlist" => FakeResponse::json(200, &saving),
                _ => works(request),
            },
        );
        let mut body = wish(12);
        body["save"] = json!(save);
        let done = bench.json(&body).unwrap();
        assert_eq!(
            (&done["name"], &done["stop_reason"]),
            (&json!(name), &json!(stop_reason))
        );
        assert_eq!(
            (&done["playlist_id"], &done["not_saved"]),
            (&id, &not_saved)
        );
        assert_eq!(
            (&done["tracks"][0]["title"], &done["count"]),
            (&json!("Arahja"), &json!(1))
        );
        assert_eq!(bench.sent_to("chat/completions").len(), 0);
    }
}

#[test]
fn limits_number_and_length_of_misses() {
    let words: Vec<(String, String)> = (0..20)
        .map(|n| (format!("{n} {}", "word ".repeat(40)), format!("{n}\nline")))
        .collect();
    let songs: Vec<(&str, &str)> = words
        .iter()
        .map(|(artist, title)| (artist.as_str(), title.as_str()))
        .collect();
    let (works, said) = (world(&[]), completion(&songs));
    let bench = Bench::new(move |request| match request.url.as_str() {
        url if url.contains("/v1/search") => {
            FakeResponse::json(200, &json!({"tracks": {"items": []}}))
        }
        url if url.ends_with("/chat/completions") => said.clone(),
        _ => works(request),
    });
    let response = bench.ask("text/event-stream", &wish(12)).unwrap().unwrap();
    let Body::Stream(chunks) = response.into_body() else {
        panic!("no stream")
    };
    let chunks: Vec<Bytes> = bench.settle(chunks.collect()).unwrap();
    let text = String::from_utf8(chunks.concat()).unwrap();
    let misses: Vec<_> = text
        .lines()
        .filter(|line| line.contains("\"reason\""))
        .collect();
    assert_eq!(misses.len(), 5, "{text}");
    assert!(
        misses
            .iter()
            .all(|miss| miss.len() < 200 && !miss.contains("\\n")),
        "{misses:?}"
    );
}
