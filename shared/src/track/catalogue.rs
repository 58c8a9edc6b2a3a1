//! Everything that is known of a track of Spotify's catalogue: how it is read, remembered, stored and shown.
//!
//! A new column of a track is added to this file alone: to [`ListedTrack`] and its parsing, and to [`TrackDetails`].
//! [`CatalogueTrack`] is what matching compares, and gets no members that are only shown.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::values::{display_text, duration, image_url, is_image_url, year};
use super::{MAX_DURATION_MS, MAX_TEXT_CHARS, TrackUri};
use crate::json::at;
use crate::text::one_line;

/// Artists are compared pairwise, so a longer list is cut.
const MAX_ARTISTS: usize = 50;

/// A track in Spotify's catalogue, in Spotify's own spelling.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueTrack {
    /// Spotify's URI of the track.
    pub uri: TrackUri,
    /// The title.
    pub title: String,
    /// Credited artists, the primary one first.
    pub artists: Vec<String>,
    /// The title of the album; empty if Spotify names none.
    pub album: String,
    /// The year of this album; for a reissue it is later than the song's.
    pub release_year: Option<i32>,
    /// The duration in milliseconds; 0 if Spotify states none.
    pub duration_ms: u32,
    /// Whether Spotify marks the track as explicit.
    pub explicit: bool,
    /// Whether the track can be played in the market that was searched.
    pub is_playable: bool,
    /// The recording's international code (ISRC), shared by its appearances on several albums.
    pub isrc: Option<String>,
}

/// A track as Spotify's search lists it: the recording, and what is only shown of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedTrack {
    /// The recording.
    pub recording: CatalogueTrack,
    /// The address of the album's image, small and on Spotify's own host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
}

/// What the product stores and shows of a track: the members that [`crate::api::Track`] and
/// [`crate::api::FoundTrack`] have in common, and columns of `playlist_tracks`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TrackDetails {
    #[allow(missing_docs)]
    #[cfg_attr(feature = "openapi", schema(value_type = TrackUri))]
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
    /// The album's picture, small and square.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, required = false, max_length = 300, format = "uri"))]
    pub image_url: Option<String>,
}

impl CatalogueTrack {
    /// Returns a playable track of one artist, of which nothing else is known.
    #[must_use]
    pub fn new(uri: TrackUri, artist: &str, title: &str) -> Self {
        Self {
            uri,
            title: title.to_owned(),
            artists: vec![artist.to_owned()],
            album: String::new(),
            release_year: None,
            duration_ms: 0,
            explicit: false,
            is_playable: true,
            isrc: None,
        }
    }

    /// Returns the credited artists, separated by commas, as one text that can be shown and stored: as many whole
    /// names as fit.
    #[must_use]
    pub fn artist(&self) -> String {
        let mut shown = String::new();
        for name in &self.artists {
            let longer = if shown.is_empty() {
                name.clone()
            } else {
                format!("{shown}, {name}")
            };
            if !shown.is_empty() && longer.chars().count() > MAX_TEXT_CHARS {
                break;
            }
            shown = longer;
        }
        one_line(&shown, MAX_TEXT_CHARS)
    }
}

impl ListedTrack {
    /// Reads a track object of Spotify's Web API. Its members have changed over the years, so all but the URI, the title
    /// and the artists are optional. Images from an origin other than `image_origin` are dropped. Returns `None` for
    /// anything that is not a track of the catalogue.
    pub(crate) fn parse(item: &Value, image_origin: &str) -> Option<Self> {
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
        let recording = CatalogueTrack {
            uri: TrackUri::parse(&text("/uri")?).ok()?,
            title: text("/name")?,
            artists,
            album: text("/album/name").unwrap_or_default(),
            release_year: text("/album/release_date").as_deref().and_then(year),
            duration_ms: item.get("duration_ms").map_or(0, duration),
            explicit: flag("/explicit").unwrap_or(false),
            is_playable: flag("/is_playable").unwrap_or(true),
            isrc: text("/external_ids/isrc"),
        };
        Some(Self {
            recording,
            image_url: at(item, "/album/images").and_then(|images| image_url(images, image_origin)),
        })
    }

    /// Returns whether a track that was remembered is playable and within the limits of [`ListedTrack::parse`].
    pub(crate) fn is_usable(&self) -> bool {
        let recording = &self.recording;
        recording.is_playable
            && !recording.title.is_empty()
            && (1..=MAX_ARTISTS).contains(&recording.artists.len())
            && recording.artists.iter().all(|name| !name.is_empty())
            && recording.duration_ms <= MAX_DURATION_MS
            && recording
                .release_year
                .is_none_or(|year| (1..=9999).contains(&year))
            && self.image_url.as_deref().is_none_or(is_image_url)
    }

    /// Returns what the product stores and shows of the track.
    #[must_use]
    pub fn details(&self) -> TrackDetails {
        let recording = &self.recording;
        TrackDetails {
            track_uri: recording.uri.as_str().to_owned(),
            title: recording.title.clone(),
            artist: recording.artist(),
            album: recording.album.clone(),
            duration_ms: recording.duration_ms,
            explicit: recording.explicit,
            image_url: self.image_url.clone(),
        }
    }
}

impl AsRef<CatalogueTrack> for CatalogueTrack {
    fn as_ref(&self) -> &CatalogueTrack {
        self
    }
}

impl AsRef<CatalogueTrack> for ListedTrack {
    fn as_ref(&self) -> &CatalogueTrack {
        &self.recording
    }
}

impl TrackDetails {
    /// Reads a row of `playlist_tracks`, in which null stands for what the database was not told. By hand: a derived
    /// `Deserialize` of flattened members makes the artefact one percent larger.
    #[must_use]
    pub fn of_row(row: &Value) -> Self {
        let text = |name: &str| row.get(name).and_then(Value::as_str);
        let text_or_empty = |name| text(name).unwrap_or_default().to_owned();
        Self {
            track_uri: text_or_empty("track_uri"),
            title: text_or_empty("title"),
            artist: text_or_empty("artist"),
            album: text_or_empty("album"),
            duration_ms: row.get("duration_ms").map_or(0, duration),
            explicit: row
                .get("explicit")
                .and_then(Value::as_bool)
                .unwrap_or_default(),
            image_url: text("image_url").map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const URI: &str = "spotify:track:4uLU6hMCjMI75M1A2tKUQC";
    const ORIGIN: &str = "https://i.scdn.co";

    fn image(width: u32) -> Value {
        json!({ "url": format!("{ORIGIN}/image/{width}"), "width": width, "height": width })
    }

    fn item() -> Value {
        json!({
            "type": "track", "id": "4uLU6hMCjMI75M1A2tKUQC", "uri": URI, "name": "Zażółć", "duration_ms": 213_000,
            "explicit": true, "is_playable": true, "is_local": false,
            "artists": [{ "id": "a", "name": "Ann" }, { "id": "b", "name": "Bob" }],
            "album": { "name": "First", "release_date": "2011-05-01", "images": [image(640), image(300), image(64)] },
            "external_ids": { "isrc": "PLA001100001" },
        })
    }

    fn with(changes: Value) -> Option<ListedTrack> {
        let mut item = item();
        for (name, value) in changes.as_object().unwrap() {
            item[name] = value.clone();
        }
        ListedTrack::parse(&item, ORIGIN)
    }

    #[test]
    fn reads_and_shows_every_member() {
        let track = with(json!({})).unwrap();
        let recording = CatalogueTrack {
            artists: vec!["Ann".into(), "Bob".into()],
            album: "First".into(),
            release_year: Some(2011),
            duration_ms: 213_000,
            explicit: true,
            isrc: Some("PLA001100001".into()),
            ..CatalogueTrack::new(URI.parse().unwrap(), "Ann", "Zażółć")
        };
        let expected = ListedTrack {
            recording,
            image_url: Some(format!("{ORIGIN}/image/300")),
        };
        assert_eq!(track, expected);
        assert_eq!(
            serde_json::to_value(track.details()).unwrap(),
            json!({
                "track_uri": URI, "title": "Zażółć", "artist": "Ann, Bob", "album": "First", "duration_ms": 213_000,
                "explicit": true, "image_url": format!("{ORIGIN}/image/300"),
            })
        );
    }

    #[test]
    fn reads_a_stored_track_of_which_nothing_is_known() {
        let bare = json!({
            "track_uri": URI, "title": "", "artist": "", "album": "", "duration_ms": 0, "explicit": false,
        });
        let nulls = json!({
            "track_uri": URI, "title": null, "artist": null, "album": null, "duration_ms": null, "explicit": null,
            "image_url": null,
        });
        for stored in [nulls, json!({ "track_uri": URI })] {
            let details = TrackDetails::of_row(&stored);
            assert_eq!(serde_json::to_value(details).unwrap(), bare);
        }
    }

    #[test]
    fn skips_what_is_no_track_of_the_catalogue() {
        for item in [json!(null), json!("track"), json!({})] {
            assert_eq!(ListedTrack::parse(&item, ORIGIN), None, "{item}");
        }
        for changes in [
            json!({ "type": "episode" }),
            json!({ "is_local": true }),
            json!({ "uri": "spotify:local:Ann:First:Song:213" }),
            json!({ "uri": "spotify:track:short" }),
            json!({ "uri": null }),
            json!({ "name": null }),
            json!({ "name": "" }),
            json!({ "name": "\u{0}" }),
            json!({ "artists": [] }),
            json!({ "artists": null }),
            json!({ "artists": [null, { "name": "" }, { "id": "a" }] }),
            json!({ "artists": [{ "name": "\u{0}\n" }] }),
        ] {
            assert_eq!(with(changes.clone()), None, "{changes}");
        }
    }

    #[test]
    fn all_but_address_title_and_artists_may_be_absent_or_odd() {
        let bare = json!({ "uri": URI, "name": "Song", "artists": [{ "name": "Ann" }, null] });
        let mut odd = bare.clone();
        for name in item().as_object().unwrap().keys() {
            if !["type", "uri", "name", "artists"].contains(&name.as_str()) {
                odd[name] = json!("?");
            }
        }
        let expected = ListedTrack {
            recording: CatalogueTrack::new(URI.parse().unwrap(), "Ann", "Song"),
            image_url: None,
        };
        for item in [bare, odd] {
            assert_eq!(ListedTrack::parse(&item, ORIGIN).as_ref(), Some(&expected));
        }
    }

    #[test]
    fn cleans_and_cuts_every_text() {
        let long = "ż".repeat(10_000);
        let crowd = |name: &str| json!({ "artists": vec![json!({ "name": name }); 5_000] });
        for (changes, title, artist) in [
            (
                json!({ "name": "So\u{0}ng\r\n\u{202e}x" }),
                "So ng x",
                "Ann, Bob".to_owned(),
            ),
            (
                json!({ "name": long, "album": { "name": long } }),
                &"ż".repeat(200),
                "Ann, Bob".to_owned(),
            ),
            (
                json!({ "artists": [{ "name": "A\u{0}" }, { "name": "\u{1}" }] }),
                "Zażółć",
                "A".to_owned(),
            ),
            (crowd("Ann"), "Zażółć", ["Ann"; 40].join(", ")),
            (crowd(&long), "Zażółć", "ż".repeat(200)),
        ] {
            let track = with(changes).unwrap().recording;
            assert_eq!((track.title.as_str(), track.artist()), (title, artist));
            assert!(track.album.chars().count() <= 200 && track.artists.len() <= 50);
        }
    }
}
