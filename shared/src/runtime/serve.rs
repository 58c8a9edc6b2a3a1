//! Serves the requests of an endpoint: health, routes, CORS, errors as JSON, one log line.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};

use crate::error::{Code, Error};
use crate::runtime::clock::Clock;
use crate::runtime::context::RequestContext;
use crate::runtime::cors::AllowedOrigins;
use crate::runtime::endpoint::HEALTH;
use crate::runtime::headers::TRANSPORT;
use crate::runtime::response::{Body, empty, error_response};

/// The request's id in responses and logs.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
const TIMING_ALLOW_ORIGIN: HeaderName = HeaderName::from_static("timing-allow-origin");

/// The reasons why a request's body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// It exceeds the endpoint's limit.
    TooLarge,
    /// It ended early, or took too long.
    CutOff,
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
                error_response(&error, call.request_id)
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
        show_timing(&call.server_timing(clock.now_ms()), headers);
    }
    response
}

/// Adds the `Server-Timing` header and exposes it to scripts of an allowed origin.
fn show_timing(timing: &str, headers: &mut HeaderMap) {
    let Ok(timing) = HeaderValue::from_str(timing) else {
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

#[cfg(test)]
#[path = "serve_tests.rs"]
mod tests;
