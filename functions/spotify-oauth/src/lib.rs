//! `/functions/v1/spotify-oauth`: links a user's Spotify account, shows the link, removes it.
//!
//! - `POST /start` (the user) → `{authorize_url}`, the page on which Spotify asks for consent.
//! - `GET /callback`, to which Spotify returns the browser: redirects to the app, with the code and the state, or with the
//!   reason why there are none, in the fragment, which browsers send to no server. It stores nothing and trusts no input.
//! - `POST /complete {code, state}` (the user who started) → the link, as `GET /status`.
//! - `GET /status` (the user) → [`shared::api::SpotifyLink`].
//! - `DELETE /link` (the user) → 204, whether or not there was a link.

pub mod callback;
pub mod config;
pub mod handler;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod properties;
pub mod request;

use shared::runtime::endpoint::Endpoint;

/// The endpoint's contract with its clients: name, methods, routes and body limit.
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
