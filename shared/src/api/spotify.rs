//! Types of `/spotify-oauth`, `/spotify-search` and `/spotify-export`.

use serde::{Deserialize, Serialize};
#[cfg(feature = "openapi")]
use utoipa::ToSchema;
use uuid::Uuid;

/// The types of this module that docs/openapi.yaml describes, in its order.
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

/// The response of `start`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct SpotifyAuthorization {
    /// The URL of Spotify's consent page.
    #[cfg_attr(feature = "openapi", schema(format = "uri"))]
    pub authorize_url: String,
}

/// The parameters that `callback` passed to the app.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct SpotifyLinkCompletion {
    /// `spotify_code` of the fragment. A malformed one is refused with 400 `invalid_code`.
    #[cfg_attr(feature = "openapi", schema(pattern = "^[!-~]{1,2048}$"))]
    pub code: String,
    /// `spotify_state` of the fragment. A malformed one is refused with 400 `invalid_state`.
    #[cfg_attr(feature = "openapi", schema(max_length = 512))]
    pub state: String,
}

/// A user's link to a Spotify account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct SpotifyLink {
    /// Whether an account is linked.
    pub linked: bool,
    /// The account's public name, if Spotify returned it.
    // The database names it `display_name`.
    #[serde(
        rename(serialize = "spotify_display_name"),
        default,
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "openapi", schema(rename = "spotify_display_name", value_type = String, required = false, max_length = 200))]
    pub display_name: Option<String>,
    /// When the account was last linked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, required = false, format = DateTime))]
    pub linked_at: Option<String>,
    /// When Spotify ends the link, six months after it was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, required = false, format = DateTime))]
    pub expires_at: Option<String>,
}

/// The result of a search, the best match first.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct SearchResponse {
    /// At most ten tracks.
    #[cfg_attr(feature = "openapi", schema(max_items = 10))]
    pub tracks: Vec<FoundTrack>,
    /// Whether Spotify is busy, so that only recordings of the song that were found lately are listed.
    pub is_partial: bool,
}

/// A track of the catalogue, in Spotify's own spelling.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct FoundTrack {
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
    /// Whether it is playable in the market.
    pub is_playable: bool,
    /// How well it matches the query.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1))]
    pub score: f64,
    /// The album's picture, small and square.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, required = false, max_length = 300, format = "uri"))]
    pub image_url: Option<String>,
}

/// The playlist to export. A repeat with the same key must have an equal request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct ExportRequest {
    /// The id of one of the user's playlists.
    pub playlist_id: Uuid,
    /// The copy's name, by default the playlist's. It is cut to Spotify's limit of 100 characters.
    #[serde(default)]
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 200, pattern = "NOT_BLANK")
    )]
    pub name: Option<String>,
    /// The copy's description, by default the playlist's; an empty text gives none. It is cut so that, followed by "Made with
    /// Sound Whiskers", it is within Spotify's limit of 300 characters.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(max_length = 1000))]
    pub description: Option<String>,
    /// Whether to create another copy, which takes the place of the one that there is. That one stays on Spotify.
    #[serde(default)]
    pub new_copy: bool,
}

/// The result of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Exported {
    /// The id of the playlist.
    pub playlist_id: Uuid,
    /// The id of the copy.
    #[cfg_attr(feature = "openapi", schema(pattern = "^[0-9A-Za-z]{1,64}$"))]
    pub spotify_playlist_id: String,
    /// The URL of the copy.
    #[cfg_attr(feature = "openapi", schema(format = "uri"))]
    pub url: String,
    /// The number of tracks in the copy.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 100))]
    pub exported: usize,
    /// The number of tracks in the playlist.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 100))]
    pub total: usize,
    /// The tracks that Spotify rejected.
    #[cfg_attr(feature = "openapi", schema(inline))]
    pub rejected: Vec<Rejected>,
}

/// A track that Spotify rejected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Rejected {
    /// The position in the playlist, from 1.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 100))]
    pub position: usize,
    /// The URI.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::track::TrackUri))]
    pub track_uri: String,
}
