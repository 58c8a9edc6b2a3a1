//! Client for Stripe: verifies events, reads subscriptions, and creates the pages on which customers pay.

mod checkout;
mod client;
mod error;
mod event;
mod last_writes;
mod plan;
mod plan_sync;
mod price;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod properties;
mod signature;
#[cfg(test)]
mod tests;

pub use checkout::CheckoutRequest;
pub use client::Stripe;
pub use error::StripeError;
pub use event::{Event, EventError, Source, Subject};
pub use last_writes::LastWrites;
pub use plan::{Plan, Standing, Subscription, Subscriptions};
pub use plan_sync::{BillingProfile, PlanSync, SyncError, Synced};
pub use signature::{SignatureError, WebhookSecrets};

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use crate::config::{ConfigError, Problems, base_url, optional, required_secret};
use crate::json::at;
use crate::redacted::Secret;

/// The API version that the requests and the fields read here are written for.
const API_VERSION: &str = "2026-10-28.endive";

/// Stripe's address and the secret key.
#[derive(Debug, Clone)]
pub struct StripeConfig {
    secret_key: Secret,
    api_base_url: String,
    /// Whether the key is a live key, which moves real money.
    pub livemode: bool,
}

impl StripeConfig {
    /// Reads `STRIPE_SECRET_KEY` (`sk_live_…`, `sk_test_…`, or the restricted `rk_…`) and, for an address other than
    /// Stripe's, `STRIPE_API_BASE_URL`.
    ///
    /// # Errors
    /// Returns a [`ConfigError`] that names the missing and invalid variables.
    pub fn from_env(env: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        const KEY: &str = "STRIPE_SECRET_KEY";
        const URL: &str = "STRIPE_API_BASE_URL";
        let url = optional(&env, URL).unwrap_or_else(|| "https://api.stripe.com".to_owned());
        let key = required_secret(&env, KEY).and_then(|key| match mode_of(key.expose()) {
            Some(livemode) => Ok((key, livemode)),
            None => Err(ConfigError::invalid(
                KEY,
                "must begin with sk_live_, sk_test_, rk_live_ or rk_test_, as keys do",
            )),
        });
        let mut problems = Problems::default();
        let (key, api_base_url) = (problems.take(key), problems.take(base_url(URL, url)));
        problems.finish(|| {
            let (secret_key, livemode) = key?;
            Some(Self {
                secret_key,
                api_base_url: api_base_url?,
                livemode,
            })
        })
    }
}

/// Returns whether a secret key is for live mode; `None` if it is not a secret key.
fn mode_of(key: &str) -> Option<bool> {
    let mode = key
        .strip_prefix("sk_")
        .or_else(|| key.strip_prefix("rk_"))?;
    match (mode.starts_with("live_"), mode.starts_with("test_")) {
        (false, false) => None,
        (livemode, _) => Some(livemode),
    }
}

/// A syntactically valid Stripe id: letters, digits, underscores and hyphens, all safe in a URL path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct StripeId(String);

impl StripeId {
    const MAX_BYTES: usize = 255;

    /// Parses an id; `None` if it is empty, longer than 255 bytes or contains another character.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=Self::MAX_BYTES).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
        fits.then(|| Self(text.to_owned()))
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for StripeId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not an id of Stripe")
    }
}

impl fmt::Display for StripeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns a text of a response or an event by its JSON pointer. Objects are read as values, because their fields
/// differ between API versions and typed structures double the size of the wasm.
fn text<'a>(object: &'a Value, pointer: &str) -> Option<&'a str> {
    at(object, pointer)?.as_str()
}

fn id(object: &Value, pointer: &str) -> Option<StripeId> {
    StripeId::parse(text(object, pointer)?)
}
