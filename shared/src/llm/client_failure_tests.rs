//! Tests of failures: their place in the completion, their words, and the second attempt.

use super::*;

fn failed(status: u16) -> LlmError {
    Problem::of_status(status).into_error(None, &Private::default())
}

#[test]
fn failure_follows_the_content_before_it() {
    for (rest, failure) in [
        ("", None),
        ("data: {\"choices\":[{\"del", None),
        ("data: <html>\n\n", None),
        ("data: {\"error\":{\"code\":502}}\n\n", Some(502)),
        (
            "data: {\"choices\":[{\"finish_reason\":\"error\"}]}\n\n",
            Some(502),
        ),
    ] {
        let (events, cost) = completion_of(sse(&format!("{}{rest}", saying("a"))));
        assert_eq!(events[0], content("a"), "{rest}");
        let status = events.get(1).map(|event| match event {
            Err(LlmError::Failed(problem)) => problem.status,
            other => panic!("{other:?}"),
        });
        assert_eq!(status, failure, "{rest}");
        assert!(cost > Cost::ZERO);
    }
}

#[test]
fn broken_connection_is_an_error_unless_the_model_had_finished() {
    let breaking = |text: &str| {
        let chunks = vec![
            Ok(Bytes::copy_from_slice(text.as_bytes())),
            Err(HttpError::Timeout),
        ];
        FakeResponse::Response(StatusCode::OK, HeaderMap::new(), chunks)
    };
    let timeout = Err(LlmError::Unavailable(HttpError::Timeout));
    assert_eq!(
        completion_of(breaking(&saying("a"))).0,
        [content("a"), timeout]
    );
    assert_eq!(completion_of(breaking(STOP)).0, [Ok(FINISHED)]);
}

#[test]
fn failure_within_the_completion_quotes_neither_user_nor_key() {
    let error = json!({"error": {"code": 500, "message": "a very private wish, sk-secret", "param": "a very private wish"}});
    let (events, _) = completion_of(sse(&format!("{}data: {error}\n\n", saying("a"))));
    let logged = events.last().unwrap().as_ref().unwrap_err().to_string();
    assert!(
        !logged.contains("private") && !logged.contains("secret"),
        "{logged}"
    );
}

#[test]
fn keeps_the_content_before_a_broken_connection() {
    let document = json!({"choices": [{"message": {"content": "{}"}}]}).to_string();
    let chunks = vec![Ok(Bytes::from(document)), Err(HttpError::Network)];
    let (events, _) = completion_of(FakeResponse::Response(
        StatusCode::OK,
        HeaderMap::new(),
        chunks,
    ));
    assert_eq!(events[0], content("{}"));
}

#[test]
fn errors_contain_neither_the_users_words_nor_the_key() {
    for quoted in ["a very private wish", "sk-secret is no valid key of ours"] {
        let message = format!("unexpected: {quoted}");
        let http = FakeHttp::answering([FakeResponse::json(
            401,
            &json!({"error": {"message": message}}),
        )]);
        let error = begin(&http).err().unwrap().to_string();
        assert!(
            !error.contains("private") && !error.contains("sk-secret"),
            "{error}"
        );
    }
}

#[test]
fn repeats_transient_failures_once() {
    let after = |status, name: http::HeaderName, value| {
        FakeResponse::json(status, &json!({})).with_header(name, value)
    };
    for (first, pause_ms) in [
        (after(429, RETRY_AFTER, "3"), 3_000),
        (after(429, RETRY_AFTER, "1.5"), 1_500),
        (after(429, RETRY_AFTER_MS, "200"), 200),
        (after(503, RETRY_AFTER, "0"), 0),
        (FakeResponse::json(500, &json!({})), 500),
        (FakeResponse::json(502, &json!({})), 500),
        (FakeResponse::json(504, &json!({})), 500),
        (FakeResponse::json(529, &json!({})), 500),
        (FakeResponse::Error(HttpError::Network), 500),
    ] {
        let http = FakeHttp::answering([first, sse(&format!("{STOP}{DONE}"))]);
        let clock = FakeClock::hurrying(1_000);
        let started = begin_at(&clock, &http);
        assert_eq!(all(&mut started.ok().unwrap()), [Ok(FINISHED)]);
        // The error's body is awaited as well; on the hurrying clock that takes no time.
        let [first, second] = &http.requests()[..] else {
            panic!("not two requests")
        };
        assert_eq!(first.body, second.body);
        assert_eq!(second.limits.total_ms, LIMITS.total_ms - pause_ms);
    }
}

#[test]
fn second_refusal_is_final() {
    let refusal = || FakeResponse::json(429, &json!({})).with_header(RETRY_AFTER, "1");
    let http = FakeHttp::answering([refusal(), refusal(), sse(DONE)]);
    let Some(LlmError::RateLimited {
        retry_after_seconds,
        ..
    }) = begin(&http).err()
    else {
        panic!("not limited")
    };
    assert_eq!(retry_after_seconds, Some(1));
    assert_eq!(http.requests().len(), 2);
}

#[test]
fn does_not_repeat_lasting_failures() {
    for (status, body) in [
        (302, json!({})),
        (401, json!({})),
        (402, json!({})),
        (403, json!({})),
        (405, json!({})),
        (429, json!({"error": {"code": "insufficient_quota"}})),
        (404, json!({"error": {"code": "model_not_found"}})),
        (400, json!({"error": {"code": "content_filter"}})),
    ] {
        let http = FakeHttp::answering([FakeResponse::json(status, &body), sse(DONE)]);
        assert!(begin(&http).is_err());
        assert_eq!(http.requests().len(), 1, "{status} {body}");
    }
}

#[test]
fn does_not_wait_for_long_pauses_or_past_the_deadline() {
    for (value, expected) in [("4", Some(4)), ("Wed, 25 Nov 2026 07:28:00 GMT", None)] {
        let http = FakeHttp::answering([
            FakeResponse::json(429, &json!({})).with_header(RETRY_AFTER, value)
        ]);
        let Some(LlmError::RateLimited {
            retry_after_seconds,
            ..
        }) = begin(&http).err()
        else {
            panic!("{value}")
        };
        assert_eq!(retry_after_seconds, expected);
        assert_eq!(http.requests().len(), 1);
    }

    let http = FakeHttp::answering([FakeResponse::json(503, &json!({}))]);
    let limits = Limits {
        total_ms: RETRY_PAUSE_MS,
        ..LIMITS
    };
    let clock = FakeClock::hurrying(0);
    let client = LlmClient {
        config: &config(&[]),
        dialects: &DialectCache::default(),
        http: &http,
        clock: &clock,
    };
    let begun = client.stream(&request(), limits).now_or_never().unwrap();
    let Some(LlmError::Failed(problem)) = begun.err() else {
        panic!("no failure")
    };
    assert_eq!((problem.status, http.requests().len()), (503, 1));
}

#[test]
fn reports_a_missing_response() {
    let http = FakeHttp::answering([FakeResponse::Error(HttpError::Timeout)]);
    assert_eq!(
        begin(&http).err(),
        Some(LlmError::Unavailable(HttpError::Timeout))
    );
    assert_eq!(http.requests().len(), 1);
    let http = FakeHttp::answering([
        FakeResponse::json(500, &json!({})),
        FakeResponse::json(500, &json!({})),
    ]);
    assert_eq!(
        begin(&http).err().map(|error| error.to_string()),
        Some(failed(500).to_string())
    );
}
