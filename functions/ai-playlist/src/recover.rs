//! The result of a generation that succeeded before, for a client that lost it on the way.

use serde::Deserialize;
use shared::http_client::HttpClient;
use shared::llm::playlist::Language;
use shared::matching::{Version, version_of};
use shared::supabase::AsUser;
use shared::{Code, Error};

use crate::event::{Done, StopReason, Track, warning};
use crate::quota::{Quota, Session};
use crate::request::PlaylistRequest;

const COLUMNS: &str =
    "name,description,playlist_tracks(position,track_uri,title,artist,album,duration_ms,explicit)";

#[derive(Deserialize)]
struct SavedPlaylist {
    name: String,
    description: Option<String>,
    playlist_tracks: Vec<SavedTrack>,
}

#[derive(Deserialize)]
struct SavedTrack {
    position: usize,
    track_uri: String,
    title: Option<String>,
    artist: Option<String>,
    album: Option<String>,
    duration_ms: Option<u32>,
    explicit: Option<bool>,
}

impl From<SavedTrack> for Track {
    fn from(saved: SavedTrack) -> Self {
        let (title, artist, album) = (
            saved.title.unwrap_or_default(),
            saved.artist.unwrap_or_default(),
            saved.album.unwrap_or_default(),
        );
        Self {
            version: version_of(&title, &artist, &album).map(Version::as_str),
            index: saved.position.saturating_sub(1),
            track_uri: saved.track_uri,
            title,
            artist,
            album,
            duration_ms: saved.duration_ms.unwrap_or_default(),
            explicit: saved.explicit.unwrap_or_default(),
            score: 1.0, // What was suggested is not kept: the track matches itself.
        }
    }
}

/// The playlist that the session saved, as the answer that told of it.
///
/// # Errors
/// 409 `already_generated` where the session saved none, or the repeat does not ask for it.
pub async fn saved_playlist<H: HttpClient>(
    database: &AsUser<'_, H>,
    session: Session,
    request: &PlaylistRequest,
    quota: Quota,
) -> Result<Done, Error> {
    let already_generated = || {
        Error::new(
            Code::AlreadyGenerated,
            "A playlist was generated under this Idempotency-Key before. Use a new one for another.",
        )
    };
    if !request.save {
        return Err(already_generated());
    }
    let id = session.id.to_string();
    let rows: Vec<SavedPlaylist> = database
        .query(|db| db.from("playlists").select(COLUMNS).eq("id", id).eq("is_deleted", "false"))
        .await?;
    let saved = rows.into_iter().next().ok_or_else(already_generated)?;
    let mut tracks: Vec<Track> = saved.playlist_tracks.into_iter().map(Track::from).collect();
    tracks.sort_by_key(|track| track.index);
    let (count, target) = (tracks.len(), request.target_count);
    let description = saved.description.unwrap_or_default();
    Ok(Done {
        session_id: session.id,
        name: saved.name,
        summary: description.clone(),
        description,
        language: Language::detect(&request.wish.prompt).as_str(),
        tracks,
        count,
        target,
        warning: warning(count, target),
        stop_reason: StopReason::Completed,
        playlist_id: Some(session.id),
        quota,
    })
}
