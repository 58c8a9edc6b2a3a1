//! `POST /functions/v1/spotify-export`: copies one of the user's playlists to their Spotify account.
//!
//! The body is a [`request::ExportRequest`] as JSON, the response an [`export::Exported`]: a new playlist, not shown on
//! the profile, with all tracks in order. A track that Spotify rejects is reported by its position, and the rest is
//! exported. A playlist has one copy in the linked account: another export fills it anew, and creates another one only if
//! Spotify no longer has it. A repeat with the same `Idempotency-Key` within a day returns the first result.

pub mod config;
pub mod export;
pub mod handler;
pub mod job;
pub mod ledger;
pub mod playlist;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod properties;
pub mod request;

use shared::runtime::endpoint::Endpoint;

/// The endpoint's contract with its clients: name, methods, routes and body limit.
pub const ENDPOINT: Endpoint = Endpoint {
    name: "spotify-export",
    methods: "POST",
    routes: &[("/", "POST")],
    // An id, a name and a description.
    max_body_bytes: 16 * 1024,
    has_database: true,
    serves_pages: true,
};

shared::export!(ENDPOINT, config::Config, handler::Caches, handler::handle);
