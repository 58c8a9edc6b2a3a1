//! `POST /functions/v1/stripe-webhook`: receives Stripe's events.
//!
//! Stripe signs its events, snapshot and thin ones. An event only triggers a read: the function reads the customer's
//! subscriptions from Stripe and writes the plan to the profile before it responds. It stores nothing of the event, so
//! events may arrive twice, late and in any order. It returns 200 with `{outcome: "written" | "foreign" | "ignored"}`,
//! 400 or 413 for requests that are not Stripe's, and 5xx if Stripe has to send the event again.

#![warn(missing_docs, clippy::missing_errors_doc)]

pub mod handler;

use shared::config::{ConfigError, Problems};
use shared::runtime::endpoint::Endpoint;
use shared::stripe::{StripeConfig, WebhookSecrets};
use shared::supabase::SupabaseConfig;

/// The endpoint's contract with its clients: name, routes with their methods, and body limit.
pub const ENDPOINT: Endpoint = Endpoint {
    name: "stripe-webhook",
    routes: &[("/", "POST")],
    max_body_bytes: 1024 * 1024,
    has_database: true,
    serves_pages: false,
};

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
        let mut problems = Problems::default();
        let secrets = problems.take(WebhookSecrets::from_env(&env));
        let stripe = problems.take(StripeConfig::from_env(&env));
        let supabase = problems.take(SupabaseConfig::from_env(&env));
        problems.finish(|| {
            Some(Self {
                secrets: secrets?,
                stripe: stripe?,
                supabase: supabase?,
            })
        })
    }
}

shared::export!(ENDPOINT, Config, handler::Caches, handler::handle);
