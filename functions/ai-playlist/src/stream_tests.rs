//! Tests of the stream, of disconnecting clients and of the log line.

use super::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn disconnected_client_ends_the_generation_as_failed() {
    let mut bench = with_silent_model();
    assert!(bench.ask("application/json", &wish(3)).is_none());
    assert_eq!(bench.settled(), Vec::<String>::new());
    bench.client_leaves.take().unwrap().send(()).unwrap();
    bench.settle(poll_fn(|_| std::task::Poll::<()>::Pending));
    assert_eq!(bench.settled(), ["failed"]);
}

#[test]
fn unread_stream_ends_the_generation_as_failed() {
    let bench = with_silent_model();
    let response = bench.ask("text/event-stream", &wish(3)).unwrap().unwrap();
    drop(response);
    bench.settle(poll_fn(|_| std::task::Poll::<()>::Pending));
    assert_eq!(bench.settled(), ["failed"]);
}

#[test]
fn silent_stream_gets_a_ping_every_five_seconds() {
    let bench = with_silent_model();
    let response = bench.ask("text/event-stream", &wish(3)).unwrap().unwrap();
    let Body::Stream(mut chunks) = response.into_body() else {
        panic!("no stream")
    };
    let mut sent = || {
        let mut text = Vec::new();
        while let Some(Some(chunk)) = bench.settle(chunks.next()) {
            text.extend_from_slice(&chunk);
        }
        String::from_utf8(text).unwrap()
    };
    assert!(!sent().contains(": ping"));
    for _ in 0..2 {
        bench.clock.advance_ms(5_000);
        assert_eq!(sent(), ": ping\n\n");
    }
}

#[test]
fn prompt_without_a_completion_has_its_cost_recorded_once() {
    let recorded = |client_leaves: bool| {
        let mut bench = with_silent_model();
        let priced = |name: &str| match name {
            "LLM_PRICE_IN" => Some("1000".to_owned()),
            _ => config(name),
        };
        bench.context.config = Rc::new(Config::from_env(priced).unwrap());
        if !client_leaves {
            bench.clock = FakeClock::hurrying(NOW_MS);
            bench.context.clock = Rc::new(bench.clock.clone());
        }
        drop(bench.ask("text/event-stream", &wish(3)).unwrap().unwrap());
        bench.settle(poll_fn(|_| std::task::Poll::<()>::Pending));
        let settling = bench.sent_to("rpc/ai_settle").remove(0);
        let cost = settling["p_cost"].as_str().unwrap().parse::<f64>();
        (settling["p_status"].clone(), cost.unwrap())
    };
    let (left, late) = (recorded(true), recorded(false));
    assert_eq!((left.0, late.0), (json!("failed"), json!("timeout")));
    assert!(left.1 > 0.0 && left.1 == late.1, "{} {}", left.1, late.1);
}

#[test]
fn sends_simultaneous_events_as_one_chunk() {
    let bench = Bench::new(world(SONGS));
    let response = bench.ask("text/event-stream", &wish(3)).unwrap().unwrap();
    let Body::Stream(chunks) = response.into_body() else {
        panic!("no stream")
    };
    let pieces: Vec<Bytes> = bench.settle(chunks.collect()).unwrap();
    let [piece] = pieces.try_into().unwrap();
    assert_eq!(
        piece
            .split(|byte| *byte == b'\n')
            .filter(|line| line.starts_with(b"event: "))
            .count(),
        7
    );
}

#[test]
fn stream_ends_with_done_and_one_log_line() {
    let bench = Bench::new(world(SONGS));
    let response = bench.ask("text/event-stream", &wish(3)).unwrap().unwrap();
    let Body::Stream(chunks) = response.into_body() else {
        panic!("no stream")
    };
    let chunks: Vec<Bytes> = bench.settle(chunks.collect()).unwrap();
    let text = String::from_utf8(chunks.concat()).unwrap();
    let names: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("event: "))
        .collect();
    assert_eq!(
        names,
        ["stage", "stage", "stage", "track", "track", "track", "done"]
    );
    assert_eq!(bench.log.lines().len(), 1);
    assert!(
        bench.log.lines()[0].contains("\"found\":3"),
        "{:?}",
        bench.log.lines()
    );
}

#[test]
fn log_line_has_the_outcome_and_the_upstreams_of_a_generation() {
    let line = Bench::new(world(SONGS)).line(&wish(3));
    assert_eq!(
        (&line["quota"], &line["found"], &line["target"]),
        (&json!("charged"), &json!(3), &json!(3))
    );
    let calls = |name: &str| line["upstreams"][name]["calls"].clone();
    assert_eq!(
        (calls("auth"), calls("database"), calls("model")),
        (json!(1), json!(3), json!(1))
    );
    // The token and three searches.
    assert_eq!(
        (calls("spotify"), &line["subrequests"]),
        (json!(4), &json!(9))
    );
    assert_eq!(line["recalled"], 0);
    assert_eq!(line["user"].as_str().unwrap().len(), 16);
    assert!(
        !line.to_string().contains(&USER.to_string()) && !line.to_string().contains("wieczór"),
        "{line}"
    );
}

#[test]
fn log_line_has_the_quotas_decision() {
    for (rpc, outcome, quota) in [
        (
            "ai_reserve",
            json!({"outcome": "quota_exceeded", "quota": quota()}),
            json!("refused"),
        ),
        (
            "ai_reserve",
            json!({"outcome": "finished", "quota": quota()}),
            json!("repeated"),
        ),
        ("ai_reserve", json!({"outcome": "nonsense"}), Value::Null),
        (
            "ai_settle",
            json!({"outcome": "nonsense"}),
            json!("reserved"),
        ),
        ("chat", json!({"choices": []}), json!("released")),
    ] {
        let (works, answer) = (world(SONGS), outcome.clone());
        let bench = Bench::new(move |request| match request.url.contains(rpc) {
            true => FakeResponse::json(200, &answer),
            false => works(request),
        });
        assert_eq!(bench.line(&wish(3))["quota"], quota, "{rpc} {outcome}");
    }
}

#[test]
fn playlist_keeps_the_models_order() {
    let works = world(SONGS);
    let bench = Bench::new(move |request| match request.url.contains("Arahja") {
        true => FakeResponse::Late(Box::new(works(request))),
        false => works(request),
    });
    let response = bench.ask("text/event-stream", &wish(3)).unwrap().unwrap();
    let Body::Stream(chunks) = response.into_body() else {
        panic!("no stream")
    };
    let chunks: Vec<Bytes> = bench.settle(chunks.collect()).unwrap();
    let text = String::from_utf8(chunks.concat()).unwrap();
    let data: Vec<Value> = text
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).unwrap())
        .collect();
    let found: Vec<_> = data
        .iter()
        .filter(|data| data["score"].is_number())
        .map(|track| &track["title"])
        .collect();
    assert_eq!(found, ["Teksanski", "Boskie Buenos", "Arahja"]);
    let tracks = data.last().unwrap()["tracks"].as_array().unwrap();
    let places: Vec<_> = tracks
        .iter()
        .map(|track| (&track["title"], &track["index"]))
        .collect();
    let expected = [json!("Arahja"), json!("Teksanski"), json!("Boskie Buenos")];
    assert_eq!(
        places,
        [
            (&expected[0], &json!(0)),
            (&expected[1], &json!(1)),
            (&expected[2], &json!(2))
        ]
    );
}
