//! Finds the catalogue track of a suggestion, in the catalogue memory or by a search.

use std::cell::{Cell, RefCell};

use shared::catalogue::Finding;
use shared::matching::{
    Constraints, MissReason, Scored, Version, WantedVersions, best_match, field_query, free_query,
    version_of,
};
use shared::runtime::http_client::HttpError;
use shared::spotify::{SpotifyApp, SpotifyError};
use shared::track::{ListedTrack, Suggestion};

use crate::recall::Recall;
use crate::request::PlaylistRequest;

/// The most candidates that Spotify returns at once.
const CANDIDATES: u8 = 10;

/// Searches suggestions in the catalogue.
pub struct Resolver<'a> {
    /// The catalogue.
    pub spotify: SpotifyApp<'a>,
    /// The user's conditions.
    constraints: Constraints,
    /// The market whose catalogue is searched.
    market: Option<&'a str>,
    /// The catalogue memory, unless it is switched off.
    recall: Option<Recall<'a>>,
    /// The results of searches, for the memory.
    findings: RefCell<Vec<Finding>>,
    /// The rate limit that ended the searches. After it, only the memory is used.
    limited: Cell<Option<SpotifyError>>,
    /// The number of songs that were decided from memory.
    recalled: Cell<usize>,
}

/// The catalogue track that a suggestion means.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The track.
    pub track: ListedTrack,
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
    /// Returns the reason for the client.
    pub fn reason(&self) -> MissReason {
        match self {
            Self::Judged(reason) => *reason,
            Self::Lookup(_) => MissReason::LookupFailed,
        }
    }

    /// Returns whether the invocation has no request left for searching.
    pub fn is_out_of_budget(&self) -> bool {
        matches!(
            self,
            Self::Lookup(SpotifyError::Unavailable(HttpError::BudgetExhausted))
        )
    }
}

impl<'a> Resolver<'a> {
    /// Creates a resolver for the conditions of a request.
    pub fn new(
        spotify: SpotifyApp<'a>,
        request: &'a PlaylistRequest,
        recall: Option<Recall<'a>>,
    ) -> Self {
        let wish = &request.wish;
        let wanted = WantedVersions::from_prompt(&request.words());
        Self {
            spotify,
            constraints: Constraints::new(
                wish.allow_explicit,
                wish.era,
                &wish.exclude_artists,
                wanted,
            )
            .with_versions(request.allow_versions),
            market: request.market.as_deref(),
            recall,
            findings: RefCell::default(),
            limited: Cell::default(),
            recalled: Cell::default(),
        }
    }

    /// Returns the number of songs that were decided from memory.
    pub fn recalled(&self) -> usize {
        self.recalled.get()
    }

    /// Returns the results of the searches, for the memory.
    pub fn into_findings(self) -> Vec<Finding> {
        self.findings.into_inner()
    }

    /// Returns whether songs can be found although the searches fail with this error.
    pub fn continues_after(&self, error: SpotifyError) -> bool {
        self.recall.is_some() && matches!(error, SpotifyError::RateLimited { .. })
    }

    /// Announces a suggestion that will be resolved, an urgent one soon.
    pub fn expect(&self, suggestion: &Suggestion, is_urgent: bool) {
        if let Some(recall) = &self.recall {
            recall.expect(suggestion, is_urgent);
        }
    }

    /// Announces that no more suggestions follow for now.
    pub fn pause(&self) {
        if let Some(recall) = &self.recall {
            recall.pause();
        }
    }

    /// Finds the track of one suggestion in the memory, or with at most two searches: by field, then by free text.
    ///
    /// # Errors
    /// Returns the reason why there is no track.
    pub async fn resolve(&self, suggestion: &Suggestion) -> Result<Found, Miss> {
        if self.constraints.excludes(suggestion) {
            return Err(Miss::Judged(MissReason::Excluded));
        }
        if let Some(decided) = self.remembered(suggestion).await {
            self.recalled.set(self.recalled.get() + 1);
            return decided.map_err(Miss::Judged);
        }
        let by_field = self.search(&field_query(suggestion)).await?;
        match self.judge(suggestion, &by_field) {
            Err(MissReason::NotFound | MissReason::LowScore) => {}
            decided => {
                self.learn(suggestion, by_field, None);
                return decided.map_err(Miss::Judged);
            }
        }
        let by_words = self.search(&free_query(suggestion)).await?;
        let decided = self.judge(suggestion, &[by_field.as_slice(), &by_words].concat());
        self.learn(suggestion, by_field, Some(by_words));
        decided.map_err(Miss::Judged)
    }

    async fn remembered(&self, suggestion: &Suggestion) -> Option<Result<Found, MissReason>> {
        let entry = self.recall.as_ref()?.entry(suggestion).await?;
        Some(entry.best_match(suggestion, &self.constraints)?.map(found))
    }

    fn learn(
        &self,
        suggestion: &Suggestion,
        by_field: Vec<ListedTrack>,
        by_words: Option<Vec<ListedTrack>>,
    ) {
        if self.recall.is_some() {
            let finding = Finding {
                suggestion: suggestion.clone(),
                by_field,
                by_words,
            };
            self.findings.borrow_mut().push(finding);
        }
    }

    async fn search(&self, query: &str) -> Result<Vec<ListedTrack>, Miss> {
        if let Some(error) = self.limited.get() {
            return Err(Miss::Lookup(error));
        }
        let searched = self.spotify.search(query, self.market, CANDIDATES).await;
        searched.map_err(|error| {
            if self.continues_after(error) {
                self.limited.set(Some(error));
            }
            Miss::Lookup(error)
        })
    }

    fn judge(
        &self,
        suggestion: &Suggestion,
        candidates: &[ListedTrack],
    ) -> Result<Found, MissReason> {
        best_match(suggestion, candidates, &self.constraints).map(found)
    }
}

fn found(Scored { track, score }: Scored<'_, ListedTrack>) -> Found {
    let recording = &track.recording;
    let version = version_of(&recording.title, &recording.artist(), &recording.album);
    Found {
        track: track.clone(),
        score,
        version,
    }
}
