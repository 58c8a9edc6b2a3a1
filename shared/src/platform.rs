//! The traits on workerd and Deno: the only file beside the functions' entries that sees `worker`.

use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_channel::oneshot;
use futures_util::future::{Either, LocalBoxFuture, Shared, select};
use futures_util::{FutureExt, Stream, StreamExt, stream};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use wasm_bindgen::prelude::{Closure, JsValue};
use wasm_bindgen::{JsCast, UnwrapThrowExt};
use worker::js_sys::futures::JsFuture;
use worker::js_sys::{self, Reflect, Uint8Array};
use worker::web_sys;

use crate::clock::Clock;
use crate::config::{ConfigError, optional};
use crate::cors::AllowedOrigins;
use crate::endpoint::{Asked, Body, BodyError, Call, Endpoint, Spawn, detached, serve};
use crate::error::Error;
use crate::health;
use crate::http_client::{HttpClient, HttpError, InboundResponse, OutboundRequest, READ_HEADERS};
use crate::log::{Level, Log};
use crate::random::Random;
use crate::supabase::SupabaseConfig;

/// The runtime's clock and timers.
#[derive(Debug, Clone, Copy, Default)]
pub struct WorkerClock;

impl Clock for WorkerClock {
    fn now_ms(&self) -> u64 {
        worker::Date::now().as_millis()
    }

    fn sleep_ms(&self, duration_ms: u64) -> impl Future<Output = ()> + 'static {
        worker::Delay::from(Duration::from_millis(duration_ms))
    }
}

/// The runtime's random generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct WorkerRandom;

impl Random for WorkerRandom {
    #[allow(clippy::disallowed_methods)] // This is where it is handed in.
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).unwrap_throw();
    }
}

/// The runtime's console.
#[derive(Debug, Clone, Copy, Default)]
pub struct WorkerLog;

impl Log for WorkerLog {
    fn write(&self, level: Level, line: &str) {
        let line = JsValue::from_str(line);
        match level {
            Level::Info => web_sys::console::log_1(&line),
            Level::Error => web_sys::console::error_1(&line),
        }
    }
}

/// The runtime's `fetch`.
#[derive(Debug, Clone, Copy, Default)]
pub struct WorkerHttp;

/// Aborts a call when it is dropped.
struct AbortOnDrop(Option<worker::AbortController>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        if let Some(controller) = self.0.take() {
            controller.abort();
        }
    }
}

impl HttpClient for WorkerHttp {
    async fn send(&self, request: OutboundRequest) -> Result<InboundResponse, HttpError> {
        let limits = request.limits;
        let ends_ms = WorkerClock.now_ms().saturating_add(limits.total_ms);
        let controller = worker::AbortController::default();
        let js_request = to_js_request(&request, &controller.signal())?;
        let guard = AbortOnDrop(Some(controller));
        let global: web_sys::WorkerGlobalScope = js_sys::global().unchecked_into();
        let fetch = JsFuture::from(global.fetch_with_request(&js_request));
        let mut patience = Patience::new(limits.silence_ms.min(limits.total_ms));
        let head = patience.within(limits.silence_ms.min(limits.total_ms), fetch).await?;
        let head = head.and_then(JsValue::dyn_into::<web_sys::Response>);
        let mut response = worker::Response::from(head.map_err(|_| HttpError::Network)?);
        let status = StatusCode::from_u16(response.status_code()).map_err(|_| HttpError::Network)?;
        let headers = from_js_headers(response.headers());
        let chunks = match response.stream() {
            Ok(chunks) => chunks.map(|chunk| chunk.map_err(|_| HttpError::Network)).left_stream(),
            Err(_) => stream::empty().right_stream(), // A status that has no body, such as 204.
        };
        let reading = Reading { guard, chunks: Box::pin(chunks), patience, ends_ms, limits };
        let body = Box::pin(reading.into_stream());
        Ok(InboundResponse { status, headers, body })
    }
}

struct Reading<S> {
    guard: AbortOnDrop,
    chunks: S,
    patience: Patience,
    ends_ms: u64,
    limits: crate::http_client::Limits,
}

impl<S: Stream<Item = Result<Vec<u8>, HttpError>> + Unpin> Reading<S> {
    fn into_stream(self) -> impl Stream<Item = Result<Bytes, HttpError>> {
        let allowed = self.limits.max_body_bytes;
        stream::unfold(Some((self, allowed)), |state| async {
            let (mut reading, allowed) = state?;
            let remaining_ms = reading.ends_ms.saturating_sub(WorkerClock.now_ms());
            let limit_ms = reading.limits.silence_ms.min(remaining_ms);
            let next = reading.patience.within(limit_ms, reading.chunks.next()).await;
            let chunk = match next {
                Err(timeout) => return Some((Err(timeout), None)),
                Ok(None) => {
                    reading.guard.0 = None; // Complete: there is nothing left to abort.
                    return None;
                }
                Ok(Some(Err(error))) => return Some((Err(error), None)),
                Ok(Some(Ok(chunk))) => chunk,
            };
            match allowed.checked_sub(chunk.len()) {
                Some(allowed) => Some((Ok(Bytes::from(chunk)), Some((reading, allowed)))),
                None => Some((Err(HttpError::TooLarge), None)),
            }
        })
    }
}

/// Waits so long and no longer, again and again, with one timer of the runtime: where it rings too early it is set anew. One
/// for each chunk would be a good part of what a stream of tokens costs.
struct Patience {
    /// Shared, so that it wakes whoever polled last.
    timer: Shared<LocalBoxFuture<'static, ()>>,
    rings_ms: u64,
}

impl Patience {
    fn new(limit_ms: u64) -> Self {
        let timer = WorkerClock.sleep_ms(limit_ms).boxed_local().shared();
        Self { timer, rings_ms: WorkerClock.now_ms().saturating_add(limit_ms) }
    }

    async fn within<T>(&mut self, limit_ms: u64, work: impl Future<Output = T>) -> Result<T, HttpError> {
        let due_ms = WorkerClock.now_ms().saturating_add(limit_ms);
        if self.rings_ms > due_ms {
            *self = Self::new(limit_ms);
        }
        let mut work = std::pin::pin!(work);
        loop {
            match select(work.as_mut(), self.timer.clone()).await {
                Either::Left((done, _)) => return Ok(done),
                Either::Right(_) => match due_ms.saturating_sub(WorkerClock.now_ms()) {
                    0 => return Err(HttpError::Timeout),
                    remaining_ms => *self = Self::new(remaining_ms),
                },
            }
        }
    }
}

fn to_js_request(
    request: &OutboundRequest,
    signal: &web_sys::AbortSignal,
) -> Result<web_sys::Request, HttpError> {
    let build = || {
        let headers = web_sys::Headers::new()?;
        for (name, value) in &request.headers {
            headers.append(name.as_str(), value.to_str().unwrap_or_default())?;
        }
        let init = web_sys::RequestInit::new();
        init.set_method(request.method.as_str());
        init.set_headers(&headers);
        init.set_redirect(web_sys::RequestRedirect::Manual);
        init.set_signal(Some(signal));
        if !request.body.is_empty() {
            init.set_body(&Uint8Array::from(request.body.as_ref()));
        }
        web_sys::Request::new_with_str_and_init(&request.url, &init)
    };
    build().map_err(|_: JsValue| HttpError::InvalidRequest)
}

fn from_js_headers(headers: &worker::Headers) -> HeaderMap {
    let read = |name: HeaderName| {
        let value = headers.get(name.as_str()).ok()??;
        Some((name, HeaderValue::from_str(&value).ok()?))
    };
    READ_HEADERS.into_iter().filter_map(read).collect()
}

/// Answers one of the platform's requests as [`serve`] does, to its end even where the client leaves.
///
/// # Errors
/// What the runtime refuses to build, for example an invalid header.
pub async fn respond<Config, Answer>(
    request: worker::Request,
    spawn: &Spawn,
    lookup: impl Fn(&str) -> Option<String> + 'static,
    endpoint: Endpoint,
    origins: Result<AllowedOrigins, ConfigError>,
    config: Result<Config, ConfigError>,
    handle: impl FnOnce(Request<Bytes>, Config, Call) -> Answer + 'static,
) -> worker::Result<worker::Response>
where
    Config: 'static,
    Answer: Future<Output = Result<Response<Body>, Error>> + 'static,
{
    let work = async move {
        let started_ms = WorkerClock.now_ms();
        let request = read_request(request, endpoint.max_body_bytes).await;
        let id = WorkerRandom.uuid();
        let call = Call::new(endpoint, request.method(), id, started_ms, Rc::new(WorkerLog))
            .showing_timing(optional(&lookup, "SERVER_TIMING").as_deref() == Some("true"));
        // Even what is not set up answers, and says so to whom it may.
        let (origins, config) = match (origins, config) {
            (Ok(origins), config) => (origins, config),
            (Err(problem), Ok(_)) => (AllowedOrigins::default(), Err(problem)),
            (Err(problem), Err(others)) => (AllowedOrigins::default(), Err(others.and(problem))),
        };
        serve(&call, &origins, &WorkerClock, request, async |asked| match asked {
            Asked::Request(request) => handle(request, config?, call.clone()).await,
            Asked::Health => {
                // Where something else is missing, the database's part may be there all the same.
                let lookup = &lookup;
                #[allow(
                    clippy::needless_borrows_for_generic_args,
                    reason = "the functions' own type: no second copy of it"
                )]
                let database =
                    endpoint.has_database.then(|| SupabaseConfig::from_lookup(&lookup).ok()).flatten();
                let http = call.observe(WorkerHttp, WorkerClock);
                health::check(&call, config.err().as_ref(), database.as_ref(), &http).await
            }
        })
        .await
    };
    match detached(spawn, work).await {
        Some(response) => write_response(response),
        None => Err(worker::Error::RustError("the answer broke off".to_owned())),
    }
}

/// The platform's request, its body read up to `max_body_bytes`.
async fn read_request(
    mut request: worker::Request,
    max_body_bytes: usize,
) -> Request<Result<Bytes, BodyError>> {
    let mut inbound = Request::new(read_body(&mut request, max_body_bytes).await);
    *inbound.method_mut() = Method::from_bytes(request.inner().method().as_bytes()).unwrap_or_default();
    *inbound.headers_mut() = from_js_headers(request.headers());
    if let Some(uri) = path_and_query(&request.inner().url()) {
        *inbound.uri_mut() = uri.into();
    }
    inbound
}

/// What stands behind the origin of an absolute URL; nobody asks for the origin, which proxies choose.
fn path_and_query(url: &str) -> Option<PathAndQuery> {
    let (_, rest) = url.split_once("://")?;
    rest.get(rest.find('/')?..)?.parse().ok()
}

async fn read_body(request: &mut worker::Request, max_bytes: usize) -> Result<Bytes, BodyError> {
    let Ok(mut chunks) = request.stream() else { return Ok(Bytes::new()) };
    let mut whole = BytesMut::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| BodyError::CutOff)?;
        if whole.len().saturating_add(chunk.len()) > max_bytes {
            return Err(BodyError::TooLarge);
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.freeze())
}

fn write_response(response: Response<Body>) -> worker::Result<worker::Response> {
    let (parts, body) = response.into_parts();
    let headers = worker::Headers::new();
    for (name, value) in &parts.headers {
        headers.append(name.as_str(), value.to_str().unwrap_or_default())?;
    }
    let builder = worker::ResponseBuilder::new().with_status(parts.status.as_u16()).with_headers(headers);
    match body {
        Body::Full(bytes) if bytes.is_empty() => Ok(builder.empty()),
        // `from_bytes` would replace the content type.
        Body::Full(bytes) => Ok(builder.fixed(bytes.into())),
        Body::Stream(chunks) => {
            builder.from_stream(chunks.map(|chunk| Ok::<_, worker::Error>(chunk.to_vec())))
        }
    }
}

/// Reads configuration: a binding of the worker, or a variable of Deno's environment.
pub fn lookup(env: &worker::Env) -> impl Fn(&str) -> Option<String> + use<> {
    let env = JsValue::from(env.clone());
    move |name| Reflect::get(&env, &JsValue::from_str(name)).ok()?.as_string()
}

/// Keeps work going after the response was handed over, on both platforms.
pub fn spawner(context: worker::Context) -> Spawn {
    let context = Rc::new(context);
    Rc::new(move |work: LocalBoxFuture<'static, ()>| context.wait_until(work))
}

/// Completes when the client goes away; never, where the runtime does not tell.
pub fn client_gone(request: &worker::Request) -> LocalBoxFuture<'static, ()> {
    let (sender, receiver) = oneshot::channel();
    let mut sender = Some(sender);
    let listener = Closure::<dyn FnMut()>::new(move || {
        if let Some(sender) = sender.take() {
            let _ = sender.send(()); // Nobody waits any more: the answer was complete.
        }
    });
    let signal = request.inner().signal();
    let function = listener.as_ref().unchecked_ref();
    let listens = signal.add_event_listener_with_callback("abort", function).is_ok();
    let guard = Listener { signal, listener };
    async move {
        if !listens || receiver.await.is_err() {
            std::future::pending::<()>().await;
        }
        drop(guard);
    }
    .boxed_local()
}

struct Listener {
    signal: web_sys::AbortSignal,
    listener: Closure<dyn FnMut()>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        let function = self.listener.as_ref().unchecked_ref();
        let _ = self.signal.remove_event_listener_with_callback("abort", function);
    }
}
