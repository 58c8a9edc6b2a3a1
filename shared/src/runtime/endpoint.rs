//! Serves the requests of an endpoint: request id, CORS, errors as JSON, one log line.

use std::pin::Pin;
use std::rc::Rc;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::future::LocalBoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::error::{Code, Error};
use crate::runtime::clock::Clock;
use crate::runtime::cors::AllowedOrigins;
use crate::runtime::headers::TRANSPORT;
use crate::runtime::http_client::HttpClient;
use crate::runtime::log::{Level, Log};
use crate::runtime::metrics::{InstrumentedClient, RequestMetrics};

/// The request's id in responses and logs.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
const TIMING_ALLOW_ORIGIN: HeaderName = HeaderName::from_static("timing-allow-origin");

/// The path of every function's health check.
const HEALTH: &str = "/health";

/// The body of a response, whole or streamed.
pub enum Body {
    /// A complete document.
    Full(Bytes),
    /// Chunks as they are produced. The producer writes the log line at the end.
    Stream(Pin<Box<dyn Stream<Item = Bytes>>>),
}

/// A function's contract with its clients.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint {
    /// The function's name, the last segment of its URL.
    pub name: &'static str,
    /// Each path below its URL (`/` for the URL itself) with the methods of that path.
    pub routes: &'static [(&'static str, &'static str)],
    /// The largest request body that it accepts, in bytes.
    pub max_body_bytes: usize,
    /// Whether it uses the database, which its health check then includes.
    pub has_database: bool,
    /// Whether pages of `APP_ORIGINS` may call it from a browser.
    pub serves_pages: bool,
}

impl Endpoint {
    /// Returns the path of a request below the endpoint's URL.
    pub fn path<'a, B>(&self, request: &'a Request<B>) -> &'a str {
        route(request.uri().path(), self.name).unwrap_or_default()
    }

    /// Checks that the request's path has a route and that the route allows the method.
    ///
    /// # Errors
    /// Returns 404 `not_found` or 405 `method_not_allowed`.
    pub fn check_route<B>(&self, request: &Request<B>) -> Result<(), Error> {
        let path = self.path(request);
        let Some((_, methods)) = self.routes.iter().find(|(known, _)| *known == path) else {
            return Err(Error::not_found());
        };
        match allows(methods, request.method().as_str()) {
            true => Ok(()),
            false => Err(Error::method_not_allowed(methods)),
        }
    }

    /// Returns whether any route allows the method.
    fn allows(&self, method: &Method) -> bool {
        self.routes
            .iter()
            .any(|(_, methods)| allows(methods, method.as_str()))
    }

    /// Returns the methods of all routes, in the form of the `Allow` header.
    pub fn methods(&self) -> String {
        let all = [
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ];
        let allowed: Vec<&str> = all
            .iter()
            .filter(|method| self.allows(method))
            .map(Method::as_str)
            .collect();
        allowed.join(", ")
    }
}

impl Error {
    /// Returns the error for a path without a route.
    pub fn not_found() -> Self {
        Self::of(Code::NotFound)
    }
}

fn allows(methods: &str, method: &str) -> bool {
    methods.split(", ").any(|allowed| allowed == method)
}

/// The reasons why a request's body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// It exceeds the endpoint's limit.
    TooLarge,
    /// It ended early, or took too long.
    CutOff,
}

/// Spawns work that continues after the response was returned.
pub type Spawn = Rc<dyn Fn(LocalBoxFuture<'static, ()>)>;

/// The context of a request for its log line: id, start, metrics.
#[derive(Clone)]
pub struct RequestContext {
    /// The request's id.
    pub request_id: Uuid,
    /// When the request arrived (Unix time in milliseconds).
    pub started_ms: u64,
    endpoint: Endpoint,
    log: Rc<dyn Log>,
    metrics: Rc<RequestMetrics>,
    shows_timing: bool,
    is_https: bool,
}

/// Hashes a user's id for log lines and for requests to the model.
pub fn hash_of(user_id: Uuid) -> String {
    Sha256::digest(user_id.to_string())
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
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
    fn note_route(&self, path: &str) {
        let is_known = self
            .endpoint
            .routes
            .iter()
            .any(|(known, _)| *known == path && path != "/");
        if path == HEALTH || is_known {
            self.note("route", path);
        }
    }

    /// Adds the `Server-Timing` header and exposes it to scripts of an allowed origin.
    fn show_timing(&self, now_ms: u64, headers: &mut HeaderMap) {
        let timing = self.metrics.server_timing(self.duration_ms(now_ms));
        let Ok(timing) = HeaderValue::from_str(&timing) else {
            return;
        };
        headers.insert(SERVER_TIMING, timing);
        if let Some(origin) = headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN).cloned() {
            headers.append(
                header::ACCESS_CONTROL_EXPOSE_HEADERS,
                HeaderValue::from_static("Server-Timing"),
            );
            headers.insert(TIMING_ALLOW_ORIGIN, origin);
        }
    }
}

/// Serves one request: handles a preflight or a health check, or verifies method, body and route and calls `handle`.
/// Errors become JSON.
///
/// Every response has `X-Request-Id` and, for a configured origin, the CORS headers. The platform adds the
/// [common headers](crate::runtime::headers). The runtime drops the body of a response to `HEAD`.
pub async fn serve(
    call: &RequestContext,
    origins: &AllowedOrigins,
    clock: &dyn Clock,
    request: Request<Result<Bytes, BodyError>>,
    health: impl AsyncFnOnce(&HeaderMap) -> Result<Response<Body>, Error>,
    handle: impl AsyncFnOnce(Request<Bytes>) -> Result<Response<Body>, Error>,
) -> Response<Body> {
    let inbound_headers = request.headers().clone();
    let mut response = match origins.preflight(&inbound_headers, request.method(), || {
        call.endpoint.methods()
    }) {
        Some(headers) => empty(StatusCode::NO_CONTENT, headers),
        None => match run(call, request, health, handle).await {
            Ok(response) => {
                // The producer of a stream writes the log line at its end.
                if matches!(response.body(), Body::Full(_)) {
                    call.log_end(clock.now_ms(), response.status(), None);
                }
                response
            }
            Err(error) => {
                call.log_end(clock.now_ms(), error.status(), Some(&error));
                error_response(call, &error)
            }
        },
    };
    let headers = response.headers_mut();
    headers.extend(origins.headers_for(&inbound_headers));
    if call.is_https {
        let (name, value) = TRANSPORT;
        headers.insert(name, value);
    }
    if let Ok(id) = HeaderValue::from_str(&call.request_id.to_string()) {
        headers.insert(REQUEST_ID, id);
    }
    if call.shows_timing {
        call.show_timing(clock.now_ms(), headers);
    }
    response
}

async fn run(
    call: &RequestContext,
    request: Request<Result<Bytes, BodyError>>,
    health: impl AsyncFnOnce(&HeaderMap) -> Result<Response<Body>, Error>,
    handle: impl AsyncFnOnce(Request<Bytes>) -> Result<Response<Body>, Error>,
) -> Result<Response<Body>, Error> {
    let path = call.endpoint.path(&request);
    call.note_route(path);
    if path == HEALTH {
        return match *request.method() {
            Method::GET | Method::HEAD => health(request.headers()).await,
            _ => Err(Error::method_not_allowed("GET, HEAD")),
        };
    }
    if !call.endpoint.allows(request.method()) {
        return Err(Error::method_not_allowed(&call.endpoint.methods()));
    }
    let (parts, body) = request.into_parts();
    let body = body.map_err(|error| match error {
        BodyError::TooLarge if call.endpoint.max_body_bytes == 0 => {
            Error::new(Code::BodyTooLarge, "Send no body here.")
        }
        BodyError::TooLarge => Error::new(
            Code::BodyTooLarge,
            format!(
                "The body is larger than {} KB.",
                call.endpoint.max_body_bytes / 1024
            ),
        ),
        BodyError::CutOff => Error::new(Code::InvalidJson, "The body did not arrive completely.")
            .caused_by("the body was cut off or too slow"),
    })?;
    let request = Request::from_parts(parts, body);
    call.endpoint.check_route(&request)?;
    handle(request).await
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

/// Returns the path below the function's URL, at least `/`, without one trailing slash.
///
/// Cloudflare passes `/functions/v1/<name>/…` to the function, Supabase's runtime `/<name>/…`.
pub fn route<'a>(path: &'a str, name: &str) -> Option<&'a str> {
    let path = path.strip_prefix("/functions/v1").unwrap_or(path);
    match path.strip_prefix('/')?.strip_prefix(name)? {
        "" | "/" => Some("/"),
        rest if rest.starts_with('/') => Some(rest.strip_suffix('/').unwrap_or(rest)),
        _ => None,
    }
}

/// Returns a response with a JSON document.
///
/// # Errors
/// Returns [`Code::Internal`] if `value` cannot be serialised.
pub fn json_response(status: StatusCode, value: &impl Serialize) -> Result<Response<Body>, Error> {
    let body = serde_json::to_vec(value).map_err(|e| Error::of(Code::Internal).caused_by(e))?;
    let mut response = Response::new(Body::Full(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json; charset=utf-8"),
    );
    Ok(response)
}

fn error_response(call: &RequestContext, error: &Error) -> Response<Body> {
    let mut response = json_response(error.status(), &error.body(call.request_id))
        .unwrap_or_else(|_| empty(StatusCode::INTERNAL_SERVER_ERROR, HeaderMap::new()));
    let headers = response.headers_mut();
    if let Some(seconds) = error.retry_after_seconds() {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(methods) = error.allow() {
        headers.extend(HeaderValue::from_str(methods).map(|methods| (header::ALLOW, methods)));
    }
    if error.status() == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

fn empty(status: StatusCode, headers: HeaderMap) -> Response<Body> {
    let mut response = Response::new(Body::Full(Bytes::new()));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

#[cfg(test)]
#[path = "endpoint_tests.rs"]
mod tests;
