//! `DELETE /functions/v1/account {confirm}`: deletes the caller's account.
//!
//! `confirm` is the account's e-mail address, without one its phone number, without either its id. First the deletion is written down, so that nothing can be paid for any more;
//! then Stripe ends the subscription and forgets the customer; then every row goes, and the user. 204. What failed half way
//! is completed by asking again; who is gone already is answered 204, too.
//!
//! `GET /functions/v1/account/export`: all that is stored about the caller, as one JSON document.

pub mod config;
pub mod handler;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod properties;
pub mod request;

use shared::runtime::endpoint::Endpoint;

/// What the endpoint promises.
pub const ENDPOINT: Endpoint = Endpoint {
    name: "account",
    methods: "GET, DELETE",
    routes: &[("/", "DELETE"), ("/export", "GET")],
    max_body_bytes: 4 * 1024,
    has_database: true,
    serves_pages: true,
};

shared::export!(ENDPOINT, config::Config, handler::Caches, handler::handle);
