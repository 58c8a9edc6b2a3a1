//! What the function is configured with.

use shared::auth::AuthConfig;
use shared::config::{ConfigError, both};
use shared::spotify::{SpotifyConfig, TokenSecrets};
use shared::supabase::SupabaseConfig;

/// The function's configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// How users' tokens are verified.
    pub auth: AuthConfig,
    /// The database.
    pub supabase: SupabaseConfig,
    /// The app at Spotify.
    pub spotify: SpotifyConfig,
    /// What stored tokens are encrypted with.
    pub token_secrets: TokenSecrets,
}

impl Config {
    /// Reads the configuration through `lookup`.
    ///
    /// # Errors
    /// [`ConfigError`] names what is missing or invalid.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let ours = both(AuthConfig::from_lookup(&lookup), SupabaseConfig::from_lookup(&lookup));
        let theirs = both(SpotifyConfig::from_lookup(&lookup), TokenSecrets::from_lookup(&lookup));
        let ((auth, supabase), (spotify, token_secrets)) = both(ours, theirs)?;
        Ok(Self { auth, supabase, spotify, token_secrets })
    }
}
