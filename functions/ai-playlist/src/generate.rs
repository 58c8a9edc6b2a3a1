//! The generation itself: suggestions are looked up while the model still writes.

use std::collections::VecDeque;
use std::rc::Rc;

use futures_util::future::{FutureExt, LocalBoxFuture};
use futures_util::stream::{FuturesUnordered, StreamExt};
use futures_util::{pin_mut, select_biased};
use shared::clock::Clock;
use shared::http_client::{HttpClient, Limits};
use shared::llm::playlist::{
    Language, PlaylistAsk, PlaylistEvent, PlaylistKind, PlaylistReader, songs_to_ask,
};
use shared::llm::{ChatEvent, ChatStream, Cost, FinishReason, LlmConfig, LlmError, stream_chat};
use shared::matching::{MissReason, Selection};
use shared::spotify::SpotifyError;
use shared::track::{CatalogueTrack, Suggestion};

use crate::budget::Budgeted;
use crate::event::{Event, Stage, StopReason, Track};
use crate::request::PlaylistRequest;
use crate::resolve::{Miss, Resolution, Resolver};

/// With the model's connection these are the six that Workers allow at once.
const MAX_SEARCHES_AT_ONCE: usize = 5;
/// The longest that the model may be silent.
const LLM_SILENCE_MS: u64 = 20_000;
/// 100 suggestions are about 12 KB; the frames around every token are larger than the token.
const LLM_MAX_BODY_BYTES: usize = 4 * 1024 * 1024;
/// So many look-ups failing in a row mean that the catalogue is down.
const MAX_FAILED_LOOKUPS_IN_A_ROW: usize = 8;

/// Receives what happens, as it happens.
pub type Emit = Rc<dyn Fn(Event)>;

type Searches<'a> = FuturesUnordered<LocalBoxFuture<'a, Step>>;

/// Why there is no playlist.
#[derive(Debug)]
pub enum Failure {
    /// The model says that this is not about music, or refuses to answer.
    Refused,
    /// The model failed.
    Llm(LlmError),
    /// The catalogue failed.
    Spotify(SpotifyError),
    /// The time was up before anything was found.
    Deadline,
    /// Nothing that the model suggested is in the catalogue.
    NothingFound,
}

/// What the model says about the playlist as a whole.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct About {
    /// The language that it answers in.
    pub language: Option<Language>,
    /// The playlist's name.
    pub name: String,
    /// Its description.
    pub description: String,
    /// A sentence about it.
    pub summary: String,
}

/// One generation, from the first question to the last track.
///
/// Dropping the future of [`Generation::run`] aborts every outbound call; what was found and what
/// it cost stays here.
pub struct Generation<'a, H, C> {
    llm: &'a LlmConfig,
    http: Budgeted<H>,
    clock: &'a C,
    resolver: &'a Resolver<'a, Budgeted<H>, C>,
    request: &'a PlaylistRequest,
    emit: Emit,
    /// What the model says about the playlist.
    pub about: About,
    /// The tracks, in order.
    pub tracks: Vec<Track>,
    variation: u32,
    selection: Selection,
    suggested: Vec<Suggestion>,
    waiting: VecDeque<Suggestion>,
    chat: Option<ChatStream>,
    spent: Cost,
    /// The estimated cost of a question to which there is no answer yet.
    asking: Cost,
    failed_lookups_in_a_row: usize,
    last_lookup_error: Option<SpotifyError>,
    is_out_of_budget: bool,
    is_warm: bool,
    /// The model says that this is not about music.
    is_declined: bool,
    announced_resolving: bool,
}

impl<'a, H: HttpClient + Clone, C: Clock> Generation<'a, H, C> {
    /// A generation that has not begun. `http` is for the model, the resolver has its own; `variation`
    /// is random, so that the same words do not always give the same list.
    pub fn new(
        llm: &'a LlmConfig,
        http: Budgeted<H>,
        clock: &'a C,
        resolver: &'a Resolver<'a, Budgeted<H>, C>,
        request: &'a PlaylistRequest,
        variation: u32,
        emit: Emit,
    ) -> Self {
        Self {
            llm,
            http,
            clock,
            resolver,
            emit,
            about: About::default(),
            tracks: Vec::new(),
            selection: Selection::new(request.target_count, &request.words()),
            request,
            variation,
            suggested: Vec::new(),
            waiting: VecDeque::new(),
            chat: None,
            spent: Cost::ZERO,
            asking: Cost::ZERO,
            failed_lookups_in_a_row: 0,
            last_lookup_error: None,
            is_out_of_budget: false,
            is_warm: false,
            is_declined: false,
            announced_resolving: false,
        }
    }

    /// What the model has cost so far, an unfinished answer included.
    pub fn cost(&self) -> Cost {
        self.spent + self.asking + self.chat.as_ref().map_or(Cost::ZERO, ChatStream::cost)
    }

    /// Generates until the playlist is full, nothing more can be found, or `ends_ms` has come.
    ///
    /// # Errors
    /// [`Failure`], only where not a single track was found.
    pub async fn run(&mut self, ends_ms: u64) -> Result<StopReason, Failure> {
        let ended = {
            let deadline = self.clock.sleep_ms(ends_ms.saturating_sub(self.clock.now_ms())).fuse();
            let rounds = self.rounds(ends_ms).fuse();
            pin_mut!(deadline, rounds);
            select_biased! {
                ended = rounds => ended,
                () = deadline => Err(Failure::Deadline),
            }
        };
        self.end_chat();
        match ended {
            Err(Failure::Deadline) if !self.tracks.is_empty() => Ok(StopReason::Deadline),
            Err(failure) if self.tracks.is_empty() => Err(failure),
            Err(_) => Ok(self.stop_reason()),
            Ok(()) if self.tracks.is_empty() => Err(match self.last_lookup_error.take() {
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

    /// One round, and one refill for what is missing.
    async fn rounds(&mut self, ends_ms: u64) -> Result<(), Failure> {
        self.announce(Stage::Thinking);
        match self.round(ends_ms).await {
            // What came before the model failed is worth a second try.
            Err(Failure::Llm(_)) if !self.suggested.is_empty() => {}
            ended => ended?,
        }
        if self.is_finished() {
            return Ok(());
        }
        self.announce(Stage::Refilling);
        self.round(ends_ms).await
    }

    fn is_finished(&self) -> bool {
        let is_catalogue_down = self.failed_lookups_in_a_row >= MAX_FAILED_LOOKUPS_IN_A_ROW
            || self.last_lookup_error.is_some_and(SpotifyError::is_lasting);
        self.selection.is_full() || self.is_out_of_budget || is_catalogue_down
    }

    fn announce(&self, stage: Stage) {
        (self.emit)(Event::Stage { stage, found: self.tracks.len(), target: self.request.target_count });
    }

    /// Asks the model once and looks up what it says.
    ///
    /// # Errors
    /// [`Failure::Llm`] after everything that arrived before the failure has been looked up.
    async fn round(&mut self, ends_ms: u64) -> Result<(), Failure> {
        let remaining_ms = ends_ms.saturating_sub(self.clock.now_ms());
        let limits = Limits::stream(LLM_SILENCE_MS, remaining_ms, LLM_MAX_BODY_BYTES);
        let question = self.ask().to_request();
        self.asking = question.cost_of_asking(self.llm.prices);
        let chat = stream_chat(self.llm, &self.http, self.clock, &question, limits).await;
        self.asking = Cost::ZERO;
        self.chat = Some(chat.map_err(Failure::Llm)?);
        let mut reader = PlaylistReader::new();
        let mut searches = Searches::new();
        self.warm_up(&mut searches);
        let mut answer = Ok(());
        loop {
            self.launch(&mut searches);
            let is_over = self.chat.is_none() && searches.is_empty();
            if is_over || self.is_finished() {
                self.end_chat();
                return answer.map_err(Failure::Llm);
            }
            match next_step(self.chat.as_mut(), &mut searches).await {
                Step::WarmedUp => self.is_warm = true,
                Step::Resolved(resolution) => self.accept(resolution),
                Step::Said(event) => {
                    if let Some(end) = self.read(&mut reader, event) {
                        self.end_chat();
                        answer = end;
                    }
                    if self.is_declined && self.chat.is_none() {
                        return Err(Failure::Refused);
                    }
                }
            }
        }
    }

    fn ask(&self) -> PlaylistAsk {
        PlaylistAsk {
            count: songs_to_ask(self.request.target_count.saturating_sub(self.tracks.len())),
            already_suggested: self.suggested.clone(),
            variation: self.variation,
            ..self.request.wish.clone()
        }
    }

    /// Gets the catalogue ready while the model thinks; else the first searches would all do it.
    fn warm_up(&self, searches: &mut Searches<'a>) {
        if !self.is_warm {
            let resolver = self.resolver;
            searches.push(resolver.spotify.warm_up().map(|()| Step::WarmedUp).boxed_local());
        }
    }

    /// Starts searches, but no more than could still find a place in the playlist.
    fn launch(&mut self, searches: &mut Searches<'a>) {
        while self.is_warm
            && searches.len() < MAX_SEARCHES_AT_ONCE
            && self.selection.len() + searches.len() < self.request.target_count
        {
            let Some(suggestion) = self.waiting.pop_front() else { return };
            if !self.announced_resolving {
                self.announced_resolving = true;
                self.announce(Stage::Resolving);
            }
            searches.push(self.resolver.resolve(suggestion).map(Step::Resolved).boxed_local());
        }
    }

    fn accept(&mut self, resolution: Resolution) {
        let Resolution { suggestion, outcome } = resolution;
        let reason = match outcome {
            Ok((track, score)) => match self.add(&track, score) {
                Ok(()) => return,
                Err(reason) => reason,
            },
            Err(miss) => {
                self.note_miss(&miss);
                miss.reason()
            }
        };
        self.miss(suggestion, reason);
    }

    fn add(&mut self, track: &CatalogueTrack, score: f64) -> Result<(), MissReason> {
        self.failed_lookups_in_a_row = 0;
        let index = self.selection.offer(track)?;
        let track = Track::found(index, track, score);
        self.tracks.push(track.clone());
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

    fn miss(&self, suggestion: Suggestion, reason: MissReason) {
        (self.emit)(Event::Miss { title: suggestion.title, artist: suggestion.artist, reason });
    }

    /// Takes in what the model says; answers how its answer ended, once it has.
    fn read(
        &mut self,
        reader: &mut PlaylistReader,
        event: Option<Result<ChatEvent, LlmError>>,
    ) -> Option<Result<(), LlmError>> {
        match event {
            None if reader.finish().is_complete => Some(Ok(())),
            None => Some(Err(LlmError::CutOff)),
            Some(Err(error)) => Some(Err(error)),
            Some(Ok(ChatEvent::Finished(FinishReason::ContentFilter) | ChatEvent::Refusal(_))) => {
                self.decline();
                Some(Ok(()))
            }
            Some(Ok(ChatEvent::Finished(_) | ChatEvent::Usage(_))) => None,
            Some(Ok(ChatEvent::Content(text))) => {
                for event in reader.push(&text) {
                    if let PlaylistEvent::Broken(_) = event {
                        return Some(Err(LlmError::InvalidAnswer));
                    }
                    self.take(event);
                }
                None
            }
        }
    }

    fn take(&mut self, event: PlaylistEvent) {
        match event {
            PlaylistEvent::Kind(PlaylistKind::Refusal) => self.decline(),
            PlaylistEvent::Kind(PlaylistKind::Playlist) | PlaylistEvent::Broken(_) => {}
            PlaylistEvent::Language(language) => self.about.language = Some(language),
            PlaylistEvent::Name(name) => self.about.name = name,
            PlaylistEvent::Description(description) => self.about.description = description,
            PlaylistEvent::Summary(summary) => self.about.summary = summary,
            PlaylistEvent::Suggestion(_) if self.is_declined => {}
            PlaylistEvent::Suggestion(suggestion) => {
                if self.selection.already_seen(&suggestion) {
                    self.miss(suggestion, MissReason::Duplicate);
                } else {
                    self.suggested.push(suggestion.clone());
                    self.waiting.push_back(suggestion);
                }
            }
        }
    }

    /// A refusal counts as long as there are no suggestions; a refill may well be declined. The rest
    /// of the answer is awaited, for it tells the language.
    fn decline(&mut self) {
        self.is_declined = self.suggested.is_empty();
    }

    fn end_chat(&mut self) {
        self.spent = self.cost();
        self.chat = None;
    }
}

enum Step {
    WarmedUp,
    Said(Option<Result<ChatEvent, LlmError>>),
    Resolved(Resolution),
}

/// What happens next: the model says something, or a search ends. Neither is lost where the other
/// comes first.
async fn next_step(chat: Option<&mut ChatStream>, searches: &mut Searches<'_>) -> Step {
    let Some(chat) = chat else { return searches.select_next_some().await };
    let said = chat.next().fuse();
    pin_mut!(said);
    select_biased! {
        step = searches.select_next_some() => step,
        event = said => Step::Said(event),
    }
}
