//! `/functions/v1/spotify-oauth`: links a listener's Spotify account, shows the link, ends it.
//!
//! - `POST /start` (the listener) → `{authorize_url}`, where Spotify asks them.
//! - `GET /callback`, where Spotify sends the browser back: on to the app, with code and state, or the reason why there
//!   are none, in the fragment, which no server sees. It stores nothing and trusts nobody.
//! - `POST /complete {code, state}` (the listener who started) → the link, as `GET /status`.
//! - `GET /status` (the listener) → [`shared::api::SpotifyLink`].
//! - `DELETE /link` (the listener) → 204, whether or not there was a link.

pub mod callback;
pub mod config;
pub mod handler;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod properties;
pub mod request;

use shared::runtime::endpoint::Endpoint;

/// What the endpoint promises.
pub const ENDPOINT: Endpoint = Endpoint {
    name: "spotify-oauth",
    methods: "GET, POST, DELETE",
    routes: &[
        ("/start", "POST"),
        ("/callback", "GET"),
        ("/complete", "POST"),
        ("/status", "GET"),
        ("/link", "DELETE"),
    ],
    max_body_bytes: 8 * 1024,
    has_database: true,
    serves_pages: true,
};

shared::export!(ENDPOINT, config::Config, handler::Caches, handler::handle);
