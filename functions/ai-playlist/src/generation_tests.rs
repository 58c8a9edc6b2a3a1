//! Tests of whole generations, up to the settled playlist.

use shared::config::ConfigError;

use super::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn reserves_before_the_generation_and_settles_after_it() {
    let bench = Bench::new(world(SONGS));
    let done = bench.json(&wish(3)).unwrap();
    assert_eq!(
        (&done["count"], &done["stop_reason"], &done["language"]),
        (&json!(3), &json!("completed"), &json!("pl"))
    );
    assert_eq!(done["quota"], quota());
    let urls: Vec<_> = bench
        .http
        .requests()
        .iter()
        .map(|r| r.url.clone())
        .collect();
    let position = |part: &str| urls.iter().position(|url| url.contains(part)).unwrap();
    assert!(position("ai_reserve") < position("chat/completions"));
    assert_eq!(
        [position("ai_settle"), position("remember_songs")],
        [urls.len() - 2, urls.len() - 1]
    );
    assert_eq!(bench.settled(), ["succeeded"]);
}

#[test]
fn invalid_request_costs_nothing() {
    let bench = Bench::new(world(SONGS));
    assert_eq!(bench.error(&json!({"prompt": ""})), Code::InvalidRequest);
    assert!(
        bench
            .http
            .requests()
            .iter()
            .all(|request| request.url.ends_with("jwks.json"))
    );
}

#[test]
fn model_is_asked_once_more_for_missing_tracks() {
    let bench = Bench::new(world(SONGS));
    let done = bench.json(&wish(5)).unwrap();
    assert_eq!(
        (&done["count"], &done["stop_reason"]),
        (&json!(3), &json!("no_progress"))
    );
    assert_eq!(done["warning"], "fewer_than_12");
    assert_eq!(bench.sent_to("chat/completions").len(), 2);
}

#[test]
fn another_version_is_delivered_only_if_allowed_and_is_labelled() {
    const ONE: &[(&str, &str)] = &[("Kult", "Arahja")];
    let acoustic = json!({"tracks": {"items": [{
        "uri": "spotify:track:4uLU6hMCjMI75M1A2tKUQC", "name": "Arahja - Acoustic", "artists": [{"name": "Kult"}],
        "album": {"name": "An Album", "release_date": "1999"}, "duration_ms": 200_000, "explicit": false,
    }]}});
    let bench = || {
        let (works, acoustic) = (world(ONE), acoustic.clone());
        Bench::new(move |request| {
            if request.url.contains("/v1/search") {
                FakeResponse::json(200, &acoustic)
            } else {
                works(request)
            }
        })
    };
    assert_eq!(bench().error(&wish(1)), Code::NoTracksFound);
    let done = bench()
        .json(&json!({"prompt": "wieczór", "target_count": 1, "allow_versions": true}))
        .unwrap();
    assert_eq!(
        (&done["count"], &done["tracks"][0]["version"]),
        (&json!(1), &json!("acoustic"))
    );
}

#[test]
fn exhausted_request_budget_delivers_the_found_tracks_and_settles() {
    const MANY: &[(&str, &str)] = &[
        ("A", "Aa"),
        ("B", "Bb"),
        ("C", "Cc"),
        ("D", "Dd"),
        ("E", "Ee"),
        ("F", "Ff"),
        ("G", "Gg"),
        ("H", "Hh"),
    ];
    let mut bench = Bench::new(world(MANY));
    let limited = |name: &str| {
        if name == "SUBREQUEST_LIMIT" {
            Some("12".to_owned())
        } else {
            config(name)
        }
    };
    bench.context.config = Rc::new(Config::from_env(limited).unwrap());
    let done = bench.json(&wish(8)).unwrap();
    // 12 = keys, reserve, model, token, 2 searches, 2 kept for a refill, 2 for the ledger, 2 for settling.
    assert_eq!(
        (&done["count"], &done["stop_reason"]),
        (&json!(2), &json!("budget"))
    );
    assert_eq!(bench.settled(), ["succeeded"]);
}

#[test]
fn at_most_five_searches_run_at_once() {
    const SEVEN: &[(&str, &str)] = &[
        ("A", "Aa"),
        ("B", "Bb"),
        ("C", "Cc"),
        ("D", "Dd"),
        ("E", "Ee"),
        ("F", "Ff"),
        ("G", "Gg"),
    ];
    let works = world(SEVEN);
    let bench = Bench::new(move |request| {
        if request.url.contains("/v1/search") {
            FakeResponse::Silence
        } else {
            works(request)
        }
    });
    assert!(bench.ask("application/json", &wish(7)).is_none());
    assert_eq!(bench.sent_to("/v1/search").len(), 5);
}

#[test]
fn deadline_settles_as_timeout() {
    let mut bench = with_silent_model();
    bench.clock = FakeClock::hurrying(NOW_MS);
    bench.context.clock = Rc::new(bench.clock.clone());
    assert_eq!(bench.error(&wish(3)), Code::GenerationTimeout);
    assert_eq!(bench.settled(), ["timeout"]);
}

#[test]
fn full_playlist_is_completed_although_its_texts_come_too_late() {
    let works = delivery::stuck_after(1, delivery::delivered());
    let tracks = json!([{"artist": "Kult", "title": "Arahja"}]).to_string();
    let begun = json!({"choices": [{"delta": {"content": format!("{{\"tracks\":{tracks},")}}]});
    let begun = FakeResponse::text(200, "text/event-stream", &format!("data: {begun}\n\n"));
    let mut bench = Bench::new(move |request| match request.url.contains("/chat/") {
        true => begun.clone().staying_open(),
        false => works(request),
    });
    bench.context.request.started_ms = NOW_MS - 45_000;
    let response = bench.ask("text/event-stream", &wish(1)).unwrap().unwrap();
    let Body::Stream(chunks) = response.into_body() else {
        panic!("no stream")
    };
    assert_eq!(bench.settled(), Vec::<String>::new());
    bench.clock.advance_ms(4_000);
    let chunks: Vec<Bytes> = bench.settle(chunks.collect()).unwrap();
    let text = String::from_utf8(chunks.concat()).unwrap();
    assert!(text.contains(r#""stop_reason":"completed""#), "{text}");
}

#[test]
fn expired_reservation_delivers_nothing() {
    let works = world(SONGS);
    let bench = Bench::new(move |request| match request.url.contains("ai_settle") {
        true => FakeResponse::json(
            200,
            &json!({"outcome": "expired", "status": "timeout", "quota": quota()}),
        ),
        false => works(request),
    });
    assert_eq!(bench.error(&wish(3)), Code::GenerationTimeout);
}

#[test]
fn configuration_error_names_the_missing_variables() {
    let names = |error: ConfigError| error.names().map(str::to_owned).collect::<Vec<_>>();
    let missing = Config::from_env(|_| None).unwrap_err();
    for name in ["SUPABASE_URL", "SPOTIFY_CLIENT_ID", "LLM_API_KEY"] {
        assert!(names(missing.clone()).contains(&name.to_owned()), "{name}");
    }
    let low = |name: &str| {
        if name == "SUBREQUEST_LIMIT" {
            Some("5".to_owned())
        } else {
            config(name)
        }
    };
    assert_eq!(
        names(Config::from_env(low).unwrap_err()),
        ["SUBREQUEST_LIMIT"]
    );
}

#[test]
fn playlist_refused_by_the_database_is_settled_as_failed_at_once() {
    for (status, code) in [
        (400, "22P05"),
        (400, "23514"),
        (422, "PT422"),
        (409, "23505"),
    ] {
        let works = world(SONGS);
        let bench =
            Bench::new(
                move |request| match request.url.contains("save_generated_playlist") {
                    true => {
                        FakeResponse::json(status, &json!({"code": code, "message": "refused"}))
                    }
                    false => works(request),
                },
            );
        let mut body = wish(3);
        body["save"] = json!(true);
        assert_eq!(bench.error(&body), Code::Internal, "{code}");
        assert_eq!(bench.settled(), ["failed"], "{code}");
    }
}

#[test]
fn playlist_of_unknown_outcome_is_left_to_a_repeat() {
    let works = world(SONGS);
    let mut bench =
        Bench::new(
            move |request| match request.url.contains("save_generated_playlist") {
                true => FakeResponse::text(503, "text/html", "<h1>Busy</h1>"),
                false => works(request),
            },
        );
    bench.forget();
    bench.clock = FakeClock::hurrying(NOW_MS);
    bench.context.clock = Rc::new(bench.clock.clone());
    let mut body = wish(3);
    body["save"] = json!(true);
    assert_eq!(bench.error(&body), Code::DatabaseUnavailable);
    assert_eq!(bench.settled(), Vec::<String>::new());
}
