//! The database's record of exports and of the copies that playlists have.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::runtime::clock::Clock;
use shared::spotify::SpotifyPlaylist;
use shared::supabase::Service;
use shared::{Code, Error};
use uuid::Uuid;

use crate::request::ExportRequest;

/// The key of an export: its user and the client's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Key {
    /// The user.
    #[serde(rename = "p_user_id")]
    pub user_id: Uuid,
    /// The client's `Idempotency-Key`.
    #[serde(rename = "p_idempotency_key")]
    pub idempotency_key: Uuid,
}

/// What a request under a key has to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Begun {
    /// Export, into the copy that an earlier request created, if there is one.
    Held(Option<SpotifyPlaylist>),
    /// Return the result of the first request.
    Finished(Value),
}

#[derive(Serialize)]
struct BeginArgs<'a> {
    #[serde(flatten)]
    key: Key,
    p_request: &'a ExportRequest,
}

#[derive(Deserialize)]
struct Answer {
    outcome: String,
    spotify_playlist_id: Option<String>,
    retry_after_seconds: Option<u64>,
    result: Option<Value>,
}

/// Claims the export.
///
/// # Errors
/// 403 `profile_not_found`, 409 `export_in_progress` or `idempotency_key_reused`, 503.
pub async fn begin(service: &Service<'_>, key: Key, request: &ExportRequest) -> Result<Begun, Error> {
    // Not repeated on failure: if only the response was lost, the repeat would see its own claim.
    let answer: Answer = service.rpc("begin_spotify_export", &BeginArgs { key, p_request: request }).await?;
    match (answer.outcome.as_str(), answer.result) {
        ("held", _) => {
            Ok(Begun::Held(answer.spotify_playlist_id.as_deref().and_then(SpotifyPlaylist::with_id)))
        }
        ("finished", Some(result)) => Ok(Begun::Finished(result)),
        ("in_progress", _) => Err(Error::of(Code::ExportInProgress).retry_after(answer.retry_after_seconds)),
        ("key_reused", _) => Err(Error::of(Code::IdempotencyKeyReused)),
        ("no_profile", _) => Err(Error::of(Code::ProfileNotFound)),
        (other, _) => Err(Error::of(Code::Internal).caused_by(format!("unexpected outcome {other}"))),
    }
}

/// Stores the created copy, in place of one that cannot be filled. Returns the copy that counts, which is the first
/// one under this key.
///
/// # Errors
/// 503.
pub async fn record(
    service: &Service<'_>,
    clock: &dyn Clock,
    key: Key,
    created: SpotifyPlaylist,
    instead_of: Option<&SpotifyPlaylist>,
) -> Result<SpotifyPlaylist, Error> {
    #[derive(Serialize)]
    struct Args<'a> {
        #[serde(flatten)]
        key: Key,
        p_spotify_playlist_id: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        p_instead_of: Option<&'a str>,
    }
    let p_instead_of = instead_of.map(|copy| copy.id.as_str());
    let args = Args { key, p_spotify_playlist_id: &created.id, p_instead_of };
    let counts: Option<String> = service.rpc_retrying("record_spotify_export", &args, clock).await?;
    Ok(counts.as_deref().and_then(SpotifyPlaylist::with_id).unwrap_or(created))
}

/// Keeps the result for repeats. If that fails, a repeat fills the same copy again.
pub async fn finish(service: &Service<'_>, clock: &dyn Clock, key: Key, result: &impl Serialize) {
    #[derive(Serialize)]
    struct Args<'a, R> {
        #[serde(flatten)]
        key: Key,
        p_result: &'a R,
    }
    let _ =
        service.rpc_retrying::<_, ()>("finish_spotify_export", &Args { key, p_result: result }, clock).await;
}

/// Releases the claim of an export that failed. If that fails, the claim expires by itself.
pub async fn release(service: &Service<'_>, clock: &dyn Clock, key: Key) {
    let _ = service.rpc_retrying::<_, ()>("release_spotify_export", &key, clock).await;
}
