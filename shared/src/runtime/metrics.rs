//! The metrics of a request for its log line: the requests to each upstream, their failures and their duration.

use std::cell::RefCell;
use std::fmt::Write;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::{FutureExt, Stream};
use serde_json::{Map, Value};

use crate::runtime::clock::Clock;
use crate::runtime::http_client::{
    BodyStream, HttpClient, HttpError, InboundResponse, OutboundRequest, ResponseFuture, Upstream,
};
use crate::runtime::log::Fields;

/// The metrics of one request.
#[derive(Debug, Default)]
pub struct RequestMetrics {
    noted: RefCell<Fields>,
    calls: RefCell<[UpstreamCalls; Upstream::ALL.len()]>,
}

/// The calls to one upstream.
#[derive(Debug, Default, Clone, Copy)]
struct UpstreamCalls {
    calls: u64,
    failed: u64,
    ms: u64,
}

impl RequestMetrics {
    /// Sets a field of the log line. Never pass a secret or a user's text.
    pub fn note(&self, key: &'static str, value: impl Into<Value>) {
        self.noted.borrow_mut().set(key, value);
    }

    /// Takes the fields set so far and adds the requests to each upstream.
    pub fn fields(&self) -> Fields {
        let (mut subrequests, mut upstreams) = (0, Map::new());
        // Inserted one by one, because `collect` sorts first, which costs 2 KB of wasm.
        for (name, calls) in self.asked() {
            subrequests += calls.calls;
            upstreams.insert(name.to_owned(), calls.json());
        }
        let upstreams = (!upstreams.is_empty()).then_some(upstreams);
        self.noted
            .take()
            .with("subrequests", subrequests)
            .with_some("upstreams", upstreams)
    }

    /// Returns the metrics as the value of a `Server-Timing` header.
    pub fn server_timing(&self, total_ms: u64) -> String {
        let mut text = format!("total;dur={total_ms}");
        for (name, UpstreamCalls { calls, ms, .. }) in self.asked() {
            // Writing to a string never fails.
            let _ = write!(text, ", {name};dur={ms};desc=\"{calls} calls\"");
        }
        text
    }

    fn asked(&self) -> impl Iterator<Item = (&'static str, UpstreamCalls)> {
        let calls = *self.calls.borrow();
        let named = Upstream::ALL.into_iter().map(Upstream::as_str).zip(calls);
        named.filter(|(_, calls)| calls.calls > 0)
    }

    fn count(&self, upstream: Upstream, change: impl FnOnce(&mut UpstreamCalls)) {
        if let Some(calls) = self.calls.borrow_mut().get_mut(upstream as usize) {
            change(calls);
        }
    }
}

impl UpstreamCalls {
    fn json(self) -> Value {
        let mut json = Map::new();
        for (name, count) in [
            ("calls", self.calls),
            ("failed", self.failed),
            ("ms", self.ms),
        ] {
            if count > 0 || name != "failed" {
                json.insert(name.to_owned(), count.into());
            }
        }
        Value::Object(json)
    }
}

/// An HTTP client that records its requests in [`RequestMetrics`].
#[derive(Clone)]
pub struct InstrumentedClient {
    inner: Rc<dyn HttpClient>,
    clock: Rc<dyn Clock>,
    metrics: Rc<RequestMetrics>,
}

impl InstrumentedClient {
    /// Wraps `inner` and records its requests in `metrics`.
    pub fn new(
        inner: impl HttpClient + 'static,
        clock: Rc<dyn Clock>,
        metrics: Rc<RequestMetrics>,
    ) -> Self {
        Self {
            inner: Rc::new(inner),
            clock,
            metrics,
        }
    }
}

impl HttpClient for InstrumentedClient {
    fn send(&self, request: OutboundRequest) -> ResponseFuture<'_> {
        let mut exchange = Exchange::begin(self, request.upstream);
        let sending = self.inner.send(request).map(move |response| {
            exchange.has_failed = match &response {
                Ok(response) => matches!(response.status.as_u16(), 429 | 500..),
                Err(_) => true,
            };
            response.map(|response| {
                let body = Box::pin(MeasuredBody {
                    chunks: response.body,
                    exchange: Some(exchange),
                });
                InboundResponse { body, ..response }
            })
        });
        sending.boxed_local()
    }
}

/// A request in progress; its drop, at the last byte or earlier, adds it to the metrics.
struct Exchange {
    metrics: Rc<RequestMetrics>,
    upstream: Upstream,
    clock: Rc<dyn Clock>,
    since_ms: u64,
    has_failed: bool,
}

impl Exchange {
    fn begin(client: &InstrumentedClient, upstream: Upstream) -> Self {
        client.metrics.count(upstream, |calls| calls.calls += 1);
        let (metrics, clock) = (client.metrics.clone(), client.clock.clone());
        Self {
            metrics,
            upstream,
            since_ms: clock.now_ms(),
            clock,
            has_failed: false,
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let ms = self.clock.now_ms().saturating_sub(self.since_ms);
        self.metrics.count(self.upstream, |calls| {
            calls.ms += ms;
            calls.failed += u64::from(self.has_failed);
        });
    }
}

struct MeasuredBody {
    chunks: BodyStream,
    /// `None` after the end of the body.
    exchange: Option<Exchange>,
}

impl Stream for MeasuredBody {
    type Item = Result<Bytes, HttpError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let chunk = ready!(self.chunks.as_mut().poll_next(context));
        match &chunk {
            Some(Ok(_)) => {}
            Some(Err(_)) => {
                if let Some(mut exchange) = self.exchange.take() {
                    exchange.has_failed = true;
                }
            }
            None => self.exchange = None,
        }
        Poll::Ready(chunk)
    }
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;
