//! What is gathered on a request's way for its log line: whom it asked, how often, and how long that took.

use std::cell::RefCell;
use std::fmt::Write;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::{FutureExt, Stream};
use serde_json::{Map, Value};

use crate::runtime::clock::Clock;
use crate::runtime::http_client::{
    BodyStream, HttpClient, HttpError, InboundResponse, OutboundRequest, Upstream,
};
use crate::runtime::log::Fields;

/// One request's record. It lives and dies with the request.
#[derive(Debug, Default)]
pub struct RequestMetrics {
    noted: RefCell<Fields>,
    tallies: RefCell<[Tally; Upstream::ALL.len()]>,
}

/// The calls to one upstream.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    calls: u64,
    failed: u64,
    ms: u64,
}

impl RequestMetrics {
    /// Sets a field of the line. Never a secret, never what a listener typed.
    pub fn note(&self, key: &str, value: impl Into<Value>) {
        self.noted.borrow_mut().set(key, value);
    }

    /// What was noted, which is handed out once, and what was asked of whom.
    pub fn fields(&self) -> Fields {
        let (mut subrequests, mut upstreams) = (0, Map::new());
        // Not collected: that would sort first, which is 2 KB of code.
        for (name, tally) in self.asked() {
            subrequests += tally.calls;
            upstreams.insert(name.to_owned(), tally.json());
        }
        let upstreams = (!upstreams.is_empty()).then_some(upstreams);
        self.noted.take().with("subrequests", subrequests).with_some("upstreams", upstreams)
    }

    /// The same as the value of a `Server-Timing` header.
    pub fn server_timing(&self, total_ms: u64) -> String {
        let mut text = format!("total;dur={total_ms}");
        for (name, Tally { calls, ms, .. }) in self.asked() {
            // Writing to a string never fails.
            let _ = write!(text, ", {name};dur={ms};desc=\"{calls} calls\"");
        }
        text
    }

    fn asked(&self) -> impl Iterator<Item = (&'static str, Tally)> {
        let tallies = *self.tallies.borrow();
        let named = Upstream::ALL.into_iter().map(Upstream::as_str).zip(tallies);
        named.filter(|(_, tally)| tally.calls > 0)
    }

    fn count(&self, upstream: Upstream, change: impl FnOnce(&mut Tally)) {
        if let Some(tally) = self.tallies.borrow_mut().get_mut(upstream as usize) {
            change(tally);
        }
    }
}

impl Tally {
    fn json(self) -> Value {
        let mut json = Map::new();
        for (name, count) in [("calls", self.calls), ("failed", self.failed), ("ms", self.ms)] {
            if count > 0 || name != "failed" {
                json.insert(name.to_owned(), count.into());
            }
        }
        Value::Object(json)
    }
}

/// A way out that writes down what goes through it.
#[derive(Clone)]
pub struct InstrumentedClient<H, C> {
    inner: H,
    clock: C,
    record: Rc<RequestMetrics>,
}

impl<H, C> InstrumentedClient<H, C> {
    /// The way out `inner`, as `record` is to know of it.
    pub fn new(inner: H, clock: C, record: Rc<RequestMetrics>) -> Self {
        Self { inner, clock, record }
    }
}

impl<H: HttpClient, C: Clock + Clone + Unpin + 'static> HttpClient for InstrumentedClient<H, C> {
    fn send(&self, request: OutboundRequest) -> impl Future<Output = Result<InboundResponse, HttpError>> {
        let mut asking = Asking::begin(self, request.upstream);
        self.inner.send(request).map(move |answer| {
            asking.has_failed = match &answer {
                Ok(response) => matches!(response.status.as_u16(), 429 | 500..),
                Err(_) => true,
            };
            answer.map(|response| {
                let body = Box::pin(Reading { chunks: response.body, asking: Some(asking) });
                InboundResponse { body, ..response }
            })
        })
    }
}

/// A call under way: from sending to the last byte, or to whatever ends it before.
struct Asking<C: Clock> {
    record: Rc<RequestMetrics>,
    upstream: Upstream,
    clock: C,
    since_ms: u64,
    has_failed: bool,
}

impl<C: Clock + Clone> Asking<C> {
    fn begin<H>(from: &InstrumentedClient<H, C>, upstream: Upstream) -> Self {
        from.record.count(upstream, |tally| tally.calls += 1);
        let (record, clock) = (from.record.clone(), from.clock.clone());
        Self { record, upstream, since_ms: clock.now_ms(), clock, has_failed: false }
    }
}

impl<C: Clock> Drop for Asking<C> {
    fn drop(&mut self) {
        let ms = self.clock.now_ms().saturating_sub(self.since_ms);
        self.record.count(self.upstream, |tally| {
            tally.ms += ms;
            tally.failed += u64::from(self.has_failed);
        });
    }
}

struct Reading<C: Clock> {
    chunks: BodyStream,
    /// None behind the end.
    asking: Option<Asking<C>>,
}

impl<C: Clock + Unpin> Stream for Reading<C> {
    type Item = Result<Bytes, HttpError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let chunk = ready!(self.chunks.as_mut().poll_next(context));
        match &chunk {
            Some(Ok(_)) => {}
            Some(Err(_)) => {
                if let Some(mut asking) = self.asking.take() {
                    asking.has_failed = true;
                }
            }
            None => self.asking = None,
        }
        Poll::Ready(chunk)
    }
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;
