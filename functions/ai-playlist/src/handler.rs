//! Handles a request in numbered steps.

use std::rc::Rc;

use bytes::Bytes;
use futures_channel::{mpsc, oneshot};
use futures_util::{FutureExt, Stream, StreamExt, stream};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};
use shared::Error;
use shared::api::GeneratedPlaylist;
use shared::auth::{JwksCache, authenticate};
use shared::llm::DialectCache;
use shared::request::{idempotency_key, require_json};
use shared::runtime::clock::Clock;
use shared::runtime::context::RequestContext;
use shared::runtime::response::{Body, json_response};
use shared::spotify::TokenCache;

use crate::Config;
use crate::budget::Budgeted;
use crate::event::{self, Event};
use crate::job::{Delivery, Job};
use crate::outbox::Emit;
use crate::quota::{Decision, Ledger, Reservation, Session};
use crate::recover::recover;
use crate::refine::Base;
use crate::request::{self, Format};

/// The most events that are sent as one piece of the stream.
const MAX_EVENTS_AT_ONCE: usize = 64;

/// Results that outlive a request and hold no data of it.
#[derive(Default)]
pub struct Caches {
    /// The public keys that verify users' tokens.
    pub jwks: JwksCache,
    /// The app's access token for Spotify's catalogue.
    pub spotify_token: TokenCache,
    /// The form of requests that the model's server accepts.
    pub dialects: DialectCache,
}

/// The request context of this function.
pub type Context = shared::runtime::Context<Config, Caches>;

/// Handles a request for a playlist.
///
/// 1. Verify the caller (401). 2. Parse (400, 413, 415, 422). 3. Reserve quota (402, 409, 429).
/// 4. Stream suggestions, resolving each as it arrives; charge and store the tracks that are sent.
/// 5. Settle the reservation, then finish the response.
///
/// # Errors
/// Refusals are HTTP statuses before the stream starts; later failures are `error` events.
pub async fn handle(request: Request<Bytes>, context: Context) -> Result<Response<Body>, Error> {
    // Deno reports a disconnection only to listeners from before the response.
    let gone = (context.client_gone)();
    let http = Budgeted::new(context.http.clone(), context.config.subrequest_limit);
    let headers = request.headers();
    let user = authenticate(
        &context.request,
        headers,
        &context.config.auth,
        &context.caches.jwks,
        &http,
        &context.clock,
    )
    .await?;
    require_json(headers)?;
    let key = idempotency_key(headers)?;
    let format = request::wanted_format(headers);
    let mut wanted = request::parse(request.body())?;

    let session = Session {
        id: key.unwrap_or_else(|| context.random.uuid()),
        user_id: user.id(),
    };
    let ledger = Ledger::new(&context, &http, session);
    let reserved = ledger.reserve(&wanted).await;
    note_quota(&context.request, &reserved);
    let Reservation { decision, tracks } = reserved?;
    let base = Base::of(&mut wanted, tracks);
    if let Decision::Finished(finished) = decision {
        let playlist = recover(&ledger, &wanted, &base, finished).await?;
        return recovered(format, &context, playlist);
    }
    let job = Job {
        context,
        http,
        gone,
        session,
        request: wanted,
        base,
    };
    match format {
        Format::EventStream => Ok(stream_generation(job)),
        Format::Json => json_response(StatusCode::OK, &job.run(Delivery::Whole).await?),
    }
}

/// Notes the quota's decision for the log; the outcome of a reservation replaces it later.
fn note_quota(call: &RequestContext, reserved: &Result<Reservation, Error>) {
    let decision = match reserved.as_ref().map(|reservation| &reservation.decision) {
        Ok(Decision::Held) => "reserved",
        Ok(Decision::Finished(_)) => "repeated",
        Err(error) if error.status().is_client_error() => "refused",
        Err(_) => return, // The quota made no decision.
    };
    call.note("quota", decision);
}

fn recovered(
    format: Format,
    context: &Context,
    playlist: GeneratedPlaylist,
) -> Result<Response<Body>, Error> {
    match format {
        Format::Json => json_response(StatusCode::OK, &playlist),
        Format::EventStream => {
            let (call, now_ms) = (&context.request, context.clock.now_ms());
            call.log_end(now_ms, StatusCode::OK, None);
            let done = event::to_bytes(&[Event::Done(Box::new(playlist))]);
            Ok(event_stream(stream::iter([done])))
        }
    }
}

/// Returns the stream at once; the generation feeds it, and ends if the client stops reading.
fn stream_generation(job: Job) -> Response<Body> {
    let (sender, receiver) = mpsc::unbounded::<Event>();
    let (reader, reader_left) = oneshot::channel::<()>();
    let emit: Emit = Rc::new(move |event| {
        let _ = sender.unbounded_send(event); // Fails if the client has disconnected, which `Job::run` detects.
    });
    let delivery = Delivery::Stream {
        emit: emit.clone(),
        left: reader_left.map(drop).boxed_local(),
    };
    let Context {
        request: call,
        clock,
        spawn,
        ..
    } = job.context.clone();
    spawn(
        async move {
            let ended = job.run(delivery).await;
            call.log_end(clock.now_ms(), StatusCode::OK, ended.as_ref().err());
            emit(match ended {
                Ok(playlist) => Event::Done(Box::new(playlist)),
                Err(error) => Event::Error(error.to_json(call.request_id)),
            });
        }
        .boxed_local(),
    );
    let chunks = receiver.ready_chunks(MAX_EVENTS_AT_ONCE);
    event_stream(chunks.map(move |events| {
        let _dropped_with_the_stream = &reader;
        event::to_bytes(&events)
    }))
}

fn event_stream(chunks: impl Stream<Item = Bytes> + 'static) -> Response<Body> {
    let mut response = Response::new(Body::Stream(Box::pin(chunks)));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream; charset=utf-8"),
    );
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("no-cache, no-transform"),
    );
    // Without this header, nginx and proxies based on it buffer the events.
    headers.insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    response
}

#[cfg(test)]
#[path = "handler_tests.rs"]
mod tests;
