//! Songs, as the model suggests them and as Spotify's catalogue has them.

mod catalogue;
mod uri;
mod values;

pub use catalogue::{CatalogueTrack, ListedTrack, TrackDetails};
pub use uri::{InvalidTrackUri, TrackUri};
pub use values::{MAX_DURATION_MS, MAX_TEXT_CHARS};

use serde::{Deserialize, Serialize};

/// A song that the model suggests. It may be misspelled, misdated or invented.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestion {
    /// The artist, in the model's spelling.
    pub artist: String,
    /// The title, in the model's spelling.
    pub title: String,
    /// The year in which, according to the model, the song was first released.
    #[serde(default)]
    pub year: Option<i32>,
}

/// A span of years, inclusive; either end may be open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Era {
    /// The first year.
    #[serde(default)]
    pub from: Option<i32>,
    /// The last year.
    #[serde(default)]
    pub to: Option<i32>,
}

impl Era {
    /// Returns whether the year is within the span.
    #[must_use]
    pub fn contains(self, year: i32) -> bool {
        !self.starts_after(year) && !self.ends_before(year)
    }

    /// Returns whether the span begins after the year.
    #[must_use]
    pub fn starts_after(self, year: i32) -> bool {
        self.from.is_some_and(|from| year < from)
    }

    /// Returns whether the span ends before the year.
    #[must_use]
    pub fn ends_before(self, year: i32) -> bool {
        self.to.is_some_and(|to| year > to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
