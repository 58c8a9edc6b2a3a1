//! `/functions/v1/billing`: opens Stripe's pages on which users subscribe and manage their subscription.
//!
//! - `POST /checkout {success_url, cancel_url}` (the user) → `{url}` of the checkout or, for a subscriber, of the portal.
//!   A user has at most one open checkout, the newest.
//! - `POST /portal {return_url}` (the user) → `{url}`.
//! - `GET /price` (everyone) → `{amount, currency, interval, interval_count}`.
//!
//! The URLs must belong to the app's own origins. The price comes from the configuration, not from the request.

pub mod config;
pub mod customer;
pub mod handler;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod properties;
pub mod request;

use shared::runtime::endpoint::Endpoint;

/// The endpoint's contract with its clients: name, methods, routes and body limit.
pub const ENDPOINT: Endpoint = Endpoint {
    name: "billing",
    methods: "GET, POST",
    routes: &[("/checkout", "POST"), ("/portal", "POST"), ("/price", "GET")],
    max_body_bytes: 8 * 1024,
    has_database: true,
    serves_pages: true,
};

shared::export!(ENDPOINT, config::Config, handler::Caches, handler::handle);
