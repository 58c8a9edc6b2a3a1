//! `DELETE /functions/v1/account {confirm}`: deletes the caller's account.
//!
//! `confirm` is the account's e-mail address, or its phone number if it has no address, or its id if it has neither.
//! The function first records the deletion, so that no new payment can start; then Stripe ends the subscription and
//! deletes the customer; then the database deletes the user and every row. It returns 204. A repeat completes a deletion
//! that failed halfway, and returns 204 for an account that no longer exists.
//!
//! `GET /functions/v1/account/export`: returns everything that is stored about the caller, as one JSON document.

#![warn(missing_docs, clippy::missing_errors_doc)]

pub mod handler;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod properties;
pub mod request;

use shared::auth::AuthConfig;
use shared::config::{ConfigError, Problems};
use shared::runtime::endpoint::Endpoint;
use shared::stripe::StripeConfig;
use shared::supabase::SupabaseConfig;

/// The endpoint's contract with its clients: name, routes with their methods, and body limit.
pub const ENDPOINT: Endpoint = Endpoint {
    name: "account",
    routes: &[("/", "DELETE"), ("/export", "GET")],
    max_body_bytes: 4 * 1024,
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
        problems.finish(|| {
            Some(Self {
                auth: auth?,
                supabase: supabase?,
                stripe: stripe?,
            })
        })
    }
}

shared::export!(ENDPOINT, Config, handler::Caches, handler::handle);
