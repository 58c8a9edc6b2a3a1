//! Songs, as the model suggests them and as Spotify's catalogue has them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::text::one_line;

/// The longest title, album or list of artists that the database stores (`playlist_tracks_title_length` and similar
/// checks).
pub const MAX_TEXT_CHARS: usize = 200;
/// The longest duration that the database stores (`playlist_tracks_duration_ms_range`): a day.
pub const MAX_DURATION_MS: u32 = 86_400_000;

/// A Spotify track's URI: `spotify:track:` and 22 base62 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^spotify:track:[0-9A-Za-z]{22}$", examples("spotify:track:4iV5W9uYEdYUVa79Axb7Rh")))]
pub struct TrackUri(String);

/// The text is not a Spotify track's URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidTrackUri;

impl TrackUri {
    const PREFIX: &str = "spotify:track:";
    const ID_LENGTH: usize = 22;

    /// Parses `spotify:track:<22 base62 characters>`.
    ///
    /// # Errors
    /// [`InvalidTrackUri`] for anything else, including a track's web address.
    pub fn parse(text: &str) -> Result<Self, InvalidTrackUri> {
        let id = text.strip_prefix(Self::PREFIX).ok_or(InvalidTrackUri)?;
        if id.len() == Self::ID_LENGTH && id.bytes().all(|b| b.is_ascii_alphanumeric()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidTrackUri)
        }
    }

    /// Returns the URI as Spotify writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TrackUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for TrackUri {
    type Err = InvalidTrackUri;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for TrackUri {
    type Error = InvalidTrackUri;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<TrackUri> for String {
    fn from(uri: TrackUri) -> Self {
        uri.0
    }
}

impl fmt::Display for InvalidTrackUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a Spotify track URI")
    }
}

impl std::error::Error for InvalidTrackUri {}

/// A song that the model suggests. It may be misspelled, misdated or invented.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestion {
    pub artist: String,
    pub title: String,
    /// The year in which, according to the model, the song was first released.
    #[serde(default)]
    pub year: Option<i32>,
}

/// A track in Spotify's catalogue, in Spotify's own spelling.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueTrack {
    pub uri: TrackUri,
    pub title: String,
    /// Credited artists, the primary one first.
    pub artists: Vec<String>,
    pub album: String,
    /// The year of this album; for a reissue it is later than the song's.
    pub release_year: Option<i32>,
    pub duration_ms: u32,
    pub explicit: bool,
    pub is_playable: bool,
    /// The recording's international code (ISRC), shared by its appearances on several albums.
    pub isrc: Option<String>,
    /// The album's picture, small and from Spotify's own host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
}

impl CatalogueTrack {
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

/// A span of years, inclusive; either end may be open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Era {
    #[serde(default)]
    pub from: Option<i32>,
    #[serde(default)]
    pub to: Option<i32>,
}

impl Era {
    /// Whether the year is within the span.
    #[must_use]
    pub fn contains(self, year: i32) -> bool {
        !self.starts_after(year) && !self.ends_before(year)
    }

    /// Whether the span begins after the year.
    #[must_use]
    pub fn starts_after(self, year: i32) -> bool {
        self.from.is_some_and(|from| year < from)
    }

    /// Whether the span ends before the year.
    #[must_use]
    pub fn ends_before(self, year: i32) -> bool {
        self.to.is_some_and(|to| year > to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URI: &str = "spotify:track:4uLU6hMCjMI75M1A2tKUQC";

    #[test]
    fn a_track_uri_keeps_its_spelling() {
        let uri = TrackUri::parse(URI).unwrap();
        assert_eq!(uri.as_str(), URI);
        assert_eq!(uri.to_string(), URI);
    }

    #[test]
    fn anything_but_a_track_uri_is_refused() {
        for text in [
            "",
            "spotify:track:",
            "spotify:album:4uLU6hMCjMI75M1A2tKUQC",
            "spotify:track:4uLU6hMCjMI75M1A2tKUQ",
            "spotify:track:4uLU6hMCjMI75M1A2tKUQCC",
            "spotify:track:4uLU6hMCjMI75M1A2tKU-C",
            "spotify:track:4uLU6hMCjMI75M1A2tKUé",
            " spotify:track:4uLU6hMCjMI75M1A2tKUQC",
            "https://open.spotify.com/track/4uLU6hMCjMI75M1A2tKUQC",
        ] {
            assert_eq!(TrackUri::parse(text), Err(InvalidTrackUri), "{text}");
        }
    }

    #[test]
    fn an_era_includes_both_of_its_ends() {
        let era = Era {
            from: Some(1980),
            to: Some(1989),
        };
        assert!(era.contains(1980) && era.contains(1989));
        assert!(!era.contains(1979) && !era.contains(1990));
        assert!(Era::default().contains(1700));
    }
}
