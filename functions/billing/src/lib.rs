//! `/functions/v1/billing`: the pages of Stripe's on which a listener pays and manages what they pay for.
//!
//! - `POST /checkout {success_url, cancel_url}` (the listener) → `{url}`: where they subscribe or, who has subscribed
//!   already, manage it. At any time one checkout of a listener is open, the newest.
//! - `POST /portal {return_url}` (the listener) → `{url}`.
//!
//! URLs have to be of one of the app's own origins. What is paid for is configured, not asked for.

pub mod config;
pub mod customer;
pub mod handler;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod properties;
pub mod request;

use shared::runtime::endpoint::Endpoint;

/// What the endpoint promises.
pub const ENDPOINT: Endpoint = Endpoint {
    name: "billing",
    methods: "POST",
    routes: &[("/checkout", "POST"), ("/portal", "POST")],
    max_body_bytes: 8 * 1024,
    has_database: true,
    serves_pages: true,
};

shared::export!(ENDPOINT, config::Config, handler::Caches, handler::handle);
