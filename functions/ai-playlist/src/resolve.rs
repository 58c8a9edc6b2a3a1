//! From a suggestion to the track in the catalogue.

use shared::matching::{Constraints, MissReason, Version, best_match, field_query, free_query, version_of};
use shared::runtime::http_client::HttpError;
use shared::spotify::{SpotifyApp, SpotifyError};
use shared::track::{CatalogueTrack, Suggestion};

/// As many candidates as Spotify gives at once.
const CANDIDATES: u8 = 10;

/// Looks suggestions up.
pub struct Resolver<'a> {
    /// The catalogue.
    pub spotify: SpotifyApp<'a>,
    /// What the listener allows.
    pub constraints: Constraints,
    /// The market whose catalogue counts.
    pub market: Option<&'a str>,
}

/// What became of a suggestion.
#[derive(Debug)]
pub struct Resolution {
    /// The suggestion.
    pub suggestion: Suggestion,
    /// The track, or why there is none.
    pub outcome: Result<Found, Miss>,
}

/// A track of the catalogue that a suggestion means.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The track.
    pub track: CatalogueTrack,
    /// How well it matches.
    pub score: f64,
    /// What it is, where it is not the plain recording.
    pub version: Option<Version>,
}

/// Why there is no track.
#[derive(Debug)]
pub enum Miss {
    /// The catalogue was asked, and has none that fits.
    Judged(MissReason),
    /// The catalogue could not be asked.
    Lookup(SpotifyError),
}

impl Miss {
    /// The reason as the listener is told.
    pub fn reason(&self) -> MissReason {
        match self {
            Self::Judged(reason) => *reason,
            Self::Lookup(_) => MissReason::LookupFailed,
        }
    }

    /// The invocation has no request left for looking up.
    pub fn is_out_of_budget(&self) -> bool {
        matches!(self, Self::Lookup(SpotifyError::Unavailable(HttpError::BudgetExhausted)))
    }
}

impl Resolver<'_> {
    /// Resolves one suggestion with at most two searches: by field, then by free text.
    pub async fn resolve(&self, suggestion: Suggestion) -> Resolution {
        let outcome = self.look_up(&suggestion).await;
        Resolution { suggestion, outcome }
    }

    async fn look_up(&self, suggestion: &Suggestion) -> Result<Found, Miss> {
        if self.constraints.excludes(suggestion) {
            return Err(Miss::Judged(MissReason::Excluded));
        }
        let mut candidates = self.search(&field_query(suggestion)).await?;
        match self.judge(suggestion, &candidates) {
            Err(MissReason::NotFound | MissReason::LowScore) => {}
            decided => return decided.map_err(Miss::Judged),
        }
        candidates.extend(self.search(&free_query(suggestion)).await?);
        self.judge(suggestion, &candidates).map_err(Miss::Judged)
    }

    async fn search(&self, query: &str) -> Result<Vec<CatalogueTrack>, Miss> {
        self.spotify.search(query, self.market, CANDIDATES).await.map_err(Miss::Lookup)
    }

    fn judge(&self, suggestion: &Suggestion, candidates: &[CatalogueTrack]) -> Result<Found, MissReason> {
        let found = best_match(suggestion, candidates, &self.constraints)?;
        let version = version_of(&found.track.title, &found.track.artist(), &found.track.album);
        Ok(Found { track: found.track.clone(), score: found.score, version })
    }
}
