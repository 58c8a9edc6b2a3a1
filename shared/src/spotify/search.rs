//! Parses Spotify's search response.

use serde_json::Value;

use super::SpotifyError;
use crate::json::{at, from_slice_lenient};
use crate::track::ListedTrack;

/// Tracks are compared pairwise later, so a response with more tracks than requested is cut.
const MAX_TRACKS: usize = 10;

/// Reads the tracks of `{"tracks":{"items":[…]}}`, in Spotify's order. Items that are not tracks of the catalogue are
/// skipped.
pub(super) fn parse_tracks(
    body: &[u8],
    image_origin: &str,
) -> Result<Vec<ListedTrack>, SpotifyError> {
    let answer: Value = from_slice_lenient(body).map_err(|_| SpotifyError::InvalidResponse)?;
    let items = at(&answer, "/tracks/items").and_then(Value::as_array);
    let items = items.ok_or(SpotifyError::InvalidResponse)?.iter();
    let tracks = items.filter_map(|item| ListedTrack::parse(item, image_origin));
    Ok(tracks.take(MAX_TRACKS).collect())
}
