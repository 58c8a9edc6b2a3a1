//! Tests of whole completions, from the request to the last event.

use bytes::Bytes;
use futures_util::{FutureExt, Stream};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::*;
use crate::fakes::{FakeClock, FakeHttp, FakeResponse};
use crate::llm::config::tests::config;
use crate::llm::{
    ChatEvent, Cost, Estimate, FinishReason, JsonMode, Message, Prices, Role, Schema, TokenLimit,
    Usage, UserParameter,
};
use crate::runtime::http_client::RETRY_AFTER_MS;

#[path = "client_dialect_tests.rs"]
mod dialects;
#[path = "client_failure_tests.rs"]
mod failures;

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

fn begin_with<'a>(
    dialects: &'a DialectCache,
    clock: &'a FakeClock,
    http: &'a FakeHttp,
) -> Result<ChatStream<'a>, LlmError> {
    let client = LlmClient {
        config: leaked(prices()),
        dialects,
        http,
        clock,
    };
    client
        .stream(&request(), LIMITS)
        .now_or_never()
        .expect("still waiting")
}

fn begin_at<'a>(clock: &'a FakeClock, http: &'a FakeHttp) -> Result<ChatStream<'a>, LlmError> {
    begin_with(leaked(DialectCache::default()), clock, http)
}

fn leaked<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

fn begin(http: &FakeHttp) -> Result<ChatStream<'_>, LlmError> {
    begin_at(leaked(FakeClock::hurrying(0)), http)
}

fn reading(
    body: impl Stream<Item = Result<Bytes, HttpError>> + 'static,
    clock: &FakeClock,
) -> ChatStream<'_> {
    let meter = Meter::new(Prices::default(), Estimate::default());
    let dialect = Dialect::first(&prices());
    ChatStream::new(Box::pin(body), clock, dialect, meter, Rc::default())
}

/// Reads the completion on a stopped clock, so nothing times out.
fn all(stream: &mut ChatStream) -> Vec<Result<ChatEvent, LlmError>> {
    let mut events = Vec::new();
    while let Some(event) = stream.next().now_or_never().expect("still waiting") {
        events.push(event);
    }
    events
}

fn completion_of(stream: FakeResponse) -> (Vec<Result<ChatEvent, LlmError>>, Cost) {
    let http = FakeHttp::answering([stream]);
    let clock = FakeClock::at_ms(0);
    let mut stream = begin_at(&clock, &http).ok().unwrap();
    let events = all(&mut stream);
    (events, stream.cost())
}

fn sse(text: &str) -> FakeResponse {
    FakeResponse::text(200, "text/event-stream; charset=utf-8", text)
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
fn streams_a_completion_and_computes_its_cost() {
    let (events, cost) = completion_of(sse(&format!(
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
    begin(&http).ok().unwrap();
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
        completion_of(sse(&format!("{STOP}{usage}{DONE}")))
            .1
            .to_string(),
        "0.0004"
    );
}

#[test]
fn estimates_the_cost_from_characters_without_usage() {
    let (_, cost) = completion_of(sse(&format!("{}{STOP}{DONE}", saying("four plus 4!"))));
    // 27 characters are 9 tokens at 100 micro-dollars, 12 are 4 at 200.
    assert_eq!(cost.to_string(), "0.0017");
}

#[test]
fn reads_a_document_like_a_stream() {
    let usage = json!({"prompt_tokens": 1, "completion_tokens": 1});
    let body = json!({"choices": [{"message": {"content": "{}"}, "finish_reason": "stop"}], "usage": usage});
    for content_type in ["application/json", "text/event-stream", "text/plain"] {
        let (events, cost) =
            completion_of(FakeResponse::text(200, content_type, &body.to_string()));
        assert_eq!(
            (&events[..2], events.len()),
            (&[content("{}"), Ok(FINISHED)][..], 3),
            "{content_type}"
        );
        assert_eq!(cost.to_string(), "0.0003");
    }
    let stream = format!("{}{DONE}", saying("{}"));
    assert_eq!(
        completion_of(FakeResponse::text(200, "application/json", &stream)).0,
        [content("{}")]
    );
}

#[test]
fn distinguishes_empty_from_invalid_completions() {
    for body in [json!({}), json!({"choices": [{"message": {}}]})] {
        assert_eq!(
            completion_of(FakeResponse::json(200, &body)).0,
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
            completion_of(sse(body)).0,
            [Err(LlmError::InvalidResponse)],
            "{body}"
        );
    }
    let error = FakeResponse::json(200, &json!({"error": {"code": 402}}));
    assert!(matches!(
        completion_of(error).0[..],
        [Err(LlmError::Misconfigured(_))]
    ));
}

#[test]
fn uses_thoughts_as_the_completion_if_there_is_no_content() {
    let thought = |text: &str| {
        format!(
            "data: {}\n\n",
            json!({"choices": [{"delta": {"reasoning_content": text}}]})
        )
    };
    let stream =
        |thoughts: &str, content: &str| sse(&format!("{}{content}{STOP}{DONE}", thought(thoughts)));
    assert_eq!(
        completion_of(stream("{\"a\":1}", "")).0,
        [Ok(FINISHED), content("{\"a\":1}")]
    );
    assert_eq!(
        completion_of(stream("{\"a\":1}", &saying("{}"))).0,
        [content("{}"), Ok(FINISHED)]
    );
    assert_eq!(completion_of(stream("hm", "")).0, [Ok(FINISHED)]);
}

#[test]
fn joins_a_character_cut_in_two() {
    let halves = "data: {\"choices\":[{\"delta\":{\"content\":\"a\\ud83c\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"\\udfb5b\"}}]}\n\n";
    assert_eq!(completion_of(sse(halves)).0, [content("a"), content("🎵b")]);
}

#[test]
fn open_connection_ends_at_the_callers_limit() {
    let clock = FakeClock::hurrying(0);
    let (chunks, body) = futures_channel::mpsc::unbounded();
    chunks
        .unbounded_send(Ok(Bytes::from(format!("{}{STOP}", saying("a")))))
        .unwrap();
    let mut stream = reading(body, &clock);
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
        completion_of(sse(&format!("{DONE}{}data: <html>\n\n", saying("late")))).0,
        []
    );
}

type Refuses = fn(&Value) -> Option<(u16, Value)>;
type IsExpected = fn(Dialect) -> bool;

#[test]
fn excessive_silence_ends_the_completion() {
    let clock = FakeClock::hurrying(0);
    let (chunks, body) = futures_channel::mpsc::unbounded();
    chunks.unbounded_send(Ok(Bytes::from(saying("a")))).unwrap();
    let mut stream = reading(body, &clock);
    stream.allow_silence_ms(Some(5_000));
    assert_eq!(stream.next().now_or_never(), Some(Some(content("a"))));
    assert_eq!(stream.next().now_or_never(), Some(None));
    assert_eq!(clock.now_ms(), 5_000);
}

#[test]
fn cancelled_read_loses_nothing() {
    let document = json!({"choices": [{"message": {"content": "ż"}}]}).to_string();
    for text in [document, format!("{}{DONE}", saying("ż"))] {
        let (chunks, body) = futures_channel::mpsc::unbounded();
        let clock = FakeClock::at_ms(0);
        let mut stream = reading(body, &clock);
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
    let (events, _) = completion_of(FakeResponse::Response(StatusCode::OK, headers, chunks));
    assert_eq!(events, [content("zażółć"), content("gęślą"), Ok(FINISHED)]);
}
