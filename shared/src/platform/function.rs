//! A function, as the platform calls it.

use std::cell::OnceCell;
use std::future::Future;
use std::rc::Rc;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::{Either, FutureExt, LocalBoxFuture, poll_immediate, select};
use http::uri::PathAndQuery;
use http::{Method, Request, Response};
use wasm_bindgen::prelude::JsValue;

use super::tasks::{Waiting, number, spawn};
use super::{WorkerClock, WorkerHttp, WorkerLog, WorkerRandom, glue, headers, lines, succeeded};
use crate::clock::Clock;
use crate::config::{ConfigError, optional};
use crate::cors::AllowedOrigins;
use crate::endpoint::{Asked, Body, BodyError, Call, Endpoint, Spawn, serve};
use crate::error::Error;
use crate::health;
use crate::http_client::HttpError;
use crate::random::Random;
use crate::redacted::Secret;
use crate::supabase::SupabaseConfig;

/// What the platform calls a function with.
pub struct Invocation {
    /// The runtime's `Request`.
    pub request: JsValue,
    /// The worker's bindings, or the variables of Deno's environment.
    pub env: JsValue,
    /// What keeps work going after the response was handed over.
    pub context: Rc<JsValue>,
}

impl Invocation {
    /// Keeps work going after the response was handed over.
    pub fn spawner(&self) -> Spawn {
        let context = self.context.clone();
        Rc::new(move |work: LocalBoxFuture<'static, ()>| {
            let ticket = number();
            glue::hold(&context, &glue::promise(ticket));
            spawn(work.map(move |()| glue::release(ticket)).boxed_local());
        })
    }

    /// Completes when the client goes away; never, where the runtime does not tell.
    pub fn client_gone(&self) -> LocalBoxFuture<'static, ()> {
        let gone = Waiting::new();
        glue::when_gone(gone.number(), &self.request);
        gone.map(drop).boxed_local()
    }
}

/// Reads a variable.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A function of one instance.
pub struct Function<Config, State> {
    endpoint: Endpoint,
    origins: fn(Lookup<'_>) -> Result<AllowedOrigins, ConfigError>,
    config: fn(Lookup<'_>) -> Result<Config, ConfigError>,
    settings: OnceCell<Rc<Settings<Config>>>,
    health: Rc<health::Memory>,
    /// What earlier requests left.
    pub state: Rc<State>,
}

/// What a function is set up with.
struct Settings<Config> {
    origins: AllowedOrigins,
    config: Result<Rc<Config>, ConfigError>,
    /// Where something else is missing, the database's part may be there all the same.
    database: Option<SupabaseConfig>,
    shows_timing: bool,
    health_token: Option<Secret>,
}

impl<Config: 'static, State: Default> Function<Config, State> {
    /// A function before its first request, which has it read its configuration.
    pub fn new(
        endpoint: Endpoint,
        origins: fn(Lookup<'_>) -> Result<AllowedOrigins, ConfigError>,
        config: fn(Lookup<'_>) -> Result<Config, ConfigError>,
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

    /// Answers a request as [`serve`] does; once it asks others, to its end also where the client leaves.
    pub fn answer<Answer>(
        &self,
        Invocation { request, env, context }: Invocation,
        handle: impl FnOnce(Request<Bytes>, Rc<Config>, Call) -> Answer + 'static,
    ) -> JsValue
    where
        Answer: Future<Output = Result<Response<Body>, Error>> + 'static,
    {
        let started_ms = WorkerClock.now_ms();
        let endpoint = self.endpoint;
        let settings = self.settings.get_or_init(|| Rc::new(self.set_up(&env))).clone();
        let memory = self.health.clone();
        let ticket = number();
        let promise = glue::promise(ticket);
        let answer = promise.clone();
        let work = async move {
            let (request, is_https) = read_request(&request, endpoint.max_body_bytes).await;
            let log = Rc::new(WorkerLog);
            let call = Call::new(endpoint, request.method(), WorkerRandom.uuid(), started_ms, log)
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
                    glue::hold(&context, &promise);
                    serving.await
                }
            };
            write_response(ticket, response).await;
        };
        spawn(work.boxed_local());
        answer
    }

    fn set_up(&self, env: &JsValue) -> Settings<Config> {
        let lookup: Lookup<'_> = &|name| glue::variable(env, name);
        // Even what is not set up answers, and says so to whom it may.
        let (origins, config) = match ((self.origins)(lookup), (self.config)(lookup)) {
            (Ok(origins), config) => (origins, config),
            (Err(problem), Ok(_)) => (AllowedOrigins::default(), Err(problem)),
            (Err(problem), Err(others)) => (AllowedOrigins::default(), Err(others.and(problem))),
        };
        let database = self.endpoint.has_database.then(|| SupabaseConfig::from_lookup(lookup).ok()).flatten();
        let shows_timing = optional(lookup, "SERVER_TIMING").as_deref() == Some("true");
        let health_token = optional(lookup, "HEALTH_TOKEN").map(Secret::new);
        Settings { origins, config: config.map(Rc::new), database, shows_timing, health_token }
    }
}

/// The platform's request, its body read up to `max_body_bytes`, and whether it came over https.
async fn read_request(request: &JsValue, max_body_bytes: usize) -> (Request<Result<Bytes, BodyError>>, bool) {
    let body = Waiting::new();
    let incoming = glue::receive(body.number(), request, max_body_bytes as f64);
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

/// What stands behind the origin of an absolute URL; nobody asks for the origin, which proxies choose.
fn path_and_query(url: &str) -> Option<PathAndQuery> {
    let (_, rest) = url.split_once("://")?;
    rest.get(rest.find('/')?..)?.parse().ok()
}

async fn write_response(ticket: u32, response: Response<Body>) {
    let (parts, body) = response.into_parts();
    let (status, headers) = (parts.status.as_u16(), lines(&parts.headers));
    let mut chunks = match body {
        Body::Full(bytes) => return glue::answer(ticket, status, &headers, &bytes),
        Body::Stream(chunks) => chunks,
    };
    let outgoing = glue::open(ticket, status, &headers);
    let mut left = Waiting::new();
    outgoing.when_left(left.number());
    while let Either::Left((Some(chunk), _)) = select(chunks.next(), &mut left).await {
        let written = Waiting::new();
        outgoing.write(written.number(), &chunk);
        if succeeded(written.await).is_err() {
            return; // With the chunks goes whoever makes them.
        }
    }
    outgoing.end();
}
