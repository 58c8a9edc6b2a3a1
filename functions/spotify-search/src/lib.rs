//! `GET /functions/v1/spotify-search?artist=…&title=…`: tracks of Spotify's catalogue, to add by hand.
//!
//! The query is a [`request::SearchRequest`], the answer `{"tracks":[…]}` with at most ten [`handler::Found`], the best
//! first. It asks with the app's own token, so nobody needs a linked account to search.

pub mod config;
pub mod handler;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod properties;
pub mod request;

use shared::runtime::endpoint::Endpoint;

/// What the endpoint promises.
pub const ENDPOINT: Endpoint = Endpoint {
    name: "spotify-search",
    methods: "GET",
    routes: &[("/", "GET")],
    max_body_bytes: 0,
    has_database: true,
    serves_pages: true,
};

shared::export!(ENDPOINT, config::Config, handler::Caches, handler::handle);
