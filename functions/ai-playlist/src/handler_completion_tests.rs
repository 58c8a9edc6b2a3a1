//! Tests of generations by the model's completions.

use super::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// Returns a completion with this content.
fn saying(content: &str) -> FakeResponse {
    let frame = json!({"choices": [{"delta": {"content": content}, "finish_reason": "stop"}]});
    FakeResponse::text(
        200,
        "text/event-stream",
        &format!("data: {frame}\n\ndata: [DONE]\n\n"),
    )
}

/// Upstreams whose model returns these completions, one per request, and then `{}`.
fn model(completions: Vec<FakeResponse>) -> impl Fn(&OutboundRequest) -> FakeResponse {
    let (works, completions) = (world(SONGS), RefCell::new(completions.into_iter()));
    move |request| match request.url.ends_with("/chat/completions") {
        true => completions
            .borrow_mut()
            .next()
            .unwrap_or_else(|| saying("{}")),
        false => works(request),
    }
}

/// Returns the user turns of the prompts.
fn prompts(bench: &Bench) -> Vec<String> {
    let sent = bench.sent_to("chat/completions");
    let user_turn = |body: &Value| body["messages"][1]["content"].as_str().unwrap().to_owned();
    sent.iter().map(user_turn).collect()
}

#[test]
fn unusable_completion_is_requested_again_with_the_problem() {
    for (first, complaint) in [
        (saying("   "), "was empty"),
        (
            saying("I could suggest some calm songs."),
            "was not the requested JSON object",
        ),
        (
            saying(r#"{"kind":"playlist","language":"pl","name":"Wiec"#),
            "was not the requested JSON object",
        ),
        (
            FakeResponse::text(200, "text/html", "<!doctype html>"),
            "was not the requested JSON object",
        ),
    ] {
        let bench = Bench::new(model(vec![first, completion(SONGS)]));
        assert_eq!(bench.json(&wish(3)).unwrap()["count"], 3, "{complaint}");
        let prompts = prompts(&bench);
        assert_eq!(prompts.len(), 2, "{complaint}");
        assert!(
            !prompts[0].contains("The previous answer") && prompts[1].contains(complaint),
            "{prompts:?}"
        );
    }
}

#[test]
fn truncated_completion_is_completed_by_a_second_one() {
    let half = r#"{"kind":"playlist","tracks":[{"artist":"Kult","title":"Arahja"},{"artist":"He"#;
    let bench = Bench::new(model(vec![saying(half), completion(&SONGS[1..])]));
    assert_eq!(bench.json(&wish(3)).unwrap()["count"], 3);
    assert!(prompts(&bench)[1].contains("was cut off"));
    assert!(prompts(&bench)[1].contains("Arahja"));
}

#[test]
fn second_completion_only_fills_gaps_of_the_first() {
    let second = r#"{"kind":"playlist","language":"en","name":"Other","description":"Other","summary":"Other",
        "tracks":[{"artist":"Hey","title":"Teksanski"},{"artist":"Maanam","title":"Boskie Buenos"}]}"#;
    let first = r#"{"kind":"playlist","language":"pl","tracks":[{"artist":"Kult","title":"Arahja"}],"name":"Wieczór"}"#;
    let done = Bench::new(model(vec![saying(first), saying(second)]))
        .json(&wish(3))
        .unwrap();
    assert_eq!(
        (&done["language"], &done["name"], &done["summary"]),
        (&json!("pl"), &json!("Wieczór"), &json!("Other"))
    );
}

#[test]
fn two_unusable_completions_are_an_uncharged_error() {
    for (completion, code) in [
        (saying(""), Code::LlmInvalidResponse),
        (
            saying("I'm sorry, I can only help with music."),
            Code::LlmInvalidResponse,
        ),
        (
            saying(r#"{"kind":"playlist","tracks":[]}"#),
            Code::NoTracksFound,
        ),
        (
            FakeResponse::json(200, &json!({"error": {"message": "overloaded"}})),
            Code::LlmUnavailable,
        ),
    ] {
        let bench = Bench::new(model(vec![completion.clone(), completion]));
        assert_eq!(bench.error(&wish(3)), code);
        assert_eq!(bench.sent_to("chat/completions").len(), 2);
        assert_eq!(bench.settled(), ["failed"]);
    }
}

#[test]
fn prompt_blocked_by_the_providers_policy_is_refused_with_examples() {
    let refused = FakeResponse::json(
        400,
        &json!({"error": {"code": "content_filter", "message": "filtered"}}),
    );
    let bench = Bench::new(model(vec![refused]));
    let error = bench.json(&wish(3)).unwrap_err();
    assert_eq!(error.code(), Code::NotAboutMusic);
    assert_eq!(
        error.to_json(Uuid::nil())["examples"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    assert!(
        error.cause().unwrap().contains("content_filter"),
        "{error:?}"
    );
    assert_eq!(bench.sent_to("chat/completions").len(), 1);
}

#[test]
fn refusal_is_in_the_language_that_the_model_names() {
    let refusal = r#"{"kind":"refusal","language":"en","tracks":["#;
    let bench = Bench::new(model(vec![saying(refusal)]));
    let error = bench
        .json(&json!({"prompt": "źdźbło trawy", "target_count": 3}))
        .unwrap_err();
    assert!(
        error.to_json(Uuid::nil())["message"]
            .as_str()
            .unwrap()
            .starts_with("That does not"),
        "{error:?}"
    );
}

#[test]
fn remembers_the_features_that_the_server_accepts() {
    let works = world(SONGS);
    let bench = Bench::new(move |request| {
        let is_strict = request.url.ends_with("/chat/completions")
            && request.body.windows(11).any(|w| w == b"json_schema");
        match is_strict {
            true => FakeResponse::json(
                400,
                &json!({"error": {"message": "This response_format type is unavailable"}}),
            ),
            false => works(request),
        }
    });
    bench.json(&wish(3)).unwrap();
    bench.json(&wish(3)).unwrap();
    let modes: Vec<_> = bench
        .sent_to("chat/completions")
        .iter()
        .map(|body| body["response_format"]["type"].clone())
        .collect();
    assert_eq!(modes, ["json_schema", "json_object", "json_object"]);
}

#[test]
fn excess_suggestions_are_not_searched() {
    let many: Vec<(String, String)> = (0..100)
        .map(|n| (format!("Nobody {n}"), format!("Nowhere {n}")))
        .collect();
    let many: Vec<(&str, &str)> = many
        .iter()
        .map(|(artist, title)| (artist.as_str(), title.as_str()))
        .collect();
    let (works, suggested) = (world(&[]), completion(&many));
    let bench = Bench::new(move |request| match request.url.as_str() {
        url if url.contains("/v1/search") => {
            FakeResponse::json(200, &json!({"tracks": {"items": []}}))
        }
        url if url.ends_with("/chat/completions") => suggested.clone(),
        _ => works(request),
    });
    assert_eq!(bench.error(&wish(5)), Code::NoTracksFound);
    // Twice five songs and eight, each searched for twice; the second completion repeats them.
    assert_eq!(bench.sent_to("/v1/search").len(), 36);
    assert_eq!(bench.sent_to("chat/completions").len(), 2);
}
