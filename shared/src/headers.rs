//! The headers that every answer has, of the functions and of the gateway.

/// The policy of what is no document: nothing in it is loaded, and no page frames it.
const POLICY: &str = "default-src 'none'; frame-ancestors 'none'";
const PERMISSIONS: &str = "camera=(), geolocation=(), microphone=()";

/// Set unless the answer has its own.
pub const COMMON: [(&str, &str); 7] = [
    ("cache-control", "no-store"),
    ("content-security-policy", POLICY),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", PERMISSIONS),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
];

/// Only of an answer that goes over https (RFC 6797, 7.2).
pub const TRANSPORT: (&str, &str) = ("strict-transport-security", "max-age=31536000");

/// Those of an answer.
pub fn common(is_https: bool) -> impl Iterator<Item = (&'static str, &'static str)> {
    COMMON.into_iter().chain(is_https.then_some(TRANSPORT))
}
