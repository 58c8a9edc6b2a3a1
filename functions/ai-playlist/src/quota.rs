//! Calls the RPCs of the quota: reserve a slot, charge it, settle it, save the playlist.
//!
//! Only the function's role may call them. Each may be repeated: the session's id makes a repeat return the result
//! of the first call.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;
pub use shared::api::Quota;
use shared::llm::Cost;
use shared::runtime::clock::Clock;
use shared::supabase::{Service, SupabaseError};
use shared::track::Suggestion;
use shared::{Code, Error};
use uuid::Uuid;

use crate::event::{Done, Track};
use crate::recover::{Delivered, KeptTrack};
use crate::request::PlaylistRequest;

/// The end of a generation, as the database's `ai_status_enum` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// A playlist was delivered; it is charged.
    Succeeded,
    /// It failed and is not charged.
    Failed,
    /// The deadline passed; it is not charged.
    Timeout,
}

/// A generation and its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// The generation's id.
    pub id: Uuid,
    /// The user.
    pub user_id: Uuid,
}

/// The result of `ai_reserve`.
#[derive(Deserialize)]
struct Reserved {
    outcome: ReserveOutcome,
    quota: Option<Quota>,
    delivered: Option<Delivered>,
    #[serde(default)]
    tracks: Vec<KeptTrack>,
    retry_after_seconds: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum ReserveOutcome {
    Reserved,
    Finished,
    NoPlaylist,
    AccountRequired,
    InProgress,
    KeyReused,
    QuotaExceeded,
    TooManyAttempts,
    PlaylistLimit,
    NoProfile,
}

/// The result of `ai_deliver`.
#[derive(Deserialize)]
struct Charged {
    outcome: DeliverOutcome,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum DeliverOutcome {
    Delivered,
    Expired,
    Unknown,
}

/// The result of `ai_settle`.
#[derive(Deserialize)]
struct Settled {
    outcome: SettleOutcome,
    quota: Option<Quota>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum SettleOutcome {
    Settled,
    Expired,
    Unknown,
}

/// The result of `save_generated_playlist`.
#[derive(Deserialize)]
struct Saved {
    outcome: SaveOutcome,
    playlist_id: Option<Uuid>,
    version: Option<u32>,
    name: Option<String>,
    quota: Option<Quota>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum SaveOutcome {
    Saved,
    PlaylistLimit,
    Expired,
    Unknown,
}

/// The decision of a reservation.
#[derive(Debug, PartialEq)]
pub enum Decision {
    /// A slot is reserved, so the playlist can be generated.
    Held,
    /// This session succeeded before, so nothing is generated. Contains the quota and what was delivered.
    Finished(Quota, Option<Delivered>),
}

/// The result of a reservation.
#[derive(Debug, PartialEq)]
pub struct Reservation {
    /// The decision.
    pub decision: Decision,
    /// The tracks of the playlist that is refined.
    pub tracks: Vec<KeptTrack>,
}

/// Reserves one slot of the quota.
///
/// # Errors
/// Returns 402 `quota_exceeded`, 403 `profile_not_found`, 404 `playlist_not_found`, 409 `generation_in_progress`,
/// `idempotency_key_reused` or `playlist_limit_reached`, 429 `too_many_attempts`, 503.
pub async fn reserve(
    service: &Service<'_>,
    session: Session,
    request: &PlaylistRequest,
) -> Result<Reservation, Error> {
    let args = json!({
        "p_session_id": session.id,
        "p_user_id": session.user_id,
        "p_prompt": request.wish.prompt,
        "p_save": request.save,
        "p_playlist_id": request.refined.as_ref().map(|refined| refined.playlist_id),
    });
    // Not repeated on failure: if only the response was lost, the repeat would see its own reservation as running.
    let reserved: Reserved = service.rpc("ai_reserve", &args).await?;
    let error = match (reserved.outcome, reserved.quota) {
        (ReserveOutcome::Reserved, _) => {
            return Ok(Reservation {
                decision: Decision::Held,
                tracks: reserved.tracks,
            });
        }
        (ReserveOutcome::NoPlaylist, _) => Error::of(Code::PlaylistNotFound),
        (ReserveOutcome::AccountRequired, _) => Error::of(Code::AccountRequired),
        (ReserveOutcome::Finished, Some(quota)) => {
            let decision = Decision::Finished(quota, reserved.delivered);
            return Ok(Reservation {
                decision,
                tracks: reserved.tracks,
            });
        }
        (ReserveOutcome::Finished, None) => SupabaseError::incomplete("finished").into(),
        (ReserveOutcome::InProgress, _) => Error::of(Code::GenerationInProgress),
        (ReserveOutcome::KeyReused, _) => Error::of(Code::IdempotencyKeyReused),
        (ReserveOutcome::QuotaExceeded, _) => Error::of(Code::QuotaExceeded),
        (ReserveOutcome::TooManyAttempts, _) => Error::of(Code::TooManyAttempts),
        (ReserveOutcome::PlaylistLimit, _) => Error::of(Code::PlaylistLimitReached),
        (ReserveOutcome::NoProfile, _) => Error::of(Code::ProfileNotFound),
    };
    Err(error.retry_after(reserved.retry_after_seconds))
}

/// Formats the cost as the database records it (`private.ai_cost`): a decimal, because a binary fraction is not
/// exact, and bounded, because a model may claim any number of tokens.
fn recorded(cost: Cost) -> String {
    const MOST: u64 = 9_999_999_999;
    if cost.ten_thousandths() > MOST {
        "999999.9999".to_owned()
    } else {
        cost.to_string()
    }
}

/// Charges a running generation and keeps its tracks so far, before they are sent.
///
/// # Errors
/// 504 `generation_timeout` if the reservation has expired, 503 if the database is unavailable.
pub async fn deliver(
    service: &Service<'_>,
    clock: &dyn Clock,
    session: Session,
    cost: Cost,
    tracks: &[Track],
) -> Result<(), Error> {
    let args = json!({
        "p_session_id": session.id,
        "p_user_id": session.user_id,
        "p_cost": recorded(cost),
        "p_tracks": tracks,
    });
    let charged: Charged = service.rpc_retrying("ai_deliver", &args, clock).await?;
    match charged.outcome {
        DeliverOutcome::Delivered => Ok(()),
        DeliverOutcome::Expired | DeliverOutcome::Unknown => Err(timeout()),
    }
}

/// Ends the generation. Only one settled as succeeded may be delivered. `kept` is a playlist that is delivered unsaved.
///
/// A success that the database processes later than `max_age_ms` after the reservation is refused, because a request
/// may be executed long after its caller stopped waiting.
///
/// # Errors
/// 504 `generation_timeout` if the reservation has expired, 503 if the database is unavailable.
pub async fn settle(
    service: &Service<'_>,
    clock: &dyn Clock,
    session: Session,
    status: Status,
    cost: Cost,
    max_age_ms: u64,
    kept: Option<&Done>,
) -> Result<Quota, Error> {
    let args = json!({
        "p_session_id": session.id,
        "p_user_id": session.user_id,
        "p_status": status,
        "p_cost": recorded(cost),
        "p_max_age_ms": max_age_ms,
        "p_result": kept.map(|done| json!({
            "name": done.name,
            "description": done.description,
            "summary": done.summary,
            "stop_reason": done.stop_reason,
            "tracks": done.tracks,
        })),
    });
    let settled: Settled = service.rpc_retrying("ai_settle", &args, clock).await?;
    match settled.outcome {
        SettleOutcome::Settled => Ok(settled
            .quota
            .ok_or_else(|| SupabaseError::incomplete("settled"))?),
        SettleOutcome::Expired | SettleOutcome::Unknown => Err(timeout()),
    }
}

/// A playlist in the database.
#[derive(Debug, PartialEq)]
pub struct SavedPlaylist {
    /// The id of the refined playlist, otherwise the session's.
    pub id: Uuid,
    /// The version that the playlist has now.
    pub version: u32,
    /// The name, made unique among the user's playlists.
    pub name: String,
    /// The user's quota after this generation.
    pub quota: Quota,
}

/// The model's own spelling of its songs, by track URI.
pub type Suggestions = BTreeMap<String, Suggestion>;

/// Settles the generation as succeeded and stores its playlist, or the next version of the refined one, in one
/// transaction.
///
/// # Errors
/// Returns 409 `playlist_limit_reached` (the session then still has to be settled), 504 `generation_timeout` if the
/// reservation has expired, 503 if the database is unavailable.
pub async fn save(
    service: &Service<'_>,
    clock: &dyn Clock,
    (session, cost): (Session, Cost),
    request: &PlaylistRequest,
    done: &Done,
    suggestions: &Suggestions,
) -> Result<SavedPlaylist, Error> {
    let args = json!({
        "p_session_id": session.id,
        "p_user_id": session.user_id,
        "p_cost": recorded(cost),
        "p_name": done.name,
        "p_description": done.description,
        "p_tracks": done.tracks,
        "p_refined_id": request.refined.as_ref().map(|refined| refined.playlist_id),
        "p_instruction": request.instruction(),
        "p_suggestions": suggestions,
    });
    let saved: Saved = service
        .rpc_retrying("save_generated_playlist", &args, clock)
        .await?;
    match saved.outcome {
        SaveOutcome::Saved => match (
            saved.playlist_id.zip(saved.version),
            saved.name,
            saved.quota,
        ) {
            (Some((id, version)), Some(name), Some(quota)) => Ok(SavedPlaylist {
                id,
                version,
                name,
                quota,
            }),
            _ => Err(SupabaseError::incomplete("saved").into()),
        },
        SaveOutcome::PlaylistLimit => Err(Error::of(Code::PlaylistLimitReached)),
        SaveOutcome::Expired | SaveOutcome::Unknown => Err(timeout()),
    }
}

fn timeout() -> Error {
    Error::of(Code::GenerationTimeout)
}

#[cfg(test)]
mod tests {
    use shared::llm::{Price, Prices};

    use super::*;

    #[test]
    fn cost_is_capped_to_the_range_of_its_column() {
        let prices = Prices {
            input: Price::parse("100000").unwrap(),
            output: Price::default(),
        };
        for (tokens, expected) in [
            (0, "0.0000"),
            (1, "0.1000"),
            (9_999_999, "999999.9000"),
            (u64::MAX, "999999.9999"),
        ] {
            assert_eq!(recorded(prices.of_tokens(tokens, 0)), expected, "{tokens}");
        }
    }
}
