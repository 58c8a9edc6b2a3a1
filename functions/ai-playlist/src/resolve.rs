//! Finds the catalogue track of a suggestion.

use shared::matching::{Constraints, MissReason, Version, best_match, field_query, free_query, version_of};
use shared::runtime::http_client::HttpError;
use shared::spotify::{SpotifyApp, SpotifyError};
use shared::track::{CatalogueTrack, Suggestion};

/// The most candidates that Spotify returns at once.
const CANDIDATES: u8 = 10;

/// Searches suggestions in the catalogue.
pub struct Resolver<'a> {
    /// The catalogue.
    pub spotify: SpotifyApp<'a>,
    /// The user's conditions.
    pub constraints: Constraints,
    /// The market whose catalogue is searched.
    pub market: Option<&'a str>,
}

/// The result of a suggestion.
#[derive(Debug)]
pub struct Resolution {
    /// The suggestion.
    pub suggestion: Suggestion,
    /// The track, or the reason why there is none.
    pub outcome: Result<Found, Miss>,
}

/// The catalogue track that a suggestion means.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The track.
    pub track: CatalogueTrack,
    /// How well it matches, from 0 to 1.
    pub score: f64,
    /// The version, if it is not the plain recording.
    pub version: Option<Version>,
}

/// The reasons why there is no track.
#[derive(Debug)]
pub enum Miss {
    /// The catalogue has no track that matches.
    Judged(MissReason),
    /// The search failed.
    Lookup(SpotifyError),
}

impl Miss {
    /// Returns the reason that the client is told.
    pub fn reason(&self) -> MissReason {
        match self {
            Self::Judged(reason) => *reason,
            Self::Lookup(_) => MissReason::LookupFailed,
        }
    }

    /// Whether the invocation has no request left for searching.
    pub fn is_out_of_budget(&self) -> bool {
        matches!(self, Self::Lookup(SpotifyError::Unavailable(HttpError::BudgetExhausted)))
    }
}

impl Resolver<'_> {
    /// Finds the track of one suggestion with at most two searches: by field, then by free text.
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
