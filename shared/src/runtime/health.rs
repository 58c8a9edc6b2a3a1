//! The health check of a function: checks its configuration, and whether the database responds.
//!
//! Any client may call it, so an instance sends at most one small request to the database in five seconds. It asks no
//! other upstream, which would use up that upstream's quota.

use std::fmt::Write;

use http::{HeaderMap, Response, StatusCode};
use serde_json::{Map, Value};

use crate::auth::bearer;
use crate::config::ConfigError;
use crate::error::Error;
use crate::redacted::Secret;
use crate::runtime::cache::Once;
use crate::runtime::clock::Clock;
use crate::runtime::context::RequestContext;
use crate::runtime::http_client::HttpClient;
use crate::runtime::response::{Body, json_response};
use crate::supabase::{Supabase, SupabaseConfig};

/// The time for which clients other than operators get the last result.
const REMEMBERED_MS: u64 = 5_000;
/// The longest duration of a check, with at most two seconds for the database.
const LONGEST_MS: u64 = 3_000;

/// A dependency that may be missing. The list is closed, and responses keep its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dependency {
    /// A variable that belongs to no other dependency is missing or invalid.
    Configuration,
    /// The database is not configured or does not respond.
    Database,
    /// Spotify is not configured.
    Spotify,
    /// The language model is not configured.
    LanguageModel,
    /// Stripe is not configured.
    Stripe,
}

impl Dependency {
    const ALL: [Self; 5] = [
        Self::Configuration,
        Self::Database,
        Self::Spotify,
        Self::LanguageModel,
        Self::Stripe,
    ];

    /// Returns the name in responses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Database => "database",
            Self::Spotify => "spotify",
            Self::LanguageModel => "language_model",
            Self::Stripe => "stripe",
        }
    }

    /// Returns the dependency to which a variable belongs.
    fn of(variable: &str) -> Self {
        let found = PREFIXES
            .iter()
            .find(|(prefix, _)| variable.starts_with(prefix));
        found.map_or(Self::Configuration, |(_, dependency)| *dependency)
    }
}

const PREFIXES: [(&str, Dependency); 4] = [
    ("SUPABASE_", Dependency::Database),
    ("SPOTIFY_", Dependency::Spotify),
    ("LLM_", Dependency::LanguageModel),
    ("STRIPE_", Dependency::Stripe),
];

/// The inputs of a health check.
pub struct Setup<'a> {
    /// The problems of the configuration.
    pub problems: Option<&'a ConfigError>,
    /// The database, if the function uses it and it is configured.
    pub database: Option<&'a SupabaseConfig>,
    /// `HEALTH_TOKEN`: an operator who sends it sees the missing dependencies.
    pub token: Option<&'a Secret>,
}

/// The last result of an instance: the names of the missing dependencies.
#[derive(Default)]
pub struct CheckCache(Once<Vec<&'static str>>);

/// Handles a health check: returns 200 or 503, and logs the reason.
///
/// Clients get a result of the last five seconds. An operator gets a new one, which names the missing dependencies.
///
/// # Errors
/// Returns [`Code::Internal`](crate::error::Code::Internal) if the response cannot be serialised.
pub async fn check(
    call: &RequestContext,
    headers: &HeaderMap,
    setup: &Setup<'_>,
    cache: &CheckCache,
    http: &dyn HttpClient,
    clock: &dyn Clock,
) -> Result<Response<Body>, Error> {
    let is_operator = setup
        .token
        .is_some_and(|token| bearer(headers).is_ok_and(|given| token.is(given)));
    // Boxed, because two await points would otherwise each inline it.
    let look = Box::pin(look(call, setup, http));
    let missing = match is_operator {
        true => look.await,
        false => cache.0.get_or(clock, REMEMBERED_MS, LONGEST_MS, look).await,
    };
    let (code, status) = match missing.is_empty() {
        true => (StatusCode::OK, "ok"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
    };
    let mut body = Map::new();
    body.insert("status".to_owned(), status.into());
    if is_operator && !missing.is_empty() {
        body.insert("missing".to_owned(), missing.into());
    }
    json_response(code, &Value::Object(body))
}

async fn look(
    call: &RequestContext,
    setup: &Setup<'_>,
    http: &dyn HttpClient,
) -> Vec<&'static str> {
    let Setup {
        problems, database, ..
    } = *setup;
    let failure = match database {
        Some(database) => Supabase::new(database, http).responds().await.err(),
        None => None,
    };
    let is_missing = |dependency: &Dependency| {
        let is_away = *dependency == Dependency::Database && failure.is_some();
        is_away
            || problems.is_some_and(|it| it.names().any(|name| Dependency::of(name) == *dependency))
    };
    let missing: Vec<_> = Dependency::ALL
        .into_iter()
        .filter(is_missing)
        .map(Dependency::as_str)
        .collect();
    if !missing.is_empty() {
        let mut cause = problems.map(ToString::to_string).unwrap_or_default();
        if let Some(failure) = &failure {
            let separator = if cause.is_empty() { "" } else { "; " };
            // Writing to a string never fails.
            let _ = write!(cause, "{separator}{failure}");
        }
        call.note("cause", cause);
    }
    missing
}

#[cfg(test)]
#[path = "health_tests.rs"]
mod tests;
