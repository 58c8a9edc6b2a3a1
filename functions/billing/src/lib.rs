//! `/functions/v1/billing`: opens Stripe's pages on which users subscribe and manage their subscription.
//!
//! - `POST /checkout {success_url, cancel_url}` (the user) → `{url}` of the checkout or, for a subscriber, of the portal.
//!   A user has at most one open checkout, the newest.
//! - `POST /portal {return_url}` (the user) → `{url}`.
//! - `GET /price` (without a token) → `{amount, currency, interval, interval_count}`.
//!
//! The URLs must belong to the app's own origins. The price comes from the configuration, not from the request.

#![warn(missing_docs, clippy::missing_errors_doc)]

pub mod customer;
pub mod handler;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod properties;
pub mod request;

use shared::auth::AuthConfig;
use shared::config::{ConfigError, Problems, required};
use shared::runtime::cors::AllowedOrigins;
use shared::runtime::endpoint::Endpoint;
use shared::stripe::StripeConfig;
use shared::supabase::SupabaseConfig;

/// The endpoint's contract with its clients: name, routes with their methods, and body limit.
pub const ENDPOINT: Endpoint = Endpoint {
    name: "billing",
    routes: &[
        ("/checkout", "POST"),
        ("/portal", "POST"),
        ("/price", "GET"),
    ],
    max_body_bytes: 8 * 1024,
    has_database: true,
    serves_pages: true,
};

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
        let mut problems = Problems::default();
        let auth = problems.take(AuthConfig::from_env(&env));
        let supabase = problems.take(SupabaseConfig::from_env(&env));
        let stripe = problems.take(StripeConfig::from_env(&env));
        let price_id = problems.take(price_id(&env));
        let origins = problems.take(AllowedOrigins::from_env(&env));
        problems.finish(|| {
            Some(Self {
                auth: auth?,
                supabase: supabase?,
                stripe: stripe?,
                price_id: price_id?,
                origins: origins?,
            })
        })
    }
}

fn price_id(env: impl Fn(&str) -> Option<String>) -> Result<String, ConfigError> {
    const NAME: &str = "STRIPE_PRICE_ID";
    let id = required(env, NAME)?;
    let fits =
        id.starts_with("price_") && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if fits {
        Ok(id)
    } else {
        Err(ConfigError::invalid(
            NAME,
            "must be the id of a price: price_…",
        ))
    }
}

shared::export!(ENDPOINT, Config, handler::Caches, handler::handle);
