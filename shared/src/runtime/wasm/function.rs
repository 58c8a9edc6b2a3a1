//! Connects a function to the platform.

use std::cell::{Cell, OnceCell};
use std::future::Future;
use std::rc::Rc;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::{Either, FutureExt, LocalBoxFuture, poll_immediate, select};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, Method, Request, Response};
use wasm_bindgen::prelude::JsValue;

use super::executor::{JsFuture, connect, names, next_id, spawn};
use super::{WorkerClock, WorkerHttp, WorkerLog, WorkerRandom, glue, headers, lines, succeeded};
use crate::config::{ConfigError, Problems, optional};
use crate::error::Error;
use crate::redacted::Secret;
use crate::runtime::context::Context;
use crate::runtime::context::{RequestContext, Spawn};
use crate::runtime::cors::AllowedOrigins;
use crate::runtime::endpoint::Endpoint;
use crate::runtime::health;
use crate::runtime::http_client::{HttpClient, HttpError, REQUEST_HEADERS, SERVER_HEADERS};
use crate::runtime::random::Random;
use crate::runtime::response::Body;
use crate::runtime::serve::{BodyError, REQUEST_ID, serve};
use crate::supabase::SupabaseConfig;

/// Reads a variable of the environment by its name.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Announces that this instance takes requests as [`Received`], and what it reads of them.
pub fn accept(endpoint: Endpoint) {
    console_error_panic_hook::set_once();
    connect();
    let read: &[HeaderName] = match endpoint.serves_pages {
        true => &REQUEST_HEADERS,
        false => &SERVER_HEADERS,
    };
    glue::accept(endpoint.max_body_bytes as f64, &names(read));
}

/// A request as the platform's entry has received it.
pub struct Received {
    /// The platform's request.
    pub request: JsValue,
    /// The method, the URL, and the names and values of the headers in [`REQUEST_HEADERS`], each on a line.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
    /// Whether the whole body was read, as `glue.js` codes it.
    pub outcome: u32,
    /// When the request arrived (Unix time in milliseconds).
    pub since_ms: f64,
}

/// A function in one instance of the wasm.
pub struct Function<Config, Caches> {
    endpoint: Endpoint,
    config: fn(Env<'_>) -> Result<Config, ConfigError>,
    settings: OnceCell<Rc<Settings<Config>>>,
    health: Rc<health::CheckCache>,
    caches: Rc<Caches>,
}

/// The configuration that a function reads at its first request.
struct Settings<Config> {
    origins: AllowedOrigins,
    config: Result<Rc<Config>, ConfigError>,
    /// Read separately, because it may be present although another variable is missing.
    database: Option<SupabaseConfig>,
    shows_timing: bool,
    health_token: Option<Secret>,
}

impl<Config: 'static, Caches: Default + 'static> Function<Config, Caches> {
    /// Creates a function; its first request reads the configuration.
    pub fn new(endpoint: Endpoint, config: fn(Env<'_>) -> Result<Config, ConfigError>) -> Self {
        let (health, caches) = (Rc::default(), Rc::default());
        Self {
            endpoint,
            config,
            settings: OnceCell::new(),
            health,
            caches,
        }
    }

    /// Handles a request of the platform as [`serve`] does, and returns the response, or its promise.
    ///
    /// Once it waits for an upstream, it runs to its end even if the client disconnects.
    pub fn fetch<Answer>(
        &self,
        received: Received,
        env: JsValue,
        execution: JsValue,
        handle: impl FnOnce(Request<Bytes>, Context<Config, Caches>) -> Answer + 'static,
    ) -> JsValue
    where
        Answer: Future<Output = Result<Response<Body>, Error>>,
    {
        let endpoint = self.endpoint;
        let settings = self
            .settings
            .get_or_init(|| Rc::new(self.set_up(&env)))
            .clone();
        let (checks, caches) = (self.health.clone(), self.caches.clone());
        let started_ms = received.since_ms as u64;
        let (request, is_https) = read_request(&received.head, received.body, received.outcome);
        let (incoming, execution) = (Rc::new(received.request), Rc::new(execution));
        let reply = Rc::new(Reply::default());
        let result = reply.clone();
        let work = async move {
            let call = RequestContext::new(
                endpoint,
                request.method(),
                WorkerRandom.uuid(),
                started_ms,
                Rc::new(WorkerLog),
            )
            .showing_timing(settings.shows_timing)
            .over_https(is_https);
            let http: Rc<dyn HttpClient> =
                Rc::new(call.instrument(WorkerHttp, Rc::new(WorkerClock)));
            let check = async |headers: &HeaderMap| {
                let setup = health::Setup {
                    problems: settings.config.as_ref().err(),
                    database: settings.database.as_ref(),
                    token: settings.health_token.as_ref(),
                };
                health::check(&call, headers, &setup, &checks, &http, &WorkerClock).await
            };
            let handle = async |request| {
                let context = Context {
                    http: http.clone(),
                    clock: Rc::new(WorkerClock),
                    random: Rc::new(WorkerRandom),
                    config: settings.config.clone()?,
                    caches,
                    spawn: spawner(execution.clone()),
                    client_gone: Rc::new(move || client_gone(&incoming)),
                    request: call.clone(),
                };
                handle(request, context).await
            };
            let serving = serve(
                &call,
                &settings.origins,
                &WorkerClock,
                request,
                check,
                handle,
            );
            let mut serving = std::pin::pin!(serving);
            let response = match poll_immediate(serving.as_mut()).await {
                Some(response) => response,
                None => {
                    glue::wait_until(&execution, &reply.promise());
                    serving.await
                }
            };
            reply.send(response).await;
        };
        spawn(work.boxed_local());
        result.value.take().unwrap_or_default()
    }

    fn set_up(&self, bindings: &JsValue) -> Settings<Config> {
        let env: Env<'_> = &|name| glue::get_env(bindings, name);
        let mut problems = Problems::default();
        let config = problems.take((self.config)(env));
        let origins = problems.take(match self.endpoint.serves_pages {
            true => AllowedOrigins::from_env(env),
            false => Ok(AllowedOrigins::default()),
        });
        // A function without a valid configuration still responds, with an error.
        let (origins, config) = (origins.unwrap_or_default(), problems.finish(|| config));
        let database = self
            .endpoint
            .has_database
            .then(|| SupabaseConfig::from_env(env).ok())
            .flatten();
        let shows_timing = optional(env, "SERVER_TIMING").as_deref() == Some("true");
        let health_token = optional(env, "HEALTH_TOKEN").map(Secret::new);
        Settings {
            origins,
            config: config.map(Rc::new),
            database,
            shows_timing,
            health_token,
        }
    }
}

/// Returns a function that spawns work and keeps the runtime running until the work ends.
fn spawner(execution: Rc<JsValue>) -> Spawn {
    Rc::new(move |work: LocalBoxFuture<'static, ()>| {
        let id = next_id();
        glue::wait_until(&execution, &glue::promise(id));
        spawn(work.map(move |()| glue::resolve(id)).boxed_local());
    })
}

fn client_gone(request: &JsValue) -> LocalBoxFuture<'static, ()> {
    let gone = JsFuture::new();
    glue::on_disconnect(gone.id(), request);
    gone.map(drop).boxed_local()
}

/// Returns the request, and whether it came over https.
fn read_request(
    head: &str,
    body: Vec<u8>,
    outcome: u32,
) -> (Request<Result<Bytes, BodyError>>, bool) {
    let body = match succeeded(outcome) {
        Ok(()) => Ok(body.into()),
        Err(HttpError::TooLarge) => Err(BodyError::TooLarge),
        Err(_) => Err(BodyError::CutOff),
    };
    let mut lines = head.split('\n');
    let mut request = Request::new(body);
    // An invalid method is refused like CONNECT, which no route allows.
    *request.method_mut() = lines
        .next()
        .and_then(|method| method.parse().ok())
        .unwrap_or(Method::CONNECT);
    let url = lines.next().unwrap_or_default();
    if let Some(uri) = path_and_query(url) {
        *request.uri_mut() = uri.into();
    }
    *request.headers_mut() = headers(&REQUEST_HEADERS, lines);
    (request, url.starts_with("https:"))
}

/// Returns the part of an absolute URL after the origin, which proxies choose.
fn path_and_query(url: &str) -> Option<PathAndQuery> {
    let (_, rest) = url.split_once("://")?;
    rest.get(rest.find('/')?..)?.parse().ok()
}

/// What the platform gets for a request: the response if it is there at once, otherwise its promise.
#[derive(Default)]
struct Reply {
    /// The id of the promise; 0 without one.
    id: Cell<u32>,
    value: Cell<Option<JsValue>>,
}

impl Reply {
    /// Returns the promise of a response that takes longer.
    fn promise(&self) -> JsValue {
        self.id.set(next_id());
        let promise = glue::promise(self.id.get());
        self.value.set(Some(promise.clone()));
        promise
    }

    async fn send(&self, response: Response<Body>) {
        let (mut parts, body) = response.into_parts();
        // Apart from the other headers, because they are the same for many responses.
        let request_id = parts.headers.remove(REQUEST_ID);
        let request_id = request_id
            .as_ref()
            .and_then(|id| id.to_str().ok())
            .unwrap_or_default();
        let (id, status, headers) = (self.id.get(), parts.status.as_u16(), lines(&parts.headers));
        let mut chunks = match body {
            Body::Full(bytes) => {
                let response = glue::answer(id, status, &headers, request_id, &bytes);
                return self.value.set(Some(response));
            }
            Body::Stream(chunks) => chunks,
        };
        let outgoing = glue::open(id, status, &headers, request_id);
        self.value.set(Some(outgoing.response()));
        let mut left = JsFuture::new();
        outgoing.on_cancel(left.id());
        while let Either::Left((Some(chunk), _)) = select(chunks.next(), &mut left).await {
            let written = JsFuture::new();
            outgoing.write(written.id(), &chunk);
            if succeeded(written.await).is_err() {
                return; // Dropping the chunks cancels the work that produces them.
            }
        }
        outgoing.end();
    }
}
