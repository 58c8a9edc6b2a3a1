//! Records exports, and the copies that playlists have, in the database.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::runtime::clock::Clock;
use shared::runtime::context::RequestContext;
use shared::spotify::SpotifyPlaylist;
use shared::supabase::{Service, SupabaseError};
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

/// The task of a request under a key.
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

/// The result of `begin_spotify_export`.
#[derive(Deserialize)]
struct Beginning {
    outcome: BeginOutcome,
    spotify_playlist_id: Option<String>,
    retry_after_seconds: Option<u64>,
    result: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum BeginOutcome {
    Held,
    Finished,
    InProgress,
    KeyReused,
    NoProfile,
}

/// Claims the export.
///
/// # Errors
/// Returns 403 `profile_not_found`, 409 `export_in_progress` or `idempotency_key_reused`, or 503
/// `database_unavailable`.
pub async fn begin(
    service: &Service<'_>,
    key: Key,
    request: &ExportRequest,
) -> Result<Begun, Error> {
    // Not repeated on failure: if only the response was lost, the repeat would see its own claim.
    let args = BeginArgs {
        key,
        p_request: request,
    };
    let beginning: Beginning = service.rpc("begin_spotify_export", &args).await?;
    match beginning.outcome {
        BeginOutcome::Held => Ok(Begun::Held(
            beginning
                .spotify_playlist_id
                .as_deref()
                .and_then(SpotifyPlaylist::with_id),
        )),
        BeginOutcome::Finished => match beginning.result {
            Some(result) => Ok(Begun::Finished(result)),
            None => Err(SupabaseError::incomplete("finished").into()),
        },
        BeginOutcome::InProgress => {
            Err(Error::of(Code::ExportInProgress).retry_after(beginning.retry_after_seconds))
        }
        BeginOutcome::KeyReused => Err(Error::of(Code::IdempotencyKeyReused)),
        BeginOutcome::NoProfile => Err(Error::of(Code::ProfileNotFound)),
    }
}

/// Stores the created copy, in place of one that cannot be filled. Returns the copy that counts, which is the first
/// one under this key.
///
/// # Errors
/// Returns 503 `database_unavailable` if the database does not respond.
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
    let args = Args {
        key,
        p_spotify_playlist_id: &created.id,
        p_instead_of,
    };
    let counts: Option<String> = service
        .rpc_retrying("record_spotify_export", &args, clock)
        .await?;
    Ok(counts
        .as_deref()
        .and_then(SpotifyPlaylist::with_id)
        .unwrap_or(created))
}

/// Keeps the result for repeats. If that fails, the log line says so, and a repeat fills the same copy again.
pub async fn finish(
    service: &Service<'_>,
    clock: &dyn Clock,
    call: &RequestContext,
    key: Key,
    result: &impl Serialize,
) {
    #[derive(Serialize)]
    struct Args<'a, R> {
        #[serde(flatten)]
        key: Key,
        p_result: &'a R,
    }
    note(
        call,
        service
            .rpc_retrying(
                "finish_spotify_export",
                &Args {
                    key,
                    p_result: result,
                },
                clock,
            )
            .await,
    );
}

/// Releases the claim of an export that failed. If that fails, the log line says so, and the claim expires by itself.
pub async fn release(service: &Service<'_>, clock: &dyn Clock, call: &RequestContext, key: Key) {
    note(
        call,
        service
            .rpc_retrying("release_spotify_export", &key, clock)
            .await,
    );
}

fn note(call: &RequestContext, ended: Result<(), SupabaseError>) {
    if let Err(error) = ended {
        call.note("export_record", error.to_string());
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use http::StatusCode;
    use serde_json::json;
    use shared::fakes::{FakeClock, FakeHttp, FakeResponse, fake_request};
    use shared::supabase::{Supabase, SupabaseConfig};

    use super::*;

    #[test]
    fn log_line_reports_an_unfinished_record() {
        let env = |name: &str| {
            Some(
                if name == "SUPABASE_URL" {
                    "https://db.example"
                } else {
                    "sb_x"
                }
                .to_owned(),
            )
            .filter(|_| !name.ends_with("KEYS") && !name.ends_with("TOKEN"))
        };
        let config = SupabaseConfig::from_env(env).unwrap();
        let key = Key {
            user_id: Uuid::nil(),
            idempotency_key: Uuid::nil(),
        };
        for (status, noted) in [(204, false), (500, true)] {
            let http = FakeHttp::responding(move |_| FakeResponse::text(status, "text/plain", ""));
            let (service, clock) = (
                Supabase::new(&config, &http).service(),
                FakeClock::hurrying(0),
            );
            for ends in ["finish", "release"] {
                let (call, log) = fake_request();
                match ends {
                    "finish" => finish(&service, &clock, &call, key, &json!({})).now_or_never(),
                    _ => release(&service, &clock, &call, key).now_or_never(),
                }
                .unwrap();
                call.log_end(0, StatusCode::OK, None);
                assert_eq!(
                    log.lines()[0].contains("\"export_record\":\"database: 500"),
                    noted,
                    "{ends} {status}"
                );
            }
        }
    }
}
