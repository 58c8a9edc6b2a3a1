//! `POST /functions/v1/spotify-export`: copies one of the user's playlists to their Spotify account.
//!
//! The body is a [`request::ExportRequest`] as JSON, the response an [`export::Exported`]. The copy is not shown on the
//! profile and has all tracks in order. A track that Spotify rejects is reported by its position, and the rest is
//! exported. A playlist has one copy in the linked account: another export fills it again. It creates another copy only
//! with `new_copy`, or if Spotify refuses the old one. A repeat of an `Idempotency-Key` returns the first result for a day.

#![warn(missing_docs, clippy::missing_errors_doc)]

pub mod export;
pub mod handler;
pub mod job;
pub mod ledger;
pub mod playlist;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod properties;
pub mod request;

use shared::auth::AuthConfig;
use shared::config::{ConfigError, Problems};
use shared::runtime::endpoint::Endpoint;
use shared::spotify::{SpotifyConfig, TokenSecrets};
use shared::supabase::SupabaseConfig;

/// The endpoint's contract with its clients: name, routes with their methods, and body limit.
pub const ENDPOINT: Endpoint = Endpoint {
    name: "spotify-export",
    routes: &[("/", "POST")],
    // An id, a name and a description.
    max_body_bytes: 16 * 1024,
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
        problems.finish(|| {
            Some(Self {
                auth: auth?,
                supabase: supabase?,
                spotify: spotify?,
                token_secrets: token_secrets?,
            })
        })
    }
}

shared::export!(ENDPOINT, Config, handler::Caches, handler::handle);
