//! Spotify's Web API: the catalogue as the app itself may read it, and listeners' linked accounts.

mod accounts;
mod app;
mod error;
mod link;
mod playlists;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod properties;
mod search;
mod state;
#[cfg(test)]
mod tests;

pub use accounts::{GrantError, SpotifyAccount, SpotifyAccounts, Tokens};
pub use app::{SpotifyApp, TokenCache};
pub use error::{Said, SpotifyError};
pub use link::{LinkError, SpotifyLinks, TokenSecrets};
pub use playlists::{MAX_ITEMS, SpotifyPlaylist, SpotifyPlaylists, UserCallError};
pub use state::{NewState, SignedState, StateError, StateKeys};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::config::{ConfigError, base_url, both, optional, required, required_secret};
use crate::redacted::Secret;

/// The app that is registered with Spotify, and where Spotify is.
#[derive(Debug, Clone)]
pub struct SpotifyConfig {
    /// The app's public id.
    pub client_id: String,
    /// The app's secret.
    pub client_secret: Secret,
    /// Where the Web API is, without a trailing slash.
    pub api_base_url: String,
    /// Where tokens are issued, without a trailing slash.
    pub accounts_base_url: String,
}

impl SpotifyConfig {
    /// Reads `SPOTIFY_CLIENT_ID`, `SPOTIFY_CLIENT_SECRET` and, to talk to something else than
    /// Spotify, `SPOTIFY_API_BASE_URL` and `SPOTIFY_ACCOUNTS_BASE_URL`.
    ///
    /// # Errors
    /// [`ConfigError`] naming everything that is missing or invalid.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let url = |name, default: &str| {
            base_url(name, optional(&lookup, name).unwrap_or_else(|| default.to_owned()))
        };
        let credentials =
            both(required(&lookup, "SPOTIFY_CLIENT_ID"), required_secret(&lookup, "SPOTIFY_CLIENT_SECRET"));
        let urls = both(
            url("SPOTIFY_API_BASE_URL", "https://api.spotify.com"),
            url("SPOTIFY_ACCOUNTS_BASE_URL", "https://accounts.spotify.com"),
        );
        let ((client_id, client_secret), (api_base_url, accounts_base_url)) = both(credentials, urls)?;
        Ok(Self { client_id, client_secret, api_base_url, accounts_base_url })
    }

    /// The value of `Authorization` with which the app proves itself at the token endpoint.
    pub fn basic_authorization(&self) -> Secret {
        let credentials = format!("{}:{}", self.client_id, self.client_secret.expose());
        Secret::new(format!("Basic {}", STANDARD.encode(credentials)))
    }
}
