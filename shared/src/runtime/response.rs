//! Responses: documents, errors, streams.

use std::pin::Pin;

use bytes::Bytes;
use futures_util::Stream;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde::Serialize;
use uuid::Uuid;

use crate::error::{Code, Error};

/// The body of a response, whole or streamed.
pub enum Body {
    /// A complete document.
    Full(Bytes),
    /// Chunks as they are produced. The producer writes the log line at the end.
    Stream(Pin<Box<dyn Stream<Item = Bytes>>>),
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

/// Returns the response of a failed request.
pub(super) fn error_response(error: &Error, request_id: Uuid) -> Response<Body> {
    let mut response = json_response(error.status(), &error.body(request_id))
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

/// Returns a response without a body.
pub(super) fn empty(status: StatusCode, headers: HeaderMap) -> Response<Body> {
    let mut response = Response::new(Body::Full(Bytes::new()));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
