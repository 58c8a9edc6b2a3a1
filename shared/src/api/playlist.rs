//! `POST /ai-playlist`.

use serde::{Deserialize, Serialize};
#[cfg(feature = "openapi")]
use utoipa::ToSchema;
use uuid::Uuid;

use crate::matching::MissReason;
use crate::request::Whole;

#[cfg(feature = "openapi")]
use crate::llm::playlist::{Discovery, Language};
#[cfg(feature = "openapi")]
use crate::track::TrackUri;

/// What docs/openapi.yaml describes of these types, in its order.
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

/// ISO 3166-1 alpha-2, in any case. A country in which Spotify is not available (such as CN), or a code that ISO does not
/// know (UK for GB), is refused with 422 `invalid_request`; a generation that streams ends with that error and charges
/// nothing.
#[cfg(feature = "openapi")]
#[derive(ToSchema)]
#[schema(pattern = "^[A-Za-z]{2}$", examples("PL"))]
#[expect(dead_code, reason = "it only describes a text")]
pub struct Market(String);

/// What the user wishes for. Control characters in texts are white space. Texts are trimmed, and then not empty; lengths are
/// in characters. A member that need not be there may be null, too.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct PlaylistRequest {
    /// In any words.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 1000, pattern = "NOT_BLANK"))]
    pub prompt: String,
    /// How many tracks.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>, minimum = 1, maximum = 50, default = 20))]
    pub target_count: Option<Whole>,
    /// Songs that show the direction.
    #[cfg_attr(feature = "openapi", schema(max_items = 5))]
    pub seeds: Option<Vec<Song>>,
    /// In the user's words.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 100, pattern = "NOT_BLANK"))]
    pub mood: Option<String>,
    /// In the user's words.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 100, pattern = "NOT_BLANK"))]
    pub tempo: Option<String>,
    /// Years of release, both included; `from` is not after `to`.
    #[cfg_attr(feature = "openapi", schema(inline))]
    pub era: Option<EraRequest>,
    /// Whether explicit songs may be delivered.
    #[cfg_attr(feature = "openapi", schema(default = true))]
    pub allow_explicit: Option<bool>,
    /// Whether an acoustic, session, re-recorded, arranged or other-language version may stand in where the plain recording
    /// is not found. It is labelled by `version`.
    #[cfg_attr(feature = "openapi", schema(default = false))]
    pub allow_versions: Option<bool>,
    /// Names, in any spelling.
    #[cfg_attr(feature = "openapi", schema(max_items = 20))]
    pub exclude_artists: Option<Vec<String>>,
    /// How well known the songs shall be.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Discovery>, inline, default = "balanced"))]
    pub discovery: Option<String>,
    /// Where the songs shall be available.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Market>))]
    pub market: Option<String>,
    /// How another playlist is to differ from this one.
    #[cfg_attr(feature = "openapi", schema(inline))]
    pub refine: Option<RefineRequest>,
    /// Store the result as a playlist in the same step.
    #[cfg_attr(feature = "openapi", schema(default = false))]
    pub save: Option<bool>,
}

/// A song in the user's words.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Song {
    /// Who performs it.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 200, pattern = "NOT_BLANK"))]
    pub artist: String,
    /// What it is called.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 200, pattern = "NOT_BLANK"))]
    pub title: String,
}

/// A span of years, either end open.
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

/// A playlist, and how another one is to differ from it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct RefineRequest {
    /// The playlist's songs.
    #[cfg_attr(feature = "openapi", schema(max_items = 100))]
    pub previous: Vec<Song>,
    /// What is to change.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 500, pattern = "NOT_BLANK", examples("calmer"))
    )]
    pub instruction: String,
}

/// A track of the playlist, in Spotify's own spelling.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Track {
    /// Its place, from 0: in a `track` event by the order in which it was found, in the finished playlist by the order that
    /// the model gave it.
    pub index: usize,
    #[allow(missing_docs)]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::track::TrackUri))]
    pub track_uri: String,
    /// The title.
    pub title: String,
    /// The credited artists, separated by commas.
    pub artist: String,
    /// The album.
    pub album: String,
    /// The length, in milliseconds.
    pub duration_ms: u32,
    /// Whether it is marked as explicit.
    pub explicit: bool,
    /// How well it matches what was suggested.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1))]
    pub score: f64,
    /// What it is, where it is not the plain recording: a version that the user or the suggestion named, or that
    /// `allow_versions` let stand in. Absent for the plain recording.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, required = false))]
    pub version: Option<&'static str>,
}

/// What the plan allows in any 30 days, and what is left of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Quota {
    /// `free` or `pro`.
    pub plan: String,
    /// Running generations included.
    pub used: u32,
    /// How many the plan allows.
    pub limit: u32,
    /// How many are left.
    pub remaining: u32,
    /// When the next one becomes free, in UTC; null where none is used.
    #[cfg_attr(feature = "openapi", schema(required, format = DateTime))]
    pub next_free_at: Option<String>,
}

/// Where the generation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub enum Stage {
    /// A slot of the quota is held.
    Reserved,
    /// The model was asked.
    Thinking,
    /// The first suggestion is being looked up.
    Resolving,
    /// The model was asked for more.
    Refilling,
}

/// Why no more tracks were looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub enum StopReason {
    /// The playlist is full.
    Completed,
    /// There were no more suggestions.
    NoProgress,
    /// The time was up.
    Deadline,
    /// The function may send no more requests.
    Budget,
    /// The client left, or the function was ended.
    Interrupted,
}

/// The finished playlist.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct GeneratedPlaylist {
    /// The `Idempotency-Key`, if one was sent.
    pub session_id: Uuid,
    /// The playlist's name.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 100))]
    pub name: String,
    /// Its description.
    #[cfg_attr(feature = "openapi", schema(max_length = 300))]
    pub description: String,
    /// A sentence about it.
    #[cfg_attr(feature = "openapi", schema(max_length = 500))]
    pub summary: String,
    /// Of the texts.
    #[cfg_attr(feature = "openapi", schema(value_type = Language, inline))]
    pub language: &'static str,
    /// In order.
    pub tracks: Vec<Track>,
    /// How many there are.
    pub count: usize,
    /// How many were wanted.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 50))]
    pub target: usize,
    /// Where there are fewer than 12 and more were wanted.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub warning: Option<&'static str>,
    /// `completed`: the playlist is full. `no_progress`: there were no more suggestions. `deadline`: the time was up.
    /// `budget`: the function may send no more requests. `interrupted`: the client left, or the function was ended.
    #[cfg_attr(feature = "openapi", schema(inline))]
    pub stop_reason: StopReason,
    /// The saved playlist: the `session_id`.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub playlist_id: Option<Uuid>,
    /// Only where the playlist was to be saved and the account was filled meanwhile. It is charged and delivered; a repeat of
    /// the `Idempotency-Key` with `save` saves it once there is room.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, required = false))]
    pub not_saved: Option<&'static str>,
    #[allow(missing_docs)]
    pub quota: Quota,
}

/// The data of a `stage` event.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct StageData {
    /// Tracks found so far.
    pub found: usize,
    /// `reserved`: a slot of the quota is held. `thinking`: the model was asked. `resolving`: the first suggestion is being
    /// looked up. `refilling`: the model was asked for more.
    #[cfg_attr(feature = "openapi", schema(inline))]
    pub stage: Stage,
    /// Tracks wanted.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 50))]
    pub target: usize,
}

/// A suggestion that did not make it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct MissData {
    /// The suggested artist.
    #[cfg_attr(feature = "openapi", schema(max_length = 200))]
    pub artist: String,
    /// `low_score`: there are songs, but not this one in a version that may be delivered. `excluded`: the artist or the years
    /// are, or the artist has enough tracks. `lookup_failed`: the catalogue could not be asked.
    #[cfg_attr(feature = "openapi", schema(inline))]
    pub reason: MissReason,
    /// The suggested title.
    #[cfg_attr(feature = "openapi", schema(max_length = 200))]
    pub title: String,
}
