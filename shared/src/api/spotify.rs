//! `/spotify-oauth`, `/spotify-search` and `/spotify-export`.

use serde::{Deserialize, Serialize};
#[cfg(feature = "openapi")]
use utoipa::ToSchema;
use uuid::Uuid;

/// What docs/openapi.yaml describes of these types, in its order.
#[cfg(feature = "openapi")]
#[derive(utoipa::OpenApi)]
#[openapi(components(schemas(
    SpotifyAuthorization,
    SpotifyLinkCompletion,
    SpotifyLink,
    SearchResponse,
    FoundTrack,
    ExportRequest,
    Exported
)))]
pub(super) struct Schemas;

/// What `start` returns.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct SpotifyAuthorization {
    /// Where Spotify asks the user.
    #[cfg_attr(feature = "openapi", schema(format = "uri"))]
    pub authorize_url: String,
}

/// What `callback` passed on to the app.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct SpotifyLinkCompletion {
    /// `spotify_code` of the fragment. What cannot be one is 400 `invalid_code`.
    #[cfg_attr(feature = "openapi", schema(pattern = "^[!-~]{1,2048}$"))]
    pub code: String,
    /// `spotify_state` of the fragment. What cannot be one is 400 `invalid_state`.
    #[cfg_attr(feature = "openapi", schema(max_length = 512))]
    pub state: String,
}

/// A user's link to a Spotify account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct SpotifyLink {
    /// Whether there is one.
    pub linked: bool,
    /// The account's public name, where Spotify told it.
    // The database's answer calls it `display_name`.
    #[serde(rename(serialize = "spotify_display_name"), default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(rename = "spotify_display_name", value_type = String, required = false, max_length = 200))]
    pub display_name: Option<String>,
    /// When it was linked, the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, required = false, format = DateTime))]
    pub linked_at: Option<String>,
    /// When Spotify ends the link, six months after it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, required = false, format = DateTime))]
    pub expires_at: Option<String>,
}

/// What a search returns: the best match first.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct SearchResponse {
    #[allow(missing_docs)]
    #[cfg_attr(feature = "openapi", schema(max_items = 10))]
    pub tracks: Vec<FoundTrack>,
}

/// A track of the catalogue, in Spotify's own spelling.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct FoundTrack {
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
    /// Whether it can be played in the market.
    pub is_playable: bool,
    /// How well it fits what was looked for.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1))]
    pub score: f64,
}

/// What is to be exported. As JSON it is what a repeat under the same key must be equal to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct ExportRequest {
    /// One of the user's own.
    pub playlist_id: Uuid,
    /// The copy's; the playlist's own unless given. Spotify's limit is 100, so more is cut.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 200, pattern = "NOT_BLANK"))]
    pub name: Option<String>,
    /// The copy's; the playlist's own unless given, and none where it is empty. It is cut so that, with "Made with Sound
    /// Whiskers" after it, it keeps to Spotify's limit of 300.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(max_length = 1000))]
    pub description: Option<String>,
}

/// What was exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Exported {
    /// The playlist.
    pub playlist_id: Uuid,
    /// The copy.
    #[cfg_attr(feature = "openapi", schema(pattern = "^[0-9A-Za-z]{1,64}$"))]
    pub spotify_playlist_id: String,
    /// Where the copy is opened.
    #[cfg_attr(feature = "openapi", schema(format = "uri"))]
    pub url: String,
    /// How many tracks the copy has.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 100))]
    pub exported: usize,
    /// How many tracks the playlist has.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 100))]
    pub total: usize,
    /// What Spotify did not take.
    #[cfg_attr(feature = "openapi", schema(inline))]
    pub rejected: Vec<Rejected>,
}

/// A track that Spotify did not take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Rejected {
    /// Its place in the playlist, from 1.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 100))]
    pub position: usize,
    #[allow(missing_docs)]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::track::TrackUri))]
    pub track_uri: String,
}
