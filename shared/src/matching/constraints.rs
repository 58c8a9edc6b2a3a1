//! What the listener allows, and why a suggestion may come to nothing.

use serde::{Deserialize, Serialize};

use super::{
    WantedVersions,
    artist::{Credits, Names, same_artist},
    fold::{Folded, Name},
    lexicon::{Senses, lexicon},
    title::Title,
};
use crate::track::{CatalogueTrack, Era, Suggestion};

/// The listener's conditions, enforced on catalogue facts whatever the model says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Constraints {
    pub(super) allow_explicit: bool,
    pub(super) wanted: WantedVersions,
    /// Whether an acoustic, re-recorded or other such version may stand in for the plain recording.
    pub(super) allow_versions: bool,
    era: Option<Era>,
    excluded_artists: Vec<String>,
}

/// How a candidate's year stands to the era, the better the smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum EraFit {
    Inside,
    /// Came out later, as the reissue of a song from within.
    Reissue,
    Outside,
}

impl Constraints {
    /// Takes the conditions as the listener typed them; artists' names in any spelling.
    #[must_use]
    pub fn new(
        allow_explicit: bool,
        era: Option<Era>,
        excluded_artists: &[String],
        wanted: WantedVersions,
    ) -> Self {
        let is_name = |name: &&String| !name.trim().is_empty();
        let excluded_artists = excluded_artists.iter().filter(is_name).cloned().collect();
        Self { allow_explicit, wanted, allow_versions: false, era, excluded_artists }
    }

    /// Lets an acoustic, session, re-recorded or other-language version stand in where the plain recording is not found.
    #[must_use]
    pub fn with_versions(self, allow_versions: bool) -> Self {
        Self { allow_versions, ..self }
    }

    /// Says whether the listener excluded any of the suggested artists, so that no search is needed.
    #[must_use]
    pub fn excludes(&self, suggestion: &Suggestion) -> bool {
        self.excludes_any(std::slice::from_ref(&suggestion.artist), &Title::parse(&suggestion.title))
    }

    pub(super) fn excludes_any(&self, artists: &[String], title: &Title) -> bool {
        if self.excluded_artists.is_empty() {
            return false;
        }
        let mut excluded = Names::default();
        excluded.read(&self.excluded_artists);
        let is_excluded = |name: Name<'_>| excluded.iter().any(|own| same_artist(own, name));
        artists.iter().any(|artist| Credits::of(artist).iter().any(&is_excluded))
            || title.featured().any(&is_excluded)
    }

    /// Places a candidate in the era by the catalogue's year.
    ///
    /// A later reissue of a song passes if the model dates the song inside. A reissue inside the
    /// era of a song that the model dates before it does not: the song is older than asked for.
    pub(super) fn era_fit(&self, candidate: &CatalogueTrack, suggested_year: Option<i32>) -> EraFit {
        let Some(era) = self.era.filter(|era| era.from.is_some() || era.to.is_some()) else {
            return EraFit::Inside;
        };
        let Some(year) = candidate.release_year else { return EraFit::Outside };
        let reissue = is_reissue(candidate);
        if era.contains(year) {
            let older = reissue && suggested_year.is_some_and(|year| era.starts_after(year));
            return if older { EraFit::Outside } else { EraFit::Inside };
        }
        let song_is_inside = suggested_year.is_some_and(|year| era.contains(year));
        if era.ends_before(year) && reissue && song_is_inside { EraFit::Reissue } else { EraFit::Outside }
    }
}

/// Says whether the title or the album declares a remaster, an anniversary or a collection.
pub(super) fn is_reissue(track: &CatalogueTrack) -> bool {
    let says = |text: &str| lexicon().senses(Folded::of(text).words()).has(Senses::REISSUE);
    says(&track.title) || says(&track.album) || is_compilation(track)
}

/// Says whether the album declares that it collects songs from several others.
pub(super) fn is_compilation(track: &CatalogueTrack) -> bool {
    track.album != track.title && lexicon().senses(Folded::of(&track.album).words()).has(Senses::COMPILATION)
}

/// Why a suggestion did not become a track. A closed list, shown to clients in `snake_case`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum MissReason {
    /// The search found nothing playable.
    NotFound,
    /// The search found songs, but not this one in a version that may be delivered.
    LowScore,
    /// The song is in the playlist already.
    Duplicate,
    /// The song is explicit and the listener asked for none.
    Explicit,
    /// The listener excluded the artist or the years, or the artist has enough tracks.
    Excluded,
    /// The catalogue could not be asked.
    LookupFailed,
}

impl MissReason {
    /// The reason's name in answers to clients.
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
