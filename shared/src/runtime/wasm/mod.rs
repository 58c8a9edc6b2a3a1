//! The traits on workerd and Deno. Only this module sees JavaScript.

mod executor;
mod function;
mod glue;

use std::str::Split;

use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use futures_util::{FutureExt, Stream, StreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use wasm_bindgen::UnwrapThrowExt;

use crate::runtime::clock::Clock;
use crate::runtime::http_client::{
    HttpClient, HttpError, InboundResponse, OutboundRequest, RESPONSE_HEADERS, ResponseFuture,
};
use crate::runtime::log::{Level, Log};
use crate::runtime::random::Random;
use executor::JsFuture;
pub use function::{Env, Function, Received, accept};
pub use wasm_bindgen::{self, prelude::JsValue};

/// The runtime's clock and timers.
#[derive(Debug, Clone, Copy, Default)]
pub struct WorkerClock;

impl Clock for WorkerClock {
    fn now_ms(&self) -> u64 {
        js_sys::Date::now() as u64
    }

    fn sleep_ms(&self, duration_ms: u64) -> LocalBoxFuture<'static, ()> {
        let future = JsFuture::new();
        let timer = Timer(glue::sleep(future.id(), duration_ms as f64));
        future.map(move |_| drop(timer)).boxed_local()
    }
}

/// A `setTimeout` handle; dropping it clears the timer.
struct Timer(f64);

impl Drop for Timer {
    fn drop(&mut self) {
        glue::cancel(self.0);
    }
}

/// The runtime's random generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct WorkerRandom;

impl Random for WorkerRandom {
    #[allow(clippy::disallowed_methods)] // The only place that may use the platform's generator.
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).unwrap_throw();
    }
}

/// The runtime's console.
#[derive(Debug, Clone, Copy, Default)]
pub struct WorkerLog;

impl Log for WorkerLog {
    fn write(&self, level: Level, line: &str) {
        match level {
            Level::Info => glue::info(line),
            Level::Error => glue::error(line),
        }
    }
}

/// The runtime's `fetch`.
#[derive(Debug, Clone, Copy, Default)]
pub struct WorkerHttp;

/// A request that is aborted if it is dropped before its end.
struct Exchange {
    glue: glue::Exchange,
    is_over: bool,
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if !self.is_over {
            self.glue.abort();
        }
    }
}

impl HttpClient for WorkerHttp {
    fn send(&self, request: OutboundRequest) -> ResponseFuture<'_> {
        async move {
            let limits = request.limits;
            let future = JsFuture::new();
            let glue = glue::exchange(
                future.id(),
                request.method.as_str(),
                &request.url,
                &lines(&request.headers),
                &request.body,
                limits.idle_timeout_ms as f64,
                limits.total_ms as f64,
                limits.max_body_bytes as f64,
                limits.is_document,
            );
            let mut exchange = Exchange {
                glue,
                is_over: false,
            };
            succeeded(future.await)?;
            let status =
                StatusCode::from_u16(exchange.glue.status()).map_err(|_| HttpError::Network)?;
            let headers = headers(&RESPONSE_HEADERS, exchange.glue.headers().split('\n'));
            if !limits.is_document {
                return Ok(InboundResponse {
                    status,
                    headers,
                    body: chunks(exchange).boxed_local(),
                });
            }
            let ended = succeeded(exchange.glue.ended());
            exchange.is_over = ended.is_ok();
            let document = ended.map(|()| Bytes::from(exchange.glue.take()));
            Ok(InboundResponse {
                status,
                headers,
                body: stream::iter([document]).boxed_local(),
            })
        }
        .boxed_local()
    }
}

/// Maps the outcome codes of `glue.js` to [`HttpError`].
fn succeeded(outcome: u32) -> Result<(), HttpError> {
    match outcome {
        0 => Ok(()),
        2 => Err(HttpError::Timeout),
        3 => Err(HttpError::TooLarge),
        _ => Err(HttpError::Network),
    }
}

fn chunks(exchange: Exchange) -> impl Stream<Item = Result<Bytes, HttpError>> {
    stream::unfold(Some(exchange), |exchange| async {
        let exchange = exchange?;
        let future = JsFuture::new();
        exchange.glue.read(future.id());
        if let Err(error) = succeeded(future.await) {
            return Some((Err(error), None));
        }
        let chunk = exchange.glue.take();
        (!chunk.is_empty()).then(|| (Ok(chunk.into()), Some(exchange)))
    })
}

/// Writes each name and each value on a line of its own. No value contains a line break.
fn lines(headers: &HeaderMap) -> String {
    let mut text = String::new();
    for (name, value) in headers {
        for line in [name.as_str(), value.to_str().unwrap_or_default()] {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

fn headers(names: &[HeaderName], mut lines: Split<'_, char>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    while let (Some(name), Some(value)) = (lines.next(), lines.next()) {
        let known = names.iter().find(|known| known.as_str() == name);
        if let (Some(name), Ok(value)) = (known, HeaderValue::from_str(value)) {
            headers.insert(name.clone(), value);
        }
    }
    headers
}
