//! The one way out: every outbound call has a timeout, a size limit and an abort.

use std::fmt;
use std::pin::Pin;
use std::rc::Rc;

use bytes::{Bytes, BytesMut};
use futures_util::future::LocalBoxFuture;
use futures_util::{Stream, StreamExt};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, ORIGIN, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::de::DeserializeOwned;

use crate::json::from_slice_lenient;

/// The client's key under which a request happens once, ours to Stripe and our clients' to us.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// What Stripe signs its events with.
pub const STRIPE_SIGNATURE: HeaderName = HeaderName::from_static("stripe-signature");

/// What OpenAI and Azure send beside `Retry-After`, in milliseconds.
pub const RETRY_AFTER_MS: HeaderName = HeaderName::from_static("retry-after-ms");
/// A year in milliseconds: no upstream means more.
const MAX_RETRY_AFTER: u64 = 31_536_000_000;

/// The headers that anything here reads, of requests and of answers. No other crosses the border from the runtime: each costs
/// time, and to know all names that there are costs 5 KB in every function.
pub const READ_HEADERS: [HeaderName; 8] = [
    ACCEPT,
    AUTHORIZATION,
    CONTENT_TYPE,
    IDEMPOTENCY_KEY,
    ORIGIN,
    RETRY_AFTER,
    RETRY_AFTER_MS,
    STRIPE_SIGNATURE,
];

/// What bounds an outbound call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest silence, before the head of the answer and between two chunks of its body.
    pub idle_timeout_ms: u64,
    /// The longest time from sending to the last byte.
    pub total_ms: u64,
    /// The largest body that is read.
    pub max_body_bytes: usize,
    /// Whether the answer is handed over as a whole, and not as it comes.
    pub is_document: bool,
}

impl Limits {
    /// Limits for a call that answers one small document.
    pub const fn document(total_ms: u64, max_body_bytes: usize) -> Self {
        Self { idle_timeout_ms: total_ms, total_ms, max_body_bytes, is_document: true }
    }

    /// Limits for a call whose answer is read while it is written.
    pub const fn stream(idle_timeout_ms: u64, total_ms: u64, max_body_bytes: usize) -> Self {
        Self { idle_timeout_ms, total_ms, max_body_bytes, is_document: false }
    }

    /// The same limits, ending no later than `remaining_ms` from now.
    #[must_use]
    pub fn within(self, remaining_ms: u64) -> Self {
        Self {
            idle_timeout_ms: self.idle_timeout_ms.min(remaining_ms),
            total_ms: self.total_ms.min(remaining_ms),
            ..self
        }
    }
}

/// Whom a request is for, as logs name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upstream {
    /// PostgREST.
    Database,
    /// Supabase Auth.
    Auth,
    /// Spotify, both its accounts and its Web API.
    Spotify,
    /// Stripe.
    Stripe,
    /// The language model.
    Model,
}

impl Upstream {
    /// Every one, in the order of their declaration.
    pub const ALL: [Self; 5] = [Self::Database, Self::Auth, Self::Spotify, Self::Stripe, Self::Model];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Auth => "auth",
            Self::Spotify => "spotify",
            Self::Stripe => "stripe",
            Self::Model => "model",
        }
    }
}

/// An outbound request.
///
/// Headers may hold credentials, so `Debug` prints the method and the URL's origin and path only.
#[derive(Clone)]
pub struct OutboundRequest {
    /// Whom it is for.
    pub upstream: Upstream,
    /// The method.
    pub method: Method,
    /// The absolute URL. It never holds a secret.
    pub url: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; empty for none.
    pub body: Bytes,
    /// What bounds the call.
    pub limits: Limits,
}

impl OutboundRequest {
    /// A request without headers and body.
    pub fn new(upstream: Upstream, method: Method, url: impl Into<String>, limits: Limits) -> Self {
        Self { upstream, method, url: url.into(), headers: HeaderMap::new(), body: Bytes::new(), limits }
    }

    /// Sets a header.
    ///
    /// # Errors
    /// [`HttpError::InvalidRequest`] where the value cannot stand in a header.
    pub fn header(mut self, name: HeaderName, value: &str) -> Result<Self, HttpError> {
        let mut value = HeaderValue::from_str(value).map_err(|_| HttpError::InvalidRequest)?;
        value.set_sensitive(name == AUTHORIZATION);
        self.headers.insert(name, value);
        Ok(self)
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }
}

impl fmt::Debug for OutboundRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.url.split('?').next().unwrap_or_default();
        write!(f, "{} {url}", self.method)
    }
}

/// The chunks of an answer's body, bounded by the request's [`Limits`].
pub type BodyStream = Pin<Box<dyn Stream<Item = Result<Bytes, HttpError>>>>;

/// The answer to an [`OutboundRequest`]. Dropping it (or its body) aborts the call.
pub struct InboundResponse {
    /// The status. Redirects are never followed, so it may be a 3xx.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: BodyStream,
}

impl InboundResponse {
    /// Reads the whole body.
    ///
    /// # Errors
    /// Whatever cuts the body off.
    pub async fn bytes(mut self) -> Result<Bytes, HttpError> {
        let mut whole = BytesMut::new();
        while let Some(chunk) = self.body.next().await {
            whole.extend_from_slice(&chunk?);
        }
        Ok(whole.freeze())
    }

    /// Reads the whole body as JSON.
    ///
    /// # Errors
    /// [`HttpError::InvalidBody`] where it is not the JSON that was expected.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T, HttpError> {
        let bytes = self.bytes().await?;
        from_slice_lenient(&bytes).map_err(|_| HttpError::InvalidBody)
    }

    /// `Retry-After` in whole seconds, rounded up, where the answer has one.
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.retry_after_ms().map(|ms| ms.div_ceil(1_000))
    }

    /// How long the upstream wants to be left alone: `retry-after-ms`, else `Retry-After`, which some send in fractions.
    /// A date counts as no number.
    pub fn retry_after_ms(&self) -> Option<u64> {
        let text = |name: &HeaderName| self.headers.get(name)?.to_str().ok();
        let ms = text(&RETRY_AFTER_MS).and_then(thousandths).map(|microseconds| microseconds.div_ceil(1_000));
        ms.or_else(|| text(&RETRY_AFTER).and_then(thousandths))
    }
}

/// The thousandths of a plain decimal number, rounded down. Reading it as a floating-point one costs 10 KB of wasm.
fn thousandths(text: &str) -> Option<u64> {
    let (whole, decimals) = text.trim().split_once('.').unwrap_or((text.trim(), "0"));
    let digits = whole.bytes().chain(decimals.bytes().chain(std::iter::repeat(b'0')).take(3));
    if whole.is_empty() || decimals.is_empty() || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = digits.into_iter().try_fold(0_u64, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })?;
    Some(number).filter(|thousandths| *thousandths <= MAX_RETRY_AFTER)
}

/// Why an outbound call gave no usable answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpError {
    /// The request could not be built.
    InvalidRequest,
    /// No connection, or it broke before the answer was complete.
    Network,
    /// Silent for too long, or not finished in time.
    Timeout,
    /// The body is larger than the limit.
    TooLarge,
    /// The body is not what it should be.
    InvalidBody,
    /// The invocation may send no more requests.
    BudgetExhausted,
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidRequest => "the request could not be built",
            Self::Network => "no connection, or it broke",
            Self::Timeout => "timed out",
            Self::TooLarge => "the answer was too large",
            Self::InvalidBody => "the answer was not understood",
            Self::BudgetExhausted => "no outbound requests left",
        })
    }
}

impl std::error::Error for HttpError {}

/// A request under way. Dropping it aborts the call.
pub type ResponseFuture<'a> = LocalBoxFuture<'a, Result<InboundResponse, HttpError>>;

/// Sends requests to upstreams.
pub trait HttpClient {
    /// Sends `request` and completes as soon as the head of the response has arrived.
    ///
    /// # Errors
    /// [`HttpError`] where there is no response. A 4xx or 5xx is a response.
    fn send(&self, request: OutboundRequest) -> ResponseFuture<'_>;
}

impl<T: HttpClient + ?Sized> HttpClient for Rc<T> {
    fn send(&self, request: OutboundRequest) -> ResponseFuture<'_> {
        self.as_ref().send(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_prints_neither_query_nor_headers() {
        let url = "https://api.example/v1/x?q=private";
        let request = OutboundRequest::new(Upstream::Model, Method::GET, url, Limits::document(1, 1))
            .header(http::header::AUTHORIZATION, "Bearer secret")
            .unwrap();
        assert_eq!(format!("{request:?}"), "GET https://api.example/v1/x");
    }

    #[test]
    fn a_pause_is_read_in_milliseconds_in_seconds_and_in_fractions_of_them() {
        for (ms, seconds, expected) in [
            (None, Some("3"), Some(3_000)),
            (None, Some(" 1.5 "), Some(1_500)),
            (None, Some("0.0019"), Some(1)),
            (Some("200"), Some("1"), Some(200)),
            (Some("0.4"), None, Some(1)),
            (Some("soon"), Some("2"), Some(2_000)),
            (None, Some("Wed, 25 Nov 2026 07:28:00 GMT"), None),
            (None, Some("-1"), None),
            (None, Some("1e3"), None),
            (None, Some("99999999999999999999"), None),
            (None, Some("."), None),
            (None, None, None),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in [(RETRY_AFTER_MS, ms), (RETRY_AFTER, seconds)] {
                headers.extend(value.map(|value| (name, HeaderValue::from_static(value))));
            }
            let body = Box::pin(futures_util::stream::empty());
            let response = InboundResponse { status: StatusCode::OK, headers, body };
            assert_eq!(response.retry_after_ms(), expected, "{ms:?} {seconds:?}");
        }
    }

    #[test]
    fn limits_end_with_what_remains() {
        assert_eq!(Limits::stream(100, 1_000, 7).within(50), Limits::stream(50, 50, 7));
    }
}
