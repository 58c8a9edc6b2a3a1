//! Runs a reserved generation until it is settled.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::rc::Rc;

use futures_util::future::{Either, FutureExt, LocalBoxFuture, select};
use futures_util::{pin_mut, select_biased};
use shared::catalogue::{Finding, Memory};
use shared::llm::playlist::{Language, example_prompts, refusal_message};
use shared::llm::{Cost, LlmError};
use shared::matching::{Constraints, WantedVersions};
use shared::runtime::clock::Clock;
use shared::runtime::endpoint::hash_of;
use shared::spotify::SpotifyApp;
use shared::supabase::{RETRYING_MS, Service, Supabase};
use shared::{Code, Error};

use crate::answer::About;
use crate::budget::Budgeted;
use crate::event::{
    Done, Event, Stage, StageData, StopReason, fallback_name, save_as, stays_unsaved, warning,
};
use crate::generate::{Emit, Failure, Generation};
use crate::handler::Context;
use crate::outbox::{Ledger, Outbox};
use crate::quota::{self, Session, Status, Suggestions};
use crate::recall::Recaller;
use crate::refine::Base;
use crate::request::PlaylistRequest;
use crate::resolve::Resolver;

/// The deadline, counted from the request to the end of the response.
const DEADLINE_MS: u64 = 55_000;
/// The part of it that is kept for settling.
const SETTLING_MS: u64 = 6_000;
/// The time that the database's response may take on its way.
const ANSWERING_MS: u64 = 1_000;
/// Proxies close connections that are silent for long, and a lost client is detected by writing.
const PING_EVERY_MS: u64 = 5_000;
/// Settling and saving are one request, and one more if its response is lost.
const KEPT_FOR_SETTLING: usize = 2;
/// Charging the first tracks is one request, and one more if its response is lost.
const KEPT_FOR_LEDGER: usize = 2;
/// The refill asks the model once more, and again after a transient failure.
const KEPT_FOR_REFILL: usize = 2;

/// A reserved generation.
pub struct Job {
    /// The dependencies of the request.
    pub context: Context,
    /// The HTTP client with a limited number of requests.
    pub http: Budgeted,
    /// Completes when the client disconnects.
    pub gone: LocalBoxFuture<'static, ()>,
    /// The generation and its user.
    pub session: Session,
    /// The request.
    pub request: PlaylistRequest,
    /// The playlist that is refined.
    pub base: Base,
    /// Receives all events but the last one.
    pub emit: Emit,
    /// Charges after this many tracks; `None` if nothing is sent before the end.
    pub every: Option<usize>,
}

/// How a generation ended.
enum Ended {
    /// By itself.
    Over(Result<StopReason, Failure>),
    /// The client has left.
    Left,
    /// Charging failed, so nothing more may be sent until all of it is settled.
    Unwritten,
}

impl Job {
    /// Generates and settles; returns the settled playlist. `reader_left` completes when the client stops reading the
    /// events.
    ///
    /// # Errors
    /// Returns the error for the client: the model's, Spotify's or the database's, `no_tracks_found`,
    /// `not_about_music`, `generation_timeout` or `client_closed_request`.
    pub async fn run(self, reader_left: impl Future<Output = ()>) -> Result<Done, Error> {
        let Self {
            context,
            http,
            gone,
            session,
            request,
            base,
            emit,
            every,
        } = self;
        let (found, target) = (base.kept.len(), request.target_count);
        emit(Event::Stage(StageData {
            stage: Stage::Reserved,
            found,
            target,
        }));
        base.kept
            .iter()
            .for_each(|track| emit(Event::Track(track.clone())));
        let searching = http.keeping(KEPT_FOR_SETTLING + KEPT_FOR_LEDGER + KEPT_FOR_REFILL);
        let database = Supabase::new(&context.config.supabase, &searching);
        let memory = Memory::new(
            database.service(),
            &context.clock,
            request.market.as_deref(),
        );
        let (recall, mut recaller) = Recaller::new(memory, &context.clock, searching.available());
        let recall = context.config.memory.is_on().then_some(recall);
        let resolver = Resolver {
            recall,
            ..resolver(&context, &searching, &request)
        };
        let meter = Rc::new(Cell::new(Cost::ZERO));
        let writing = http.keeping(KEPT_FOR_SETTLING);
        let service = Supabase::new(&context.config.supabase, &writing).service();
        let ledger = Ledger {
            service,
            clock: &context.clock,
            session,
            cost: meter.clone(),
        };
        let (mut outbox, put) = Outbox::new(ledger, emit.clone(), every);
        let mut generation = Generation::new(
            (&context.config.llm, &context.caches.llm),
            http.keeping(KEPT_FOR_SETTLING),
            &context.clock,
            &resolver,
            (&request, &base),
            (variation(&context), hash_of(session.user_id)),
            (put, meter),
        );
        let ended = {
            let generating = generation
                .run(context.request.started_ms + DEADLINE_MS - SETTLING_MS)
                .fuse();
            let gone = select(gone, reader_left.boxed_local()).fuse();
            let (sending, recalling) = (outbox.run().fuse(), recaller.run().fuse());
            let pings = ping(&context.clock, &emit).fuse();
            pin_mut!(generating, gone, sending, recalling, pings);
            select_biased! {
                _ = gone => Ended::Left,
                ended = generating => Ended::Over(ended),
                () = sending => Ended::Unwritten,
                never = recalling => match never {},
                () = pings => Ended::Left,
            }
        };
        let cost = generation.cost();
        let call = &context.request;
        call.note("session_id", session.id.to_string());
        call.note("found", generation.found_count());
        call.note("target", request.target_count);
        call.note("recalled", resolver.recalled.get());
        call.note("cost_usd", cost.to_string());
        let is_charged = outbox.is_charged();
        let settling = Settling {
            context: &context,
            http: &http,
            session,
            request: &request,
            cost,
            is_charged,
        };
        let (tracks, suggestions) = (base.with(generation.tracks()), generation.suggestions());
        let settled = settling
            .settle(generation.about, (tracks, suggestions), ended)
            .await;
        outbox.finish(settled.is_ok());
        let findings = resolver.findings.take();
        if !findings.is_empty() {
            let market = request.market.clone();
            (context.spawn)(
                remember(context.clone(), http.clone(), market, findings).boxed_local(),
            );
        }
        settled
    }
}

/// Writes what was found to the memory, after the client has its response. A failure costs searches only.
async fn remember(
    context: Context,
    http: Budgeted,
    market: Option<String>,
    findings: Vec<Finding>,
) {
    let service = Supabase::new(&context.config.supabase, &http).service();
    let _ = Memory::new(service, &context.clock, market.as_deref())
        .remember(context.config.memory, findings)
        .await;
}

/// Keeps the connection open; never ends.
async fn ping(clock: &dyn Clock, emit: &Emit) {
    loop {
        clock.sleep_ms(PING_EVERY_MS).await;
        emit(Event::Ping);
    }
}

fn variation(context: &Context) -> u32 {
    let mut bytes = [0; 4];
    context.random.fill(&mut bytes);
    u32::from_le_bytes(bytes)
}

fn resolver<'a>(
    context: &'a Context,
    http: &'a Budgeted,
    request: &'a PlaylistRequest,
) -> Resolver<'a> {
    let wanted = WantedVersions::from_prompt(&request.words());
    let wish = &request.wish;
    Resolver {
        spotify: SpotifyApp::new(
            &context.config.spotify,
            &context.caches.spotify_token,
            http,
            &context.clock,
        ),
        constraints: Constraints::new(wish.allow_explicit, wish.era, &wish.exclude_artists, wanted)
            .with_versions(request.allow_versions),
        market: request.market.as_deref(),
        recall: None,
        findings: RefCell::default(),
        limited: Cell::default(),
        recalled: Cell::default(),
    }
}

struct Settling<'a> {
    context: &'a Context,
    http: &'a Budgeted,
    session: Session,
    request: &'a PlaylistRequest,
    cost: Cost,
    /// Whether what was sent is charged already.
    is_charged: bool,
}

impl Settling<'_> {
    /// Only a generation that was settled as succeeded is delivered; any other costs the user nothing. What was
    /// charged before stays charged, and is kept for the user.
    async fn settle(
        &self,
        about: About,
        (tracks, suggestions): (Vec<crate::event::Track>, Suggestions),
        ended: Ended,
    ) -> Result<Done, Error> {
        let service = Supabase::new(&self.context.config.supabase, self.http).service();
        let (stop_reason, error) = match ended {
            Ended::Over(Ok(stop_reason)) => (Some(stop_reason), None),
            Ended::Over(Err(failure)) => (None, Some(self.error(failure, about.language))),
            Ended::Unwritten => (Some(StopReason::Interrupted), None),
            Ended::Left => (
                self.is_charged.then_some(StopReason::Interrupted),
                Some(Error::of(Code::ClientClosedRequest)),
            ),
        };
        let error = match stop_reason {
            Some(stop_reason) => {
                let mut done = self.done(about, tracks, stop_reason);
                let delivery = self.deliver(&service, &mut done, &suggestions);
                match self.in_time(delivery).await {
                    Ok(()) => {
                        self.context.request.note("quota", "charged");
                        return error.map_or(Ok(done), Err);
                    }
                    // The reservation has expired, or the playlist's fate is unknown: a repeat finds out.
                    Err(refusal) if has_unknown_fate(&refusal) => return Err(refusal),
                    // The database refused and rolled everything back; the reservation still holds.
                    Err(refusal) => refusal,
                }
            }
            None => error.unwrap_or_else(timeout),
        };
        let status = match error.code() {
            Code::GenerationTimeout => Status::Timeout,
            _ => Status::Failed,
        };
        match self.in_time(self.end_as(&service, status, None)).await {
            Ok(_) => {
                self.context.request.note("quota", "released");
                Err(error)
            }
            // The reservation expires by itself; the log has both errors.
            Err(unsettled) => {
                let causes = [&error, &unsettled]
                    .map(|e| e.cause().unwrap_or_default())
                    .join("; unsettled: ");
                Err(error.caused_by(causes))
            }
        }
    }

    /// Saves the playlist if that was asked for and there is room, and settles.
    async fn deliver(
        &self,
        service: &Service<'_>,
        done: &mut Done,
        suggestions: &Suggestions,
    ) -> Result<(), Error> {
        if self.request.save {
            let spent = (self.session, self.cost);
            match quota::save(
                service,
                &self.context.clock,
                spent,
                self.request,
                done,
                suggestions,
            )
            .await
            {
                Ok(saved) => {
                    save_as(done, saved);
                    return Ok(());
                }
                Err(error) if error.code() == Code::PlaylistLimitReached => stays_unsaved(done),
                Err(error) => return Err(error),
            }
        }
        done.quota = self
            .end_as(service, Status::Succeeded, Some(&*done))
            .await?;
        Ok(())
    }

    async fn end_as(
        &self,
        service: &Service<'_>,
        status: Status,
        kept: Option<&Done>,
    ) -> Result<quota::Quota, Error> {
        let clock = &self.context.clock;
        let age_ms = clock
            .now_ms()
            .saturating_sub(self.context.request.started_ms);
        // The reservation is a little younger than the call, so this ends before the wait does.
        let max_age_ms = (age_ms + RETRYING_MS)
            .min(DEADLINE_MS)
            .saturating_sub(ANSWERING_MS);
        quota::settle(
            service,
            clock,
            self.session,
            status,
            self.cost,
            max_age_ms,
            kept,
        )
        .await
    }

    /// Bounds settling by the deadline of the whole request.
    async fn in_time<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let ends_ms = self.context.request.started_ms + DEADLINE_MS;
        let deadline = self
            .context
            .clock
            .sleep_ms(ends_ms.saturating_sub(self.context.clock.now_ms()));
        pin_mut!(work, deadline);
        match select(work, deadline).await {
            Either::Left((done, _)) => done,
            Either::Right(_) => Err(Error::of(Code::DatabaseUnavailable).caused_by("the deadline")),
        }
    }

    fn error(&self, failure: Failure, language: Option<Language>) -> Error {
        let language = language.unwrap_or_else(|| Language::detect(&self.request.wish.prompt));
        match failure {
            Failure::Llm(error @ LlmError::Declined(_)) => {
                not_about_music(language).caused_by(error)
            }
            Failure::Llm(error) => error.into(),
            Failure::Spotify(error) => error.into(),
            Failure::Deadline => timeout(),
            Failure::NothingFound => Error::of(Code::NoTracksFound),
            Failure::Refused => not_about_music(language),
        }
    }

    fn done(
        &self,
        about: About,
        tracks: Vec<crate::event::Track>,
        stop_reason: StopReason,
    ) -> Done {
        let (count, target) = (tracks.len(), self.request.target_count);
        let language = about
            .language
            .unwrap_or_else(|| Language::detect(&self.request.wish.prompt));
        Done {
            session_id: self.session.id,
            name: Some(about.name)
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| fallback_name(&self.request.wish.prompt)),
            description: about.description,
            summary: about.summary,
            language: language.as_str(),
            tracks,
            count,
            target,
            warning: warning(count, target),
            stop_reason,
            playlist_id: None,
            version: None,
            not_saved: None,
            quota: quota::Quota::default(),
        }
    }
}

fn timeout() -> Error {
    Error::of(Code::GenerationTimeout)
}

fn has_unknown_fate(error: &Error) -> bool {
    let code = error.code();
    code == Code::GenerationTimeout || code == Code::DatabaseUnavailable
}

fn not_about_music(language: Language) -> Error {
    let examples = example_prompts(language).map(str::to_owned).to_vec();
    Error::new(Code::NotAboutMusic, refusal_message(language)).with_examples(examples)
}
