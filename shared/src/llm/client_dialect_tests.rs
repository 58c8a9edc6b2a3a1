//! Tests of the simpler forms of requests that are tried after refusals.

use super::*;

/// Returns a server that refuses every body for which `refuses` returns an error.
fn picky(refuses: impl Fn(&Value) -> Option<(u16, Value)> + 'static) -> FakeHttp {
    FakeHttp::responding(move |request| {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        match refuses(&body) {
            Some((status, error)) => FakeResponse::json(status, &json!({"error": error})),
            None => sse(&format!("{}{DONE}", saying("{}"))),
        }
    })
}

#[test]
fn replaces_a_refused_form_by_the_next_simpler_one() {
    let cases: [(&str, Refuses, usize, IsExpected); 14] = [
        (
            "DeepSeek has no schemas",
            |body| {
                (body["response_format"]["type"] == "json_schema").then(|| {
                    (
                        400,
                        json!({"message": "This response_format type is unavailable now"}),
                    )
                })
            },
            2,
            |dialect| dialect.json_mode == JsonMode::Object && dialect.streams,
        ),
        (
            "llama-cpp-python fails with 500",
            |body| {
                (body["response_format"]["type"] == "json_schema").then(|| (500, json!({"message": "Input should be 'text' or 'json_object' ('response_format', 'type')"})))
            },
            2,
            |dialect| dialect.json_mode == JsonMode::Object,
        ),
        (
            "no JSON mode at all",
            |body| {
                body.get("response_format")
                    .map(|_| (422, json!({"detail": "extra fields not permitted"})))
            },
            3,
            |dialect| dialect.json_mode == JsonMode::Prompt && dialect.streams,
        ),
        (
            "Groq streams no structured outputs",
            |body| {
                (body.get("response_format").is_some() && body["stream"] == true).then(|| {
                    (
                        400,
                        json!({"message": "response_format does not support streaming"}),
                    )
                })
            },
            2,
            |dialect| dialect.json_mode == JsonMode::Prompt && dialect.streams,
        ),
        (
            "no streams at all",
            |body| (body["stream"] == true).then(|| (400, json!({"message": "not supported"}))),
            4,
            |dialect| !dialect.streams,
        ),
        (
            "Mistral knows the old name of the limit",
            |body| {
                body.get("max_completion_tokens").map(|_| {
                    (
                        422,
                        json!({"message": "Extra inputs are not permitted: max_completion_tokens"}),
                    )
                })
            },
            2,
            |dialect| {
                dialect.token_limit == TokenLimit::MaxTokens
                    && dialect.json_mode == JsonMode::Strict
            },
        ),
        (
            "a server without stream_options",
            |body| {
                body.get("stream_options").map(|_| {
                    (
                        400,
                        json!({"param": "stream_options", "message": "unknown"}),
                    )
                })
            },
            2,
            |dialect| !dialect.asks_usage && dialect.json_mode == JsonMode::Strict,
        ),
        (
            "Mistral takes no user",
            |body| {
                body.get("user").map(|_| {
                    (422, json!({"detail": [{"type": "extra_forbidden", "loc": ["body", "user"], "msg": "Extra inputs"}]}))
                })
            },
            2,
            |dialect| dialect.user == UserParameter::None && dialect.json_mode == JsonMode::Strict,
        ),
        (
            "a context of 4,096 tokens",
            |body| {
                (body["max_completion_tokens"].as_u64() > Some(50)).then(|| (400, json!({"message": "This model's maximum context length is 4096 tokens. However, you requested 6080 tokens."})))
            },
            2,
            |dialect| dialect.is_tight && dialect.json_mode == JsonMode::Strict,
        ),
        (
            "a limit that is too large",
            |body| {
                (body["max_completion_tokens"].as_u64() > Some(50)).then(|| {
                    (400, json!({"message": "max_completion_tokens must be less than or equal to 50"}))
                })
            },
            2,
            |dialect| dialect.is_tight,
        ),
        (
            "a limit outside a range",
            |body| {
                (body["max_completion_tokens"].as_u64() > Some(50)).then(|| {
                    (400, json!({"message": "Invalid max_tokens value, the valid range of max_tokens is [1, 50]"}))
                })
            },
            2,
            |dialect| dialect.is_tight,
        ),
        (
            "a limit that the credit does not cover",
            |body| {
                (body["max_completion_tokens"].as_u64() > Some(50)).then(|| {
                    (402, json!({"message": "This request requires more credits, or fewer max_tokens."}))
                })
            },
            2,
            |dialect| dialect.is_tight,
        ),
        (
            "a user in Anthropic's words",
            |body| {
                body.get("user").map(|_| {
                    (
                        400,
                        json!({"message": "user: Extra inputs are not permitted"}),
                    )
                })
            },
            2,
            |dialect| dialect.user == UserParameter::None,
        ),
        (
            "JSON not with a stream",
            |body| {
                (body.get("response_format").is_some() && body["stream"] == true).then(|| {
                    (
                        400,
                        json!({"message": "JSON mode cannot be used with stream=true"}),
                    )
                })
            },
            2,
            |dialect| dialect.json_mode == JsonMode::Prompt && dialect.streams,
        ),
    ];
    for (name, refuses, requests, is_expected) in cases {
        let http = picky(refuses);
        let dialects = DialectCache::default();
        let clock = FakeClock::hurrying(0);
        let stream =
            begin_with(&dialects, &clock, &http).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(http.requests().len(), requests, "{name}");
        assert!(
            is_expected(stream.dialect()),
            "{name}: {:?}",
            stream.dialect()
        );

        let requests_of_another = || {
            let before = http.requests().len();
            begin_with(&dialects, &FakeClock::hurrying(0), &http)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            http.requests().len() - before
        };
        // A refusal without a reason has to occur twice.
        let second = requests_of_another();
        assert!(second == 1 || second == requests, "{name}: {second}");
        assert_eq!(requests_of_another(), 1, "{name}: forgotten");
    }
}

#[test]
fn remembers_a_simpler_form_for_half_an_hour() {
    let refused = FakeResponse::json(
        400,
        &json!({"error": {"message": "response_format is not supported"}}),
    );
    let http = FakeHttp::answering([refused, sse(DONE), sse(DONE), sse(DONE)]);
    let (dialects, clock) = (DialectCache::default(), FakeClock::at_ms(0));
    let mode = |at_ms: u64| {
        clock.advance_ms(at_ms - clock.now_ms());
        begin_with(&dialects, &clock, &http)
            .ok()
            .unwrap()
            .dialect()
            .json_mode
    };
    assert_eq!(
        [mode(0), mode(1_799_999), mode(1_800_000)],
        [JsonMode::Object, JsonMode::Object, JsonMode::Strict]
    );
}

#[test]
fn replaces_a_form_refused_within_a_routers_response() {
    let error = json!({"error": {"code": 400, "message": "Provider returned error: response_format is not supported"}});
    for refusal in [
        sse(&format!(": processing\n\ndata: {error}\n\n")),
        FakeResponse::json(200, &error),
    ] {
        let http = FakeHttp::answering([refusal, sse(&format!("{}{DONE}", saying("{}")))]);
        let clock = FakeClock::at_ms(0);
        let mut stream = begin_at(&clock, &http).ok().unwrap();
        assert_eq!(stream.dialect().json_mode, JsonMode::Object);
        assert_eq!(all(&mut stream), [content("{}")]);
    }
}

#[test]
fn does_not_remember_one_refusal_without_a_reason() {
    for (status, error) in [
        (400, json!({"message": "Provider returned error"})),
        (404, json!({"message": "No endpoints found"})),
        (
            400,
            json!({"message": "This model's maximum context length is 4096 tokens"}),
        ),
    ] {
        let http = FakeHttp::answering([
            FakeResponse::json(status, &json!({"error": error})),
            sse(DONE),
            sse(DONE),
        ]);
        let dialects = DialectCache::default();
        let dialect = || {
            begin_with(&dialects, &FakeClock::hurrying(0), &http)
                .ok()
                .unwrap()
                .dialect()
        };
        assert_ne!(dialect(), Dialect::first(&prices()), "{error}");
        assert_eq!(dialect(), Dialect::first(&prices()), "{error}");
    }
}

#[test]
fn one_invalid_json_does_not_change_the_form() {
    let failed =
        json!({"error": {"code": "json_validate_failed", "message": "Failed to validate JSON"}});
    let http = FakeHttp::answering([FakeResponse::json(400, &failed), sse(DONE)]);
    assert!(matches!(begin(&http).err(), Some(LlmError::Unusable(_))));
    assert_eq!(http.requests().len(), 1);
}

#[test]
fn omits_a_refused_tuning_parameter() {
    let http = picky(|body| {
        body.get("temperature").map(|_| {
            (
                400,
                json!({"param": "temperature", "message": "unsupported value"}),
            )
        })
    });
    let config = config(&[("LLM_TEMPERATURE", "0.7")]);
    let client = LlmClient {
        config: &config,
        dialects: &DialectCache::default(),
        http: &http,
        clock: &FakeClock::hurrying(0),
    };
    let begun = client.stream(&request(), LIMITS).now_or_never();
    assert!(begun.unwrap().is_ok());
    assert_eq!(
        bodies(&http)
            .iter()
            .map(|body| body.get("temperature").is_some())
            .collect::<Vec<_>>(),
        [true, false]
    );
}

#[test]
fn refusal_of_every_form_is_misconfigured_and_not_remembered() {
    let http = picky(|_| Some((400, json!({"code": "weird", "message": "no"}))));
    let dialects = DialectCache::default();
    let error = begin_with(&dialects, &FakeClock::hurrying(0), &http)
        .err()
        .unwrap();
    assert!(
        matches!(&error, LlmError::Misconfigured(problem) if problem.code == "weird"),
        "{error:?}"
    );
    assert_eq!(http.requests().len(), 4);
    assert_eq!(dialects.dialect(&prices(), 0), Dialect::first(&prices()));
}
