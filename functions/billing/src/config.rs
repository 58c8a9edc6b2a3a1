//! The function's configuration, read from the environment.

use shared::auth::AuthConfig;
use shared::config::{ConfigError, both, required};
use shared::runtime::cors::AllowedOrigins;
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
    /// The id of the subscription's price: `price_…`
    pub price_id: String,
    /// The origins to which Stripe may return the browser.
    pub origins: AllowedOrigins,
}

impl Config {
    /// Reads the configuration from the environment.
    ///
    /// # Errors
    /// Returns a [`ConfigError`] that names the missing and invalid variables.
    pub fn from_env(env: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let ours = both(AuthConfig::from_env(&env), SupabaseConfig::from_env(&env));
        let theirs = both(StripeConfig::from_env(&env), price_id(&env));
        let ((ours, theirs), origins) = both(both(ours, theirs), AllowedOrigins::from_env(&env))?;
        let ((auth, supabase), (stripe, price_id)) = (ours, theirs);
        Ok(Self { auth, supabase, stripe, price_id, origins })
    }
}

fn price_id(env: impl Fn(&str) -> Option<String>) -> Result<String, ConfigError> {
    const NAME: &str = "STRIPE_PRICE_ID";
    let id = required(env, NAME)?;
    let fits = id.starts_with("price_") && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if fits { Ok(id) } else { Err(ConfigError::invalid(NAME, "must be the id of a price: price_…")) }
}
