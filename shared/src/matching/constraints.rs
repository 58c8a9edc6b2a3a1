//! The user's conditions, and the reasons why a suggestion is rejected.

use serde::{Deserialize, Serialize};

use super::{
    WantedVersions,
    artist::{Credits, Names, same_artist},
    fold::{Folded, Name},
    lexicon::{Senses, lexicon},
    title::Title,
};
use crate::track::{CatalogueTrack, Era, Suggestion};

/// The user's conditions, which are checked against catalogue data, not against the model's claims.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Constraints {
    pub(super) allow_explicit: bool,
    pub(super) wanted: WantedVersions,
    /// Whether an acoustic, re-recorded or similar version may replace the plain recording.
    pub(super) allow_versions: bool,
    era: Option<Era>,
    excluded_artists: Vec<String>,
}

/// The relation of a candidate's year to the era; smaller is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum EraFit {
    Inside,
    /// Released later, like a reissue of a song from within the era.
    Reissue,
    Outside,
}

impl Constraints {
    /// Creates the conditions from the user's input; artists' names in any spelling.
    #[must_use]
    pub fn new(
        allow_explicit: bool,
        era: Option<Era>,
        excluded_artists: &[String],
        wanted: WantedVersions,
    ) -> Self {
        let is_name = |name: &&String| !name.trim().is_empty();
        let excluded_artists = excluded_artists.iter().filter(is_name).cloned().collect();
        Self {
            allow_explicit,
            wanted,
            allow_versions: false,
            era,
            excluded_artists,
        }
    }

    /// Accepts an acoustic, session, re-recorded or other-language version if the plain recording is not found.
    #[must_use]
    pub fn with_versions(self, allow_versions: bool) -> Self {
        Self {
            allow_versions,
            ..self
        }
    }

    /// Returns whether the user excluded one of the suggested artists, so that no search is needed.
    #[must_use]
    pub fn excludes(&self, suggestion: &Suggestion) -> bool {
        self.excludes_any(
            std::slice::from_ref(&suggestion.artist),
            &Title::parse(&suggestion.title),
        )
    }

    pub(super) fn excludes_any(&self, artists: &[String], title: &Title) -> bool {
        if self.excluded_artists.is_empty() {
            return false;
        }
        let mut excluded = Names::default();
        excluded.read(&self.excluded_artists);
        let is_excluded = |name: Name<'_>| excluded.iter().any(|own| same_artist(own, name));
        artists
            .iter()
            .any(|artist| Credits::of(artist).iter().any(&is_excluded))
            || title.featured().any(&is_excluded)
    }

    /// Compares a candidate's release year with the era.
    ///
    /// A later reissue passes if the model dates the song within the era. A reissue within the era of a song that
    /// the model dates before it does not pass: the song is older than requested.
    pub(super) fn era_fit(
        &self,
        candidate: &CatalogueTrack,
        suggested_year: Option<i32>,
    ) -> EraFit {
        let Some(era) = self
            .era
            .filter(|era| era.from.is_some() || era.to.is_some())
        else {
            return EraFit::Inside;
        };
        let Some(year) = candidate.release_year else {
            return EraFit::Outside;
        };
        let reissue = is_reissue(candidate);
        if era.contains(year) {
            let older = reissue && suggested_year.is_some_and(|year| era.starts_after(year));
            return if older {
                EraFit::Outside
            } else {
                EraFit::Inside
            };
        }
        let song_is_inside = suggested_year.is_some_and(|year| era.contains(year));
        if era.ends_before(year) && reissue && song_is_inside {
            EraFit::Reissue
        } else {
            EraFit::Outside
        }
    }
}

/// Returns whether the title or the album declares a remaster, an anniversary or a collection.
pub(super) fn is_reissue(track: &CatalogueTrack) -> bool {
    let says = |text: &str| {
        lexicon()
            .senses(Folded::of(text).words())
            .has(Senses::REISSUE)
    };
    says(&track.title) || says(&track.album) || is_compilation(track)
}

/// Returns whether the album declares that it collects songs of several albums.
pub(super) fn is_compilation(track: &CatalogueTrack) -> bool {
    track.album != track.title
        && lexicon()
            .senses(Folded::of(&track.album).words())
            .has(Senses::COMPILATION)
}

/// The reasons why a suggestion did not become a track. A closed list, which clients get in `snake_case`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum MissReason {
    /// The search found nothing playable.
    NotFound,
    /// The search found songs, but not this one in an acceptable version.
    LowScore,
    /// The song is in the playlist already.
    Duplicate,
    /// The song is explicit, and the user wants no explicit songs.
    Explicit,
    /// The user excluded the artist or the years, or the artist has enough tracks.
    Excluded,
    /// The search failed.
    LookupFailed,
}

impl MissReason {
    /// Returns the reason's name in responses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::LowScore => "low_score",
            Self::Duplicate => "duplicate",
            Self::Explicit => "explicit",
            Self::Excluded => "excluded",
            Self::LookupFailed => "lookup_failed",
        }
    }
}
