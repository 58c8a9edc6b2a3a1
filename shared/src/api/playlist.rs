//! Types of `POST /ai-playlist`.

use serde::{Deserialize, Serialize};
#[cfg(feature = "openapi")]
use utoipa::ToSchema;
use uuid::Uuid;

use crate::matching::MissReason;
use crate::request::Whole;

#[cfg(feature = "openapi")]
use crate::llm::playlist::{Discovery, Language};
use crate::track::TrackUri;

/// The types of this module that docs/openapi.yaml describes, in its order.
#[cfg(feature = "openapi")]
#[derive(utoipa::OpenApi)]
#[openapi(components(schemas(
    PlaylistRequest,
    Song,
    Market,
    TrackUri,
    Track,
    Quota,
    GeneratedPlaylist,
    StageData,
    MissData
)))]
pub(super) struct Schemas;

/// ISO 3166-1 alpha-2, in upper or lower case. A country without Spotify (such as CN) and a code that ISO does not define
/// (such as UK) are refused with 422 `invalid_request`; a stream ends with that error and charges nothing.
#[cfg(feature = "openapi")]
#[derive(ToSchema)]
#[schema(pattern = "^[A-Za-z]{2}$", examples("PL"))]
#[expect(dead_code, reason = "it only describes a text")]
pub struct Market(String);

/// The user's wish. Control characters in texts count as white space. Texts are trimmed and must not be empty then; lengths
/// are in characters. An optional member may be null.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct PlaylistRequest {
    /// The wish in the user's words.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 1000, pattern = "NOT_BLANK")
    )]
    pub prompt: String,
    /// The number of tracks.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>, minimum = 1, maximum = 50, default = 20))]
    pub target_count: Option<Whole>,
    /// Songs that show the style.
    #[cfg_attr(feature = "openapi", schema(max_items = 5))]
    pub seeds: Option<Vec<Song>>,
    /// The mood in the user's words.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 100, pattern = "NOT_BLANK")
    )]
    pub mood: Option<String>,
    /// The tempo in the user's words.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 100, pattern = "NOT_BLANK")
    )]
    pub tempo: Option<String>,
    /// The years of release, inclusive; `from` must not be after `to`.
    #[cfg_attr(feature = "openapi", schema(inline))]
    pub era: Option<EraRequest>,
    /// Whether explicit songs may be delivered.
    #[cfg_attr(feature = "openapi", schema(default = true))]
    pub allow_explicit: Option<bool>,
    /// Whether an acoustic, session, re-recorded, arranged or other-language version may replace a plain recording that is not
    /// found. The track's `version` labels it.
    #[cfg_attr(feature = "openapi", schema(default = false))]
    pub allow_versions: Option<bool>,
    /// Names of artists, in any spelling.
    #[cfg_attr(feature = "openapi", schema(max_items = 20))]
    pub exclude_artists: Option<Vec<String>>,
    /// How well known the songs should be.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Discovery>, inline, default = "balanced"))]
    pub discovery: Option<String>,
    /// The market in which the songs must be available.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Market>))]
    pub market: Option<String>,
    /// A playlist, and how it should change.
    #[cfg_attr(feature = "openapi", schema(inline))]
    pub refine: Option<RefineRequest>,
    /// Whether the result is saved as a playlist.
    #[cfg_attr(feature = "openapi", schema(default = false))]
    pub save: Option<bool>,
}

/// A song in the user's words.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Song {
    /// The performer.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 200, pattern = "NOT_BLANK")
    )]
    pub artist: String,
    /// The title.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 200, pattern = "NOT_BLANK")
    )]
    pub title: String,
}

/// A range of years; either end may be open.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct EraRequest {
    /// The first year.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>, minimum = 1900, maximum = 2100))]
    pub from: Option<Whole>,
    /// The last year.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>, minimum = 1900, maximum = 2100))]
    pub to: Option<Whole>,
}

/// A playlist, and how it should change: a saved one by `playlist_id`, or any songs as `previous` with an `instruction`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct RefineRequest {
    /// The id of one of the user's playlists. The result is saved as its next version.
    pub playlist_id: Option<Uuid>,
    /// Tracks of this playlist that stay at their places; `target_count` includes them. Those that it no longer holds are
    /// ignored. Only with `playlist_id`.
    #[cfg_attr(feature = "openapi", schema(max_items = 100))]
    pub keep: Option<Vec<TrackUri>>,
    /// The songs of a playlist that is not saved, in the words of the user or the model. Only without `playlist_id`.
    #[cfg_attr(feature = "openapi", schema(max_items = 100))]
    pub previous: Option<Vec<Song>>,
    /// The change in the user's words. Without one, none of the playlist's other songs comes back.
    #[cfg_attr(
        feature = "openapi",
        schema(
            min_length = 1,
            max_length = 500,
            pattern = "NOT_BLANK",
            examples("calmer")
        )
    )]
    pub instruction: Option<String>,
}

/// A track of the playlist, in Spotify's own spelling.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Track {
    /// The position, from 0. In a `track` event the new tracks fill the places in the order of discovery, in the finished
    /// playlist in the model's order.
    pub index: usize,
    /// The URI.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::track::TrackUri))]
    pub track_uri: String,
    /// The title.
    pub title: String,
    /// The credited artists, separated by commas.
    pub artist: String,
    /// The album.
    pub album: String,
    /// The duration in milliseconds.
    pub duration_ms: u32,
    /// Whether Spotify marks it as explicit.
    pub explicit: bool,
    /// How well it matches the suggestion.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1))]
    pub score: f64,
    /// The kind of version: one that the user or the suggestion named, or that `allow_versions` permitted. Absent for the
    /// plain recording.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, required = false))]
    pub version: Option<&'static str>,
    /// The album's picture, small and square.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, required = false, max_length = 300, format = "uri"))]
    pub image_url: Option<String>,
    /// Why the model suggests the song, in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, required = false, min_length = 1, max_length = 200))]
    pub why: Option<String>,
}

/// The plan's generations in any 30 days, and how many of them are left.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Quota {
    /// `free` or `pro`.
    pub plan: String,
    /// The number used, including running generations.
    pub used: u32,
    /// The number that the plan allows.
    pub limit: u32,
    /// The number left.
    pub remaining: u32,
    /// When the next one becomes available, in UTC; null if none is used.
    #[cfg_attr(feature = "openapi", schema(required, format = DateTime))]
    pub next_free_at: Option<String>,
}

/// The stage of a generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub enum Stage {
    /// A slot of the quota is reserved.
    Reserved,
    /// The model was asked.
    Thinking,
    /// The first suggestion is being looked up.
    Resolving,
    /// The model was asked for more.
    Refilling,
}

/// The reason why the generation stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub enum StopReason {
    /// The playlist has the requested number of tracks.
    Completed,
    /// There were no more suggestions.
    NoProgress,
    /// The time limit was reached.
    Deadline,
    /// The limit of outbound requests was reached.
    Budget,
    /// The client disconnected, or the platform ended the function.
    Interrupted,
}

/// The finished playlist.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct GeneratedPlaylist {
    /// The `Idempotency-Key`, or a generated id if none was sent.
    pub session_id: Uuid,
    /// The playlist's name.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 100))]
    pub name: String,
    /// The playlist's description.
    #[cfg_attr(feature = "openapi", schema(max_length = 300))]
    pub description: String,
    /// A sentence about the playlist.
    #[cfg_attr(feature = "openapi", schema(max_length = 500))]
    pub summary: String,
    /// The language of the texts.
    #[cfg_attr(feature = "openapi", schema(value_type = Language, inline))]
    pub language: &'static str,
    /// The tracks in order.
    pub tracks: Vec<Track>,
    /// The number of tracks.
    pub count: usize,
    /// The requested number of tracks.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 50))]
    pub target: usize,
    /// Set if there are fewer than 12 tracks although more were requested.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub warning: Option<&'static str>,
    /// `completed`: the playlist has the requested number of tracks. `no_progress`: there were no more suggestions. `deadline`:
    /// the time limit was reached. `budget`: the limit of outbound requests was reached. `interrupted`: the client disconnected,
    /// or the platform ended the function.
    #[cfg_attr(feature = "openapi", schema(inline))]
    pub stop_reason: StopReason,
    /// The id of the saved playlist: that of the refined one, otherwise `session_id`; null if it was not saved.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub playlist_id: Option<Uuid>,
    /// The version of the playlist that was saved; null if none was.
    #[cfg_attr(feature = "openapi", schema(required, value_type = Option<i64>))]
    pub version: Option<u32>,
    /// Present only if `save` was set and the account reached its limit meanwhile. The playlist is charged and delivered; a
    /// repeat with the same `Idempotency-Key` and `save` saves it once the account has room.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, required = false))]
    pub not_saved: Option<&'static str>,
    /// The user's quota after this generation.
    pub quota: Quota,
}

/// The data of a `stage` event.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct StageData {
    /// The number of tracks found so far.
    pub found: usize,
    /// `reserved`: a slot of the quota is reserved. `thinking`: the model was asked. `resolving`: the first suggestion is being
    /// looked up. `refilling`: the model was asked for more.
    #[cfg_attr(feature = "openapi", schema(inline))]
    pub stage: Stage,
    /// The requested number of tracks.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 50))]
    pub target: usize,
}

/// A suggestion that is not in the playlist.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct MissData {
    /// The suggested artist.
    #[cfg_attr(feature = "openapi", schema(max_length = 200))]
    pub artist: String,
    /// `low_score`: the catalogue has other songs, but not this one in a version that may be delivered. `excluded`: the request
    /// excludes the artist or the year, or the artist has enough tracks. `lookup_failed`: the search failed.
    #[cfg_attr(feature = "openapi", schema(inline))]
    pub reason: MissReason,
    /// The suggested title.
    #[cfg_attr(feature = "openapi", schema(max_length = 200))]
    pub title: String,
}
