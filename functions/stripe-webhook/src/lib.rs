//! `POST /functions/v1/stripe-webhook`: receives Stripe's events.
//!
//! Stripe signs its events, snapshot and thin ones. An event only triggers a read: the function reads the customer's
//! subscriptions from Stripe and writes the plan to the profile before it responds. It stores nothing of the event, so
//! events may arrive twice, late and in any order. It returns 200 with `{outcome: "written" | "foreign" | "ignored"}`,
//! 400 or 413 for requests that are not Stripe's, and 5xx if Stripe has to send the event again.

pub mod config;
pub mod handler;

use shared::runtime::endpoint::Endpoint;

/// The endpoint's contract with its clients: name, methods, routes and body limit.
pub const ENDPOINT: Endpoint = Endpoint {
    name: "stripe-webhook",
    methods: "POST",
    routes: &[("/", "POST")],
    max_body_bytes: 1024 * 1024,
    has_database: true,
    serves_pages: false,
};

shared::export!(ENDPOINT, config::Config, (), handler::handle);
