//! The context that a handler receives with each request.

use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use http::{Method, StatusCode};
use serde_json::Value;
use uuid::Uuid;

use super::clock::Clock;
use super::endpoint::{Endpoint, HEALTH};
use super::http_client::HttpClient;
use super::log::{Level, Log};
use super::metrics::{InstrumentedClient, RequestMetrics};
use super::random::Random;
use crate::error::Error;
use crate::redacted::hash_of;

/// Spawns work that continues after the response was returned.
pub type Spawn = Rc<dyn Fn(LocalBoxFuture<'static, ()>)>;

/// The dependencies that the runtime passes to a handler with each request.
pub struct Context<Config, Caches = ()> {
    /// Sends requests to upstreams; the log line counts them.
    pub http: Rc<dyn HttpClient>,
    /// The clock.
    pub clock: Rc<dyn Clock>,
    /// The random generator.
    pub random: Rc<dyn Random>,
    /// The function's configuration.
    pub config: Rc<Config>,
    /// Finished results that outlive a request. No response shows them to another user.
    pub caches: Rc<Caches>,
    /// Spawns work that continues after the response was returned.
    pub spawn: Spawn,
    /// Returns a future that completes when the client disconnects. It never completes if the platform does not report that.
    pub client_gone: Rc<dyn Fn() -> LocalBoxFuture<'static, ()>>,
    /// The request's id, log and metrics.
    pub request: RequestContext,
}

impl<Config, Caches> Clone for Context<Config, Caches> {
    fn clone(&self) -> Self {
        Self {
            http: self.http.clone(),
            clock: self.clock.clone(),
            random: self.random.clone(),
            config: self.config.clone(),
            caches: self.caches.clone(),
            spawn: self.spawn.clone(),
            client_gone: self.client_gone.clone(),
            request: self.request.clone(),
        }
    }
}

/// What the log line says about a request: id, start, metrics.
#[derive(Clone)]
pub struct RequestContext {
    /// The request's id.
    pub request_id: Uuid,
    /// When the request arrived (Unix time in milliseconds).
    pub started_ms: u64,
    pub(super) endpoint: Endpoint,
    log: Rc<dyn Log>,
    metrics: Rc<RequestMetrics>,
    pub(super) shows_timing: bool,
    pub(super) is_https: bool,
}

impl RequestContext {
    /// Creates the context of a new request.
    pub fn new(
        endpoint: Endpoint,
        method: &Method,
        request_id: Uuid,
        started_ms: u64,
        log: Rc<dyn Log>,
    ) -> Self {
        let metrics = Rc::<RequestMetrics>::default();
        metrics.note("function", endpoint.name);
        metrics.note("request_id", request_id.to_string());
        metrics.note("method", logged(method));
        Self {
            request_id,
            started_ms,
            endpoint,
            log,
            metrics,
            shows_timing: false,
            is_https: false,
        }
    }

    /// Sets whether the response has a `Server-Timing` header.
    #[must_use]
    pub fn showing_timing(self, shows: bool) -> Self {
        Self {
            shows_timing: shows,
            ..self
        }
    }

    /// Sets whether the request came over https.
    #[must_use]
    pub fn over_https(self, is_https: bool) -> Self {
        Self { is_https, ..self }
    }

    /// Wraps `http` so that the log line counts its requests.
    pub fn instrument(
        &self,
        http: impl HttpClient + 'static,
        clock: Rc<dyn Clock>,
    ) -> InstrumentedClient {
        InstrumentedClient::new(http, clock, self.metrics.clone())
    }

    /// Sets a field of the log line. Never pass a secret or a user's text.
    pub fn note(&self, key: &'static str, value: impl Into<Value>) {
        self.metrics.note(key, value);
    }

    /// Adds the user's hash. Operators who know the id can find the line, which does not reveal the id.
    pub fn note_user(&self, id: Uuid) {
        self.note("user", hash_of(id));
    }

    /// Writes the request's only log line. `error` may accompany status 200, because a stream can fail after its status.
    pub fn log_end(&self, now_ms: u64, status: StatusCode, error: Option<&Error>) {
        let is_ours = error.map_or(status, Error::status).is_server_error();
        let level = if is_ours { Level::Error } else { Level::Info };
        let fields = self
            .metrics
            .fields()
            .with("status", status.as_u16())
            .with("duration_ms", self.duration_ms(now_ms))
            .with_some("code", error.map(|e| e.code().as_str()))
            .with_some("cause", error.and_then(Error::cause));
        self.log.write(level, &fields.into_line());
    }

    fn duration_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.started_ms)
    }

    /// Adds the path if it is a route. Any other path is arbitrary text of the client.
    pub(super) fn note_route(&self, path: &str) {
        let is_known = self
            .endpoint
            .routes
            .iter()
            .any(|(known, _)| *known == path && path != "/");
        if path == HEALTH || is_known {
            self.note("route", path);
        }
    }

    /// Returns the value of a `Server-Timing` header.
    pub(super) fn server_timing(&self, now_ms: u64) -> String {
        self.metrics.server_timing(self.duration_ms(now_ms))
    }
}

/// Returns the name of a standard method. Deno accepts any text as a method, which must not reach the log.
fn logged(method: &Method) -> &str {
    match *method {
        Method::GET
        | Method::HEAD
        | Method::POST
        | Method::PUT
        | Method::PATCH
        | Method::DELETE
        | Method::OPTIONS
        | Method::TRACE
        | Method::CONNECT => method.as_str(),
        _ => "other",
    }
}

/// Exports a function to the platform: `export!(ENDPOINT, Config, Caches, handle)`.
///
/// `Config` must have `from_env` and `Caches` a default. The platform calls `handle` for each request.
#[macro_export]
macro_rules! export {
    ($endpoint:expr, $config:ty, $caches:ty, $handle:path) => {
        #[cfg(all(target_arch = "wasm32", not(test)))]
        const _: () = {
            use $crate::runtime::wasm::{Function, JsValue, Received, accept, wasm_bindgen};

            ::std::thread_local! {
                static FUNCTION: Function<$config, $caches> =
                    Function::new($endpoint, |env| <$config>::from_env(env));
            }

            /// Tells JavaScript, when the module is loaded, which headers and bodies the function reads.
            #[wasm_bindgen::prelude::wasm_bindgen(start, wasm_bindgen = $crate::runtime::wasm::wasm_bindgen)]
            pub fn start() {
                accept($endpoint);
            }

            /// Handles a request of the platform.
            #[wasm_bindgen::prelude::wasm_bindgen(wasm_bindgen = $crate::runtime::wasm::wasm_bindgen)]
            pub fn fetch(
                request: JsValue,
                env: JsValue,
                context: JsValue,
                head: String,
                body: Vec<u8>,
                outcome: u32,
                since_ms: f64,
            ) -> JsValue {
                let received = Received {
                    request,
                    head,
                    body,
                    outcome,
                    since_ms,
                };
                FUNCTION.with(|function| function.fetch(received, env, context, $handle))
            }
        };

        /// Reads the configuration as the entry point does.
        ///
        /// # Errors
        /// Returns a [`ConfigError`]($crate::config::ConfigError) that names the missing and invalid variables.
        #[cfg(not(target_arch = "wasm32"))]
        pub fn configure(
            env: &dyn Fn(&str) -> ::std::option::Option<::std::string::String>,
        ) -> ::std::result::Result<(), $crate::config::ConfigError> {
            <$config>::from_env(env).map(drop)
        }
    };
}
