//! Tests of whole answers, from the request to the last event.

use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::*;
use crate::fakes::{FakeAnswer, FakeClock, FakeHttp};
use crate::llm::config::tests::config;
use crate::llm::{FinishReason, JsonMode, Message, Role, Schema, TokenLimit, UserParameter};
use crate::runtime::http_client::RETRY_AFTER_MS;

const LIMITS: Limits = Limits::stream(20_000, 50_000, 1 << 20);

const FINISHED: ChatEvent = ChatEvent::Finished(FinishReason::Stop);

fn request() -> ChatRequest {
    ChatRequest {
        system: "12345678".to_owned(),
        messages: vec![Message {
            role: Role::User,
            content: "a very private wish".to_owned(),
        }],
        schema_name: "answer",
        schema: Schema::Text,
        max_tokens: 100,
        min_tokens: 10,
        user: Some("9f86d081".to_owned()),
        private: vec!["a very private wish".to_owned()],
        is_second: false,
    }
}

fn prices() -> LlmConfig {
    config(&[("LLM_PRICE_IN", "100"), ("LLM_PRICE_OUT", "200")])
}

fn ask_with<'a>(
    memory: &LlmMemory,
    clock: &'a FakeClock,
    http: &FakeHttp,
) -> Result<ChatStream<'a>, LlmError> {
    stream_chat(&prices(), memory, http, clock, &request(), LIMITS)
        .now_or_never()
        .expect("still waiting")
}

fn ask(http: &FakeHttp) -> Result<ChatStream<'static>, LlmError> {
    ask_with(
        &LlmMemory::default(),
        Box::leak(Box::new(FakeClock::hurrying(0))),
        http,
    )
}

/// Reads the answer on a stopped clock, so nothing times out.
fn all(stream: &mut ChatStream) -> Vec<Result<ChatEvent, LlmError>> {
    let mut events = Vec::new();
    while let Some(event) = stream.next().now_or_never().expect("still waiting") {
        events.push(event);
    }
    events
}

fn answer_of(stream: FakeAnswer) -> (Vec<Result<ChatEvent, LlmError>>, Cost) {
    let http = FakeHttp::answering([stream]);
    let clock = FakeClock::at_ms(0);
    let mut stream = ask_with(&LlmMemory::default(), &clock, &http).ok().unwrap();
    let events = all(&mut stream);
    (events, stream.cost())
}

fn sse(text: &str) -> FakeAnswer {
    FakeAnswer::text(200, "text/event-stream; charset=utf-8", text)
}

fn content(text: &str) -> Result<ChatEvent, LlmError> {
    Ok(ChatEvent::Content(text.to_owned()))
}

fn saying(text: &str) -> String {
    format!(
        "data: {}\n\n",
        json!({"choices": [{"delta": {"content": text}}]})
    )
}

fn failed(status: u16) -> LlmError {
    Problem::of_status(status).into_error(None, &Private::default())
}

fn bodies(http: &FakeHttp) -> Vec<Value> {
    http.requests()
        .iter()
        .map(|request| serde_json::from_slice(&request.body).unwrap())
        .collect()
}

const STOP: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const USAGE: &str =
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":20}}\n\n";
const DONE: &str = "data: [DONE]\n\n";

#[test]
fn streams_an_answer_and_computes_its_cost() {
    let (events, cost) = answer_of(sse(&format!(
        ": hi\n\n{}{}{STOP}{USAGE}{DONE}",
        saying("a"),
        saying("ż")
    )));
    let usage = Usage {
        prompt_tokens: 10,
        completion_tokens: 20,
        cost: None,
    };
    assert_eq!(
        events,
        [
            content("a"),
            content("ż"),
            Ok(FINISHED),
            Ok(ChatEvent::Usage(usage))
        ]
    );
    assert_eq!(cost.to_string(), "0.0050");
}

#[test]
fn sends_one_post_with_the_key_to_chat_completions() {
    let http = FakeHttp::answering([sse(DONE)]);
    ask(&http).ok().unwrap();
    let [sent] = &http.requests()[..] else {
        panic!("not one request")
    };
    assert_eq!(
        (sent.method.as_str(), sent.url.as_str()),
        ("POST", "https://llm.example/v1/chat/completions")
    );
    assert_eq!(sent.headers[AUTHORIZATION], "Bearer sk-secret");
    assert_eq!(sent.limits, LIMITS);
    let body = &bodies(&http)[0];
    assert_eq!(
        (&body["stream"], &body["max_completion_tokens"]),
        (&json!(true), &json!(100))
    );
    assert_eq!(
        (body.get("temperature"), body.get("max_tokens")),
        (None, None)
    );
}

#[test]
fn reported_cost_takes_precedence_over_prices() {
    let usage =
        "data: {\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":20,\"cost\":0.00031}}\n\n";
    assert_eq!(
        answer_of(sse(&format!("{STOP}{usage}{DONE}")))
            .1
            .to_string(),
        "0.0004"
    );
}

#[test]
fn estimates_the_cost_from_characters_without_usage() {
    let (_, cost) = answer_of(sse(&format!("{}{STOP}{DONE}", saying("four plus 4!"))));
    // 27 characters are 9 tokens at 100 micro-dollars, 12 are 4 at 200.
    assert_eq!(cost.to_string(), "0.0017");
}

#[test]
fn reads_a_document_like_a_stream() {
    let usage = json!({"prompt_tokens": 1, "completion_tokens": 1});
    let body = json!({"choices": [{"message": {"content": "{}"}, "finish_reason": "stop"}], "usage": usage});
    for content_type in ["application/json", "text/event-stream", "text/plain"] {
        let (events, cost) = answer_of(FakeAnswer::text(200, content_type, &body.to_string()));
        assert_eq!(
            (&events[..2], events.len()),
            (&[content("{}"), Ok(FINISHED)][..], 3),
            "{content_type}"
        );
        assert_eq!(cost.to_string(), "0.0003");
    }
    let stream = format!("{}{DONE}", saying("{}"));
    assert_eq!(
        answer_of(FakeAnswer::text(200, "application/json", &stream)).0,
        [content("{}")]
    );
}

#[test]
fn distinguishes_empty_from_invalid_answers() {
    for body in [json!({}), json!({"choices": [{"message": {}}]})] {
        assert_eq!(
            answer_of(FakeAnswer::json(200, &body)).0,
            [Err(LlmError::Empty)],
            "{body}"
        );
    }
    for body in [
        "",
        "<!doctype html><title>Sign in</title>",
        "data: ping\n\n",
    ] {
        assert_eq!(
            answer_of(sse(body)).0,
            [Err(LlmError::InvalidAnswer)],
            "{body}"
        );
    }
    let error = FakeAnswer::json(200, &json!({"error": {"code": 402}}));
    assert!(matches!(
        answer_of(error).0[..],
        [Err(LlmError::Misconfigured(_))]
    ));
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
        let (events, cost) = answer_of(sse(&format!("{}{rest}", saying("a"))));
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
fn uses_thoughts_as_the_answer_if_there_is_no_content() {
    let thought = |text: &str| {
        format!(
            "data: {}\n\n",
            json!({"choices": [{"delta": {"reasoning_content": text}}]})
        )
    };
    let stream =
        |thoughts: &str, content: &str| sse(&format!("{}{content}{STOP}{DONE}", thought(thoughts)));
    assert_eq!(
        answer_of(stream("{\"a\":1}", "")).0,
        [Ok(FINISHED), content("{\"a\":1}")]
    );
    assert_eq!(
        answer_of(stream("{\"a\":1}", &saying("{}"))).0,
        [content("{}"), Ok(FINISHED)]
    );
    assert_eq!(answer_of(stream("hm", "")).0, [Ok(FINISHED)]);
}

#[test]
fn joins_a_character_cut_in_two() {
    let halves = "data: {\"choices\":[{\"delta\":{\"content\":\"a\\ud83c\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"\\udfb5b\"}}]}\n\n";
    assert_eq!(answer_of(sse(halves)).0, [content("a"), content("🎵b")]);
}

#[test]
fn broken_connection_is_an_error_unless_the_model_had_finished() {
    let breaking = |text: &str| {
        let chunks = vec![
            Ok(Bytes::copy_from_slice(text.as_bytes())),
            Err(HttpError::Timeout),
        ];
        FakeAnswer::Response(StatusCode::OK, HeaderMap::new(), chunks)
    };
    let timeout = Err(LlmError::Unavailable(HttpError::Timeout));
    assert_eq!(answer_of(breaking(&saying("a"))).0, [content("a"), timeout]);
    assert_eq!(answer_of(breaking(STOP)).0, [Ok(FINISHED)]);
}

#[test]
fn open_connection_ends_at_the_callers_limit() {
    let clock = FakeClock::hurrying(0);
    let (chunks, body) = futures_channel::mpsc::unbounded();
    chunks
        .unbounded_send(Ok(Bytes::from(format!("{}{STOP}", saying("a")))))
        .unwrap();
    let response = InboundResponse {
        status: StatusCode::OK,
        headers: HeaderMap::new(),
        body: Box::pin(body),
    };
    let dialect = Dialect::first(&prices());
    let mut stream = ChatStream::new(
        response,
        &clock,
        dialect,
        Prices::default(),
        Estimate::default(),
        Rc::default(),
    );
    assert_eq!(stream.next().now_or_never(), Some(Some(content("a"))));
    assert_eq!(stream.next().now_or_never(), Some(Some(Ok(FINISHED))));
    assert_eq!(
        stream.next().now_or_never(),
        None,
        "given up before its end"
    );
    stream.end_within_ms(5_000);
    stream.end_within_ms(1_000);
    stream.end_within_ms(9_000);
    assert_eq!(stream.next().now_or_never(), Some(None));
    assert_eq!(clock.now_ms(), 1_000);
}

#[test]
fn reads_nothing_after_done() {
    assert_eq!(
        answer_of(sse(&format!("{DONE}{}data: <html>\n\n", saying("late")))).0,
        []
    );
}

#[test]
fn repeats_transient_failures_once() {
    let after = |status, name: http::HeaderName, value| {
        FakeAnswer::json(status, &json!({})).with_header(name, value)
    };
    for (first, pause_ms) in [
        (after(429, RETRY_AFTER, "3"), 3_000),
        (after(429, RETRY_AFTER, "1.5"), 1_500),
        (after(429, RETRY_AFTER_MS, "200"), 200),
        (after(503, RETRY_AFTER, "0"), 0),
        (FakeAnswer::json(500, &json!({})), 500),
        (FakeAnswer::json(502, &json!({})), 500),
        (FakeAnswer::json(504, &json!({})), 500),
        (FakeAnswer::json(529, &json!({})), 500),
        (FakeAnswer::Error(HttpError::Network), 500),
    ] {
        let http = FakeHttp::answering([first, sse(&format!("{STOP}{DONE}"))]);
        let clock = FakeClock::hurrying(1_000);
        let started = ask_with(&LlmMemory::default(), &clock, &http);
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
    let answer = || FakeAnswer::json(429, &json!({})).with_header(RETRY_AFTER, "1");
    let http = FakeHttp::answering([answer(), answer(), sse(DONE)]);
    let Some(LlmError::RateLimited {
        retry_after_seconds,
        ..
    }) = ask(&http).err()
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
        let http = FakeHttp::answering([FakeAnswer::json(status, &body), sse(DONE)]);
        assert!(ask(&http).is_err());
        assert_eq!(http.requests().len(), 1, "{status} {body}");
    }
}

#[test]
fn does_not_wait_for_long_pauses_or_past_the_deadline() {
    for (value, expected) in [("4", Some(4)), ("Wed, 25 Nov 2026 07:28:00 GMT", None)] {
        let http =
            FakeHttp::answering(
                [FakeAnswer::json(429, &json!({})).with_header(RETRY_AFTER, value)],
            );
        let Some(LlmError::RateLimited {
            retry_after_seconds,
            ..
        }) = ask(&http).err()
        else {
            panic!("{value}")
        };
        assert_eq!(retry_after_seconds, expected);
        assert_eq!(http.requests().len(), 1);
    }

    let http = FakeHttp::answering([FakeAnswer::json(503, &json!({}))]);
    let limits = Limits {
        total_ms: RETRY_PAUSE_MS,
        ..LIMITS
    };
    let clock = FakeClock::hurrying(0);
    let asked = stream_chat(
        &config(&[]),
        &LlmMemory::default(),
        &http,
        &clock,
        &request(),
        limits,
    )
    .now_or_never();
    let Some(LlmError::Failed(problem)) = asked.unwrap().err() else {
        panic!("no failure")
    };
    assert_eq!((problem.status, http.requests().len()), (503, 1));
}

#[test]
fn reports_a_missing_response() {
    let http = FakeHttp::answering([FakeAnswer::Error(HttpError::Timeout)]);
    assert_eq!(
        ask(&http).err(),
        Some(LlmError::Unavailable(HttpError::Timeout))
    );
    assert_eq!(http.requests().len(), 1);
    let http = FakeHttp::answering([
        FakeAnswer::json(500, &json!({})),
        FakeAnswer::json(500, &json!({})),
    ]);
    assert_eq!(
        ask(&http).err().map(|error| error.to_string()),
        Some(failed(500).to_string())
    );
}

/// Returns a server that refuses every body for which `refuses` returns an error.
fn picky(refuses: impl Fn(&Value) -> Option<(u16, Value)> + 'static) -> FakeHttp {
    FakeHttp::responding(move |request| {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        match refuses(&body) {
            Some((status, error)) => FakeAnswer::json(status, &json!({"error": error})),
            None => sse(&format!("{}{DONE}", saying("{}"))),
        }
    })
}

type Refuses = fn(&Value) -> Option<(u16, Value)>;
type IsExpected = fn(Dialect) -> bool;

#[test]
fn replaces_a_refused_form_by_the_next_simpler_one() {
    let cases: [(&str, Refuses, usize, IsExpected); 10] = [
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
    ];
    for (name, refuses, requests, is_expected) in cases {
        let http = picky(refuses);
        let memory = LlmMemory::default();
        let clock = FakeClock::hurrying(0);
        let stream =
            ask_with(&memory, &clock, &http).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(http.requests().len(), requests, "{name}");
        assert!(
            is_expected(stream.dialect()),
            "{name}: {:?}",
            stream.dialect()
        );

        let asked = || {
            let before = http.requests().len();
            ask_with(&memory, &FakeClock::hurrying(0), &http)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            http.requests().len() - before
        };
        // A refusal without a reason has to occur twice.
        let second = asked();
        assert!(second == 1 || second == requests, "{name}: {second}");
        assert_eq!(asked(), 1, "{name}: forgotten");
    }
}

#[test]
fn remembers_a_simpler_form_for_half_an_hour() {
    let refused = FakeAnswer::json(
        400,
        &json!({"error": {"message": "response_format is not supported"}}),
    );
    let http = FakeHttp::answering([refused, sse(DONE), sse(DONE), sse(DONE)]);
    let (memory, clock) = (LlmMemory::default(), FakeClock::at_ms(0));
    let mode = |at_ms: u64| {
        clock.advance_ms(at_ms - clock.now_ms());
        ask_with(&memory, &clock, &http)
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
fn replaces_a_form_refused_within_a_routers_answer() {
    let error = json!({"error": {"code": 400, "message": "Provider returned error: response_format is not supported"}});
    for refusal in [
        sse(&format!(": processing\n\ndata: {error}\n\n")),
        FakeAnswer::json(200, &error),
    ] {
        let http = FakeHttp::answering([refusal, sse(&format!("{}{DONE}", saying("{}")))]);
        let clock = FakeClock::at_ms(0);
        let mut stream = ask_with(&LlmMemory::default(), &clock, &http).ok().unwrap();
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
            FakeAnswer::json(status, &json!({"error": error})),
            sse(DONE),
            sse(DONE),
        ]);
        let memory = LlmMemory::default();
        let ask = || {
            ask_with(&memory, &FakeClock::hurrying(0), &http)
                .ok()
                .unwrap()
                .dialect()
        };
        assert_ne!(ask(), Dialect::first(&prices()), "{error}");
        assert_eq!(ask(), Dialect::first(&prices()), "{error}");
    }
}

#[test]
fn one_invalid_json_does_not_change_the_form() {
    let failed =
        json!({"error": {"code": "json_validate_failed", "message": "Failed to validate JSON"}});
    let http = FakeHttp::answering([FakeAnswer::json(400, &failed), sse(DONE)]);
    assert!(matches!(ask(&http).err(), Some(LlmError::Unusable(_))));
    assert_eq!(http.requests().len(), 1);
}

#[test]
fn failure_within_the_answer_quotes_neither_user_nor_key() {
    let error = json!({"error": {"code": 500, "message": "a very private wish, sk-secret", "param": "a very private wish"}});
    let (events, _) = answer_of(sse(&format!("{}data: {error}\n\n", saying("a"))));
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
    let (events, _) = answer_of(FakeAnswer::Response(
        StatusCode::OK,
        HeaderMap::new(),
        chunks,
    ));
    assert_eq!(events[0], content("{}"));
}

#[test]
fn excessive_silence_ends_the_answer() {
    let clock = FakeClock::hurrying(0);
    let (chunks, body) = futures_channel::mpsc::unbounded();
    chunks.unbounded_send(Ok(Bytes::from(saying("a")))).unwrap();
    let response = InboundResponse {
        status: StatusCode::OK,
        headers: HeaderMap::new(),
        body: Box::pin(body),
    };
    let dialect = Dialect::first(&prices());
    let mut stream = ChatStream::new(
        response,
        &clock,
        dialect,
        Prices::default(),
        Estimate::default(),
        Rc::default(),
    );
    stream.allow_silence_ms(Some(5_000));
    assert_eq!(stream.next().now_or_never(), Some(Some(content("a"))));
    assert_eq!(stream.next().now_or_never(), Some(None));
    assert_eq!(clock.now_ms(), 5_000);
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
    let (memory, clock, request) = (LlmMemory::default(), FakeClock::hurrying(0), request());
    let asked = stream_chat(&config, &memory, &http, &clock, &request, LIMITS);
    assert!(asked.now_or_never().unwrap().is_ok());
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
    let memory = LlmMemory::default();
    let error = ask_with(&memory, &FakeClock::hurrying(0), &http)
        .err()
        .unwrap();
    assert!(
        matches!(&error, LlmError::Misconfigured(problem) if problem.code == "weird"),
        "{error:?}"
    );
    assert_eq!(http.requests().len(), 4);
    assert_eq!(memory.dialect(&prices(), 0), Dialect::first(&prices()));
}

#[test]
fn errors_contain_neither_the_users_words_nor_the_key() {
    for quoted in ["a very private wish", "sk-secret is no valid key of ours"] {
        let message = format!("unexpected: {quoted}");
        let http = FakeHttp::answering([FakeAnswer::json(
            401,
            &json!({"error": {"message": message}}),
        )]);
        let error = ask(&http).err().unwrap().to_string();
        assert!(
            !error.contains("private") && !error.contains("sk-secret"),
            "{error}"
        );
    }
}

#[test]
fn cancelled_read_loses_nothing() {
    let document = json!({"choices": [{"message": {"content": "ż"}}]}).to_string();
    for text in [document, format!("{}{DONE}", saying("ż"))] {
        let (chunks, body) = futures_channel::mpsc::unbounded();
        let response = InboundResponse {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: Box::pin(body),
        };
        let dialect = Dialect::first(&prices());
        let clock = FakeClock::at_ms(0);
        let mut stream = ChatStream::new(
            response,
            &clock,
            dialect,
            Prices::default(),
            Estimate::default(),
            Rc::default(),
        );
        let mut heard = Vec::new();
        for chunk in text.as_bytes().chunks(7) {
            chunks
                .unbounded_send(Ok(Bytes::copy_from_slice(chunk)))
                .unwrap();
            heard.extend(stream.next().now_or_never().flatten());
        }
        drop(chunks);
        heard.extend(all(&mut stream));
        assert_eq!(heard, [content("ż")], "{text}");
    }
}

#[test]
fn reads_chunks_cut_anywhere() {
    let text = format!("{}{}{STOP}{DONE}", saying("zażółć"), saying("gęślą"));
    let chunks: Vec<_> = text
        .as_bytes()
        .chunks(3)
        .map(|chunk| Ok(Bytes::copy_from_slice(chunk)))
        .collect();
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    let (events, _) = answer_of(FakeAnswer::Response(StatusCode::OK, headers, chunks));
    assert_eq!(events, [content("zażółć"), content("gęślą"), Ok(FINISHED)]);
}
