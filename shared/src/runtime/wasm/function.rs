//! A function as the platform calls it.

use std::cell::OnceCell;
use std::future::Future;
use std::rc::Rc;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::{Either, FutureExt, LocalBoxFuture, poll_immediate, select};
use http::uri::PathAndQuery;
use http::{Method, Request, Response};
use wasm_bindgen::prelude::JsValue;

use super::executor::{JsFuture, next_id, spawn};
use super::{WorkerClock, WorkerHttp, WorkerLog, WorkerRandom, glue, headers, lines, succeeded};
use crate::config::{ConfigError, optional};
use crate::error::Error;
use crate::redacted::Secret;
use crate::runtime::clock::Clock;
use crate::runtime::cors::AllowedOrigins;
use crate::runtime::endpoint::{Asked, Body, BodyError, Endpoint, RequestContext, Spawn, serve};
use crate::runtime::health;
use crate::runtime::http_client::HttpError;
use crate::runtime::random::Random;
use crate::supabase::SupabaseConfig;

/// The arguments with which the platform calls a function.
pub struct Invocation {
    /// The runtime's `Request`.
    pub request: JsValue,
    /// The worker's bindings, or the variables of Deno's environment.
    pub env: JsValue,
    /// The execution context, whose `waitUntil` keeps work going after the response was returned.
    pub context: Rc<JsValue>,
}

impl Invocation {
    /// Returns a spawner whose work goes on after the response was returned.
    pub fn spawner(&self) -> Spawn {
        let context = self.context.clone();
        Rc::new(move |work: LocalBoxFuture<'static, ()>| {
            let id = next_id();
            glue::wait_until(&context, &glue::promise(id));
            spawn(work.map(move |()| glue::resolve(id)).boxed_local());
        })
    }

    /// Completes when the client disconnects; never where the runtime does not report it.
    pub fn client_gone(&self) -> LocalBoxFuture<'static, ()> {
        let gone = JsFuture::new();
        glue::on_disconnect(gone.id(), &self.request);
        gone.map(drop).boxed_local()
    }
}

/// Reads a variable of the environment by its name.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A function in one instance of the wasm.
pub struct Function<Config, State> {
    endpoint: Endpoint,
    origins: fn(Env<'_>) -> Result<AllowedOrigins, ConfigError>,
    config: fn(Env<'_>) -> Result<Config, ConfigError>,
    settings: OnceCell<Rc<Settings<Config>>>,
    health: Rc<health::Memory>,
    /// The caches that outlive a request.
    pub state: Rc<State>,
}

/// The configuration that a function reads at its first request.
struct Settings<Config> {
    origins: AllowedOrigins,
    config: Result<Rc<Config>, ConfigError>,
    /// It may be present although another variable is missing.
    database: Option<SupabaseConfig>,
    shows_timing: bool,
    health_token: Option<Secret>,
}

impl<Config: 'static, State: Default> Function<Config, State> {
    /// Creates a function; its first request reads the configuration.
    pub fn new(
        endpoint: Endpoint,
        origins: fn(Env<'_>) -> Result<AllowedOrigins, ConfigError>,
        config: fn(Env<'_>) -> Result<Config, ConfigError>,
    ) -> Self {
        Self {
            endpoint,
            origins,
            config,
            settings: OnceCell::new(),
            health: Rc::default(),
            state: Rc::default(),
        }
    }

    /// Handles a request as [`serve`] does. Once it waits for an upstream, it runs to its end even if the client disconnects.
    pub fn answer<Answer>(
        &self,
        Invocation { request, env, context }: Invocation,
        handle: impl FnOnce(Request<Bytes>, Rc<Config>, RequestContext) -> Answer + 'static,
    ) -> JsValue
    where
        Answer: Future<Output = Result<Response<Body>, Error>> + 'static,
    {
        let started_ms = WorkerClock.now_ms();
        let endpoint = self.endpoint;
        let settings = self.settings.get_or_init(|| Rc::new(self.set_up(&env))).clone();
        let memory = self.health.clone();
        let id = next_id();
        let promise = glue::promise(id);
        let answer = promise.clone();
        let work = async move {
            let (request, is_https) = read_request(&request, endpoint.max_body_bytes).await;
            let log = Rc::new(WorkerLog);
            let call = RequestContext::new(endpoint, request.method(), WorkerRandom.uuid(), started_ms, log)
                .showing_timing(settings.shows_timing)
                .over_https(is_https);
            let serving = serve(&call, &settings.origins, &WorkerClock, request, async |asked| match asked {
                Asked::Request(request) => handle(request, settings.config.clone()?, call.clone()).await,
                Asked::Health(headers) => {
                    let http = call.observe(WorkerHttp, WorkerClock);
                    let setup = health::Setup {
                        problems: settings.config.as_ref().err(),
                        database: settings.database.as_ref(),
                        token: settings.health_token.as_ref(),
                    };
                    health::check(&call, &headers, &setup, &memory, &http, &WorkerClock).await
                }
            });
            let mut serving = std::pin::pin!(serving);
            let response = match poll_immediate(serving.as_mut()).await {
                Some(response) => response,
                None => {
                    glue::wait_until(&context, &promise);
                    serving.await
                }
            };
            write_response(id, response).await;
        };
        spawn(work.boxed_local());
        answer
    }

    fn set_up(&self, bindings: &JsValue) -> Settings<Config> {
        let env: Env<'_> = &|name| glue::get_env(bindings, name);
        // A function that is not configured still answers, with an error.
        let (origins, config) = match ((self.origins)(env), (self.config)(env)) {
            (Ok(origins), config) => (origins, config),
            (Err(problem), Ok(_)) => (AllowedOrigins::default(), Err(problem)),
            (Err(problem), Err(others)) => (AllowedOrigins::default(), Err(others.and(problem))),
        };
        let database = self.endpoint.has_database.then(|| SupabaseConfig::from_env(env).ok()).flatten();
        let shows_timing = optional(env, "SERVER_TIMING").as_deref() == Some("true");
        let health_token = optional(env, "HEALTH_TOKEN").map(Secret::new);
        Settings { origins, config: config.map(Rc::new), database, shows_timing, health_token }
    }
}

/// The platform's request, its body read up to `max_body_bytes`, and whether it came over https.
async fn read_request(request: &JsValue, max_body_bytes: usize) -> (Request<Result<Bytes, BodyError>>, bool) {
    let body = JsFuture::new();
    let incoming = glue::receive(body.id(), request, max_body_bytes as f64);
    let head = glue::head(request);
    let body = match succeeded(body.await) {
        Ok(()) => Ok(incoming.take().into()),
        Err(HttpError::TooLarge) => Err(BodyError::TooLarge),
        Err(_) => Err(BodyError::CutOff),
    };
    let mut lines = head.split('\n');
    let mut request = Request::new(body);
    *request.method_mut() =
        lines.next().and_then(|method| Method::from_bytes(method.as_bytes()).ok()).unwrap_or_default();
    let url = lines.next().unwrap_or_default();
    if let Some(uri) = path_and_query(url) {
        *request.uri_mut() = uri.into();
    }
    *request.headers_mut() = headers(lines);
    (request, url.starts_with("https:"))
}

/// Returns the part of an absolute URL after the origin, which proxies choose.
fn path_and_query(url: &str) -> Option<PathAndQuery> {
    let (_, rest) = url.split_once("://")?;
    rest.get(rest.find('/')?..)?.parse().ok()
}

async fn write_response(id: u32, response: Response<Body>) {
    let (parts, body) = response.into_parts();
    let (status, headers) = (parts.status.as_u16(), lines(&parts.headers));
    let mut chunks = match body {
        Body::Full(bytes) => return glue::answer(id, status, &headers, &bytes),
        Body::Stream(chunks) => chunks,
    };
    let outgoing = glue::open(id, status, &headers);
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
