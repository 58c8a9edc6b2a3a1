//! The frame around every function: request id, CORS, errors as JSON, one log line.

use std::pin::Pin;
use std::rc::Rc;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::future::LocalBoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use serde::Serialize;
use uuid::Uuid;

use crate::clock::Clock;
use crate::cors::AllowedOrigins;
use crate::error::{Code, Error};
use crate::log::{Fields, Level, Log};

/// The header that names a request in answers and logs.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

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
    /// The largest body that it reads.
    pub max_body_bytes: usize,
}

/// Why an inbound body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// Larger than the endpoint's limit.
    TooLarge,
    /// Cut off before its end.
    CutOff,
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
    method: Method,
    log: Rc<dyn Log>,
}

impl Call {
    /// A call that has just arrived.
    pub fn new(
        endpoint: Endpoint,
        method: Method,
        request_id: Uuid,
        started_ms: u64,
        log: Rc<dyn Log>,
    ) -> Self {
        Self { request_id, started_ms, endpoint, method, log }
    }

    /// Writes the request's one log line. A stream may end with an error after status 200.
    pub fn log_end(&self, now_ms: u64, status: StatusCode, error: Option<&Error>, more: Fields) {
        let is_ours = error.map_or(status, Error::status).is_server_error();
        let level = if is_ours { Level::Error } else { Level::Info };
        let fields = more
            .with("function", self.endpoint.name)
            .with("request_id", self.request_id.to_string())
            .with("method", self.method.as_str())
            .with("status", status.as_u16())
            .with("duration_ms", now_ms.saturating_sub(self.started_ms))
            .with_some("code", error.map(|e| e.code().as_str()))
            .with_some("cause", error.and_then(Error::cause));
        self.log.write(level, &fields.into_line());
    }
}

/// Answers one request: preflight, method and body checks, then `handle`; errors become JSON.
///
/// Every answer carries `X-Request-Id` and, for a configured origin, the CORS headers.
pub async fn serve(
    call: &Call,
    origins: &AllowedOrigins,
    clock: &impl Clock,
    request: Request<Result<Bytes, BodyError>>,
    handle: impl AsyncFnOnce(Request<Bytes>) -> Result<Response<Body>, Error>,
) -> Response<Body> {
    let inbound_headers = request.headers().clone();
    let mut response = match origins.preflight(&inbound_headers, request.method(), call.endpoint.methods) {
        Some(headers) => empty(StatusCode::NO_CONTENT, headers),
        None => match run(call, request, handle).await {
            Ok(response) => {
                if matches!(response.body(), Body::Full(_)) {
                    call.log_end(clock.now_ms(), response.status(), None, Fields::default());
                }
                response
            }
            Err(error) => {
                // Who notices that the client left writes the line: this future may be gone by then.
                if error.code() != Code::ClientClosedRequest {
                    call.log_end(clock.now_ms(), error.status(), Some(&error), Fields::default());
                }
                error_response(call, &error)
            }
        },
    };
    let headers = response.headers_mut();
    headers.extend(origins.headers_for(&inbound_headers));
    if let Ok(id) = HeaderValue::from_str(&call.request_id.to_string()) {
        headers.insert(REQUEST_ID, id);
    }
    response
}

async fn run(
    call: &Call,
    request: Request<Result<Bytes, BodyError>>,
    handle: impl AsyncFnOnce(Request<Bytes>) -> Result<Response<Body>, Error>,
) -> Result<Response<Body>, Error> {
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
    handle(Request::from_parts(parts, body)).await
}

/// The path below the function, `/` at least, wherever the platform mounts it.
///
/// Cloudflare passes `/functions/v1/<name>/…` on, Supabase's runtime `/<name>/…`.
pub fn route<'a>(path: &'a str, name: &str) -> Option<&'a str> {
    let path = path.strip_prefix("/functions/v1").unwrap_or(path);
    match path.strip_prefix('/')?.strip_prefix(name)? {
        "" => Some("/"),
        rest if rest.starts_with('/') => Some(rest),
        _ => None,
    }
}

/// A JSON document that no cache keeps.
///
/// # Errors
/// [`Code::Internal`] where `value` cannot be serialised.
pub fn json_response(status: StatusCode, value: &impl Serialize) -> Result<Response<Body>, Error> {
    let body = serde_json::to_vec(value)
        .map_err(|e| Error::new(Code::Internal, "The answer could not be written.").caused_by(e))?;
    let mut response = Response::new(Body::Full(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
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
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::fakes::{FakeClock, FakeLog};

    const ENDPOINT: Endpoint = Endpoint { name: "echo", methods: "POST, DELETE", max_body_bytes: 2048 };

    fn answer(method: Method, body: Result<Bytes, BodyError>) -> (Response<Body>, Vec<String>) {
        let log = FakeLog::default();
        let call = Call::new(ENDPOINT, method.clone(), Uuid::nil(), 1_000, Rc::new(log.clone()));
        let mut request = Request::new(body);
        *request.method_mut() = method;
        request.headers_mut().insert(header::ORIGIN, HeaderValue::from_static("https://app.example"));
        let origins = AllowedOrigins::parse("https://app.example").unwrap();
        let response =
            serve(&call, &origins, &FakeClock::at_ms(1_250), request, async |request| {
                match request.body().as_ref() {
                    b"broken" => {
                        Err(Error::new(Code::Internal, "It broke.").caused_by("a detail").retry_after(7))
                    }
                    _ => json_response(StatusCode::OK, &"fine"),
                }
            })
            .now_or_never()
            .unwrap();
        (response, log.lines())
    }

    fn body_of(response: Response<Body>) -> String {
        match response.into_body() {
            Body::Full(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
            Body::Stream(_) => panic!("a stream"),
        }
    }

    #[test]
    fn every_answer_has_a_request_id_and_cors_headers() {
        for body in ["", "broken"] {
            let (response, _) = answer(Method::POST, Ok(body.into()));
            assert_eq!(response.headers()[REQUEST_ID], Uuid::nil().to_string());
            assert_eq!(response.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "https://app.example");
        }
    }

    #[test]
    fn an_error_is_json_and_its_cause_is_logged_once() {
        let (response, lines) = answer(Method::POST, Ok("broken".into()));
        assert_eq!(response.status(), 500);
        assert_eq!(response.headers()[header::RETRY_AFTER], "7");
        let body = body_of(response);
        assert!(body.contains("internal_error") && !body.contains("a detail"), "{body}");
        assert_eq!(lines.len(), 1);
        assert!(lines[0].contains("a detail") && lines[0].contains("\"duration_ms\":250"), "{lines:?}");
    }

    #[test]
    fn an_unknown_method_is_told_which_are_known() {
        let (response, _) = answer(Method::PUT, Ok(Bytes::new()));
        assert_eq!(response.status(), 405);
        assert_eq!(response.headers()[header::ALLOW], "POST, DELETE");
    }

    #[test]
    fn a_body_over_the_limit_is_refused() {
        let (response, _) = answer(Method::POST, Err(BodyError::TooLarge));
        assert_eq!(response.status(), 413);
        assert!(body_of(response).contains("2 KB"));
    }

    #[test]
    fn a_route_is_found_on_both_platforms() {
        for (path, expected) in [
            ("/functions/v1/echo", Some("/")),
            ("/functions/v1/echo/", Some("/")),
            ("/echo", Some("/")),
            ("/echo/start", Some("/start")),
            ("/functions/v1/echo/start", Some("/start")),
            ("/functions/v1/echoes", None),
            ("/", None),
            ("/functions/v1/", None),
        ] {
            assert_eq!(route(path, "echo"), expected, "{path}");
        }
    }
}
