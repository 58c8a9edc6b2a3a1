//! Generates a playlist: searches suggestions while the model still writes.

use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;

use futures_util::future::{FutureExt, LocalBoxFuture};
use futures_util::stream::{FuturesUnordered, StreamExt};
use futures_util::{pin_mut, select_biased};
use shared::llm::playlist::{Complaint, PlaylistAsk};
use shared::llm::{Cost, LlmConfig, LlmError, LlmMemory, Prices, stream_chat};
use shared::matching::{MissReason, Selection};
use shared::runtime::clock::Clock;
use shared::runtime::http_client::{HttpError, Limits};
use shared::spotify::SpotifyError;
use shared::track::Suggestion;

use crate::answer::{About, Answer, Said, complaint};
use crate::budget::Budgeted;
use crate::event::{Event, Stage, StageData, StopReason, Track, found_track};
use crate::quota::Suggestions;
use crate::refine::Base;
use crate::request::PlaylistRequest;
use crate::resolve::{Found, Miss, Resolution, Resolver};

/// Together with the model's connection these are the six that Workers allow.
const MAX_SEARCHES_AT_ONCE: usize = 5;
/// The longest allowed silence of the model. A cold start takes 25 s at some services.
const LLM_SILENCE_MS: u64 = 30_000;
/// The most bytes of a response. 100 suggestions have about 12 KB, but the frame around each token is larger than
/// the token, and a model may first think for 20,000 tokens.
const LLM_MAX_BODY_BYTES: usize = 8 * 1024 * 1024;
/// The most `miss` events, with one more for each track found: a wish that is not about music reveals little.
const MAX_MISSES: usize = 5;
/// After this many failed searches in a row the catalogue counts as unavailable.
const MAX_FAILED_LOOKUPS_IN_A_ROW: usize = 8;

/// Receives events as they happen.
pub type Emit = Rc<dyn Fn(Event)>;

type Searches<'a> = FuturesUnordered<LocalBoxFuture<'a, Step>>;

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

/// One generation, from the first question to the last track.
///
/// Dropping the future of [`Generation::run`] aborts every outbound call; the tracks found and their cost stay here.
pub struct Generation<'a> {
    llm: &'a LlmConfig,
    http: Budgeted,
    clock: &'a dyn Clock,
    resolver: &'a Resolver<'a>,
    request: &'a PlaylistRequest,
    base: &'a Base,
    emit: Emit,
    /// What the model says about the playlist.
    pub about: About,
    /// The tracks in the order in which they were found, each with its position among the suggestions.
    found: Vec<(usize, Track)>,
    variation: u32,
    /// The hash of the user's id for the model's provider.
    user: String,
    selection: Selection,
    suggested: Vec<Suggestion>,
    /// Why the model chose them.
    whys: Vec<Option<String>>,
    /// Suggestions that wait for a search, by their position in `suggested`.
    waiting: VecDeque<usize>,
    /// The number of suggestions that are not resolved yet.
    unresolved: usize,
    memory: &'a LlmMemory,
    answer: Option<Answer<'a>>,
    /// Whether the model began to answer the last question.
    had_answer: bool,
    spent: Cost,
    /// The model's cost when the last track was found, for the ledger.
    meter: Rc<Cell<Cost>>,
    misses: usize,
    /// The estimated cost of a question that has no answer yet.
    asking: Cost,
    failed_lookups_in_a_row: usize,
    last_lookup_error: Option<SpotifyError>,
    is_out_of_budget: bool,
    is_warm: bool,
    announced_resolving: bool,
}

impl<'a> Generation<'a> {
    /// Creates a generation. `http` is for the model, the resolver has its own; `variation` is random, so that the
    /// same words do not always return the same list; `user` is a hash.
    pub fn new(
        (llm, memory): (&'a LlmConfig, &'a LlmMemory),
        http: Budgeted,
        clock: &'a dyn Clock,
        resolver: &'a Resolver<'a>,
        (request, base): (&'a PlaylistRequest, &'a Base),
        (variation, user): (u32, String),
        (emit, meter): (Emit, Rc<Cell<Cost>>),
    ) -> Self {
        let mut selection = Selection::new(request.target_count, &request.words());
        base.enter(&mut selection);
        Self {
            llm,
            http,
            clock,
            resolver,
            emit,
            about: About::default(),
            found: Vec::new(),
            selection,
            request,
            base,
            variation,
            user,
            suggested: Vec::new(),
            whys: Vec::new(),
            waiting: VecDeque::new(),
            unresolved: 0,
            memory,
            answer: None,
            had_answer: false,
            spent: Cost::ZERO,
            meter,
            misses: 0,
            asking: Cost::ZERO,
            failed_lookups_in_a_row: 0,
            last_lookup_error: None,
            is_out_of_budget: false,
            is_warm: false,
            announced_resolving: false,
        }
    }

    /// Returns the model's cost so far, including an unfinished answer.
    pub fn cost(&self) -> Cost {
        self.spent + self.asking + self.answer.as_ref().map_or(Cost::ZERO, Answer::cost)
    }

    /// Returns the number of tracks found.
    pub fn found_count(&self) -> usize {
        self.found.len()
    }

    /// Returns the model's own spelling of the tracks found.
    pub fn suggestions(&self) -> Suggestions {
        let spelled = |(place, track): &(usize, Track)| {
            Some((
                track.details.track_uri.clone(),
                self.suggested.get(*place)?.clone(),
            ))
        };
        self.found.iter().filter_map(spelled).collect()
    }

    /// Returns the tracks found in the model's order; a second answer's songs come after the first one's.
    pub fn tracks(&self) -> Vec<Track> {
        let mut found = self.found.clone();
        found.sort_by_key(|(place, _)| *place);
        found
            .into_iter()
            .enumerate()
            .map(|(index, (_, track))| Track { index, ..track })
            .collect()
    }

    /// Runs until the playlist is full, nothing more can be found, or `ends_ms` has passed.
    ///
    /// # Errors
    /// [`Failure`], only if no track was found.
    pub async fn run(&mut self, ends_ms: u64) -> Result<StopReason, Failure> {
        let ended = {
            let deadline = self
                .clock
                .sleep_ms(ends_ms.saturating_sub(self.clock.now_ms()))
                .fuse();
            let rounds = self.rounds(ends_ms).fuse();
            pin_mut!(deadline, rounds);
            select_biased! {
                ended = rounds => ended,
                () = deadline => Err(Failure::Deadline),
            }
        };
        self.end_answer();
        match ended {
            Err(Failure::Deadline) if !self.found.is_empty() => Ok(StopReason::Deadline),
            Err(failure) if self.found.is_empty() => Err(failure),
            Err(_) => Ok(self.stop_reason()),
            Ok(()) if self.found.is_empty() => Err(match self.last_lookup_error.take() {
                Some(error) => Failure::Spotify(error),
                None => Failure::NothingFound,
            }),
            Ok(()) => Ok(self.stop_reason()),
        }
    }

    fn stop_reason(&self) -> StopReason {
        if self.selection.is_full() {
            StopReason::Completed
        } else if self.is_out_of_budget {
            StopReason::Budget
        } else {
            StopReason::NoProgress
        }
    }

    /// Asks once, and a second time for what is missing or if the first answer was of no use.
    async fn rounds(&mut self, ends_ms: u64) -> Result<(), Failure> {
        self.announce(Stage::Thinking);
        let complaint = match self.round(ends_ms, None).await {
            Ok(()) => None,
            Err(Failure::Llm(error)) if self.is_worth_asking_again(&error) => {
                Some(complaint(&error))
            }
            Err(failure) => return Err(failure),
        };
        if self.is_finished() || self.last_lookup_error.is_some_and(SpotifyError::is_lasting) {
            return Ok(());
        }
        self.announce(Stage::Refilling);
        self.round(ends_ms, complaint.flatten()).await
    }

    /// A second question is worth it if songs arrived before the failure, or if the answer was unreadable.
    fn is_worth_asking_again(&self, error: &LlmError) -> bool {
        if !self.suggested.is_empty() {
            return true;
        }
        match error {
            LlmError::InvalidResponse
            | LlmError::Empty
            | LlmError::CutOff
            | LlmError::Unusable(_) => true,
            LlmError::Failed(_) | LlmError::Unavailable(HttpError::Network) => self.had_answer,
            _ => false,
        }
    }

    fn is_finished(&self) -> bool {
        let is_catalogue_down = self.failed_lookups_in_a_row >= MAX_FAILED_LOOKUPS_IN_A_ROW
            || self
                .last_lookup_error
                .is_some_and(|it| it.is_lasting() && !self.resolver.continues_after(it));
        self.selection.is_full() || self.is_out_of_budget || is_catalogue_down
    }

    fn announce(&self, stage: Stage) {
        (self.emit)(Event::Stage(StageData {
            stage,
            found: self.selection.len(),
            target: self.request.target_count,
        }));
    }

    /// Asks the model once and searches what it suggests.
    ///
    /// # Errors
    /// [`Failure::Llm`], after everything that arrived before the failure has been searched.
    async fn round(&mut self, ends_ms: u64, complaint: Option<Complaint>) -> Result<(), Failure> {
        let remaining_ms = ends_ms.saturating_sub(self.clock.now_ms());
        let limits = Limits::stream(LLM_SILENCE_MS, remaining_ms, LLM_MAX_BODY_BYTES);
        let question = self.ask(complaint).to_request();
        self.asking = question.cost_of_asking(self.llm.prices);
        self.had_answer = false;
        let mut searches = Searches::new();
        self.warm_up(&mut searches);
        let chat = {
            let asking = stream_chat(
                self.llm,
                self.memory,
                &self.http,
                self.clock,
                &question,
                limits,
            )
            .fuse();
            pin_mut!(asking);
            loop {
                select_biased! {
                    chat = asking => break chat,
                    // Only the warm-up is running so far.
                    _ = searches.select_next_some() => self.is_warm = true,
                }
            }
        };
        self.asking = Cost::ZERO;
        let chat = chat.map_err(Failure::Llm)?;
        self.had_answer = true;
        let answer = Answer::new(chat, self.request.target_count, self.suggested.len());
        self.answer = Some(answer.may_repeat(self.base.kept.len()));
        let mut ended = Ok(());
        loop {
            self.launch(&mut searches);
            let is_over = self.answer.is_none() && searches.is_empty();
            if is_over || self.is_finished() && !self.awaits_the_end() {
                self.end_answer();
                return ended.map_err(Failure::Llm);
            }
            match next_step(self.answer.as_mut(), &mut searches).await {
                Step::WarmedUp => self.is_warm = true,
                Step::Resolved(place, resolution) => self.accept(place, *resolution),
                Step::Said(Said::Songs(songs)) => songs
                    .into_iter()
                    .for_each(|(song, why)| self.hear(song, why)),
                Step::Said(Said::Ended(how)) => {
                    self.resolver.pause();
                    self.end_answer();
                    ended = how;
                }
                Step::Said(Said::Declined) => {
                    self.end_answer();
                    return Err(Failure::Refused);
                }
            }
        }
    }

    fn ask(&self, complaint: Option<Complaint>) -> PlaylistAsk {
        PlaylistAsk {
            wanted: self
                .request
                .target_count
                .saturating_sub(self.selection.len()),
            already_suggested: self.suggested.clone(),
            user: Some(self.user.clone()),
            complaint,
            variation: self.variation,
            ..self.request.wish.clone()
        }
    }

    fn awaits_the_end(&mut self) -> bool {
        let has_prices = self.llm.prices != Prices::default();
        let is_full = self.selection.is_full();
        self.answer
            .as_mut()
            .is_some_and(|answer| is_full && answer.is_awaited(&self.about, has_prices))
    }

    /// Fetches the catalogue's token while the model thinks; otherwise each of the first searches would do it.
    fn warm_up(&self, searches: &mut Searches<'a>) {
        if !self.is_warm {
            let resolver = self.resolver;
            searches.push(
                resolver
                    .spotify
                    .warm_up()
                    .map(|()| Step::WarmedUp)
                    .boxed_local(),
            );
        }
    }

    /// Starts searches, but no more than could still find a place in the playlist.
    fn launch(&mut self, searches: &mut Searches<'a>) {
        while self.is_warm
            && searches.len() < MAX_SEARCHES_AT_ONCE
            && self.selection.len() + searches.len() < self.request.target_count
        {
            let Some(place) = self.waiting.pop_front() else {
                return;
            };
            let Some(suggestion) = self.suggested.get(place).cloned() else {
                return;
            };
            if !self.announced_resolving {
                self.announced_resolving = true;
                self.announce(Stage::Resolving);
            }
            let resolved = self.resolver.resolve(suggestion);
            searches.push(
                resolved
                    .map(move |resolution| Step::Resolved(place, Box::new(resolution)))
                    .boxed_local(),
            );
        }
    }

    fn accept(&mut self, place: usize, resolution: Resolution) {
        let Resolution {
            suggestion,
            outcome,
        } = resolution;
        self.unresolved -= 1;
        let reason = match outcome {
            Ok(found) => match self.add(place, &found) {
                Ok(()) => return,
                Err(reason) => reason,
            },
            Err(miss) => {
                self.note_miss(&miss);
                miss.reason()
            }
        };
        self.miss(&suggestion, reason);
    }

    fn add(&mut self, place: usize, found: &Found) -> Result<(), MissReason> {
        self.failed_lookups_in_a_row = 0;
        self.selection.offer(&found.track.recording)?;
        let why = self.whys.get(place).cloned().flatten();
        let track = found_track(self.base.place(self.found.len()), found, why);
        self.found.push((place, track.clone()));
        self.meter.set(self.cost());
        (self.emit)(Event::Track(track));
        Ok(())
    }

    fn note_miss(&mut self, miss: &Miss) {
        match miss {
            Miss::Judged(_) => self.failed_lookups_in_a_row = 0,
            Miss::Lookup(_) if miss.is_out_of_budget() => self.is_out_of_budget = true,
            Miss::Lookup(error) => {
                self.failed_lookups_in_a_row += 1;
                self.last_lookup_error = Some(*error);
            }
        }
    }

    fn miss(&mut self, suggestion: &Suggestion, reason: MissReason) {
        if self.misses < MAX_MISSES + self.found.len() {
            self.misses += 1;
            (self.emit)(Event::miss(suggestion, reason));
        }
    }

    fn hear(&mut self, song: Suggestion, why: Option<String>) {
        let is_repeat = self.selection.already_seen(&song);
        if let Some(answer) = &mut self.answer {
            answer.note_song(is_repeat);
        }
        if is_repeat {
            return self.miss(&song, MissReason::Duplicate);
        }
        self.unresolved += 1;
        if !self.selection.is_full() {
            self.resolver.expect(&song, self.is_urgent());
        }
        self.waiting.push_back(self.suggested.len());
        self.suggested.push(song);
        self.whys.push(why);
    }

    /// Whether the next track may be the first or the last one, which should not wait long for other songs.
    fn is_urgent(&self) -> bool {
        self.found.is_empty() || self.selection.len() + self.unresolved >= self.request.target_count
    }

    fn end_answer(&mut self) {
        self.spent = self.cost();
        if let Some(answer) = self.answer.take() {
            self.about.complete(answer.into_about());
        }
    }
}

enum Step {
    WarmedUp,
    Said(Said),
    Resolved(usize, Box<Resolution>),
}

/// Waits for the next part of the answer or the end of a search. Neither is lost if the other comes first.
async fn next_step(answer: Option<&mut Answer<'_>>, searches: &mut Searches<'_>) -> Step {
    let Some(answer) = answer else {
        return searches.select_next_some().await;
    };
    let said = answer.next().fuse();
    pin_mut!(said);
    select_biased! {
        step = searches.select_next_some() => step,
        said = said => Step::Said(said),
    }
}
