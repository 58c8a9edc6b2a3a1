//! Returns the result of a generation that succeeded before, to a client that lost it.

use serde::Deserialize;
use serde_json::Value;
use shared::json::read_value;
use shared::llm::Cost;
use shared::llm::playlist::Language;
use shared::matching::{Version, version_of};
use shared::runtime::clock::Clock;
use shared::supabase::Service;
use shared::track::{Suggestion, TrackDetails};
use shared::{Code, Error};
use uuid::Uuid;

use crate::event::{Done, StopReason, Track, fallback_name, save_as, stays_unsaved, warning};
use crate::quota::{self, Quota, Session, Suggestions};
use crate::refine::Base;
use crate::request::PlaylistRequest;

/// The delivered playlist. An interrupted generation has tracks only.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Delivered {
    tracks: Vec<KeptTrack>,
    #[serde(default)]
    is_saved: bool,
    playlist_id: Option<Uuid>,
    version: Option<u32>,
    name: Option<String>,
    #[serde(default)]
    description: String,
    #[serde(default)]
    summary: String,
    stop_reason: Option<StopReason>,
}

/// A track as the database stores it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(from = "Value")]
pub struct KeptTrack {
    /// What is stored of any track.
    pub details: TrackDetails,
    why: Option<String>,
    /// The model's own spelling.
    pub suggestion: Option<Suggestion>,
}

impl From<Value> for KeptTrack {
    fn from(row: Value) -> Self {
        let suggestion = row.get("suggestion");
        Self {
            details: TrackDetails::of_row(&row),
            why: row.get("why").and_then(Value::as_str).map(str::to_owned),
            suggestion: suggestion.and_then(|song| read_value(song).ok()),
        }
    }
}

impl KeptTrack {
    /// Returns the track at a position, from 0.
    pub fn at(self, index: usize) -> Track {
        let details = self.details;
        Track {
            version: version_of(&details.title, &details.artist, &details.album)
                .map(Version::as_str),
            index,
            details,
            why: self.why,
            score: 1.0, // What was suggested is not kept: the track matches itself.
        }
    }
}

/// Returns what was delivered, in the form of the first response, and saves it if the first request could not.
///
/// # Errors
/// Returns 409 `already_generated` if the playlist was deleted, or the error of saving it.
pub async fn recover(
    service: &Service<'_>,
    clock: &dyn Clock,
    session: Session,
    (request, base): (&PlaylistRequest, &Base),
    quota: Quota,
    delivered: Option<Delivered>,
) -> Result<Done, Error> {
    let delivered = delivered.ok_or_else(|| Error::of(Code::AlreadyGenerated))?;
    let (is_saved, playlist_id, version) =
        (delivered.is_saved, delivered.playlist_id, delivered.version);
    let mut done = done(session, request, quota, delivered);
    if is_saved {
        (done.playlist_id, done.version) = (playlist_id, version);
    } else if request.save {
        done.tracks = base.with(done.tracks);
        done.count = done.tracks.len();
        match quota::save(
            service,
            clock,
            (session, Cost::ZERO),
            request,
            &done,
            &Suggestions::new(),
        )
        .await
        {
            Ok(saved) => save_as(&mut done, saved),
            Err(error) if error.code() == Code::PlaylistLimitReached => stays_unsaved(&mut done),
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

fn done(session: Session, request: &PlaylistRequest, quota: Quota, delivered: Delivered) -> Done {
    let tracks: Vec<Track> = delivered
        .tracks
        .into_iter()
        .enumerate()
        .map(|(index, track)| track.at(index))
        .collect();
    let (count, target) = (tracks.len(), request.target_count);
    Done {
        session_id: session.id,
        name: delivered
            .name
            .unwrap_or_else(|| fallback_name(&request.wish.prompt)),
        description: delivered.description,
        summary: delivered.summary,
        language: Language::detect(&request.wish.prompt).as_str(),
        tracks,
        count,
        target,
        warning: warning(count, target),
        stop_reason: delivered.stop_reason.unwrap_or(StopReason::Interrupted),
        playlist_id: None,
        version: None,
        not_saved: None,
        quota,
    }
}
