//! The frame around every function: request id, CORS, errors as JSON, one log line.

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

use crate::clock::Clock;
use crate::cors::AllowedOrigins;
use crate::error::{Code, Error};
use crate::headers::common;
use crate::log::{Level, Log};
use crate::record::{Observed, Record};

/// The header that names a request in answers and logs.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
const TIMING_ALLOW_ORIGIN: HeaderName = HeaderName::from_static("timing-allow-origin");

/// Where every function says whether it can do its work; the frame answers it.
const HEALTH: &str = "/health";

/// What a function answers.
pub enum Body {
    /// A whole document.
    Full(Bytes),
    /// Chunks, as they come. Whoever feeds it writes the log line when it ends.
    Stream(Pin<Box<dyn Stream<Item = Bytes>>>),
}

/// What a function promises to whoever calls it.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint {
    /// The function's name, the last segment of its URL.
    pub name: &'static str,
    /// The methods it knows, as in `Allow`.
    pub methods: &'static str,
    /// The paths below it, where there are several.
    pub routes: &'static [&'static str],
    /// The largest body that it reads.
    pub max_body_bytes: usize,
    /// Whether it asks the database.
    pub has_database: bool,
}

/// Why an inbound body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// Larger than the endpoint's limit.
    TooLarge,
    /// Cut off before its end.
    CutOff,
}

/// What the frame asks of a function.
#[allow(clippy::large_enum_variant, reason = "there is one of them, and for a moment")]
pub enum Asked {
    /// Whether all is there that it needs; the headers of the request may prove an operator.
    Health(HeaderMap),
    /// What nobody but it can answer.
    Request(Request<Bytes>),
}

/// Runs work that goes on after the response was handed over.
pub type Spawn = Rc<dyn Fn(LocalBoxFuture<'static, ()>)>;

/// One request on its way through a function.
#[derive(Clone)]
pub struct Call {
    /// Its id.
    pub request_id: Uuid,
    /// When it came, in milliseconds since the Unix epoch.
    pub started_ms: u64,
    endpoint: Endpoint,
    log: Rc<dyn Log>,
    record: Rc<Record>,
    shows_timing: bool,
    is_https: bool,
}

/// A user's id as others are told it, in a log line or in a question to the model.
pub fn hash_of(user_id: Uuid) -> String {
    Sha256::digest(user_id.to_string()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

impl Call {
    /// A call that has just arrived.
    pub fn new(
        endpoint: Endpoint,
        method: &Method,
        request_id: Uuid,
        started_ms: u64,
        log: Rc<dyn Log>,
    ) -> Self {
        let record = Rc::<Record>::default();
        record.note("function", endpoint.name);
        record.note("request_id", request_id.to_string());
        record.note("method", logged(method));
        Self { request_id, started_ms, endpoint, log, record, shows_timing: false, is_https: false }
    }

    /// The same call, whose answer has a `Server-Timing` where `shows` says so.
    #[must_use]
    pub fn showing_timing(self, shows: bool) -> Self {
        Self { shows_timing: shows, ..self }
    }

    /// The same call, which came over https where `is_https` says so.
    #[must_use]
    pub fn over_https(self, is_https: bool) -> Self {
        Self { is_https, ..self }
    }

    /// A way out whose use the log line tells.
    pub fn observe<H, C>(&self, http: H, clock: C) -> Observed<H, C> {
        Observed::new(http, clock, self.record.clone())
    }

    /// Sets a field of the log line. Never a secret, never what a listener typed.
    pub fn note(&self, key: &str, value: impl Into<Value>) {
        self.record.note(key, value);
    }

    /// Notes who calls, as a hash: operators who know the id find the line, and the line tells no id.
    pub fn note_user(&self, id: Uuid) {
        self.note("user", hash_of(id));
    }

    /// Writes the request's one log line. A stream may end with an error after status 200.
    pub fn log_end(&self, now_ms: u64, status: StatusCode, error: Option<&Error>) {
        let is_ours = error.map_or(status, Error::status).is_server_error();
        let level = if is_ours { Level::Error } else { Level::Info };
        let fields = self
            .record
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

    /// Notes the path, if it is one of ours: any other is what somebody typed.
    fn note_route(&self, path: &str) {
        if path == HEALTH || self.endpoint.routes.contains(&path) {
            self.note("route", path);
        }
    }

    /// Tells what is known by now of where the time went, to scripts of an allowed origin, too.
    fn show_timing(&self, now_ms: u64, headers: &mut HeaderMap) {
        let timing = self.record.server_timing(self.duration_ms(now_ms));
        let Ok(timing) = HeaderValue::from_str(&timing) else { return };
        headers.insert(SERVER_TIMING, timing);
        if let Some(origin) = headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN).cloned() {
            headers.append(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Server-Timing"));
            headers.insert(TIMING_ALLOW_ORIGIN, origin);
        }
    }
}

/// Answers one request: preflight, method and body checks, then `answer`; errors become JSON.
///
/// Every answer carries `X-Request-Id`, the [common headers](crate::headers) and, for a configured origin, the CORS headers. The
/// runtime leaves the body of an answer to `HEAD` out.
pub async fn serve(
    call: &Call,
    origins: &AllowedOrigins,
    clock: &impl Clock,
    request: Request<Result<Bytes, BodyError>>,
    answer: impl AsyncFnOnce(Asked) -> Result<Response<Body>, Error>,
) -> Response<Body> {
    let inbound_headers = request.headers().clone();
    let mut response = match origins.preflight(&inbound_headers, request.method(), call.endpoint.methods) {
        Some(headers) => empty(StatusCode::NO_CONTENT, headers),
        None => match run(call, request, answer).await {
            Ok(response) => {
                // Whoever feeds a stream writes its line.
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
    for (name, value) in common(call.is_https) {
        headers.entry(name).or_insert(value);
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
    call: &Call,
    request: Request<Result<Bytes, BodyError>>,
    answer: impl AsyncFnOnce(Asked) -> Result<Response<Body>, Error>,
) -> Result<Response<Body>, Error> {
    let path = route(request.uri().path(), call.endpoint.name).unwrap_or_default();
    call.note_route(path);
    if path == HEALTH {
        return match *request.method() {
            Method::GET | Method::HEAD => answer(Asked::Health(request.into_parts().0.headers)).await,
            _ => Err(Error::method_not_allowed("GET, HEAD")),
        };
    }
    let known = call.endpoint.methods.split(", ").any(|method| method == request.method().as_str());
    if !known {
        return Err(Error::method_not_allowed(call.endpoint.methods));
    }
    let (parts, body) = request.into_parts();
    let body = body.map_err(|error| match error {
        BodyError::TooLarge if call.endpoint.max_body_bytes == 0 => {
            Error::new(Code::BodyTooLarge, "Send no body here.")
        }
        BodyError::TooLarge => Error::new(
            Code::BodyTooLarge,
            format!("The body is larger than {} KB.", call.endpoint.max_body_bytes / 1024),
        ),
        BodyError::CutOff => Error::new(Code::InvalidJson, "The body was cut off."),
    })?;
    answer(Asked::Request(Request::from_parts(parts, body))).await
}

/// The name of a method of HTTP. Deno passes on whatever the client typed in its place, which no log line repeats.
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

/// The path below the function, `/` at least, wherever the platform mounts it; one slash at its end does not count.
///
/// Cloudflare passes `/functions/v1/<name>/…` on, Supabase's runtime `/<name>/…`.
pub fn route<'a>(path: &'a str, name: &str) -> Option<&'a str> {
    let path = path.strip_prefix("/functions/v1").unwrap_or(path);
    match path.strip_prefix('/')?.strip_prefix(name)? {
        "" | "/" => Some("/"),
        rest if rest.starts_with('/') => Some(rest.strip_suffix('/').unwrap_or(rest)),
        _ => None,
    }
}

/// A JSON document.
///
/// # Errors
/// [`Code::Internal`] where `value` cannot be serialised.
pub fn json_response(status: StatusCode, value: &impl Serialize) -> Result<Response<Body>, Error> {
    let body = serde_json::to_vec(value).map_err(|e| Error::of(Code::Internal).caused_by(e))?;
    let mut response = Response::new(Body::Full(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    Ok(response)
}

fn error_response(call: &Call, error: &Error) -> Response<Body> {
    let mut response = json_response(error.status(), &error.to_json(call.request_id))
        .unwrap_or_else(|_| empty(StatusCode::INTERNAL_SERVER_ERROR, HeaderMap::new()));
    let headers = response.headers_mut();
    if let Some(seconds) = error.retry_after_seconds() {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(methods) = error.allow() {
        headers.insert(header::ALLOW, HeaderValue::from_static(methods));
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
