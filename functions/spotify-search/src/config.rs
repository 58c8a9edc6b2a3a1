//! What the function is configured with.

use shared::auth::AuthConfig;
use shared::config::{ConfigError, both};
use shared::spotify::SpotifyConfig;

/// The function's configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// How users' tokens are verified.
    pub auth: AuthConfig,
    /// The catalogue.
    pub spotify: SpotifyConfig,
}

impl Config {
    /// Reads the configuration through `lookup`.
    ///
    /// # Errors
    /// [`ConfigError`] names what is missing or invalid.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let (auth, spotify) = both(AuthConfig::from_lookup(&lookup), SpotifyConfig::from_lookup(&lookup))?;
        Ok(Self { auth, spotify })
    }
}
