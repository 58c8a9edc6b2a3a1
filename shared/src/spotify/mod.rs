//! Spotify's Web API: the catalogue, read with the app's token, and the linked accounts of users.

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

use crate::config::{ConfigError, Problems, base_url, optional, required, required_secret};
use crate::redacted::Secret;

/// The app that is registered with Spotify, and Spotify's addresses.
#[derive(Debug, Clone)]
pub struct SpotifyConfig {
    /// The app's public id.
    pub client_id: String,
    /// The app's secret.
    pub client_secret: Secret,
    /// The Web API's base URL, without a trailing slash.
    pub api_base_url: String,
    /// The accounts service's base URL, without a trailing slash.
    pub accounts_base_url: String,
    /// The origin of Spotify's pictures; pictures from elsewhere are dropped.
    pub image_origin: String,
}

impl SpotifyConfig {
    /// Reads `SPOTIFY_CLIENT_ID`, `SPOTIFY_CLIENT_SECRET` and, for addresses other than Spotify's,
    /// `SPOTIFY_API_BASE_URL`, `SPOTIFY_ACCOUNTS_BASE_URL` and `SPOTIFY_IMAGE_ORIGIN`.
    ///
    /// # Errors
    /// [`ConfigError`] names everything that is missing or invalid.
    pub fn from_env(env: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let url = |name, default: &str| {
            base_url(
                name,
                optional(&env, name).unwrap_or_else(|| default.to_owned()),
            )
        };
        let mut problems = Problems::default();
        let client_id = problems.take(required(&env, "SPOTIFY_CLIENT_ID"));
        let client_secret = problems.take(required_secret(&env, "SPOTIFY_CLIENT_SECRET"));
        let api_base_url = problems.take(url("SPOTIFY_API_BASE_URL", "https://api.spotify.com"));
        let accounts_base_url = problems.take(url(
            "SPOTIFY_ACCOUNTS_BASE_URL",
            "https://accounts.spotify.com",
        ));
        let image_origin = problems.take(url("SPOTIFY_IMAGE_ORIGIN", "https://i.scdn.co"));
        problems.finish(|| {
            Some(Self {
                client_id: client_id?,
                client_secret: client_secret?,
                api_base_url: api_base_url?,
                accounts_base_url: accounts_base_url?,
                image_origin: image_origin?,
            })
        })
    }

    /// Returns the value of `Authorization` that authenticates the app at the token endpoint.
    pub fn basic_authorization(&self) -> Secret {
        let credentials = format!("{}:{}", self.client_id, self.client_secret.expose());
        Secret::new(format!("Basic {}", STANDARD.encode(credentials)))
    }
}
