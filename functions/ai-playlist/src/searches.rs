//! Runs the searches of a generation, a few at once, and decides when searching is of no more use.

use futures_util::future::{FutureExt, LocalBoxFuture};
use futures_util::stream::{FuturesUnordered, StreamExt};
use shared::spotify::SpotifyError;

use crate::resolve::{Found, Miss, Resolver};
use crate::suggestions::Queued;

/// Together with the model's connection these are the six that Workers allow.
const MAX_SEARCHES_AT_ONCE: usize = 5;
/// After this many failed searches in a row the catalogue counts as unavailable.
const MAX_FAILURES_IN_A_ROW: usize = 8;

/// The end of a search.
pub struct Resolution {
    /// The suggestion.
    pub queued: Queued,
    /// The track, or the reason why there is none.
    pub outcome: Result<Found, Miss>,
}

/// The searches that are running, and what they say about the catalogue.
pub struct Searches<'a> {
    resolver: &'a Resolver<'a>,
    /// A resolution is `None` for the warm-up.
    running: FuturesUnordered<LocalBoxFuture<'a, Option<Box<Resolution>>>>,
    is_warm: bool,
    failures_in_a_row: usize,
    last_error: Option<SpotifyError>,
    is_out_of_budget: bool,
}

impl<'a> Searches<'a> {
    /// Creates searches of which none is running.
    pub fn new(resolver: &'a Resolver<'a>) -> Self {
        Self {
            resolver,
            running: FuturesUnordered::new(),
            is_warm: false,
            failures_in_a_row: 0,
            last_error: None,
            is_out_of_budget: false,
        }
    }

    /// Fetches the catalogue's token, unless that is running or done; otherwise each of the first searches would do it.
    pub fn warm_up(&mut self) {
        if !self.is_warm && self.running.is_empty() {
            let warm_up = self.resolver.spotify.warm_up();
            self.running.push(warm_up.map(|()| None).boxed_local());
        }
    }

    /// Returns how many more searches may start.
    pub fn room(&self) -> usize {
        if self.is_warm {
            MAX_SEARCHES_AT_ONCE.saturating_sub(self.running.len())
        } else {
            0
        }
    }

    /// Returns the number of searches that are running.
    pub fn running(&self) -> usize {
        self.running.len()
    }

    /// Starts a search.
    pub fn start(&mut self, queued: Queued) {
        let resolver = self.resolver;
        let search = async move {
            let outcome = resolver.resolve(&queued.song).await;
            Some(Box::new(Resolution { queued, outcome }))
        };
        self.running.push(search.boxed_local());
    }

    /// Waits for the end of a search; `None` is the end of the warm-up. Never ends if nothing is running. Cancel-safe.
    pub async fn next(&mut self) -> Option<Box<Resolution>> {
        match self.running.next().await {
            Some(Some(resolution)) => {
                self.note(&resolution);
                Some(resolution)
            }
            Some(None) => {
                self.is_warm = true;
                None
            }
            None => std::future::pending().await,
        }
    }

    /// Returns whether the budget of requests is used up.
    pub fn is_out_of_budget(&self) -> bool {
        self.is_out_of_budget
    }

    /// Returns whether no other song can be found.
    pub fn are_over(&self) -> bool {
        let is_lasting =
            |error: SpotifyError| error.is_lasting() && !self.resolver.continues_after(error);
        self.is_out_of_budget
            || self.failures_in_a_row >= MAX_FAILURES_IN_A_ROW
            || self.last_error.is_some_and(is_lasting)
    }

    /// Returns the last failure of the catalogue.
    pub fn last_error(&self) -> Option<SpotifyError> {
        self.last_error
    }

    fn note(&mut self, resolution: &Resolution) {
        match &resolution.outcome {
            Ok(_) | Err(Miss::Judged(_)) => self.failures_in_a_row = 0,
            Err(miss) if miss.is_out_of_budget() => self.is_out_of_budget = true,
            Err(Miss::Lookup(error)) => {
                self.failures_in_a_row += 1;
                self.last_error = Some(*error);
            }
        }
    }
}
