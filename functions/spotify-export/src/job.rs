//! Runs one export, from the key to the response.

use serde_json::Value;
use shared::auth::VerifiedUser;
use shared::runtime::clock::Clock;
use shared::runtime::context::RequestContext;
use shared::runtime::http_client::HttpClient;
use shared::spotify::SpotifyPlaylist;
use shared::supabase::{Counted, Supabase, take_request};
use shared::{Code, Error};
use uuid::Uuid;

use crate::Config;
use crate::export::{AccessTokens, Exported, Exporter, Failure, Rejected};
use crate::ledger::{self, Begun, Key};
use crate::playlist::{self, Playlist};
use crate::request::ExportRequest;

/// The deadline, which is shorter than the database holds an export (90 s) by the duration of one more call and its
/// retry.
const DEADLINE_MS: u64 = 60_000;

/// A requested export.
pub struct Job<'a> {
    /// The HTTP client.
    pub http: &'a dyn HttpClient,
    /// The clock.
    pub clock: &'a dyn Clock,
    /// The configuration.
    pub config: &'a Config,
    /// The request's log line.
    pub call: &'a RequestContext,
    /// The user.
    pub user: &'a VerifiedUser,
    /// The playlist to export, and the copy's name.
    pub request: &'a ExportRequest,
    /// When the request arrived (Unix time in milliseconds).
    pub started_ms: u64,
}

impl Job<'_> {
    /// Exports the playlist into its copy, which is created at most once; under a key only once.
    ///
    /// # Errors
    /// Returns any error of this function except those of the request itself. A repeat under the key completes an
    /// export that failed after the copy was created.
    pub async fn run(
        &self,
        idempotency_key: Uuid,
        tokens: &AccessTokens<'_>,
    ) -> Result<Value, Error> {
        let supabase = Supabase::new(&self.config.supabase, self.http);
        let service = supabase.service();
        let key = Key {
            user_id: self.user.id(),
            idempotency_key,
        };
        let copy = match ledger::begin(&service, key, self.request).await? {
            Begun::Finished(result) => return Ok(result),
            Begun::Held(copy) => copy,
        };
        match self.export(key, copy, tokens).await {
            Ok(exported) => {
                ledger::finish(&service, self.clock, self.call, key, &exported).await;
                to_json(&exported)
            }
            Err(error) => {
                ledger::release(&service, self.clock, self.call, key).await;
                Err(error)
            }
        }
    }

    async fn export(
        &self,
        key: Key,
        copy: Option<SpotifyPlaylist>,
        tokens: &AccessTokens<'_>,
    ) -> Result<Exported, Error> {
        let supabase = Supabase::new(&self.config.supabase, self.http);
        let database = supabase.as_user(self.user);
        let playlist = playlist::read(&database, self.user.id(), self.request.playlist_id).await?;
        take_request(&supabase.service(), self.user.id(), Counted::Export).await?;
        let deadline_ms = self.started_ms + DEADLINE_MS;
        let mut exporter = Exporter::new(
            &self.config.spotify,
            self.http,
            self.clock,
            tokens,
            deadline_ms,
        )
        .await?;
        let mut unreachable = None;
        if let Some(copy) = copy {
            match exporter.fill(&copy, playlist.tracks()).await {
                // The copy was deleted, or is in an account other than the one that is linked now.
                Err(Failure::Unreachable(_)) => unreachable = Some(copy),
                filled => return Ok(self.describe(&playlist, copy, &filled?)),
            }
        }
        let created = self.create(&mut exporter, &playlist).await?;
        let copy = ledger::record(
            &supabase.service(),
            self.clock,
            key,
            created,
            unreachable.as_ref(),
        )
        .await?;
        let rejected = exporter.fill(&copy, playlist.tracks()).await?;
        Ok(self.describe(&playlist, copy, &rejected))
    }

    async fn create(
        &self,
        exporter: &mut Exporter<'_>,
        playlist: &Playlist,
    ) -> Result<SpotifyPlaylist, Error> {
        exporter
            .create(
                &playlist.copy_name(self.request),
                &playlist.copy_description(self.request),
            )
            .await
    }

    fn describe(&self, playlist: &Playlist, copy: SpotifyPlaylist, rejected: &[usize]) -> Exported {
        let tracks = playlist.tracks();
        Exported {
            playlist_id: self.request.playlist_id,
            spotify_playlist_id: copy.id,
            url: copy.url,
            exported: tracks.len() - rejected.len(),
            total: tracks.len(),
            rejected: rejected
                .iter()
                .filter_map(|index| tracks.get(*index))
                .map(|track| Rejected {
                    position: track.position,
                    track_uri: track.track_uri.clone(),
                })
                .collect(),
        }
    }
}

fn to_json(exported: &Exported) -> Result<Value, Error> {
    serde_json::to_value(exported).map_err(|error| Error::of(Code::Internal).caused_by(error))
}
