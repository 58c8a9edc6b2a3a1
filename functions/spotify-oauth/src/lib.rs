//! `/functions/v1/spotify-oauth`: links a user's Spotify account, shows the link, removes it.
//!
//! - `POST /start` (the user) → `{authorize_url}`, the page on which Spotify asks for consent.
//! - `GET /callback`, to which Spotify returns the browser: redirects to the app with the code and the state, or with
//!   the reason why they are missing, in the fragment, which browsers do not send to servers. It stores nothing and
//!   trusts no input.
//! - `POST /complete {code, state}` (the user who started) → the link, as `GET /status`.
//! - `GET /status` (the user) → [`shared::api::SpotifyLink`].
//! - `DELETE /link` (the user) → 204, whether or not there was a link.

#![warn(missing_docs, clippy::missing_errors_doc)]

pub mod callback;
pub mod handler;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod properties;
pub mod request;

use shared::auth::AuthConfig;
use shared::config::{ConfigError, Problems, required};
use shared::runtime::cors::AllowedOrigins;
use shared::runtime::endpoint::Endpoint;
use shared::spotify::{SpotifyConfig, StateKeys, TokenSecrets};
use shared::supabase::SupabaseConfig;

/// The endpoint's contract with its clients: name, routes with their methods, and body limit.
pub const ENDPOINT: Endpoint = Endpoint {
    name: "spotify-oauth",
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

/// The function's configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// How this function verifies users' tokens.
    pub auth: AuthConfig,
    /// The database.
    pub supabase: SupabaseConfig,
    /// The app at Spotify.
    pub spotify: SpotifyConfig,
    /// The keys that encrypt stored tokens.
    pub token_secrets: TokenSecrets,
    /// The keys that sign states.
    pub state_keys: StateKeys,
    /// The URL to which Spotify returns the browser, exactly as registered with Spotify.
    pub redirect_uri: String,
    /// The app's own origin, to which the callback redirects the browser: the first of `APP_ORIGINS`.
    pub app_origin: String,
}

impl Config {
    /// Reads the configuration from the environment.
    ///
    /// # Errors
    /// Returns a [`ConfigError`] that names the missing and invalid variables.
    pub fn from_env(env: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut problems = Problems::default();
        let auth = problems.take(AuthConfig::from_env(&env));
        let supabase = problems.take(SupabaseConfig::from_env(&env));
        let spotify = problems.take(SpotifyConfig::from_env(&env));
        let token_secrets = problems.take(TokenSecrets::from_env(&env));
        let state_keys = problems.take(StateKeys::from_env(&env));
        let redirect_uri = problems.take(redirect_uri(&env));
        let origins = problems.take(AllowedOrigins::from_env(&env));
        problems.finish(|| {
            Some(Self {
                auth: auth?,
                supabase: supabase?,
                spotify: spotify?,
                token_secrets: token_secrets?,
                state_keys: state_keys?,
                redirect_uri: redirect_uri?,
                app_origin: origins?.first().to_owned(),
            })
        })
    }
}

/// Reads `SPOTIFY_REDIRECT_URI`. Spotify accepts https, and http only for loopback addresses, which for Spotify do not
/// include `localhost`.
fn redirect_uri(env: impl Fn(&str) -> Option<String>) -> Result<String, ConfigError> {
    const NAME: &str = "SPOTIFY_REDIRECT_URI";
    let uri = required(env, NAME)?;
    let allowed = ["https://", "http://127.0.0.1:", "http://[::1]:"];
    let is_plain = uri.bytes().all(|b| b.is_ascii_graphic() && b != b'#');
    if is_plain && allowed.iter().any(|start| uri.starts_with(start)) {
        return Ok(uri);
    }
    Err(ConfigError::invalid(
        NAME,
        "must be https://…, http://127.0.0.1:PORT/… or http://[::1]:PORT/…",
    ))
}

shared::export!(ENDPOINT, Config, handler::Caches, handler::handle);
