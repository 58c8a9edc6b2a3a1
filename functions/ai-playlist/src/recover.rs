//! Returns the result of a generation that succeeded before, to a client that lost it.

use serde::Deserialize;
use serde_json::Value;
use shared::api::{GeneratedPlaylist, StopReason, Track};
use shared::json::read_value;
use shared::llm::Cost;
use shared::matching::{Version, version_of};
use shared::track::{Suggestion, TrackDetails};
use shared::{Code, Error};
use uuid::Uuid;

use crate::completion::About;
use crate::playlist::compose;
use crate::quota::{Finished, Ledger, Spellings};
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
    ledger: &Ledger<'_>,
    request: &PlaylistRequest,
    base: &Base,
    finished: Finished,
) -> Result<GeneratedPlaylist, Error> {
    let delivered = finished
        .delivered
        .ok_or_else(|| Error::of(Code::AlreadyGenerated))?;
    let kept = delivered.tracks.into_iter().enumerate();
    let tracks: Vec<Track> = kept.map(|(index, track)| track.at(index)).collect();
    // Until it is saved, only the new tracks of a refined playlist are stored.
    let tracks = if delivered.is_saved {
        tracks
    } else {
        base.with(tracks)
    };
    let about = About {
        language: None,
        name: delivered.name.unwrap_or_default(),
        description: delivered.description,
        summary: delivered.summary,
    };
    let stop_reason = delivered.stop_reason.unwrap_or(StopReason::Interrupted);
    let mut playlist = compose(ledger.session(), request, about, tracks, stop_reason);
    playlist.quota = finished.quota;
    if delivered.is_saved {
        (playlist.playlist_id, playlist.version) = (delivered.playlist_id, delivered.version);
    } else if request.save {
        ledger
            .save(request, &mut playlist, &Spellings::new(), Cost::ZERO)
            .await?;
    }
    Ok(playlist)
}
