//! `GET /functions/v1/spotify-search?artist=…&title=…`: finds tracks of Spotify's catalogue to add by hand.
//!
//! The query is a [`request::SearchRequest`], the response `{"tracks":[…]}` with at most ten [`shared::api::FoundTrack`], the best
//! first. The search uses the app's own token, so users need no linked account.

pub mod config;
pub mod handler;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod properties;
pub mod request;

use shared::runtime::endpoint::Endpoint;

/// The endpoint's contract with its clients: name, methods, routes and body limit.
pub const ENDPOINT: Endpoint = Endpoint {
    name: "spotify-search",
    methods: "GET",
    routes: &[("/", "GET")],
    max_body_bytes: 0,
    has_database: true,
    serves_pages: true,
};

shared::export!(ENDPOINT, config::Config, handler::Caches, handler::handle);
