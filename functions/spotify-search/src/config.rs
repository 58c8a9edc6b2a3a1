//! The function's configuration, read from the environment.

use shared::auth::AuthConfig;
use shared::catalogue::MemoryConfig;
use shared::config::{ConfigError, both};
use shared::spotify::SpotifyConfig;
use shared::supabase::SupabaseConfig;

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
        let ours = both(AuthConfig::from_env(&env), SupabaseConfig::from_env(&env));
        let catalogue = both(SpotifyConfig::from_env(&env), MemoryConfig::from_env(&env));
        let ((auth, supabase), (spotify, memory)) = both(ours, catalogue)?;
        Ok(Self { auth, supabase, spotify, memory })
    }
}
