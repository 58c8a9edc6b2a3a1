//! What the function is configured with.

use shared::auth::AuthConfig;
use shared::config::{ConfigError, both, required};
use shared::cors::AllowedOrigins;
use shared::stripe::StripeConfig;
use shared::supabase::SupabaseConfig;

/// The function's configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// How users' tokens are verified.
    pub auth: AuthConfig,
    /// The database.
    pub supabase: SupabaseConfig,
    /// Stripe's API.
    pub stripe: StripeConfig,
    /// What is paid for: `price_…`
    pub price_id: String,
    /// Where browsers may be sent back to.
    pub origins: AllowedOrigins,
}

impl Config {
    /// Reads the configuration through `lookup`.
    ///
    /// # Errors
    /// [`ConfigError`] names what is missing or invalid.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let ours = both(AuthConfig::from_lookup(&lookup), SupabaseConfig::from_lookup(&lookup));
        let theirs = both(StripeConfig::from_lookup(&lookup), price_id(&lookup));
        let ((ours, theirs), origins) = both(both(ours, theirs), AllowedOrigins::from_lookup(&lookup))?;
        let ((auth, supabase), (stripe, price_id)) = (ours, theirs);
        Ok(Self { auth, supabase, stripe, price_id, origins })
    }
}

fn price_id(lookup: impl Fn(&str) -> Option<String>) -> Result<String, ConfigError> {
    const NAME: &str = "STRIPE_PRICE_ID";
    let id = required(lookup, NAME)?;
    let fits = id.starts_with("price_") && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if fits { Ok(id) } else { Err(ConfigError::invalid(NAME, "must be the id of a price: price_…")) }
}
