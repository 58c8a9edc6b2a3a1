//! Native implementations of the traits through which shared code reaches the outside, for operators' tools.

use std::cell::RefCell;
use std::error::Error;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::LocalBoxFuture;
use futures_util::{FutureExt, StreamExt};
use shared::runtime::clock::Clock;
use shared::runtime::http_client::{
    BodyStream, HttpClient, HttpError, InboundResponse, OutboundRequest, ResponseFuture,
};
use shared::runtime::random::Random;

/// The system's clock.
#[derive(Clone, Copy)]
pub struct NativeClock;

impl Clock for NativeClock {
    fn now_ms(&self) -> u64 {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn sleep_ms(&self, duration_ms: u64) -> LocalBoxFuture<'static, ()> {
        tokio::time::sleep(Duration::from_millis(duration_ms)).boxed_local()
    }
}

/// The system's randomness.
pub struct NativeRandom;

impl Random for NativeRandom {
    fn fill(&self, bytes: &mut [u8]) {
        // It is used for pauses only; without randomness all pauses are the same.
        let _ = getrandom::fill(bytes);
    }
}

/// An HTTP client over the network.
pub struct NativeHttp {
    client: reqwest::Client,
    failure: RefCell<Option<String>>,
}

impl NativeHttp {
    /// Creates a client that follows no redirects, which would send the key elsewhere.
    ///
    /// # Errors
    /// If TLS is not available.
    pub fn new() -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            client,
            failure: RefCell::default(),
        })
    }

    /// Returns the system's message about the last request without a response.
    pub fn failure(&self) -> Option<String> {
        self.failure.borrow().clone()
    }
}

impl HttpClient for NativeHttp {
    fn send(&self, request: OutboundRequest) -> ResponseFuture<'_> {
        async move {
            let limits = request.limits;
            let silence = Duration::from_millis(limits.idle_timeout_ms);
            let builder = self
                .client
                .request(request.method, &request.url)
                .headers(request.headers);
            let builder = builder
                .timeout(Duration::from_millis(limits.total_ms))
                .body(request.body);
            let sent = tokio::time::timeout(silence, builder.send());
            let response = sent
                .await
                .map_err(|_| HttpError::Timeout)?
                .map_err(|error| {
                    self.failure.replace(Some(cause(&error)));
                    outcome(&error)
                })?;
            let (status, headers) = (response.status(), response.headers().clone());
            let chunks = Box::pin(response.bytes_stream());
            let chunks = futures_util::stream::unfold(chunks, move |mut chunks| async move {
                let chunk = match tokio::time::timeout(silence, chunks.next()).await {
                    Ok(chunk) => chunk?.map_err(|error| outcome(&error)),
                    Err(_) => Err(HttpError::Timeout),
                };
                Some((chunk, chunks))
            });
            let body: BodyStream =
                Box::pin(chunks.scan(limits.max_body_bytes, |allowed, chunk| {
                    let within = chunk.and_then(|chunk| match allowed.checked_sub(chunk.len()) {
                        Some(rest) => {
                            *allowed = rest;
                            Ok(chunk)
                        }
                        None => Err(HttpError::TooLarge),
                    });
                    std::future::ready(Some(within))
                }));
            Ok(InboundResponse {
                status,
                headers,
                body,
            })
        }
        .boxed_local()
    }
}

fn outcome(error: &reqwest::Error) -> HttpError {
    match error {
        error if error.is_timeout() => HttpError::Timeout,
        error if error.is_builder() => HttpError::InvalidRequest,
        _ => HttpError::Network,
    }
}

/// Returns the innermost cause, which names neither the URL nor the layers above it.
fn cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
