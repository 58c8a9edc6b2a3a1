//! The traits on this machine.

use std::future::Future;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::StreamExt;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use shared::clock::Clock;
use shared::http_client::{BodyStream, HttpClient, HttpError, InboundResponse, OutboundRequest};
use shared::random::Random;

pub struct NativeClock;

impl Clock for NativeClock {
    fn now_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn sleep_ms(&self, duration_ms: u64) -> impl Future<Output = ()> + 'static {
        tokio::time::sleep(Duration::from_millis(duration_ms))
    }
}

pub struct NativeRandom;

impl Random for NativeRandom {
    fn fill(&self, bytes: &mut [u8]) {
        // Only pauses are made of it: without randomness they are merely all the same.
        let _ = getrandom::fill(bytes);
    }
}

pub struct NativeHttp(reqwest::Client);

impl NativeHttp {
    pub fn new() -> Result<Self, reqwest::Error> {
        // A redirect would take the key somewhere else.
        Ok(Self(reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?))
    }
}

impl HttpClient for NativeHttp {
    async fn send(&self, request: OutboundRequest) -> Result<InboundResponse, HttpError> {
        let limits = request.limits;
        let method = reqwest::Method::from_bytes(request.method.as_str().as_bytes())
            .map_err(|_| HttpError::InvalidRequest)?;
        let mut builder =
            self.0.request(method, &request.url).timeout(Duration::from_millis(limits.total_ms));
        for (name, value) in &request.headers {
            builder = builder.header(name.as_str(), value.as_bytes());
        }
        let response = builder.body(request.body).send().await.map_err(|error| outcome(&error))?;
        let status = StatusCode::from_u16(response.status().as_u16()).map_err(|_| HttpError::Network)?;
        let header = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
            let name = HeaderName::from_bytes(name.as_str().as_bytes()).ok()?;
            Some((name, HeaderValue::from_bytes(value.as_bytes()).ok()?))
        };
        let headers: HeaderMap = response.headers().iter().filter_map(header).collect();
        let chunks = response.bytes_stream().map(|chunk| chunk.map_err(|error| outcome(&error)));
        let body: BodyStream = Box::pin(chunks.scan(limits.max_body_bytes, |allowed, chunk| {
            let within = chunk.and_then(|chunk| match allowed.checked_sub(chunk.len()) {
                Some(rest) => {
                    *allowed = rest;
                    Ok(chunk)
                }
                None => Err(HttpError::TooLarge),
            });
            std::future::ready(Some(within))
        }));
        Ok(InboundResponse { status, headers, body })
    }
}

fn outcome(error: &reqwest::Error) -> HttpError {
    match error {
        error if error.is_timeout() => HttpError::Timeout,
        error if error.is_builder() => HttpError::InvalidRequest,
        _ => HttpError::Network,
    }
}
