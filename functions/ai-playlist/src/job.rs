//! Runs a reserved generation until it is settled.

use std::convert::Infallible;
use std::rc::Rc;

use futures_util::future::{FutureExt, LocalBoxFuture, select};
use futures_util::{pin_mut, select_biased};
use shared::Error;
use shared::api::{GeneratedPlaylist, Stage, StageData};
use shared::catalogue::{Finding, Memory};
use shared::llm::LlmClient;
use shared::redacted::hash_of;
use shared::runtime::clock::Clock;
use shared::spotify::SpotifyApp;
use shared::supabase::Supabase;

use crate::budget::Budgeted;
use crate::deadline::Deadline;
use crate::event::Event;
use crate::generate::{Generation, Order};
use crate::handler::Context;
use crate::outbox::{Emit, Outbox, enough};
use crate::quota::{Ledger, Session};
use crate::recall::Recaller;
use crate::refine::Base;
use crate::request::PlaylistRequest;
use crate::resolve::Resolver;
use crate::settle::{Ended, Settling};

/// Proxies close connections that are silent for long, and a lost client is detected by writing.
const PING_EVERY_MS: u64 = 5_000;
/// Settling and saving are one request, and one more if its response is lost.
const KEPT_FOR_SETTLING: usize = 2;
/// Charging the first tracks is one request, and one more if its response is lost.
const KEPT_FOR_LEDGER: usize = 2;
/// The refill requests one more completion, and again after a transient failure.
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
}

/// What the client receives before the end.
pub enum Delivery {
    /// The events as they happen. They are charged before they are sent.
    Stream {
        /// Sends an event.
        emit: Emit,
        /// Completes when the client stops reading.
        left: LocalBoxFuture<'static, ()>,
    },
    /// Nothing.
    Whole,
}

impl Job {
    /// Generates and settles; returns the settled playlist.
    ///
    /// # Errors
    /// Returns the error for the client: the model's, Spotify's or the database's, `no_tracks_found`,
    /// `not_about_music`, `generation_timeout` or `client_closed_request`.
    pub async fn run(self, delivery: Delivery) -> Result<GeneratedPlaylist, Error> {
        let Self {
            context,
            http,
            gone,
            session,
            request,
            base,
        } = self;
        let missing = request.target_count - base.kept.len();
        let (emit, left, charge_every): (Emit, _, _) = match delivery {
            Delivery::Stream { emit, left } => (emit, left, Some(enough(missing))),
            Delivery::Whole => (Rc::new(|_| {}), std::future::pending().boxed_local(), None),
        };
        emit(Event::Stage(StageData {
            stage: Stage::Reserved,
            found: base.kept.len(),
            target: request.target_count,
        }));
        for track in &base.kept {
            emit(Event::Track(track.clone()));
        }

        let searching = http.keeping(KEPT_FOR_SETTLING + KEPT_FOR_LEDGER + KEPT_FOR_REFILL);
        let prompting = http.keeping(KEPT_FOR_SETTLING);
        let charging = http.keeping(KEPT_FOR_SETTLING);
        let memory = memory(&context, &searching, request.market.as_deref());
        let (recall, mut recaller) = Recaller::new(memory, &context.clock, searching.available());
        let recall = context.config.memory.is_on().then_some(recall);
        let resolver = Resolver::new(spotify(&context, &searching), &request, recall);
        let ledger = Ledger::new(&context, &charging, session);
        let (mut outbox, outlet) = Outbox::new(ledger, emit.clone(), charge_every);
        let order = Order {
            request: &request,
            base: &base,
            variation: variation(&context),
            user: &hash_of(session.user_id),
        };
        let mut generation = Generation::new(llm(&context, &prompting), &resolver, order, outlet);
        let deadline = Deadline::of(&context);
        let ended = {
            let generating = generation.run(deadline.generation_ends_ms()).fuse();
            let gone = select(gone, left).fuse();
            let (sending, recalling) = (outbox.run().fuse(), recaller.run().fuse());
            let pinging = ping(&context.clock, &emit).fuse();
            pin_mut!(generating, gone, sending, recalling, pinging);
            select_biased! {
                _ = gone => Ended::Left,
                ended = generating => Ended::Over(ended),
                () = sending => Ended::Unwritten,
                never = recalling => match never {},
                never = pinging => match never {},
            }
        };

        let call = &context.request;
        let found = generation.found_count();
        let generated = generation.into_generated();
        call.note("session_id", session.id.to_string());
        call.note("found", found);
        call.note("target", request.target_count);
        call.note("recalled", resolver.recalled());
        call.note("cost_usd", generated.cost.to_string());
        let settling = Settling {
            ledger: Ledger::new(&context, &http, session),
            deadline,
            request: &request,
            call,
        };
        let settled = settling.settle(ended, generated, outbox.is_charged()).await;
        outbox.finish(settled.is_ok());
        let findings = resolver.into_findings();
        if !findings.is_empty() {
            let market = request.market.clone();
            let remembering = remember(context.clone(), http.clone(), market, findings);
            (context.spawn)(remembering.boxed_local());
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
    let memory = memory(&context, &http, market.as_deref());
    let _ = memory.remember(context.config.memory, findings).await;
}

/// Keeps the connection open.
async fn ping(clock: &dyn Clock, emit: &Emit) -> Infallible {
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

fn llm<'a>(context: &'a Context, http: &'a Budgeted) -> LlmClient<'a> {
    LlmClient {
        config: &context.config.llm,
        dialects: &context.caches.dialects,
        http,
        clock: &context.clock,
    }
}

fn memory<'a>(context: &'a Context, http: &'a Budgeted, market: Option<&'a str>) -> Memory<'a> {
    let service = Supabase::new(&context.config.supabase, http).service();
    Memory::new(service, &context.clock, market)
}

fn spotify<'a>(context: &'a Context, http: &'a Budgeted) -> SpotifyApp<'a> {
    let token = &context.caches.spotify_token;
    SpotifyApp::new(&context.config.spotify, token, http, &context.clock)
}
