//! The function's configuration, read from the environment.

use shared::auth::AuthConfig;
use shared::config::{ConfigError, both};
use shared::stripe::StripeConfig;
use shared::supabase::SupabaseConfig;

/// The function's configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// How this function verifies users' tokens.
    pub auth: AuthConfig,
    /// The database.
    pub supabase: SupabaseConfig,
    /// Stripe's API.
    pub stripe: StripeConfig,
}

impl Config {
    /// Reads the configuration from the environment.
    ///
    /// # Errors
    /// Returns a [`ConfigError`] that names the missing and invalid variables.
    pub fn from_env(env: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let ours = both(AuthConfig::from_env(&env), SupabaseConfig::from_env(&env));
        let ((auth, supabase), stripe) = both(ours, StripeConfig::from_env(&env))?;
        Ok(Self { auth, supabase, stripe })
    }
}
