//! `POST /functions/v1/stripe-webhook`: Stripe tells that something happened.
//!
//! Snapshot and thin events, signed by Stripe. An event is a signal to look and nothing more: what the customer pays for
//! is read from Stripe and written to their profile before the answer. Nothing of the event is stored, so it may come
//! twice, late or in any order. 200 with `{outcome: "written" | "foreign" | "ignored"}`, 400 and 413 for what is not
//! Stripe's, 5xx where Stripe has to send it again.

pub mod config;
pub mod handler;

use shared::runtime::endpoint::Endpoint;

/// What the endpoint promises.
pub const ENDPOINT: Endpoint = Endpoint {
    name: "stripe-webhook",
    methods: "POST",
    routes: &[("/", "POST")],
    max_body_bytes: 1024 * 1024,
    has_database: true,
    serves_pages: false,
};

shared::export!(ENDPOINT, config::Config, (), handler::handle);
