//! The steps from a request to its answer.

use std::rc::Rc;

use bytes::Bytes;
use futures_channel::{mpsc, oneshot};
use futures_util::future::{LocalBoxFuture, Shared};
use futures_util::{FutureExt, Stream, StreamExt, stream};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};
use shared::auth::{JwksCache, authenticate};
use shared::clock::Clock;
use shared::endpoint::{Body, Call, Endpoint, Spawn, json_response, route};
use shared::http_client::HttpClient;
use shared::llm::LlmMemory;
use shared::random::Random;
use shared::request::{idempotency_key, require_json};
use shared::spotify::TokenCache;
use shared::supabase::Supabase;
use shared::{Code, Error};

use crate::budget::Budgeted;
use crate::config::Config;
use crate::event::{Done, Event};
use crate::generate::Emit;
use crate::job::Job;
use crate::outbox;
use crate::quota::{self, Reservation, Session};
use crate::recover::recover;
use crate::request::{self, Format, PlaylistRequest};

/// What the endpoint promises.
pub const ENDPOINT: Endpoint = Endpoint {
    name: "ai-playlist",
    methods: "POST",
    routes: &[],
    // A prompt, seeds, exclusions and a hundred tracks to refine are about 50 KB at the most.
    max_body_bytes: 128 * 1024,
    has_database: true,
};

/// Finished results that outlive a request; no request's data.
#[derive(Default)]
pub struct Caches {
    /// The keys that sign users' tokens.
    pub jwks: JwksCache,
    /// The app's token for the catalogue.
    pub spotify_token: TokenCache,
    /// What the model's server understands.
    pub llm: LlmMemory,
}

/// What one request is handed.
#[derive(Clone)]
pub struct Deps<H, C> {
    /// The way out.
    pub http: H,
    /// The time.
    pub clock: C,
    /// Randomness.
    pub random: Rc<dyn Random>,
    /// The configuration.
    pub config: Rc<Config>,
    /// What earlier requests left.
    pub caches: Rc<Caches>,
    /// Runs what goes on after the response was handed over.
    pub spawn: Spawn,
    /// Completes when the client goes away.
    pub client_gone: Shared<LocalBoxFuture<'static, ()>>,
    /// The request's id and log.
    pub call: Call,
}

/// Answers one request for a playlist.
///
/// 1. Verify the caller (401). 2. Parse (400, 413, 415, 422). 3. Reserve quota (402, 409, 429).
/// 4. Stream suggestions, resolving each as it arrives; charge and keep what is sent. 5. Settle, then finish the answer.
///
/// # Errors
/// Everything that can be refused is refused before the stream starts, as a real status.
pub async fn handle<H, C>(request: Request<Bytes>, deps: Deps<H, C>) -> Result<Response<Body>, Error>
where
    H: HttpClient + Clone + 'static,
    C: Clock + Clone + 'static,
{
    if route(request.uri().path(), ENDPOINT.name) != Some("/") {
        return Err(Error::of(Code::NotFound));
    }
    let http = Budgeted::new(deps.http.clone(), deps.config.subrequest_limit);
    let headers = request.headers();
    let user =
        authenticate(&deps.call, headers, &deps.config.auth, &deps.caches.jwks, &http, &deps.clock).await?;
    require_json(headers)?;
    let key = idempotency_key(headers)?;
    let format = request::wanted_format(headers);
    let wanted = request::parse(request.body())?;

    let session = Session { id: key.unwrap_or_else(|| deps.random.uuid()), user_id: user.id() };
    let supabase = Supabase::new(&deps.config.supabase, &http);
    let reserved = quota::reserve(&supabase.service(), session, &wanted.wish.prompt, wanted.save).await;
    note_quota(&deps.call, &reserved);
    match reserved? {
        Reservation::Finished(left, delivered) => {
            let (service, clock) = (supabase.service(), &deps.clock);
            let done = recover(&service, clock, session, &wanted, left, delivered).await?;
            recovered(format, &deps, done)
        }
        Reservation::Held => match format {
            Format::EventStream => Ok(stream_generation(deps, http, session, wanted)),
            Format::Json => json_generation(deps, http, session, wanted).await,
        },
    }
}

/// What the quota's answer is, for the log; what comes of a reservation replaces it.
fn note_quota(call: &Call, reserved: &Result<Reservation, Error>) {
    let decision = match reserved {
        Ok(Reservation::Held) => "reserved",
        Ok(Reservation::Finished(..)) => "repeated",
        Err(error) if error.status().is_client_error() => "refused",
        Err(_) => return, // There was no answer.
    };
    call.note("quota", decision);
}

fn recovered<H, C: Clock>(format: Format, deps: &Deps<H, C>, done: Done) -> Result<Response<Body>, Error> {
    match format {
        Format::Json => json_response(StatusCode::OK, &done),
        Format::EventStream => {
            deps.call.log_end(deps.clock.now_ms(), StatusCode::OK, None);
            Ok(event_stream(stream::iter([Event::Done(Box::new(done)).to_bytes()])))
        }
    }
}

/// Answers at once; the generation goes on behind the stream and is aborted with it.
fn stream_generation<H, C>(
    deps: Deps<H, C>,
    http: Budgeted<H>,
    session: Session,
    request: PlaylistRequest,
) -> Response<Body>
where
    H: HttpClient + Clone + 'static,
    C: Clock + Clone + 'static,
{
    let (sender, receiver) = mpsc::unbounded::<Event>();
    let (reader, reader_left) = oneshot::channel::<()>();
    let emit: Emit = Rc::new(move |event| {
        let _ = sender.unbounded_send(event); // Fails when the reader left, which is noticed elsewhere.
    });
    let every = Some(outbox::enough(request.target_count));
    let job = Job { deps: deps.clone(), http, session, request, emit: emit.clone(), every };
    let Deps { call, clock, spawn, .. } = deps;
    spawn(
        async move {
            let ended = job.run(reader_left.map(|_| ())).await;
            call.log_end(clock.now_ms(), StatusCode::OK, ended.as_ref().err());
            emit(match ended {
                Ok(done) => Event::Done(Box::new(done)),
                Err(error) => Event::Error(error.to_json(call.request_id)),
            });
        }
        .boxed_local(),
    );
    event_stream(receiver.map(move |event| {
        let _dropped_with_the_stream = &reader;
        event.to_bytes()
    }))
}

/// Waits for the generation, which notices by itself that the client has left.
async fn json_generation<H, C>(
    deps: Deps<H, C>,
    http: Budgeted<H>,
    session: Session,
    request: PlaylistRequest,
) -> Result<Response<Body>, Error>
where
    H: HttpClient + Clone + 'static,
    C: Clock + Clone + 'static,
{
    let job = Job { deps, http, session, request, emit: Rc::new(|_| {}), every: None };
    json_response(StatusCode::OK, &job.run(std::future::pending()).await?)
}

fn event_stream(chunks: impl Stream<Item = Bytes> + 'static) -> Response<Body> {
    let mut response = Response::new(Body::Stream(Box::pin(chunks)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    // Otherwise nginx, and what is built on it, holds events back until a buffer is full.
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

#[cfg(test)]
#[path = "handler_tests.rs"]
mod tests;
