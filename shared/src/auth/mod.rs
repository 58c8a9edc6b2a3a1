//! Verifies the user tokens of Supabase Auth before any other work.
//!
//! There are three kinds of keys, each used with its own algorithm only: the published P-256 keys with ES256 and the
//! published RSA keys with RS256, found by the token's `kid`; and, only if `SUPABASE_JWT_SECRET` is set, the legacy
//! secret with HS256 for any `kid` (Auth gives the legacy secret an id, but cannot publish it). The token's `alg`
//! selects between disjoint sets of keys and never how a key is used. After the legacy secret is revoked, the operator
//! has to unset the variable.

mod error;
#[cfg(any(test, feature = "fakes"))]
#[expect(clippy::unwrap_used, reason = "only tests use it")]
mod fake_issuer;
mod jwks;
mod jwt;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod properties;
mod recent;
mod rsa;
#[cfg(test)]
mod tests;

pub use error::AuthError;
#[cfg(any(test, feature = "fakes"))]
pub use fake_issuer::FakeIssuer;
pub use jwks::{Jwks, JwksCache};
pub use jwt::{Algorithm, Key, UnverifiedJwt, VerifiedUser};
pub use rsa::RsaKey;

use http::{HeaderMap, header};

use crate::config::{ConfigError, Problems, base_url, optional, required};
use crate::error::Error;
use crate::redacted::Secret;
use crate::runtime::clock::Clock;
use crate::runtime::context::RequestContext;
use crate::runtime::http_client::HttpClient;

/// RFC 7518, 3.2: an HMAC key is at least as long as the hash.
const MIN_SECRET_BYTES: usize = 32;

/// The issuer of accepted tokens, and its keys.
#[derive(Debug, Clone)]
pub struct AuthConfig {
    issuer: String,
    jwks_url: String,
    legacy_key: Option<Key>,
}

impl AuthConfig {
    /// Reads `SUPABASE_URL`; for projects that still sign with the legacy secret, `SUPABASE_JWT_SECRET`; and
    /// `AUTH_ISSUER` if tokens name a URL other than the one that functions use.
    ///
    /// # Errors
    /// Returns a [`ConfigError`] that names the missing and invalid variables; a secret of less than 32 bytes is
    /// invalid.
    pub fn from_env(env: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let url = required(&env, "SUPABASE_URL").and_then(|url| base_url("SUPABASE_URL", url));
        let secret = match optional(&env, "SUPABASE_JWT_SECRET") {
            Some(secret) if secret.len() < MIN_SECRET_BYTES => Err(ConfigError::invalid(
                "SUPABASE_JWT_SECRET",
                "must have at least 32 bytes",
            )),
            secret => Ok(secret.map(Secret::new)),
        };
        let issuer = optional(&env, "AUTH_ISSUER")
            .map(|issuer| base_url("AUTH_ISSUER", issuer))
            .transpose();
        let mut problems = Problems::default();
        let (url, secret, issuer) = (
            problems.take(url),
            problems.take(secret),
            problems.take(issuer),
        );
        problems.finish(|| {
            let url = url?;
            Some(Self {
                issuer: issuer?.unwrap_or_else(|| format!("{url}/auth/v1")),
                jwks_url: format!("{url}/auth/v1/.well-known/jwks.json"),
                legacy_key: secret?.map(Key::Hs256),
            })
        })
    }
}

/// Returns the bearer token of a request.
///
/// # Errors
/// Returns [`AuthError::Missing`] without `Authorization: Bearer …`, and [`AuthError::Malformed`] if there are several,
/// because proxies disagree on which one counts.
pub fn bearer(headers: &HeaderMap) -> Result<&str, AuthError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or(AuthError::Missing)?;
    if values.next().is_some() {
        return Err(AuthError::Malformed);
    }
    let value = value.to_str().map_err(|_| AuthError::Malformed)?.trim();
    let (scheme, token) = value.split_once(' ').ok_or(AuthError::Missing)?;
    match token.trim_start() {
        token if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() => Ok(token),
        _ => Err(AuthError::Missing),
    }
}

/// Identifies the user of a request by its headers. The log line names a hash of the user's id.
///
/// # Errors
/// Returns 401 `missing_token`, `invalid_token` or `token_expired`; 431 `token_too_large`; 503 `database_unavailable`
/// if the keys cannot be fetched.
pub async fn authenticate(
    call: &RequestContext,
    headers: &HeaderMap,
    config: &AuthConfig,
    cache: &JwksCache,
    http: &dyn HttpClient,
    clock: &dyn Clock,
) -> Result<VerifiedUser, Error> {
    let user = identify(bearer(headers)?, config, cache, http, clock).await?;
    call.note_user(user.id());
    Ok(user)
}

async fn identify(
    token: &str,
    config: &AuthConfig,
    cache: &JwksCache,
    http: &dyn HttpClient,
    clock: &dyn Clock,
) -> Result<VerifiedUser, AuthError> {
    let jwt = UnverifiedJwt::parse(token)?;
    let key = match (jwt.algorithm(), jwt.kid()) {
        (Algorithm::Hs256, _) => config.legacy_key.clone().ok_or(AuthError::NoLegacySecret)?,
        (_, Some(kid)) => cache.key(kid, &config.jwks_url, http, clock).await?,
        (_, None) => return Err(AuthError::UnknownKey),
    };
    jwt.verify(&key, &config.issuer, clock.now_seconds())
}
