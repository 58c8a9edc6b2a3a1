//! Whole answers, from the request to the last event.

use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::*;
use crate::fakes::{FakeAnswer, FakeClock, FakeHttp};
use crate::llm::config::tests::config;
use crate::llm::{FinishReason, Message, Role, Schema};

const LIMITS: Limits = Limits::stream(20_000, 50_000, 1 << 20);

const FINISHED: ChatEvent = ChatEvent::Finished(FinishReason::Stop);

fn request() -> ChatRequest {
    ChatRequest {
        system: "12345678".to_owned(),
        messages: vec![Message { role: Role::User, content: "hi".to_owned() }],
        schema_name: "answer",
        schema: Schema::Text,
        max_completion_tokens: 100,
    }
}

fn ask_at(clock: &FakeClock, http: &FakeHttp) -> Result<ChatStream, LlmError> {
    let config = config(&[("LLM_PRICE_IN", "100"), ("LLM_PRICE_OUT", "200")]);
    stream_chat(&config, http, clock, &request(), LIMITS).now_or_never().expect("still waiting")
}

fn ask(http: &FakeHttp) -> Result<ChatStream, LlmError> {
    ask_at(&FakeClock::hurrying(0), http)
}

fn all(stream: &mut ChatStream) -> Vec<Result<ChatEvent, LlmError>> {
    let mut events = Vec::new();
    while let Some(event) = stream.next().now_or_never().expect("still waiting") {
        events.push(event);
    }
    events
}

fn answer_of(stream: FakeAnswer) -> (Vec<Result<ChatEvent, LlmError>>, Cost) {
    let mut stream = ask(&FakeHttp::answering([stream])).ok().unwrap();
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
    format!("data: {}\n\n", json!({"choices": [{"delta": {"content": text}}]}))
}

const STOP: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const USAGE: &str = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":20}}\n\n";
const DONE: &str = "data: [DONE]\n\n";

#[test]
fn an_answer_streams_to_its_end_and_costs_what_its_tokens_cost() {
    let (events, cost) =
        answer_of(sse(&format!(": hi\n\n{}{}{STOP}{USAGE}{DONE}", saying("a"), saying("ż"))));
    let usage = Usage { prompt_tokens: 10, completion_tokens: 20, cost: None };
    assert_eq!(events, [content("a"), content("ż"), Ok(FINISHED), Ok(ChatEvent::Usage(usage))]);
    assert_eq!(cost.to_string(), "0.0050");
}

#[test]
fn one_post_with_the_key_goes_to_chat_completions() {
    let http = FakeHttp::answering([sse(DONE)]);
    ask(&http).ok().unwrap();
    let [sent] = &http.requests()[..] else { panic!("not one request") };
    assert_eq!(
        (sent.method.as_str(), sent.url.as_str()),
        ("POST", "https://llm.example/v1/chat/completions")
    );
    assert_eq!(sent.headers[AUTHORIZATION], "Bearer sk-secret");
    assert_eq!(sent.limits, LIMITS);
    let body: Value = serde_json::from_slice(&sent.body).unwrap();
    assert_eq!((&body["stream"], &body["max_completion_tokens"]), (&json!(true), &json!(100)));
    assert_eq!((body.get("temperature"), body.get("max_tokens")), (None, None));
}

#[test]
fn a_cost_that_the_upstream_tells_is_taken_over_prices() {
    let usage = "data: {\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":20,\"cost\":0.00031}}\n\n";
    assert_eq!(answer_of(sse(&format!("{STOP}{usage}{DONE}"))).1.to_string(), "0.0004");
}

#[test]
fn without_usage_the_cost_is_an_estimate_from_characters() {
    let (_, cost) = answer_of(sse(&format!("{}{STOP}{DONE}", saying("four plus 4!"))));
    // 10 characters are 3 tokens at 100 micro-dollars, 12 are 3 at 200.
    assert_eq!(cost.to_string(), "0.0009");
}

#[test]
fn one_json_document_is_read_like_a_stream() {
    let usage = json!({"prompt_tokens": 1, "completion_tokens": 1});
    let body = json!({"choices": [{"message": {"content": "{}"}, "finish_reason": "stop"}], "usage": usage});
    let (events, cost) = answer_of(FakeAnswer::json(200, &body));
    assert_eq!((&events[..2], events.len()), (&[content("{}"), Ok(FINISHED)][..], 3));
    assert_eq!(cost.to_string(), "0.0003");
    let without_reason = json!({"choices": [{"message": {"content": "{}"}}]});
    assert_eq!(answer_of(FakeAnswer::json(200, &without_reason)).0, [content("{}")]);
}

#[test]
fn a_document_that_says_nothing_is_invalid() {
    for body in [json!({}), json!([]), json!({"choices": [{"message": {}}]})] {
        assert_eq!(answer_of(FakeAnswer::json(200, &body)).0, [Err(LlmError::InvalidAnswer)], "{body}");
    }
    let error = FakeAnswer::json(200, &json!({"error": {"code": 402}}));
    assert_eq!(answer_of(error).0, [Err(LlmError::PaymentRequired)]);
}

#[test]
fn what_breaks_half_way_is_told_after_what_came_before() {
    for (rest, error) in [
        ("", LlmError::CutOff),
        ("data: {\"choices\":[{\"del", LlmError::CutOff),
        ("data: <html>\n\n", LlmError::InvalidAnswer),
        ("data: {\"error\":{\"code\":502,\"message\":\"x\"}}\n\n", LlmError::Refused { status: 502 }),
        ("data: {\"choices\":[{\"finish_reason\":\"error\"}]}\n\n", LlmError::Refused { status: 502 }),
    ] {
        let (events, cost) = answer_of(sse(&format!("{}{rest}", saying("a"))));
        assert_eq!(events, [content("a"), Err(error)], "{rest}");
        assert!(cost > Cost::ZERO);
    }
}

#[test]
fn a_transport_that_breaks_is_told_unless_the_model_had_finished() {
    let breaking = |text: &str| {
        let chunks = vec![Ok(Bytes::copy_from_slice(text.as_bytes())), Err(HttpError::Timeout)];
        FakeAnswer::Response(StatusCode::OK, HeaderMap::new(), chunks)
    };
    let timeout = Err(LlmError::Unavailable(HttpError::Timeout));
    assert_eq!(answer_of(breaking(&saying("a"))).0, [content("a"), timeout]);
    assert_eq!(answer_of(breaking(STOP)).0, [Ok(FINISHED)]);
}

#[test]
fn an_answer_may_end_without_done_and_done_may_lack_its_blank_line() {
    assert_eq!(answer_of(sse(&format!("{}{STOP}", saying("a")))).0, [content("a"), Ok(FINISHED)]);
    assert_eq!(answer_of(sse(&format!("{}data: [DONE]", saying("a")))).0, [content("a")]);
}

#[test]
fn nothing_is_read_after_done() {
    assert_eq!(answer_of(sse(&format!("{DONE}{}data: <html>\n\n", saying("late")))).0, []);
}

#[test]
fn passing_trouble_is_tried_once_more_after_a_pause() {
    for (status, retry_after, pause_ms) in [(429, Some("3"), 3_000), (502, None, 500), (503, Some("0"), 0)] {
        let mut first = FakeAnswer::json(status, &json!({}));
        if let Some(value) = retry_after {
            first = first.with_header(RETRY_AFTER, value);
        }
        let http = FakeHttp::answering([first, sse(&format!("{STOP}{DONE}"))]);
        let clock = FakeClock::hurrying(1_000);
        assert_eq!(all(&mut ask_at(&clock, &http).ok().unwrap()), [Ok(FINISHED)]);
        assert_eq!(clock.now_ms(), 1_000 + pause_ms);
        let [first, second] = &http.requests()[..] else { panic!("not two requests") };
        assert_eq!(first.body, second.body);
        assert_eq!(second.limits.total_ms, LIMITS.total_ms - pause_ms);
    }
}

#[test]
fn the_second_refusal_is_final() {
    let answer = || FakeAnswer::json(429, &json!({})).with_header(RETRY_AFTER, "1");
    let http = FakeHttp::answering([answer(), answer(), sse(DONE)]);
    let error = ask(&http).err();
    assert_eq!(error, Some(LlmError::RateLimited { retry_after_seconds: Some(1) }));
    assert_eq!(http.requests().len(), 2);
}

#[test]
fn what_waiting_does_not_help_is_not_tried_again() {
    for (status, error) in [
        (400, LlmError::Refused { status: 400 }),
        (401, LlmError::InvalidCredentials),
        (402, LlmError::PaymentRequired),
        (403, LlmError::InvalidCredentials),
        (500, LlmError::Refused { status: 500 }),
        (302, LlmError::Refused { status: 302 }),
    ] {
        let http = FakeHttp::answering([FakeAnswer::json(status, &json!({})), sse(DONE)]);
        assert_eq!(ask(&http).err(), Some(error));
        assert_eq!(http.requests().len(), 1, "{status}");
    }
}

#[test]
fn a_long_pause_and_a_pause_past_the_deadline_are_not_waited_for() {
    for (value, retry_after_seconds) in [("4", Some(4)), ("Wed, 25 Nov 2026 07:28:00 GMT", None)] {
        let http = FakeHttp::answering([FakeAnswer::json(429, &json!({})).with_header(RETRY_AFTER, value)]);
        assert_eq!(ask(&http).err(), Some(LlmError::RateLimited { retry_after_seconds }));
        assert_eq!(http.requests().len(), 1);
    }

    let http = FakeHttp::answering([FakeAnswer::json(503, &json!({}))]);
    let limits = Limits { total_ms: RETRY_PAUSE_MS, ..LIMITS };
    let asked = stream_chat(&config(&[]), &http, &FakeClock::hurrying(0), &request(), limits).now_or_never();
    assert_eq!(asked.unwrap().err(), Some(LlmError::Refused { status: 503 }));
    assert_eq!(http.requests().len(), 1);
}

#[test]
fn no_answer_is_told_as_it_is() {
    let http = FakeHttp::answering([FakeAnswer::Error(HttpError::Timeout)]);
    assert_eq!(ask(&http).err(), Some(LlmError::Unavailable(HttpError::Timeout)));
}

#[test]
fn a_wait_that_is_given_up_loses_nothing() {
    for content_type in ["text/event-stream", "application/json"] {
        let text = match content_type {
            "application/json" => json!({"choices": [{"message": {"content": "ż"}}]}).to_string(),
            _ => format!("{}{DONE}", saying("ż")),
        };
        let (chunks, body) = futures_channel::mpsc::unbounded();
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        let response = InboundResponse { status: StatusCode::OK, headers, body: Box::pin(body) };
        let mut stream = ChatStream::new(response, Prices::default(), 0);
        let mut heard = Vec::new();
        for chunk in text.as_bytes().chunks(7) {
            chunks.unbounded_send(Ok(Bytes::copy_from_slice(chunk))).unwrap();
            heard.extend(stream.next().now_or_never().flatten());
        }
        drop(chunks);
        heard.extend(all(&mut stream));
        assert_eq!(heard, [content("ż")], "{content_type}");
    }
}

#[test]
fn chunks_may_be_cut_anywhere() {
    let text = format!("{}{}{STOP}{DONE}", saying("zażółć"), saying("gęślą"));
    let chunks: Vec<_> = text.as_bytes().chunks(3).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    let (events, _) = answer_of(FakeAnswer::Response(StatusCode::OK, headers, chunks));
    assert_eq!(events, [content("zażółć"), content("gęślą"), Ok(FINISHED)]);
}
