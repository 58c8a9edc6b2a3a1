//! A Spotify track's URI.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

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
}
