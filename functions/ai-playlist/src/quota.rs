//! Calls the RPCs of the quota: reserve a slot, charge it, settle it, save the playlist.
//!
//! Only the function's role may call them. Each may be repeated: the session's id makes a repeat return the result
//! of the first call.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use shared::api::{GeneratedPlaylist, Quota, Track};
use shared::llm::Cost;
use shared::runtime::clock::Clock;
use shared::runtime::http_client::HttpClient;
use shared::supabase::{Service, Supabase, SupabaseError};
use shared::track::Suggestion;
use shared::{Code, Error};
use uuid::Uuid;

use crate::handler::Context;
use crate::recover::{Delivered, KeptTrack};
use crate::request::PlaylistRequest;

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
    /// This session succeeded before, so nothing is generated.
    Finished(Finished),
}

/// A session that succeeded before.
#[derive(Debug, PartialEq)]
pub struct Finished {
    /// The user's quota.
    pub quota: Quota,
    /// What was delivered; `None` if the playlist was deleted.
    pub delivered: Option<Delivered>,
}

/// The result of a reservation.
#[derive(Debug, PartialEq)]
pub struct Reservation {
    /// The decision.
    pub decision: Decision,
    /// The tracks of the playlist that is refined.
    pub tracks: Vec<KeptTrack>,
}

/// The end of a generation.
#[derive(Debug, Clone, Copy)]
pub enum Outcome<'a> {
    /// This playlist is charged and delivered unsaved.
    Succeeded(&'a GeneratedPlaylist),
    /// It failed and is not charged.
    Failed,
    /// The deadline passed; it is not charged.
    Timeout,
}

impl Outcome<'_> {
    /// Returns its name in the database's `ai_status_enum`.
    fn status(self) -> &'static str {
        match self {
            Self::Succeeded(_) => "succeeded",
            Self::Failed => "failed",
            Self::Timeout => "timeout",
        }
    }

    /// Returns what the database keeps.
    fn result(self) -> Option<Value> {
        let Self::Succeeded(playlist) = self else {
            return None;
        };
        Some(json!({
            "name": playlist.name,
            "description": playlist.description,
            "summary": playlist.summary,
            "stop_reason": playlist.stop_reason,
            "tracks": playlist.tracks,
        }))
    }
}

/// The model's own spelling of its songs, by track URI.
pub type Spellings = BTreeMap<String, Suggestion>;

/// The quota's record of one generation.
pub struct Ledger<'a> {
    service: Service<'a>,
    clock: &'a dyn Clock,
    session: Session,
}

impl<'a> Ledger<'a> {
    /// Creates the ledger of a generation; `http` sends its requests.
    pub fn new(context: &'a Context, http: &'a dyn HttpClient, session: Session) -> Self {
        Self {
            service: Supabase::new(&context.config.supabase, http).service(),
            clock: &context.clock,
            session,
        }
    }

    /// Returns the generation and its user.
    pub fn session(&self) -> Session {
        self.session
    }

    /// Reserves one slot of the quota.
    ///
    /// # Errors
    /// Returns 402 `quota_exceeded`, 403 `profile_not_found`, 404 `playlist_not_found`, 409 `generation_in_progress`,
    /// `idempotency_key_reused` or `playlist_limit_reached`, 429 `too_many_attempts`, 503.
    pub async fn reserve(&self, request: &PlaylistRequest) -> Result<Reservation, Error> {
        let args = json!({
            "p_session_id": self.session.id,
            "p_user_id": self.session.user_id,
            "p_prompt": request.wish.prompt,
            "p_save": request.save,
            "p_playlist_id": request.refined.as_ref().map(|refined| refined.playlist_id),
            "p_request": request.canonical,
        });
        // Not repeated on failure: if only the response was lost, the repeat would see its own reservation as running.
        let reserved: Reserved = self.service.rpc("ai_reserve", &args).await?;
        let decision = match reserved.outcome {
            ReserveOutcome::Reserved => Ok(Decision::Held),
            ReserveOutcome::Finished => match reserved.quota {
                Some(quota) => Ok(Decision::Finished(Finished {
                    quota,
                    delivered: reserved.delivered,
                })),
                None => Err(SupabaseError::incomplete("finished").into()),
            },
            ReserveOutcome::NoPlaylist => Err(Error::of(Code::PlaylistNotFound)),
            ReserveOutcome::AccountRequired => Err(Error::of(Code::AccountRequired)),
            ReserveOutcome::InProgress => Err(Error::of(Code::GenerationInProgress)),
            ReserveOutcome::KeyReused => Err(Error::of(Code::IdempotencyKeyReused)),
            ReserveOutcome::QuotaExceeded => Err(Error::of(Code::QuotaExceeded)),
            ReserveOutcome::TooManyAttempts => Err(Error::of(Code::TooManyAttempts)),
            ReserveOutcome::PlaylistLimit => Err(Error::of(Code::PlaylistLimitReached)),
            ReserveOutcome::NoProfile => Err(Error::of(Code::ProfileNotFound)),
        };
        match decision {
            Ok(decision) => Ok(Reservation {
                decision,
                tracks: reserved.tracks,
            }),
            Err(error) => Err(error.retry_after(reserved.retry_after_seconds)),
        }
    }

    /// Charges a running generation and keeps its tracks so far, before they are sent.
    ///
    /// # Errors
    /// 504 `generation_timeout` if the reservation has expired, 503 if the database is unavailable.
    pub async fn charge(&self, cost: Cost, tracks: &[Track]) -> Result<(), Error> {
        let args = json!({
            "p_session_id": self.session.id,
            "p_user_id": self.session.user_id,
            "p_cost": recorded(cost),
            "p_tracks": tracks,
        });
        let charged: Charged = self.call("ai_deliver", &args).await?;
        match charged.outcome {
            DeliverOutcome::Delivered => Ok(()),
            DeliverOutcome::Expired | DeliverOutcome::Unknown => Err(timeout()),
        }
    }

    /// Ends the generation. Only a playlist settled as succeeded may be delivered.
    ///
    /// A success that the database processes later than `max_age_ms` after the reservation is refused, because a
    /// request may be executed long after its caller stopped waiting.
    ///
    /// # Errors
    /// 504 `generation_timeout` if the reservation has expired, 503 if the database is unavailable.
    pub async fn settle(
        &self,
        outcome: Outcome<'_>,
        cost: Cost,
        max_age_ms: u64,
    ) -> Result<Quota, Error> {
        let args = json!({
            "p_session_id": self.session.id,
            "p_user_id": self.session.user_id,
            "p_status": outcome.status(),
            "p_cost": recorded(cost),
            "p_max_age_ms": max_age_ms,
            "p_result": outcome.result(),
        });
        let settled: Settled = self.call("ai_settle", &args).await?;
        match settled.outcome {
            SettleOutcome::Settled => Ok(settled
                .quota
                .ok_or_else(|| SupabaseError::incomplete("settled"))?),
            SettleOutcome::Expired | SettleOutcome::Unknown => Err(timeout()),
        }
    }

    /// Settles the generation as succeeded and stores its playlist, or the next version of the refined one, in one
    /// transaction. Completes the playlist, and returns whether it is saved: if the account has reached its limit, it
    /// is marked as unsaved, and the session still has to be settled.
    ///
    /// # Errors
    /// Returns 504 `generation_timeout` if the reservation has expired, 503 if the database is unavailable.
    pub async fn save(
        &self,
        request: &PlaylistRequest,
        playlist: &mut GeneratedPlaylist,
        spellings: &Spellings,
        cost: Cost,
    ) -> Result<bool, Error> {
        let args = json!({
            "p_session_id": self.session.id,
            "p_user_id": self.session.user_id,
            "p_cost": recorded(cost),
            "p_name": playlist.name,
            "p_description": playlist.description,
            "p_tracks": playlist.tracks,
            "p_refined_id": request.refined.as_ref().map(|refined| refined.playlist_id),
            "p_instruction": request.instruction(),
            "p_suggestions": spellings,
        });
        let saved: Saved = self.call("save_generated_playlist", &args).await?;
        match saved.outcome {
            SaveOutcome::Saved => {
                let (Some(id), Some(version), Some(name), Some(quota)) =
                    (saved.playlist_id, saved.version, saved.name, saved.quota)
                else {
                    return Err(SupabaseError::incomplete("saved").into());
                };
                (playlist.playlist_id, playlist.version) = (Some(id), Some(version));
                (playlist.name, playlist.quota) = (name, quota);
                Ok(true)
            }
            SaveOutcome::PlaylistLimit => {
                playlist.not_saved = Some(Code::PlaylistLimitReached.as_str());
                Ok(false)
            }
            SaveOutcome::Expired | SaveOutcome::Unknown => Err(timeout()),
        }
    }

    async fn call<T: DeserializeOwned>(
        &self,
        name: &'static str,
        args: &Value,
    ) -> Result<T, SupabaseError> {
        self.service.rpc_retrying(name, args, self.clock).await
    }
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
