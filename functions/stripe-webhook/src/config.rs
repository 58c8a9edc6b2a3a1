//! What the function is configured with.

use shared::config::{ConfigError, both};
use shared::stripe::{StripeConfig, WebhookSecrets};
use shared::supabase::SupabaseConfig;

/// The function's configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// What Stripe signs with.
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
    /// [`ConfigError`] names what is missing or invalid.
    pub fn from_env(env: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let stripe = both(WebhookSecrets::from_env(&env), StripeConfig::from_env(&env));
        let ((secrets, stripe), supabase) = both(stripe, SupabaseConfig::from_env(&env))?;
        Ok(Self { secrets, stripe, supabase })
    }
}
