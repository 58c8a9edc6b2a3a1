//! `DELETE /functions/v1/account {confirm}`: deletes the caller's account.
//!
//! `confirm` is the account's e-mail address, or its phone number if it has no address, or its id if it has neither.
//! The function first records the deletion, so that no new payment can start; then Stripe ends the subscription and
//! deletes the customer; then the database deletes the user and every row. It returns 204. A repeat completes a deletion
//! that failed halfway, and returns 204 for an account that no longer exists.
//!
//! `GET /functions/v1/account/export`: returns everything that is stored about the caller, as one JSON document.

pub mod config;
pub mod handler;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod properties;
pub mod request;

use shared::runtime::endpoint::Endpoint;

/// The endpoint's contract with its clients: name, methods, routes and body limit.
pub const ENDPOINT: Endpoint = Endpoint {
    name: "account",
    methods: "GET, DELETE",
    routes: &[("/", "DELETE"), ("/export", "GET")],
    max_body_bytes: 4 * 1024,
    has_database: true,
    serves_pages: true,
};

shared::export!(ENDPOINT, config::Config, handler::Caches, handler::handle);
