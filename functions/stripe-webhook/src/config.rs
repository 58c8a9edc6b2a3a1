//! The function's configuration, read from the environment.

use shared::config::{ConfigError, both};
use shared::stripe::{StripeConfig, WebhookSecrets};
use shared::supabase::SupabaseConfig;

/// The function's configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The secrets with which Stripe signs events.
    pub secrets: WebhookSecrets,
    /// Stripe's API.
    pub stripe: StripeConfig,
    /// The database.
    pub supabase: SupabaseConfig,
}

impl Config {
    /// Reads the configuration from the environment.
    ///
    /// # Errors
    /// Returns a [`ConfigError`] that names the missing and invalid variables.
    pub fn from_env(env: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let stripe = both(WebhookSecrets::from_env(&env), StripeConfig::from_env(&env));
        let ((secrets, stripe), supabase) = both(stripe, SupabaseConfig::from_env(&env))?;
        Ok(Self { secrets, stripe, supabase })
    }
}
