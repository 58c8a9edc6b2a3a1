//! Parses Spotify's search response. Its fields have changed over the years, so all but a track's URI, title and
//! artists are optional. Items that are not playable catalogue tracks are skipped.

use serde_json::Value;

use super::SpotifyError;
use crate::json::{at, from_slice_lenient};
use crate::text::one_line;
use crate::track::{CatalogueTrack, MAX_DURATION_MS, MAX_TEXT_CHARS, TrackUri};

/// Tracks are compared pairwise later, so a response with more tracks than requested, or a track with too many
/// artists, is cut.
const MAX_TRACKS: usize = 10;
const MAX_ARTISTS: usize = 50;
/// A row shows a picture at 40 px, on most screens with two pixels for each.
const IMAGE_WIDTH: u64 = 80;
/// The longest address that the database stores.
const MAX_IMAGE_URL_BYTES: usize = 300;

/// Reads the tracks of `{"tracks":{"items":[…]}}`, in Spotify's order. Pictures from another origin are dropped.
pub(super) fn parse_tracks(
    body: &[u8],
    image_origin: &str,
) -> Result<Vec<CatalogueTrack>, SpotifyError> {
    let answer: Value = from_slice_lenient(body).map_err(|_| SpotifyError::InvalidAnswer)?;
    let items = at(&answer, "/tracks/items").and_then(Value::as_array);
    let tracks = items.ok_or(SpotifyError::InvalidAnswer)?.iter();
    let tracks = tracks.filter_map(|item| parse_track(item, image_origin));
    Ok(tracks.take(MAX_TRACKS).collect())
}

fn parse_track(item: &Value, image_origin: &str) -> Option<CatalogueTrack> {
    let text = |pointer: &str| at(item, pointer).and_then(display_text);
    let flag = |pointer: &str| at(item, pointer).and_then(Value::as_bool);
    if text("/type").is_some_and(|kind| kind != "track") || flag("/is_local") == Some(true) {
        return None;
    }
    let artists = item.get("artists")?.as_array()?.iter();
    let artists: Vec<String> = artists
        .take(MAX_ARTISTS)
        .filter_map(|artist| display_text(artist.get("name")?))
        .collect();
    if artists.is_empty() {
        return None;
    }
    Some(CatalogueTrack {
        uri: TrackUri::parse(&text("/uri")?).ok()?,
        title: text("/name")?,
        artists,
        album: text("/album/name").unwrap_or_default(),
        release_year: text("/album/release_date").as_deref().and_then(parse_year),
        duration_ms: item.get("duration_ms").map_or(0, parse_duration),
        explicit: flag("/explicit").unwrap_or(false),
        is_playable: flag("/is_playable").unwrap_or(true),
        isrc: text("/external_ids/isrc"),
        image_url: at(item, "/album/images").and_then(|images| image_url(images, image_origin)),
    })
}

/// Returns the smallest picture that is large enough, otherwise the largest.
fn image_url(images: &Value, origin: &str) -> Option<String> {
    let is_ours = |url: &str| {
        url.strip_prefix(origin)
            .is_some_and(|path| path.starts_with('/'))
            && url.len() <= MAX_IMAGE_URL_BYTES
            && url.bytes().all(|byte| byte.is_ascii_graphic())
    };
    let usable = images.as_array()?.iter().filter_map(|image| {
        let url = image.get("url")?.as_str().filter(|url| is_ours(url))?;
        Some((
            image
                .get("width")
                .and_then(Value::as_u64)
                .unwrap_or_default(),
            url,
        ))
    });
    let (_, url) = usable.min_by_key(|(width, _)| match *width >= IMAGE_WIDTH {
        true => (false, *width),
        false => (true, u64::MAX - width),
    })?;
    Some(url.to_owned())
}

/// Returns a text that can be shown and stored; `None` if nothing remains of it.
fn display_text(text: &Value) -> Option<String> {
    Some(one_line(text.as_str()?, MAX_TEXT_CHARS)).filter(|text| !text.is_empty())
}

/// Returns milliseconds within the range that the database stores; 0 if it is not a number.
fn parse_duration(ms: &Value) -> u32 {
    // The cast saturates.
    (ms.as_f64().unwrap_or_default() as u32).min(MAX_DURATION_MS)
}

/// The year of `2011`, `2011-05` or `2011-05-01`; Spotify writes `0000` for an unknown one.
fn parse_year(date: &str) -> Option<i32> {
    let year = date.split('-').next().filter(|year| year.len() == 4)?;
    year.parse::<u16>()
        .ok()
        .filter(|year| *year > 0)
        .map(i32::from)
}
