//! `GET /functions/v1/spotify-search?artist=…&title=…`: finds tracks of Spotify's catalogue to add by hand.
//!
//! The query is a [`request::SearchRequest`], the response `{"tracks":[…]}` with at most ten [`shared::api::FoundTrack`], the best
//! first. The search uses the app's own token, so users need no linked account.

#![warn(missing_docs, clippy::missing_errors_doc)]

pub mod handler;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod properties;
pub mod request;

use shared::auth::AuthConfig;
use shared::catalogue::MemoryConfig;
use shared::config::{ConfigError, Problems};
use shared::runtime::endpoint::Endpoint;
use shared::spotify::SpotifyConfig;
use shared::supabase::SupabaseConfig;

/// The endpoint's contract with its clients: name, routes with their methods, and body limit.
pub const ENDPOINT: Endpoint = Endpoint {
    name: "spotify-search",
    routes: &[("/", "GET")],
    max_body_bytes: 0,
    has_database: true,
    serves_pages: true,
};

/// The function's configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// How this function verifies users' tokens.
    pub auth: AuthConfig,
    /// The database, which counts a user's searches.
    pub supabase: SupabaseConfig,
    /// The catalogue.
    pub spotify: SpotifyConfig,
    /// For how long songs are remembered.
    pub memory: MemoryConfig,
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
        let memory = problems.take(MemoryConfig::from_env(&env));
        problems.finish(|| {
            Some(Self {
                auth: auth?,
                supabase: supabase?,
                spotify: spotify?,
                memory: memory?,
            })
        })
    }
}

shared::export!(ENDPOINT, Config, handler::Caches, handler::handle);
