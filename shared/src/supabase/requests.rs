//! Counts each user's requests for resources that all users share; the database enforces the limits.

use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::Service;
use crate::error::{Code, Error};

/// The counted resource, as `private.request_limits` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// A search in the catalogue.
    Search,
    /// An export of a playlist to Spotify.
    Export,
    /// Linking a Spotify account.
    Link,
    /// Opening a page of Stripe.
    Billing,
}

impl Counted {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Search => "search",
            Self::Export => "export",
            Self::Link => "link",
            Self::Billing => "billing",
        }
    }
}

/// The result of `take_request`.
#[derive(Deserialize)]
struct Taken {
    outcome: TakeOutcome,
    retry_after_seconds: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum TakeOutcome {
    Taken,
    TooManyAttempts,
    AccountRequired,
    NoProfile,
}

/// Takes one request from the user's limit.
///
/// # Errors
/// Returns 429 `too_many_attempts` with `Retry-After`, 403 `profile_not_found` for a deleted user's token, or 503
/// `database_unavailable`.
pub async fn take_request(
    service: &Service<'_>,
    user_id: Uuid,
    counted: Counted,
) -> Result<(), Error> {
    // Not repeated on failure: if only the response was lost, the request would be counted twice.
    let args = json!({"p_user_id": user_id, "p_kind": counted.as_str()});
    let taken: Taken = service.rpc("take_request", &args).await?;
    match taken.outcome {
        TakeOutcome::Taken => Ok(()),
        TakeOutcome::TooManyAttempts => {
            Err(Error::of(Code::TooManyAttempts).retry_after(taken.retry_after_seconds))
        }
        TakeOutcome::AccountRequired => Err(Error::of(Code::AccountRequired)),
        TakeOutcome::NoProfile => Err(Error::of(Code::ProfileNotFound)),
    }
}
