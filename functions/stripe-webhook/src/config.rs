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
    /// Reads the configuration through `lookup`.
    ///
    /// # Errors
    /// [`ConfigError`] names what is missing or invalid.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let stripe = both(WebhookSecrets::from_lookup(&lookup), StripeConfig::from_lookup(&lookup));
        let ((secrets, stripe), supabase) = both(stripe, SupabaseConfig::from_lookup(&lookup))?;
        Ok(Self { secrets, stripe, supabase })
    }
}
