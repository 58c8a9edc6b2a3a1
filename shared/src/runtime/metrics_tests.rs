use futures_util::{FutureExt, StreamExt};
use http::{HeaderMap, Method, StatusCode};
use serde_json::json;

use super::*;
use crate::fakes::{FakeClock, FakeHttp, FakeResponse};
use crate::runtime::http_client::Limits;

struct Bench {
    clock: FakeClock,
    record: Rc<RequestMetrics>,
    http: InstrumentedClient,
}

fn bench(answers: impl IntoIterator<Item = FakeResponse>) -> Bench {
    let (clock, record) = (FakeClock::at_ms(1_000), Rc::new(RequestMetrics::default()));
    let http = InstrumentedClient::new(
        FakeHttp::answering(answers),
        Rc::new(clock.clone()),
        record.clone(),
    );
    Bench {
        clock,
        record,
        http,
    }
}

fn to(upstream: Upstream) -> OutboundRequest {
    OutboundRequest::new(
        upstream,
        Method::GET,
        "https://x.example",
        Limits::document(1, 1),
    )
}

impl Bench {
    fn send(&self, upstream: Upstream) -> Result<InboundResponse, HttpError> {
        self.http.send(to(upstream)).now_or_never().unwrap()
    }

    fn line(&self) -> Value {
        serde_json::from_str(&self.record.fields().into_line()).unwrap()
    }
}

fn text(status: u16) -> FakeResponse {
    FakeResponse::text(status, "text/plain", "answer")
}

#[test]
fn request_lasts_until_its_last_byte() {
    let bench = bench([text(200)]);
    let mut response = bench.send(Upstream::Model).unwrap();
    bench.clock.advance_ms(30);
    response
        .body
        .next()
        .now_or_never()
        .unwrap()
        .unwrap()
        .unwrap();
    bench.clock.advance_ms(12);
    assert!(response.body.next().now_or_never().unwrap().is_none());
    bench.clock.advance_ms(500);
    drop(response);
    assert_eq!(
        bench.line(),
        json!({"subrequests": 1, "upstreams": {"model": {"calls": 1, "ms": 42}}})
    );
}

#[test]
fn dropped_request_lasts_until_the_drop_and_is_no_failure() {
    let bench = bench([FakeResponse::Silence, text(200)]);
    let mut sending = Box::pin(bench.http.send(to(Upstream::Spotify)));
    assert!(sending.as_mut().now_or_never().is_none());
    bench.clock.advance_ms(5);
    drop(sending);
    let response = bench.send(Upstream::Spotify).unwrap();
    bench.clock.advance_ms(2);
    drop(response);
    assert_eq!(
        bench.line()["upstreams"],
        json!({"spotify": {"calls": 2, "ms": 7}})
    );
}

#[test]
fn unusable_response_is_a_failure() {
    let broken = FakeResponse::Response(
        StatusCode::OK,
        HeaderMap::new(),
        vec![Err(HttpError::Timeout)],
    );
    let bench = bench([
        FakeResponse::Error(HttpError::Network),
        text(500),
        text(429),
        broken,
        text(404),
        text(200),
    ]);
    for _ in 0..6 {
        if let Ok(response) = bench.send(Upstream::Stripe) {
            let _ = response.bytes().now_or_never().unwrap();
        }
    }
    assert_eq!(
        bench.line()["upstreams"],
        json!({"stripe": {"calls": 6, "ms": 0, "failed": 4}})
    );
}

#[test]
fn upstreams_are_counted_separately_and_unused_ones_omitted() {
    let bench = bench([text(200), text(200), text(200)]);
    for upstream in [Upstream::Auth, Upstream::Database, Upstream::Database] {
        bench.send(upstream).unwrap();
    }
    let expected = json!({"auth": {"calls": 1, "ms": 0}, "database": {"calls": 2, "ms": 0}});
    assert_eq!(
        (&bench.line()["upstreams"], &bench.line()["subrequests"]),
        (&expected, &json!(3))
    );
    assert_eq!(
        RequestMetrics::default().fields().into_line(),
        r#"{"subrequests":0}"#
    );
}

#[test]
fn last_value_of_a_field_is_logged() {
    let record = RequestMetrics::default();
    record.note("quota", "reserved");
    record.note("quota", "charged");
    assert_eq!(
        record.fields().into_line(),
        r#"{"quota":"charged","subrequests":0}"#
    );
}

#[test]
fn server_timing_has_the_total_and_each_upstream() {
    let bench = bench([text(200), text(200), text(200)]);
    for upstream in [Upstream::Model, Upstream::Database, Upstream::Database] {
        let response = bench.send(upstream).unwrap();
        bench.clock.advance_ms(10);
        drop(response);
    }
    let expected = "total;dur=45, database;dur=20;desc=\"2 calls\", model;dur=10;desc=\"1 calls\"";
    assert_eq!(bench.record.server_timing(45), expected);
}
