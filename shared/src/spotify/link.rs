//! A user's link to their Spotify account. This module is the only source of valid access tokens.
//!
//! The tokens are stored encrypted in the database, which also decides which request refreshes an expired access
//! token: one at a time, while the others wait for its result. If that request fails:
//!
//! - Spotify refuses the refresh token (`invalid_grant`): the link ends, if that token is still the stored one. If
//!   another request has linked or refreshed meanwhile, its tokens stay.
//! - Any other failure (no response, 5xx, a rate limit): the link stays as it is, and the lock is released.
//! - The worker dies: the lock expires after a minute. Its lifetime is longer than any refresh; otherwise two
//!   requests could refresh the same token, and the second, refused, would end the link before the first has stored
//!   its result.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::accounts::{GrantError, SpotifyAccount, SpotifyAccounts, Tokens};
use super::{SpotifyConfig, SpotifyError};
use crate::api::SpotifyLink;
use crate::config::{ConfigError, SecretPair};
use crate::error::{Code, Error};
use crate::redacted::Secret;
use crate::runtime::clock::Clock;
use crate::runtime::http_client::HttpClient;
use crate::supabase::{Service, SupabaseError};

/// The interval in which a waiting request reads again, in milliseconds.
const POLL_MS: u64 = 250;
/// The longest wait for a token, in milliseconds: longer than Spotify takes to respond.
const PATIENCE_MS: u64 = 12_000;
/// A swap is lost only to another successful one; more than two losses in a row mean a defect.
const MAX_SWAPS: usize = 3;

/// The secrets that encrypt the tokens: the first one encrypts, both decrypt.
#[derive(Debug, Clone)]
pub struct TokenSecrets(SecretPair);

impl TokenSecrets {
    /// Reads `SPOTIFY_TOKEN_SECRETS`: one secret, or two separated by a comma, of at least 32 characters each.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn from_env(env: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        SecretPair::from_env(env, "SPOTIFY_TOKEN_SECRETS").map(Self)
    }

    fn first(&self) -> &str {
        self.0.first.expose()
    }

    fn other(&self) -> Option<&str> {
        self.0.other.as_ref().map(Secret::expose)
    }
}

/// The reasons why there is no access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkError {
    /// The user has not linked an account.
    NotLinked,
    /// Spotify no longer accepts the link, which has been deleted.
    Expired,
    /// Another request has held the lock for too long.
    Busy,
    /// Spotify returned no token; the link is unchanged.
    Spotify(SpotifyError),
    /// The database returned no usable response.
    Database(SupabaseError),
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLinked => f.write_str("no account is linked"),
            Self::Expired => f.write_str("spotify no longer accepts the refresh token"),
            Self::Busy => f.write_str("the token is being replaced"),
            Self::Spotify(error) => error.fmt(f),
            Self::Database(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for LinkError {}

impl From<LinkError> for Error {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::NotLinked => Self::of(Code::SpotifyNotLinked).caused_by(error),
            LinkError::Expired => Self::of(Code::SpotifyLinkExpired).caused_by(error),
            LinkError::Busy => Self::of(Code::SpotifyTimeout).caused_by(error),
            LinkError::Spotify(error) => error.into(),
            LinkError::Database(error) => error.into(),
        }
    }
}

impl From<SupabaseError> for LinkError {
    fn from(error: SupabaseError) -> Self {
        Self::Database(error)
    }
}

/// Links, in the database and at Spotify.
pub struct SpotifyLinks<'a> {
    secrets: &'a TokenSecrets,
    service: Service<'a>,
    accounts: SpotifyAccounts<'a>,
    clock: &'a dyn Clock,
}

#[derive(Serialize)]
struct ByUser {
    p_user_id: Uuid,
}

#[derive(Serialize)]
struct GetArgs<'a> {
    p_user_id: Uuid,
    p_secret: &'a str,
    p_other_secret: Option<&'a str>,
    p_refused_access_token: Option<&'a str>,
}

#[derive(Deserialize)]
struct Stored {
    access_token: String,
    refresh_token: String,
    state: TokenState,
}

/// The database's `spotify_token_state`.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum TokenState {
    /// The access token is valid for at least a minute.
    Fresh,
    /// This request has to refresh the access token.
    Refresh,
    /// Another request refreshes it.
    Wait,
}

impl<'a> SpotifyLinks<'a> {
    /// Creates the links of a project's users.
    pub fn new(
        secrets: &'a TokenSecrets,
        service: Service<'a>,
        config: &'a SpotifyConfig,
        http: &'a dyn HttpClient,
        clock: &'a dyn Clock,
    ) -> Self {
        Self {
            secrets,
            service,
            accounts: SpotifyAccounts::new(config, http, clock),
            clock,
        }
    }

    /// Returns the accounts service.
    pub fn accounts(&self) -> &SpotifyAccounts<'a> {
        &self.accounts
    }

    /// Stores a new link and replaces an existing one. Unfinished exports to another account are forgotten.
    ///
    /// # Errors
    /// [`SupabaseError`].
    pub async fn store(
        &self,
        user_id: Uuid,
        tokens: &Tokens,
        refresh_token: &Secret,
        account: &SpotifyAccount,
    ) -> Result<(), SupabaseError> {
        #[derive(Serialize)]
        struct Args<'a> {
            p_user_id: Uuid,
            p_secret: &'a str,
            p_access_token: &'a str,
            p_refresh_token: &'a str,
            p_expires_at: String,
            p_display_name: Option<&'a str>,
            p_account_id: Option<&'a str>,
        }
        let args = Args {
            p_user_id: user_id,
            p_secret: self.secrets.first(),
            p_access_token: tokens.access_token.expose(),
            p_refresh_token: refresh_token.expose(),
            p_expires_at: self.expires_at(tokens),
            p_display_name: account.display_name.as_deref(),
            p_account_id: account.id.as_deref(),
        };
        self.service
            .rpc_retrying("store_spotify_tokens", &args, self.clock)
            .await
    }

    /// Returns the status of a user's link.
    ///
    /// # Errors
    /// [`SupabaseError`].
    pub async fn status(&self, user_id: Uuid) -> Result<SpotifyLink, SupabaseError> {
        self.service
            .rpc_retrying("spotify_link", &ByUser { p_user_id: user_id }, self.clock)
            .await
    }

    /// Deletes a user's link. Succeeds without one.
    ///
    /// # Errors
    /// [`SupabaseError`].
    pub async fn unlink(&self, user_id: Uuid) -> Result<(), SupabaseError> {
        let args = ByUser { p_user_id: user_id };
        self.service
            .rpc_retrying::<_, bool>("delete_spotify_tokens", &args, self.clock)
            .await
            .map(drop)
    }

    /// Returns an access token that is valid for at least a minute.
    ///
    /// `refused` is a token that Spotify refused although it should be valid; it counts as expired.
    ///
    /// # Errors
    /// [`LinkError`].
    pub async fn access_token(
        &self,
        user_id: Uuid,
        refused: Option<&Secret>,
    ) -> Result<Secret, LinkError> {
        let give_up_ms = self.clock.now_ms() + PATIENCE_MS;
        let mut swaps = 0;
        loop {
            let stored = self
                .read(user_id, refused)
                .await?
                .ok_or(LinkError::NotLinked)?;
            match stored.state {
                TokenState::Fresh => return Ok(Secret::new(stored.access_token)),
                TokenState::Refresh if swaps < MAX_SWAPS => {
                    swaps += 1;
                    if let Some(token) = self
                        .refresh(user_id, Secret::new(stored.refresh_token))
                        .await?
                    {
                        return Ok(token);
                    }
                }
                _ if self.clock.now_ms() >= give_up_ms => return Err(LinkError::Busy),
                TokenState::Refresh | TokenState::Wait => self.clock.sleep_ms(POLL_MS).await,
            }
        }
    }

    async fn read(
        &self,
        user_id: Uuid,
        refused: Option<&Secret>,
    ) -> Result<Option<Stored>, SupabaseError> {
        let args = GetArgs {
            p_user_id: user_id,
            p_secret: self.secrets.first(),
            p_other_secret: self.secrets.other(),
            p_refused_access_token: refused.map(Secret::expose),
        };
        // Not repeated on failure: the first call may have taken the lock, so a repeat would only wait for it.
        let rows: Vec<Stored> = self.service.rpc("get_spotify_tokens", &args).await?;
        Ok(rows.into_iter().next())
    }

    /// Refreshes the access token; `None` if another request has changed the link meanwhile.
    async fn refresh(&self, user_id: Uuid, seen: Secret) -> Result<Option<Secret>, LinkError> {
        match self.accounts.refresh(&seen).await {
            Ok(tokens) => {
                let swapped = self.swap(user_id, &seen, &tokens).await?;
                Ok(swapped.then_some(tokens.access_token))
            }
            Err(GrantError::InvalidGrant) if self.expire(user_id, &seen).await? => {
                Err(LinkError::Expired)
            }
            Err(GrantError::InvalidGrant) => Ok(None),
            Err(GrantError::Spotify(error)) => {
                let args = ByUser { p_user_id: user_id };
                let released = self
                    .service
                    .rpc::<_, ()>("release_spotify_refresh", &args)
                    .await;
                drop(released); // Where it failed, the right ends by itself.
                Err(LinkError::Spotify(error))
            }
        }
    }

    async fn swap(
        &self,
        user_id: Uuid,
        seen: &Secret,
        tokens: &Tokens,
    ) -> Result<bool, SupabaseError> {
        #[derive(Serialize)]
        struct Args<'a> {
            p_user_id: Uuid,
            p_secret: &'a str,
            p_other_secret: Option<&'a str>,
            p_seen_refresh_token: &'a str,
            p_access_token: &'a str,
            p_refresh_token: Option<&'a str>,
            p_expires_at: String,
        }
        let args = Args {
            p_user_id: user_id,
            p_secret: self.secrets.first(),
            p_other_secret: self.secrets.other(),
            p_seen_refresh_token: seen.expose(),
            p_access_token: tokens.access_token.expose(),
            p_refresh_token: tokens.refresh_token.as_ref().map(Secret::expose),
            p_expires_at: self.expires_at(tokens),
        };
        // A repeat of a swap that succeeded finds its own refresh token and counts as lost; the next read returns
        // the tokens.
        self.service
            .rpc_retrying("refresh_spotify_tokens", &args, self.clock)
            .await
    }

    async fn expire(&self, user_id: Uuid, seen: &Secret) -> Result<bool, SupabaseError> {
        #[derive(Serialize)]
        struct Args<'a> {
            p_user_id: Uuid,
            p_secret: &'a str,
            p_other_secret: Option<&'a str>,
            p_seen_refresh_token: &'a str,
        }
        let args = Args {
            p_user_id: user_id,
            p_secret: self.secrets.first(),
            p_other_secret: self.secrets.other(),
            p_seen_refresh_token: seen.expose(),
        };
        self.service.rpc("expire_spotify_link", &args).await
    }

    /// Returns when the access token expires, in a form that PostgreSQL reads as an absolute time.
    fn expires_at(&self, tokens: &Tokens) -> String {
        let seconds = self
            .clock
            .now_seconds()
            .saturating_add(tokens.expires_in_seconds);
        rfc3339(seconds)
    }
}

/// Formats seconds since the Unix epoch as RFC 3339 in UTC (Howard Hinnant's `civil_from_days`).
fn rfc3339(seconds: u64) -> String {
    // Years after 9999 are cut: PostgreSQL would read a longer year differently.
    let seconds = seconds.min(253_402_300_799);
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
#[path = "link_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "link_race_tests.rs"]
mod race_tests;
