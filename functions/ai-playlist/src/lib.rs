//! `POST /functions/v1/ai-playlist`: generates a playlist of existing songs from a sentence.
//!
//! The body is a [`request::PlaylistRequest`] as JSON. With `Accept: text/event-stream` the response is a stream of
//! [`event::Event`]s (`stage`, `track`, `miss`, then one `done` or `error`), otherwise the object of `done`. Every track
//! was found in Spotify's catalogue. The quota is charged only for what was delivered.

pub mod answer;
mod budget;
pub mod config;
pub mod event;
pub mod generate;
pub mod handler;
pub mod job;
pub mod outbox;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod properties;
pub mod quota;
pub mod recall;
pub mod recover;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod replay;
pub mod request;
pub mod resolve;

use shared::runtime::endpoint::Endpoint;

/// The endpoint's contract with its clients: name, methods, routes and body limit.
pub const ENDPOINT: Endpoint = Endpoint {
    name: "ai-playlist",
    methods: "POST",
    routes: &[("/", "POST")],
    // A prompt, seeds, exclusions and a hundred tracks to refine take at most about 50 KB.
    max_body_bytes: 128 * 1024,
    has_database: true,
    serves_pages: true,
};

shared::export!(ENDPOINT, config::Config, handler::Caches, handler::handle);
