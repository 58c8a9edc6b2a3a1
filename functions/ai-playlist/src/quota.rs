//! The quota's side of a generation: reserve a slot, settle it, save what came of it.
//!
//! All are RPCs that only the function may call. Each may be repeated: the session's id makes
//! a repeat answer what the first call did.

use serde::{Deserialize, Serialize};
use serde_json::json;
pub use shared::api::Quota;
use shared::clock::Clock;
use shared::http_client::HttpClient;
use shared::llm::Cost;
use shared::supabase::Service;
use shared::{Code, Error};
use uuid::Uuid;

use crate::event::{Done, Track};
use crate::recover::Delivered;

/// How a generation ended, as the database's `ai_status_enum` says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// A playlist was delivered: it counts.
    Succeeded,
    /// It costs the listener nothing.
    Failed,
    /// The time was up; it costs the listener nothing.
    Timeout,
}

/// Who generates what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// The generation's id.
    pub id: Uuid,
    /// The listener.
    pub user_id: Uuid,
}

/// What any of the RPCs answers; which members stand in it depends on the outcome.
#[derive(Deserialize)]
struct Answer {
    outcome: String,
    quota: Option<Quota>,
    retry_after_seconds: Option<u64>,
    playlist_id: Option<Uuid>,
    name: Option<String>,
    delivered: Option<Delivered>,
}

impl Answer {
    /// An outcome that we do not know, or one without what belongs to it.
    fn unexpected(&self) -> Error {
        Error::of(Code::Internal).caused_by(format!("unexpected outcome {}", self.outcome))
    }
}

/// What a reservation leads to.
#[derive(Debug, PartialEq)]
pub enum Reservation {
    /// A slot is held: generate.
    Held,
    /// This session succeeded before: nothing is generated again. With what was delivered and not saved.
    Finished(Quota, Option<Delivered>),
}

/// Takes one slot of the quota, or says why not.
///
/// # Errors
/// 402 `quota_exceeded`, 403 `profile_not_found`, 409 `generation_in_progress`,
/// `idempotency_key_reused` or `playlist_limit_reached`, 429 `too_many_attempts`, 503.
pub async fn reserve<H: HttpClient>(
    service: &Service<'_, H>,
    session: Session,
    prompt: &str,
    save: bool,
) -> Result<Reservation, Error> {
    let args = json!({
        "p_session_id": session.id,
        "p_user_id": session.user_id,
        "p_prompt": prompt,
        "p_save": save,
    });
    // Not repeated on failure: a lost answer would make the repeat see its own reservation as running.
    let answer: Answer = service.rpc("ai_reserve", &args).await?;
    let error = match (answer.outcome.as_str(), &answer.quota) {
        ("reserved", _) => return Ok(Reservation::Held),
        ("finished", Some(quota)) => return Ok(Reservation::Finished(quota.clone(), answer.delivered)),
        ("in_progress", _) => Error::of(Code::GenerationInProgress),
        ("key_reused", _) => Error::of(Code::IdempotencyKeyReused),
        ("quota_exceeded", Some(quota)) => quota_exceeded(quota),
        ("too_many_attempts", _) => Error::new(
            Code::TooManyAttempts,
            "Too many attempts run or have failed, or today's have cost too much. Please wait.",
        ),
        ("playlist_limit", _) => playlist_limit(),
        ("no_profile", _) => Error::of(Code::ProfileNotFound),
        _ => answer.unexpected(),
    };
    Err(error.retry_after(answer.retry_after_seconds))
}

fn quota_exceeded(quota: &Quota) -> Error {
    let plan = &quota.plan;
    let (used, limit) = (quota.used, quota.limit);
    let next = quota.next_free_at.as_deref().unwrap_or("later");
    Error::new(
        Code::QuotaExceeded,
        format!(
            "{used} of {limit} AI playlists of the {plan} plan are used; the next one is free at {next}."
        ),
    )
}

fn playlist_limit() -> Error {
    Error::of(Code::PlaylistLimitReached)
}

/// The cost as the database records it (`private.ai_cost`), a decimal because a binary fraction would not be exact; a model
/// may claim any number of tokens.
fn recorded(cost: Cost) -> String {
    const MOST: u64 = 9_999_999_999;
    if cost.ten_thousandths() > MOST { "999999.9999".to_owned() } else { cost.to_string() }
}

/// Charges a running generation and keeps its tracks so far, before they are sent.
///
/// # Errors
/// 504 `generation_timeout` where the reservation has expired, 503 where the database is away.
pub async fn deliver<H: HttpClient, C: Clock>(
    service: &Service<'_, H>,
    clock: &C,
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
    let answer: Answer = service.rpc_retrying("ai_deliver", &args, clock).await?;
    match answer.outcome.as_str() {
        "delivered" => Ok(()),
        "expired" | "unknown" => Err(timeout()),
        _ => Err(answer.unexpected()),
    }
}

/// Ends the generation; only what was settled as succeeded may be delivered. `kept` is what is delivered unsaved.
///
/// A success that the database gets to later than `max_age_ms` after the reservation is none: a
/// request may be carried out long after nobody waits for its answer any more.
///
/// # Errors
/// 504 `generation_timeout` where the reservation has expired, 503 where the database is away.
pub async fn settle<H: HttpClient, C: Clock>(
    service: &Service<'_, H>,
    clock: &C,
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
    let answer: Answer = service.rpc_retrying("ai_settle", &args, clock).await?;
    match (answer.outcome.as_str(), &answer.quota) {
        ("settled", Some(quota)) => Ok(quota.clone()),
        ("expired" | "unknown", _) => Err(timeout()),
        _ => Err(answer.unexpected()),
    }
}

/// A playlist in the database.
#[derive(Debug, PartialEq)]
pub struct SavedPlaylist {
    /// The session's id.
    pub id: Uuid,
    /// Its name, made unique among the listener's.
    pub name: String,
    /// What is left of the quota.
    pub quota: Quota,
}

/// Settles the generation as succeeded and stores its playlist: both or neither.
///
/// # Errors
/// 409 `playlist_limit_reached` (the session is then still to be settled), 504
/// `generation_timeout` where the reservation has expired, 503 where the database is away.
pub async fn save<H: HttpClient, C: Clock>(
    service: &Service<'_, H>,
    clock: &C,
    session: Session,
    cost: Cost,
    done: &Done,
) -> Result<SavedPlaylist, Error> {
    let args = json!({
        "p_session_id": session.id,
        "p_user_id": session.user_id,
        "p_cost": recorded(cost),
        "p_name": done.name,
        "p_description": done.description,
        "p_tracks": done.tracks,
    });
    let answer: Answer = service.rpc_retrying("save_generated_playlist", &args, clock).await?;
    match (answer.outcome.as_str(), answer.playlist_id, &answer.name, &answer.quota) {
        ("saved", Some(id), Some(name), Some(quota)) => {
            Ok(SavedPlaylist { id, name: name.clone(), quota: quota.clone() })
        }
        ("playlist_limit", ..) => Err(playlist_limit()),
        ("expired" | "unknown", ..) => Err(timeout()),
        _ => Err(answer.unexpected()),
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
    fn a_cost_is_recorded_within_what_the_database_takes() {
        let prices = Prices { input: Price::parse("100000").unwrap(), output: Price::default() };
        for (tokens, expected) in
            [(0, "0.0000"), (1, "0.1000"), (9_999_999, "999999.9000"), (u64::MAX, "999999.9999")]
        {
            assert_eq!(recorded(prices.of_tokens(tokens, 0)), expected, "{tokens}");
        }
    }
}
