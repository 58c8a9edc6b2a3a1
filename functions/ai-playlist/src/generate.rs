//! The generation itself: suggestions are looked up while the model still writes.

use std::collections::VecDeque;
use std::rc::Rc;

use futures_util::future::{FutureExt, LocalBoxFuture};
use futures_util::stream::{FuturesUnordered, StreamExt};
use futures_util::{pin_mut, select_biased};
use shared::clock::Clock;
use shared::http_client::{HttpClient, HttpError, Limits};
use shared::llm::playlist::{Complaint, Language, PlaylistAsk, PlaylistEvent, PlaylistKind, PlaylistReader};
use shared::llm::{
    ChatEvent, ChatStream, Cost, FinishReason, LlmConfig, LlmError, LlmMemory, Prices, stream_chat,
};
use shared::matching::{MissReason, Selection};
use shared::spotify::SpotifyError;
use shared::track::{CatalogueTrack, Suggestion};

use crate::budget::Budgeted;
use crate::event::{Event, Stage, StopReason, Track};
use crate::request::PlaylistRequest;
use crate::resolve::{Miss, Resolution, Resolver};

/// With the model's connection these are the six that Workers allow at once.
const MAX_SEARCHES_AT_ONCE: usize = 5;
/// The longest that the model may be silent. A cold start takes 25 s at some services.
const LLM_SILENCE_MS: u64 = 30_000;
/// 100 suggestions are about 12 KB, but a frame around each token is larger than the token, and a model may think for
/// 20,000 tokens before.
const LLM_MAX_BODY_BYTES: usize = 8 * 1024 * 1024;
/// After the last song that is needed come the texts, and a few songs too many before them.
const TEXTS_MS: u64 = 5_000;
/// After a complete answer or a refusal comes the usage.
const USAGE_MS: u64 = 1_000;
/// Where the cost can be estimated, only what has arrived is still read.
const ARRIVED_MS: u64 = 100;
/// A model that repeats itself so often has nothing more to say.
const MAX_REPEATS_IN_A_ROW: usize = 8;
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
    /// The tracks in the order in which they were found, each with its place among the suggestions.
    found: Vec<(usize, Track)>,
    variation: u32,
    selection: Selection,
    suggested: Vec<Suggestion>,
    /// Suggestions to be looked up, by their place in `suggested`.
    waiting: VecDeque<usize>,
    memory: &'a LlmMemory,
    chat: Option<ChatStream>,
    /// Songs in the answer that is being read, repeated ones included.
    heard: usize,
    repeats_in_a_row: usize,
    refusal: String,
    /// The model began to answer the last question.
    had_answer: bool,
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

impl<'a, H: HttpClient + Clone, C: Clock + Clone + 'static> Generation<'a, H, C> {
    /// A generation that has not begun. `http` is for the model, the resolver has its own; `variation`
    /// is random, so that the same words do not always give the same list.
    pub fn new(
        (llm, memory): (&'a LlmConfig, &'a LlmMemory),
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
            found: Vec::new(),
            selection: Selection::new(request.target_count, &request.words()),
            request,
            variation,
            suggested: Vec::new(),
            waiting: VecDeque::new(),
            memory,
            chat: None,
            heard: 0,
            repeats_in_a_row: 0,
            refusal: String::new(),
            had_answer: false,
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

    /// How many tracks were found.
    pub fn found_count(&self) -> usize {
        self.found.len()
    }

    /// The tracks in the model's order, which is meant to flow; a second answer's songs come after the first's.
    pub fn tracks(&self) -> Vec<Track> {
        let mut found = self.found.clone();
        found.sort_by_key(|(place, _)| *place);
        found.into_iter().enumerate().map(|(index, (_, track))| Track { index, ..track }).collect()
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

    /// One question, and a second one for what is missing or where the first brought nothing of use.
    async fn rounds(&mut self, ends_ms: u64) -> Result<(), Failure> {
        self.announce(Stage::Thinking);
        let complaint = match self.round(ends_ms, None).await {
            Ok(()) => None,
            Err(Failure::Llm(error)) if self.is_worth_asking_again(&error) => Some(complaint(&error)),
            Err(failure) => return Err(failure),
        };
        if self.is_finished() {
            return Ok(());
        }
        self.announce(Stage::Refilling);
        self.round(ends_ms, complaint.flatten()).await
    }

    /// What came before the model failed is worth a second question; so is an answer that cannot be read.
    fn is_worth_asking_again(&self, error: &LlmError) -> bool {
        if !self.suggested.is_empty() {
            return true;
        }
        match error {
            LlmError::InvalidAnswer | LlmError::Empty | LlmError::CutOff | LlmError::Unusable(_) => true,
            LlmError::Failed(_) | LlmError::Unavailable(HttpError::Network) => self.had_answer,
            _ => false,
        }
    }

    fn is_finished(&self) -> bool {
        let is_catalogue_down = self.failed_lookups_in_a_row >= MAX_FAILED_LOOKUPS_IN_A_ROW
            || self.last_lookup_error.as_ref().is_some_and(is_lasting);
        self.selection.is_full() || self.is_out_of_budget || is_catalogue_down
    }

    fn announce(&self, stage: Stage) {
        (self.emit)(Event::Stage { stage, found: self.found.len(), target: self.request.target_count });
    }

    /// Asks the model once and looks up what it says.
    ///
    /// # Errors
    /// [`Failure::Llm`] after everything that arrived before the failure has been looked up.
    async fn round(&mut self, ends_ms: u64, complaint: Option<Complaint>) -> Result<(), Failure> {
        let remaining_ms = ends_ms.saturating_sub(self.clock.now_ms());
        let limits = Limits::stream(LLM_SILENCE_MS, remaining_ms, LLM_MAX_BODY_BYTES);
        let question = self.ask(complaint).to_request();
        self.asking = question.cost_of_asking(self.llm.prices);
        self.had_answer = false;
        let chat = stream_chat(self.llm, self.memory, &self.http, self.clock, &question, limits).await;
        self.asking = Cost::ZERO;
        self.chat = Some(chat.map_err(Failure::Llm)?);
        self.had_answer = true;
        (self.heard, self.repeats_in_a_row) = (0, 0);
        let mut reader = PlaylistReader::new();
        let mut searches = Searches::new();
        self.warm_up(&mut searches);
        let mut answer = Ok(());
        loop {
            self.launch(&mut searches);
            let is_over = self.chat.is_none() && searches.is_empty();
            if is_over || self.is_finished() && !self.awaits_the_end(&reader) {
                self.end_chat();
                return answer.map_err(Failure::Llm);
            }
            match next_step(self.chat.as_mut(), &mut searches).await {
                Step::WarmedUp => self.is_warm = true,
                Step::Resolved(place, resolution) => self.accept(place, resolution),
                Step::Said(event) => {
                    if let Some(end) = self.read(&mut reader, event) {
                        self.end_chat();
                        answer = end;
                    }
                    if self.is_declined && self.chat.is_none() {
                        let said = Some(&self.refusal).filter(|refusal| !refusal.is_empty());
                        let said = said.map(|refusal| Language::detect(refusal));
                        self.about.language = self.about.language.or(said);
                        return Err(Failure::Refused);
                    }
                }
            }
        }
    }

    fn ask(&self, complaint: Option<Complaint>) -> PlaylistAsk {
        PlaylistAsk {
            wanted: self.request.target_count.saturating_sub(self.found.len()),
            already_suggested: self.suggested.clone(),
            complaint,
            variation: self.variation,
            ..self.request.wish.clone()
        }
    }

    /// Whether the answer is read on although the playlist is full: for its texts, or to learn what it costs.
    fn awaits_the_end(&mut self, reader: &PlaylistReader) -> bool {
        let Some(chat) = &mut self.chat else { return false };
        if !self.selection.is_full() {
            return false;
        }
        let About { name, description, summary, .. } = &self.about;
        let lacks_texts = name.is_empty() || description.is_empty() || summary.is_empty();
        let has_prices = self.llm.prices != Prices::default();
        let (is_awaited, patience_ms) = match (reader.is_complete(), lacks_texts) {
            (true, _) => (chat.usage().is_none(), USAGE_MS),
            (false, true) => (true, TEXTS_MS),
            (false, false) => (chat.usage().is_none(), if has_prices { ARRIVED_MS } else { USAGE_MS }),
        };
        chat.end_within_ms(patience_ms);
        is_awaited
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
            let Some(place) = self.waiting.pop_front() else { return };
            let Some(suggestion) = self.suggested.get(place).cloned() else { return };
            if !self.announced_resolving {
                self.announced_resolving = true;
                self.announce(Stage::Resolving);
            }
            let resolved = self.resolver.resolve(suggestion);
            searches.push(resolved.map(move |resolution| Step::Resolved(place, resolution)).boxed_local());
        }
    }

    fn accept(&mut self, place: usize, resolution: Resolution) {
        let Resolution { suggestion, outcome } = resolution;
        let reason = match outcome {
            Ok((track, score)) => match self.add(place, &track, score) {
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

    fn add(&mut self, place: usize, track: &CatalogueTrack, score: f64) -> Result<(), MissReason> {
        self.failed_lookups_in_a_row = 0;
        let index = self.selection.offer(track)?;
        let track = Track::found(index, track, score);
        self.found.push((place, track.clone()));
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

    /// Takes in what the model says; returns how its answer ended, once it has.
    fn read(
        &mut self,
        reader: &mut PlaylistReader,
        event: Option<Result<ChatEvent, LlmError>>,
    ) -> Option<Result<(), LlmError>> {
        match event {
            None => {
                let rest = reader.finish();
                self.take_all(rest);
                Some(self.ended(reader))
            }
            Some(Err(error)) => {
                let rest = reader.finish();
                self.take_all(rest);
                // The answer is whole, so that nothing is lost with what should have followed it.
                Some(if reader.is_complete() { Ok(()) } else { Err(error) })
            }
            Some(Ok(ChatEvent::Finished(FinishReason::ContentFilter))) => {
                self.decline();
                Some(self.ended(reader))
            }
            Some(Ok(ChatEvent::Refusal(text))) => {
                self.refusal.push_str(&text);
                self.decline();
                None
            }
            Some(Ok(ChatEvent::Finished(reason))) => {
                // Proxies send a reason too early, so the rest of a broken answer is waited for.
                let is_final = reason == FinishReason::Length || reader.is_complete() || reader.is_empty();
                if is_final && let Some(chat) = &mut self.chat {
                    chat.end_within_ms(USAGE_MS);
                }
                None
            }
            Some(Ok(ChatEvent::Usage(_))) => None,
            Some(Ok(ChatEvent::Content(text))) => {
                let events = reader.push(&text);
                self.take_all(events);
                if self.is_declined && self.about.language.is_some() || self.goes_on_and_on() {
                    return Some(Ok(()));
                }
                if reader.is_runaway() {
                    return Some(self.ended(reader));
                }
                if reader.is_complete()
                    && let Some(chat) = &mut self.chat
                {
                    chat.end_within_ms(USAGE_MS);
                }
                None
            }
        }
    }

    /// How an answer has ended that says no more.
    fn ended(&self, reader: &PlaylistReader) -> Result<(), LlmError> {
        match (self.heard, reader.is_complete()) {
            _ if self.is_declined => Ok(()),
            (0, _) if reader.has_list() => Ok(()),
            (0, _) if reader.is_empty() => Err(LlmError::Empty),
            (0, _) => Err(LlmError::InvalidAnswer),
            (_, true) => Ok(()),
            (_, false) => Err(LlmError::CutOff),
        }
    }

    /// Small models repeat themselves until they are stopped.
    fn goes_on_and_on(&self) -> bool {
        self.repeats_in_a_row >= MAX_REPEATS_IN_A_ROW
            || self.heard > 2 * self.request.target_count + MAX_REPEATS_IN_A_ROW
    }

    fn take_all(&mut self, events: Vec<PlaylistEvent>) {
        for event in events {
            self.take(event);
        }
    }

    fn take(&mut self, event: PlaylistEvent) {
        match event {
            PlaylistEvent::Kind(PlaylistKind::Refusal) => self.decline(),
            PlaylistEvent::Kind(PlaylistKind::Playlist) => {}
            PlaylistEvent::Language(language) => self.about.language = Some(language),
            PlaylistEvent::Name(name) => self.about.name = name,
            PlaylistEvent::Description(description) => self.about.description = description,
            PlaylistEvent::Summary(summary) => self.about.summary = summary,
            PlaylistEvent::Suggestion(_) if self.is_declined => {}
            PlaylistEvent::Suggestion(suggestion) => {
                self.heard += 1;
                if self.selection.already_seen(&suggestion) {
                    self.repeats_in_a_row += 1;
                    self.miss(suggestion, MissReason::Duplicate);
                } else {
                    self.repeats_in_a_row = 0;
                    self.waiting.push_back(self.suggested.len());
                    self.suggested.push(suggestion);
                }
            }
        }
    }

    /// A refusal counts as long as there are no suggestions; a second answer may well be declined. Its language is
    /// waited for, but not for long: small models write on after it.
    fn decline(&mut self) {
        self.is_declined = self.suggested.is_empty();
        if self.is_declined
            && let Some(chat) = &mut self.chat
        {
            chat.end_within_ms(USAGE_MS);
        }
    }

    fn end_chat(&mut self) {
        self.spent = self.cost();
        self.chat = None;
    }
}

enum Step {
    WarmedUp,
    Said(Option<Result<ChatEvent, LlmError>>),
    Resolved(usize, Resolution),
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

/// What the model is told about its answer before; nothing, where that was not its fault.
fn complaint(error: &LlmError) -> Option<Complaint> {
    match error {
        LlmError::Empty => Some(Complaint::Empty),
        LlmError::InvalidAnswer | LlmError::Unusable(_) => Some(Complaint::Unreadable),
        LlmError::CutOff => Some(Complaint::CutOff),
        _ => None,
    }
}

/// Asking again within this invocation would be refused again.
fn is_lasting(error: &SpotifyError) -> bool {
    matches!(error, SpotifyError::RateLimited { .. } | SpotifyError::InvalidCredentials)
}
