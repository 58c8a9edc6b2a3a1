//! `POST /functions/v1/spotify-export`: one of the listener's playlists, copied to their Spotify account.
//!
//! The body is a [`request::ExportRequest`] as JSON, the answer an [`export::Exported`]: a new playlist, not shown on
//! the profile, with all tracks in order. A track that Spotify does not take is reported by its position while the rest
//! is exported. Under an `Idempotency-Key` a repeat within a day makes no second copy: it answers the first result, or
//! completes the copy that was begun.

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

/// What the endpoint promises.
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
