//! The headers of every response, from the functions and the gateway.

use http::{HeaderName, HeaderValue, header};

/// Set unless the response has its own. The policy is for responses that are not documents: they load nothing, and
/// no page frames them.
pub const COMMON: [(HeaderName, HeaderValue); 7] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=()"),
    ),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    ),
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
];

/// Only for a response over https (RFC 6797, 7.2).
pub const TRANSPORT: (HeaderName, HeaderValue) = (
    header::STRICT_TRANSPORT_SECURITY,
    HeaderValue::from_static("max-age=31536000"),
);

/// Returns the common headers of a response.
pub fn common(is_https: bool) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    COMMON.into_iter().chain(is_https.then_some(TRANSPORT))
}
