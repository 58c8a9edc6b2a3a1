//! Generates a playlist: searches suggestions while the model still writes.

use futures_util::future::FutureExt;
use futures_util::{pin_mut, select_biased};
use shared::api::{Stage, StopReason, Track};
use shared::llm::playlist::{Complaint, PlaylistPrompt};
use shared::llm::{Cost, LlmClient, LlmError, Prices};
use shared::matching::MissReason;
use shared::runtime::http_client::{HttpError, Limits};
use shared::spotify::SpotifyError;

use crate::completion::{About, Completion, Expected, Part, complaint};
use crate::outbox::Outlet;
use crate::quota::Spellings;
use crate::refine::Base;
use crate::request::PlaylistRequest;
use crate::resolve::Resolver;
use crate::searches::{Resolution, Searches};
use crate::suggestions::{Suggested, Suggestions};
use crate::tracklist::Tracklist;

/// The longest allowed silence of the model. A cold start takes 25 s at some services.
const LLM_SILENCE_MS: u64 = 30_000;
/// The most bytes of a response. 100 suggestions have about 12 KB, but the frame around each token is larger than
/// the token, and a model may first think for 20,000 tokens.
const LLM_MAX_BODY_BYTES: usize = 8 * 1024 * 1024;

/// The reasons why there is no playlist.
#[derive(Debug)]
pub enum Failure {
    /// The model says that the wish is not about music, or refuses to answer.
    Refused,
    /// The model failed.
    Llm(LlmError),
    /// The catalogue failed.
    Spotify(SpotifyError),
    /// The deadline passed before a track was found.
    Deadline,
    /// No suggestion is in the catalogue.
    NothingFound,
}

/// What is generated, and for whom.
#[derive(Clone, Copy)]
pub struct Order<'a> {
    /// The request.
    pub request: &'a PlaylistRequest,
    /// The playlist that is refined.
    pub base: &'a Base,
    /// A random number, so that the same words do not always return the same list.
    pub variation: u32,
    /// The hash of the user's id for the model's provider.
    pub user: &'a str,
}

/// The result of a generation, complete or not.
pub struct Generated {
    /// What the model says about the playlist.
    pub about: About,
    /// The tracks, with the kept ones of a refined playlist.
    pub tracks: Vec<Track>,
    /// The model's own spelling of the tracks found.
    pub spellings: Spellings,
    /// The model's cost.
    pub cost: Cost,
}

/// The model's completion of this moment.
enum Exchange<'a> {
    /// None is awaited.
    Idle,
    /// One was requested and has not begun. Its cost is an estimate.
    Requested(Cost),
    /// One is being read.
    Reading(Box<Completion<'a>>),
}

/// One generation, from the first prompt to the last track.
///
/// Dropping the future of [`Generation::run`] aborts every outbound call; the tracks found and their cost stay here.
pub struct Generation<'a> {
    llm: LlmClient<'a>,
    resolver: &'a Resolver<'a>,
    order: Order<'a>,
    list: Tracklist<'a>,
    suggestions: Suggestions,
    searches: Searches<'a>,
    exchange: Exchange<'a>,
    /// Whether the model has begun a completion.
    has_begun: bool,
    /// The cost of the completions that have ended.
    spent: Cost,
    about: About,
}

impl<'a> Generation<'a> {
    /// Creates a generation that puts its events into `outlet`.
    pub fn new(
        llm: LlmClient<'a>,
        resolver: &'a Resolver<'a>,
        order: Order<'a>,
        outlet: Outlet,
    ) -> Self {
        Self {
            llm,
            resolver,
            order,
            list: Tracklist::new(order.request, order.base, outlet),
            suggestions: Suggestions::default(),
            searches: Searches::new(resolver),
            exchange: Exchange::Idle,
            has_begun: false,
            spent: Cost::ZERO,
            about: About::default(),
        }
    }

    /// Returns the number of tracks found.
    pub fn found_count(&self) -> usize {
        self.list.found_count()
    }

    /// Returns what was generated so far.
    pub fn into_generated(mut self) -> Generated {
        self.end_completion();
        let (tracks, spellings) = self.list.into_playlist();
        Generated {
            about: self.about,
            tracks,
            spellings,
            cost: self.spent,
        }
    }

    /// Runs until the playlist is full, nothing more can be found, or `ends_ms` has passed.
    ///
    /// # Errors
    /// [`Failure`], only if no track was found.
    pub async fn run(&mut self, ends_ms: u64) -> Result<StopReason, Failure> {
        let ended = {
            let clock = self.llm.clock;
            let deadline = clock
                .sleep_ms(ends_ms.saturating_sub(clock.now_ms()))
                .fuse();
            let rounds = self.rounds(ends_ms).fuse();
            pin_mut!(deadline, rounds);
            select_biased! {
                ended = rounds => ended,
                () = deadline => Err(Failure::Deadline),
            }
        };
        match ended {
            Err(failure) if self.list.is_empty() => Err(failure),
            Ok(()) if self.list.is_empty() => Err(match self.searches.last_error() {
                Some(error) => Failure::Spotify(error),
                None => Failure::NothingFound,
            }),
            _ if self.list.is_full() => Ok(StopReason::Completed),
            Err(Failure::Deadline) => Ok(StopReason::Deadline),
            _ if self.searches.is_out_of_budget() => Ok(StopReason::Budget),
            _ => Ok(StopReason::NoProgress),
        }
    }

    /// Sends a prompt, and a second one for what is missing or if the first completion was of no use.
    async fn rounds(&mut self, ends_ms: u64) -> Result<(), Failure> {
        self.list.announce(Stage::Thinking);
        let complaint = match self.round(ends_ms, None).await {
            Ok(()) => None,
            Err(Failure::Llm(error)) if self.is_worth_a_repeat(&error) => complaint(&error),
            Err(failure) => return Err(failure),
        };
        let is_lasting = self
            .searches
            .last_error()
            .is_some_and(SpotifyError::is_lasting);
        if self.is_finished() || is_lasting {
            return Ok(());
        }
        self.list.announce(Stage::Refilling);
        self.round(ends_ms, complaint).await
    }

    /// A second prompt is worth it if songs arrived before the failure, or if the completion was unreadable.
    fn is_worth_a_repeat(&self, error: &LlmError) -> bool {
        if !self.suggestions.songs().is_empty() {
            return true;
        }
        match error {
            LlmError::InvalidResponse
            | LlmError::Empty
            | LlmError::CutOff
            | LlmError::Unusable(_) => true,
            LlmError::Failed(_) | LlmError::Unavailable(HttpError::Network) => self.has_begun,
            _ => false,
        }
    }

    fn is_finished(&self) -> bool {
        self.list.is_full() || self.searches.are_over()
    }

    /// Requests one completion and searches what it suggests.
    ///
    /// # Errors
    /// [`Failure::Llm`], after everything that arrived before the failure has been searched.
    async fn round(&mut self, ends_ms: u64, complaint: Option<Complaint>) -> Result<(), Failure> {
        self.begin_completion(ends_ms, complaint)
            .await
            .map_err(Failure::Llm)?;
        let mut ended = Ok(());
        loop {
            self.start_searches();
            let is_over = !self.is_reading() && self.searches.running() == 0;
            if is_over || self.is_finished() && !self.awaits_the_end() {
                self.end_completion();
                return ended.map_err(Failure::Llm);
            }
            match self.next_step().await {
                Step::WarmedUp => {}
                Step::Resolved(resolution) => self.accept(*resolution),
                Step::Read(Part::Songs(songs)) => {
                    songs.into_iter().for_each(|song| self.consider(song));
                }
                Step::Read(Part::Ended(how)) => {
                    self.resolver.pause();
                    self.end_completion();
                    ended = how;
                }
                Step::Read(Part::Declined) => {
                    self.end_completion();
                    return Err(Failure::Refused);
                }
            }
        }
    }

    /// Sends a prompt, and waits until the completion begins.
    async fn begin_completion(
        &mut self,
        ends_ms: u64,
        complaint: Option<Complaint>,
    ) -> Result<(), LlmError> {
        let llm = self.llm;
        let remaining_ms = ends_ms.saturating_sub(llm.clock.now_ms());
        let limits = Limits::stream(LLM_SILENCE_MS, remaining_ms, LLM_MAX_BODY_BYTES);
        let request = self.prompt(complaint).to_request();
        self.exchange = Exchange::Requested(request.prompt_cost(llm.config.prices));
        self.searches.warm_up();
        let begun = {
            let begun = llm.stream(&request, limits).fuse();
            // Only the warm-up is running so far.
            let warming_up = self.searches.next().fuse();
            pin_mut!(begun, warming_up);
            loop {
                select_biased! {
                    begun = begun => break begun,
                    _ = warming_up => {}
                }
            }
        };
        self.exchange = Exchange::Idle;
        self.has_begun |= begun.is_ok();
        let expected = Expected {
            songs: self.order.request.target_count,
            suggested: self.suggestions.songs().len(),
            kept: self.order.base.kept.len(),
        };
        self.exchange = Exchange::Reading(Box::new(Completion::new(begun?, expected)));
        Ok(())
    }

    fn prompt(&self, complaint: Option<Complaint>) -> PlaylistPrompt {
        PlaylistPrompt {
            wanted: self.list.missing(),
            already_suggested: self.suggestions.songs().to_vec(),
            user: Some(self.order.user.to_owned()),
            complaint,
            variation: self.order.variation,
            ..self.order.request.wish.clone()
        }
    }

    fn is_reading(&self) -> bool {
        matches!(self.exchange, Exchange::Reading(_))
    }

    /// Returns whether reading continues although the playlist is full.
    fn awaits_the_end(&mut self) -> bool {
        let has_prices = self.llm.config.prices != Prices::default();
        match &mut self.exchange {
            Exchange::Reading(completion) if self.list.is_full() => {
                completion.is_awaited(&self.about, has_prices)
            }
            _ => false,
        }
    }

    /// Starts searches, but no more than could still find a place in the playlist.
    fn start_searches(&mut self) {
        while self.searches.room() > 0 && self.searches.running() < self.list.missing() {
            let Some(queued) = self.suggestions.next() else {
                return;
            };
            if queued.place == 0 {
                self.list.announce(Stage::Resolving);
            }
            self.searches.start(queued);
        }
    }

    /// Waits for the next part of the completion or the end of a search. Neither is lost if the other comes first.
    async fn next_step(&mut self) -> Step {
        let searched = self.searches.next().map(|resolution| match resolution {
            Some(resolution) => Step::Resolved(resolution),
            None => Step::WarmedUp,
        });
        let Exchange::Reading(completion) = &mut self.exchange else {
            return searched.await;
        };
        let (searched, part) = (searched.fuse(), completion.next().fuse());
        pin_mut!(searched, part);
        select_biased! {
            step = searched => step,
            part = part => Step::Read(part),
        }
    }

    fn accept(&mut self, resolution: Resolution) {
        let Resolution { queued, outcome } = resolution;
        self.suggestions.note_resolved();
        match outcome {
            Ok(found) => {
                let cost = self.cost();
                self.list.add(queued, &found, cost);
            }
            Err(miss) => self.list.miss(&queued.song, miss.reason()),
        }
    }

    fn consider(&mut self, suggested: Suggested) {
        let song = &suggested.song;
        let is_repeat = self.list.is_repeat(song);
        if let Exchange::Reading(completion) = &mut self.exchange {
            completion.note_song(is_repeat);
        }
        if is_repeat {
            return self.list.miss(song, MissReason::Duplicate);
        }
        if !self.list.is_full() {
            // The first and the last track should not wait long for other songs.
            let may_be_last = self.suggestions.unresolved() + 1 >= self.list.missing();
            self.resolver
                .expect(song, self.list.is_empty() || may_be_last);
        }
        self.suggestions.add(suggested);
    }

    /// Returns the model's cost so far, including an unfinished completion.
    fn cost(&self) -> Cost {
        self.spent
            + match &self.exchange {
                Exchange::Idle => Cost::ZERO,
                Exchange::Requested(estimate) => *estimate,
                Exchange::Reading(completion) => completion.cost(),
            }
    }

    fn end_completion(&mut self) {
        self.spent = self.cost();
        if let Exchange::Reading(completion) = std::mem::replace(&mut self.exchange, Exchange::Idle)
        {
            self.about.complete(completion.into_about());
        }
    }
}

enum Step {
    WarmedUp,
    Resolved(Box<Resolution>),
    Read(Part),
}
