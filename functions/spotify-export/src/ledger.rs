//! What the database knows of an export under an `Idempotency-Key`.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::clock::Clock;
use shared::http_client::HttpClient;
use shared::spotify::SpotifyPlaylist;
use shared::supabase::Service;
use shared::{Code, Error};
use uuid::Uuid;

use crate::request::ExportRequest;

/// An export, by its user and key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Key {
    /// Whose it is.
    #[serde(rename = "p_user_id")]
    pub user_id: Uuid,
    /// The client's `Idempotency-Key`.
    #[serde(rename = "p_idempotency_key")]
    pub idempotency_key: Uuid,
}

/// What a request under a key is to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Begun {
    /// Export, into the copy that an earlier request created, if one did.
    Held(Option<SpotifyPlaylist>),
    /// Answer what the first request answered.
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

/// Takes the export, or says why not.
///
/// # Errors
/// 403 `profile_not_found`, 409 `export_in_progress` or `idempotency_key_reused`, 503.
pub async fn begin<H: HttpClient>(
    service: &Service<'_, H>,
    key: Key,
    request: &ExportRequest,
) -> Result<Begun, Error> {
    // Not repeated on failure: a lost answer would make the repeat see its own hold.
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

/// Writes down which copy was created, in place of one that cannot be filled, and returns the one that counts: the first
/// under this key otherwise.
///
/// # Errors
/// 503.
pub async fn record<H: HttpClient, C: Clock>(
    service: &Service<'_, H>,
    clock: &C,
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

/// Keeps the answer for repeats. Where that fails, a repeat fills the same copy again.
pub async fn finish<H: HttpClient, C: Clock>(
    service: &Service<'_, H>,
    clock: &C,
    key: Key,
    result: &impl Serialize,
) {
    #[derive(Serialize)]
    struct Args<'a, R> {
        #[serde(flatten)]
        key: Key,
        p_result: &'a R,
    }
    let _ =
        service.rpc_retrying::<_, ()>("finish_spotify_export", &Args { key, p_result: result }, clock).await;
}

/// Lets go of an export that failed. Where that fails, the hold ends by itself.
pub async fn release<H: HttpClient, C: Clock>(service: &Service<'_, H>, clock: &C, key: Key) {
    let _ = service.rpc_retrying::<_, ()>("release_spotify_export", &key, clock).await;
}
