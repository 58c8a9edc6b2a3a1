use http::HeaderValue;
use serde_json::json;
use shared::Code;

use super::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const LIST: &str = "8b3c2a10-5f7e-4c55-9d53-0f0e6f4b8a11";
const URI: &str = "spotify:track:4uLU6hMCjMI75M1A2tKUQC";

#[test]
fn counts_repeated_kept_tracks_once() {
    let body = json!({"prompt": "x", "target_count": 2, "refine": {"playlist_id": LIST, "keep": [URI, URI]}});
    let request = parse(body.to_string().as_bytes()).unwrap();
    assert!(request.save);
    assert_eq!(request.refined.unwrap().keep.len(), 1);
    assert_eq!(request.wish.refine.unwrap().instruction, None);
}

#[test]
fn a_repeat_is_recognised_by_all_that_it_asks_for_in_any_order() {
    let canonical = |body: &str| parse(body.as_bytes()).unwrap().canonical;
    let first = canonical(r#"{"prompt":"x","era":{"from":1990,"to":1999}}"#);
    assert_eq!(
        canonical(
            "{ \"save\": true, \"era\": {\"to\": 1999, \"from\": 1990},\n\"prompt\": \"\\u0078\" }"
        ),
        first
    );
    let wish =
        json!({"prompt": "x", "target_count": 9, "refine": {"playlist_id": LIST, "keep": [URI]}});
    for (pointer, changed) in [
        ("/prompt", json!("y")),
        ("/target_count", json!(10)),
        ("/refine/keep", json!([])),
        ("/refine/playlist_id", json!(uuid::Uuid::nil())),
        (
            "/refine",
            json!({"playlist_id": LIST, "keep": [URI], "instruction": "calmer"}),
        ),
        ("/refine", Value::Null),
    ] {
        let mut other = wish.clone();
        *other.pointer_mut(pointer).unwrap() = changed;
        assert_ne!(
            canonical(&other.to_string()),
            canonical(&wish.to_string()),
            "{other}"
        );
    }
}

fn refused(body: serde_json::Value) -> String {
    let error = parse(body.to_string().as_bytes()).unwrap_err();
    assert_eq!(error.code(), Code::InvalidRequest, "{body}");
    error.to_string()
}

#[test]
fn bare_prompt_gets_the_defaults() {
    let request = parse(br#"{"prompt":"  a cozy rainy evening "}"#).unwrap();
    assert_eq!(request.wish.prompt, "a cozy rainy evening");
    assert_eq!(request.target_count, 20);
    assert!(request.wish.allow_explicit && !request.allow_versions && !request.save);
    assert_eq!(request.wish.era, None);
}

#[test]
fn accepts_every_parameter() {
    let request = parse(
        json!({
            "prompt": "spokojny wieczór", "target_count": 50,
            "seeds": [{"artist": "Dżem", "title": "Whisky"}],
            "mood": "calm", "tempo": "slow", "era": {"from": 1980, "to": 1989},
            "allow_explicit": false, "allow_versions": true, "exclude_artists": ["Kult"], "market": "pl",
            "refine": {"previous": [{"artist": "A", "title": "B"}], "instruction": "calmer"},
            "save": true,
        })
        .to_string()
        .as_bytes(),
    )
    .unwrap();
    assert_eq!(request.target_count, 50);
    assert_eq!(request.wish.seeds[0].artist, "Dżem");
    assert_eq!(
        request.wish.era,
        Some(Era {
            from: Some(1980),
            to: Some(1989)
        })
    );
    assert_eq!(request.market.as_deref(), Some("PL"));
    assert_eq!(request.wish.refine.unwrap().instruction.unwrap(), "calmer");
    assert!(request.save && request.allow_versions && !request.wish.allow_explicit);
}

#[test]
fn refuses_invalid_json() {
    for body in [
        &b""[..],
        b"prompt=x",
        b"{\"prompt\":",
        b"{\"prompt\":\"\xff\"}",
        b"{} {}",
    ] {
        let code = parse(body).unwrap_err().code();
        assert_eq!(code, Code::InvalidJson, "{}", String::from_utf8_lossy(body));
    }
}

#[test]
fn refusal_names_the_field() {
    for (body, field) in [
        (json!({}), "prompt"),
        (json!([]), "an object"),
        (json!({"prompt": 7}), "prompt must be a text"),
        (json!({"prompt": " \n\t\u{a0} "}), "prompt"),
        (json!({"prompt": "x".repeat(1001)}), "prompt"),
        (json!({"prompt": "x", "colour": "blue"}), "colour"),
        (json!({"prompt": "x", "target_count": 0}), "target_count"),
        (json!({"prompt": "x", "target_count": 51}), "target_count"),
        (json!({"prompt": "x", "target_count": -1}), "target_count"),
        (
            json!({"prompt": "x", "target_count": 1.5}),
            "target_count must be a whole number",
        ),
        (
            json!({"prompt": "x", "seeds": vec![json!({"artist": "a", "title": "t"}); 6]}),
            "seeds",
        ),
        (
            json!({"prompt": "x", "seeds": [{"artist": "", "title": "t"}]}),
            "seeds.artist",
        ),
        (
            json!({"prompt": "x", "exclude_artists": vec!["a"; 21]}),
            "exclude_artists",
        ),
        (
            json!({"prompt": "x", "era": {"from": 1999, "to": 1990}}),
            "era.from",
        ),
        (json!({"prompt": "x", "era": {"from": 99}}), "era.from"),
        (json!({"prompt": "x", "era": {"to": 1e12}}), "era.to"),
        (json!({"prompt": "x", "market": "POL"}), "market"),
        (json!({"prompt": "x", "market": "ß"}), "market"),
        (
            json!({"prompt": "x", "refine": {"previous": [], "instruction": ""}}),
            "refine.instruction",
        ),
        (
            json!({"prompt": "x", "refine": {"previous": []}}),
            "refine needs",
        ),
        (
            json!({"prompt": "x", "refine": {"instruction": "calmer"}}),
            "refine needs",
        ),
        (
            json!({"prompt": "x", "refine": {"previous": [], "instruction": "y", "keep": []}}),
            "refine needs",
        ),
        (
            json!({"prompt": "x", "refine": {"playlist_id": LIST, "previous": []}}),
            "refine needs",
        ),
        (
            json!({"prompt": "x", "refine": {"playlist_id": "1"}}),
            "refine.playlist_id",
        ),
        (
            json!({"prompt": "x", "refine": {"playlist_id": LIST, "keep": ["x"]}}),
            "refine.keep must be a Spotify track URI.",
        ),
        (
            json!({"prompt": "x", "refine": {"playlist_id": LIST, "keep": [URI, URI]}, "target_count": 1}),
            "target_count",
        ),
        (json!({"prompt": "x", "mood": "m".repeat(101)}), "mood"),
        (
            json!({"prompt": "x", "save": "yes"}),
            "save must be true or false",
        ),
    ] {
        let message = refused(body);
        assert!(message.contains(field), "{message} does not name {field}");
    }
}

#[test]
fn accepts_whole_numbers_with_a_decimal_point() {
    let request = parse(br#"{"prompt":"x","target_count":5.0,"era":{"from":1.99e3}}"#).unwrap();
    assert_eq!(request.target_count, 5);
    assert_eq!(
        request.wish.era,
        Some(Era {
            from: Some(1990),
            to: None
        })
    );
}

#[test]
fn limits_count_characters() {
    let prompt = "ł".repeat(1000);
    assert_eq!(
        parse(json!({"prompt": prompt}).to_string().as_bytes())
            .unwrap()
            .wish
            .prompt,
        prompt
    );
}

#[test]
fn replaces_control_characters() {
    let request = parse(br#"{"prompt":"rain\u0000and\u0007tea"}"#).unwrap();
    assert_eq!(request.wish.prompt, "rain and tea");
}

fn format_for(values: &[&str]) -> Format {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(header::ACCEPT, HeaderValue::from_str(value).unwrap());
    }
    wanted_format(&headers)
}

#[test]
fn streams_to_clients_that_prefer_it() {
    for accept in [
        "text/event-stream",
        "Text/Event-Stream",
        " text/event-stream ",
        "text/event-stream;q=1",
        "text/event-stream;q=0.001",
        "text/event-stream; Q=0.5",
        "text/event-stream;charset=utf-8",
        "text/event-stream; charset=\"utf-8\"; q=0.9",
        "text/event-stream, application/json",
        "application/json, text/event-stream",
        "application/json;q=0.5, Text/Event-Stream;q=1",
        "text/event-stream;q=0.5, */*;q=0.1",
        "text/event-stream, */*",
        "*/*, text/event-stream",
        "text/*",
        "text/*, application/json;q=0.9",
        "*/*, application/json;q=0.5",
        "application/json;q=0, */*",
        "application/*;q=0.2, text/*;q=0.3",
        "text/event-stream;q=0, text/event-stream",
        ",,text/event-stream,",
        "text/html;x=\"a, b;q=0\", text/event-stream",
        "application/json;q=2, text/event-stream;q=0.1",
    ] {
        assert_eq!(format_for(&[accept]), Format::EventStream, "{accept}");
    }
    assert_eq!(
        format_for(&["application/json", "text/event-stream"]),
        Format::EventStream
    );
}

#[test]
fn sends_json_to_other_clients() {
    for accept in [
        "",
        "*/*",
        "application/json",
        "application/*",
        "application/json, text/plain, */*",
        "text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8",
        "text/event-stream;q=0",
        "text/event-stream;q=0.0",
        "text/event-stream;q=0.000",
        "text/event-stream; q=0",
        "text/event-stream ; q = 0",
        "TEXT/EVENT-STREAM;Q=0",
        "text/event-stream;charset=utf-8;q=0",
        "text/event-stream;q=0, */*",
        "text/event-stream;q=0, text/*",
        "text/event-stream;q=0.5, application/json",
        "text/event-stream;q=0.5, application/json;q=0.6",
        "text/event-stream;q=0.3, */*;q=0.8",
        "text/*;q=0.5, */*",
        "text/*, */*",
        "text/*, application/*",
        "text/html",
        "text/plain",
        "application/json;q=0",
        "*/*;q=0",
        "image/png",
        "text/event-streams",
        "xtext/event-stream",
        "text/event",
        "*/event-stream",
        "event-stream",
        "text/event-stream/x",
        "text / event-stream",
        "text/html;x=\"text/event-stream, text/event-stream\"",
        "text/html;x=\"a\\\", text/event-stream;y=\"",
        "text/event-stream;q=",
        "text/event-stream;q=abc",
        "text/event-stream;q=-1",
        "text/event-stream;q=1.5",
        "text/event-stream;q=nan",
        "text/event-stream;q=inf",
        "text/event-stream;q=0.0001",
        "text/event-stream;q=1e0",
        ";q=1",
        ",;,",
    ] {
        assert_eq!(format_for(&[accept]), Format::Json, "{accept}");
    }
    assert_eq!(format_for(&[]), Format::Json);
    assert_eq!(format_for(&["text/event-stream;q=0", "*/*"]), Format::Json);
    let binary =
        HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_bytes(b"\xff").unwrap())]);
    assert_eq!(wanted_format(&binary), Format::Json);
}

#[test]
fn limits_the_total_size_of_a_wish() {
    let song = |bytes: usize| json!({"artist": "a", "title": "ż".repeat((bytes - 1) / 2)});
    let wish = |previous: Vec<serde_json::Value>| json!({"prompt": "x".repeat(287), "refine": {"previous": previous, "instruction": "y"}});
    // 287 + 1 + 40 × 299 + 40 = 12,288.
    let most: Vec<_> = (0..40)
        .map(|_| song(299))
        .chain([json!({"artist": "a", "title": "a".repeat(39)})])
        .collect();
    assert!(parse(wish(most.clone()).to_string().as_bytes()).is_ok());
    let more = most.into_iter().chain([song(3)]).collect();
    let message = refused(wish(more));
    assert!(
        message.contains("12288 bytes") && message.contains("refine"),
        "{message}"
    );

    let long = "ż".repeat(199);
    let everywhere = json!({
        "prompt": "x", "exclude_artists": vec![long.clone(); 20],
        "seeds": vec![json!({"artist": long, "title": long}); 5], "mood": "ż".repeat(100), "tempo": "ż".repeat(100),
    });
    assert!(refused(everywhere).contains("12288 bytes"));
}
