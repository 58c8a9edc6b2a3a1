//! The function's configuration, read from the environment.

use shared::auth::AuthConfig;
use shared::config::{ConfigError, both};
use shared::spotify::{SpotifyConfig, TokenSecrets};
use shared::supabase::SupabaseConfig;

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
        let ours = both(AuthConfig::from_env(&env), SupabaseConfig::from_env(&env));
        let theirs = both(SpotifyConfig::from_env(&env), TokenSecrets::from_env(&env));
        let ((auth, supabase), (spotify, token_secrets)) = both(ours, theirs)?;
        Ok(Self { auth, supabase, spotify, token_secrets })
    }
}
