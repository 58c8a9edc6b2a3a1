//! The only HTTP client: every outbound request has a timeout and a size limit, and can be aborted.

use std::fmt;
use std::pin::Pin;
use std::rc::Rc;

use bytes::{Bytes, BytesMut};
use futures_util::future::LocalBoxFuture;
use futures_util::{Stream, StreamExt};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, ORIGIN, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::de::DeserializeOwned;

use crate::json::{from_slice_lenient, read_value};

/// The key that makes a repeated request safe, in our requests to Stripe and in clients' requests to us.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Stripe's signature of an event.
pub const STRIPE_SIGNATURE: HeaderName = HeaderName::from_static("stripe-signature");

/// The milliseconds that OpenAI and Azure send beside `Retry-After`.
pub const RETRY_AFTER_MS: HeaderName = HeaderName::from_static("retry-after-ms");
/// A year in milliseconds; a longer pause is a mistake of the upstream.
const MAX_RETRY_AFTER: u64 = 31_536_000_000;

/// All headers that the functions read of clients' requests. No other crosses the FFI boundary: each header costs time,
/// and parsing arbitrary names costs 5 KB in every function.
pub static REQUEST_HEADERS: [HeaderName; 6] = [
    ACCEPT,
    AUTHORIZATION,
    CONTENT_TYPE,
    IDEMPOTENCY_KEY,
    ORIGIN,
    STRIPE_SIGNATURE,
];
/// Those that are read of a server's requests, which come from no page.
pub static SERVER_HEADERS: [HeaderName; 2] = [AUTHORIZATION, STRIPE_SIGNATURE];
/// All headers that the functions read of upstreams' responses.
pub static RESPONSE_HEADERS: [HeaderName; 2] = [RETRY_AFTER, RETRY_AFTER_MS];

/// The limits of an outbound request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest silence in milliseconds, before the head of the response and between two chunks of its body.
    pub idle_timeout_ms: u64,
    /// The longest time in milliseconds from sending to the last byte.
    pub total_ms: u64,
    /// The largest response body in bytes.
    pub max_body_bytes: usize,
    /// Whether the response arrives in one piece instead of as a stream.
    pub is_document: bool,
}

impl Limits {
    /// Returns limits for a response that is one small document.
    pub const fn document(total_ms: u64, max_body_bytes: usize) -> Self {
        Self {
            idle_timeout_ms: total_ms,
            total_ms,
            max_body_bytes,
            is_document: true,
        }
    }

    /// Returns limits for a response that is read as a stream.
    pub const fn stream(idle_timeout_ms: u64, total_ms: u64, max_body_bytes: usize) -> Self {
        Self {
            idle_timeout_ms,
            total_ms,
            max_body_bytes,
            is_document: false,
        }
    }

    /// Returns the same limits with at most `remaining_ms` in total.
    #[must_use]
    pub fn within(self, remaining_ms: u64) -> Self {
        Self {
            idle_timeout_ms: self.idle_timeout_ms.min(remaining_ms),
            total_ms: self.total_ms.min(remaining_ms),
            ..self
        }
    }
}

/// The upstream of a request, for the log.
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
    /// All upstreams, in the order of declaration.
    pub const ALL: [Self; 5] = [
        Self::Database,
        Self::Auth,
        Self::Spotify,
        Self::Stripe,
        Self::Model,
    ];

    /// Returns the name in logs.
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

/// A request to an upstream.
///
/// Headers may hold credentials, so `Debug` prints only the method and the URL's origin and path.
#[derive(Clone)]
pub struct OutboundRequest {
    /// The upstream.
    pub upstream: Upstream,
    /// The method.
    pub method: Method,
    /// The absolute URL. It never holds a secret.
    pub url: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; empty if there is none.
    pub body: Bytes,
    /// The limits.
    pub limits: Limits,
}

impl OutboundRequest {
    /// Creates a request without headers and body.
    pub fn new(upstream: Upstream, method: Method, url: impl Into<String>, limits: Limits) -> Self {
        Self {
            upstream,
            method,
            url: url.into(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            limits,
        }
    }

    /// Sets a header.
    ///
    /// # Errors
    /// Returns [`HttpError::InvalidRequest`] if the value is not valid in a header.
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

/// The chunks of a response's body, bounded by the request's [`Limits`].
pub type BodyStream = Pin<Box<dyn Stream<Item = Result<Bytes, HttpError>>>>;

/// The response to an [`OutboundRequest`]. Dropping it (or its body) aborts the request.
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
    /// Returns the [`HttpError`] that ended the body early.
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
    /// Returns [`HttpError::InvalidBody`] if it is not the expected JSON.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T, HttpError> {
        let bytes = self.bytes().await?;
        let document = from_slice_lenient(&bytes).map_err(|_| HttpError::InvalidBody)?;
        read_value(&document).map_err(|_| HttpError::InvalidBody)
    }

    /// Returns the requested pause in whole seconds, rounded up.
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.retry_after_ms().map(|ms| ms.div_ceil(1_000))
    }

    /// Returns the requested pause in milliseconds: `retry-after-ms`, otherwise `Retry-After`, which some upstreams send
    /// with a fraction. A date is ignored.
    pub fn retry_after_ms(&self) -> Option<u64> {
        let text = |name: &HeaderName| self.headers.get(name)?.to_str().ok();
        let ms = text(&RETRY_AFTER_MS)
            .and_then(thousandths)
            .map(|microseconds| microseconds.div_ceil(1_000));
        ms.or_else(|| text(&RETRY_AFTER).and_then(thousandths))
    }
}

/// Parses a decimal number and returns its thousandths, rounded down. Parsing `f64` would cost 10 KB of wasm.
fn thousandths(text: &str) -> Option<u64> {
    let (whole, decimals) = text.trim().split_once('.').unwrap_or((text.trim(), "0"));
    let digits = whole
        .bytes()
        .chain(decimals.bytes().chain(std::iter::repeat(b'0')).take(3));
    if whole.is_empty()
        || decimals.is_empty()
        || !decimals.bytes().all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    let number = digits.into_iter().try_fold(0_u64, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })?;
    Some(number).filter(|thousandths| *thousandths <= MAX_RETRY_AFTER)
}

/// The reasons why an outbound request has no usable response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpError {
    /// The request could not be built.
    InvalidRequest,
    /// There was no connection, or it broke before the response was complete.
    Network,
    /// The upstream was silent for too long, or the response took too long.
    Timeout,
    /// The body is larger than the limit.
    TooLarge,
    /// The body is not in the expected form.
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
            Self::TooLarge => "the response was too large",
            Self::InvalidBody => "the response could not be parsed",
            Self::BudgetExhausted => "no outbound requests left",
        })
    }
}

impl std::error::Error for HttpError {}

/// A pending response. Dropping it aborts the request.
pub type ResponseFuture<'a> = LocalBoxFuture<'a, Result<InboundResponse, HttpError>>;

/// Sends requests to upstreams.
pub trait HttpClient {
    /// Sends `request`; completes when the head of the response has arrived.
    ///
    /// # Errors
    /// Returns an [`HttpError`] if there is no response. A 4xx or 5xx is a response.
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
    fn debug_output_omits_query_and_headers() {
        let url = "https://api.example/v1/x?q=private";
        let request =
            OutboundRequest::new(Upstream::Model, Method::GET, url, Limits::document(1, 1))
                .header(http::header::AUTHORIZATION, "Bearer secret")
                .unwrap();
        assert_eq!(format!("{request:?}"), "GET https://api.example/v1/x");
    }

    #[test]
    fn reads_pauses_in_milliseconds_and_fractional_seconds() {
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
            let response = InboundResponse {
                status: StatusCode::OK,
                headers,
                body,
            };
            assert_eq!(response.retry_after_ms(), expected, "{ms:?} {seconds:?}");
        }
    }

    #[test]
    fn limits_are_capped_by_the_remaining_time() {
        assert_eq!(
            Limits::stream(100, 1_000, 7).within(50),
            Limits::stream(50, 50, 7)
        );
    }
}
