//! Records requests and responses as they cross the network.

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::{FutureExt, StreamExt};
use http::header::{CONTENT_TYPE, LOCATION};
use native::{NativeClock, NativeHttp};
use serde_json::Value;
use shared::runtime::clock::Clock;
use shared::runtime::http_client::{HttpClient, InboundResponse, OutboundRequest, ResponseFuture};

/// The number of bytes of a response that are kept to show its kind.
const BEGINNING_BYTES: usize = 512;

/// One request, and the facts about its response.
#[derive(Debug, Default)]
pub struct Attempt {
    /// `strict`, `object` or `prompt`.
    pub json_mode: &'static str,
    pub streams: bool,
    /// The limit of the completion's tokens.
    pub token_limit: Option<u64>,
    pub status: Option<u16>,
    pub content_type: Option<String>,
    /// The target of a redirect.
    pub location: Option<String>,
    pub beginning: Vec<u8>,
    pub sent_ms: u64,
    /// When the first byte of the response's body arrived.
    pub first_byte_ms: Option<u64>,
}

impl Attempt {
    fn of(body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let json_mode = match body
            .pointer("/response_format/type")
            .and_then(Value::as_str)
        {
            Some("json_schema") => "strict",
            Some(_) => "object",
            None => "prompt",
        };
        let limits = ["max_completion_tokens", "max_tokens"];
        Self {
            json_mode,
            streams: body
                .get("stream")
                .and_then(Value::as_bool)
                .unwrap_or_default(),
            token_limit: limits.iter().find_map(|name| body.get(*name)?.as_u64()),
            sent_ms: NativeClock.now_ms(),
            ..Self::default()
        }
    }
}

/// Sends requests and records them.
pub struct Observed<'a> {
    http: &'a NativeHttp,
    attempts: Rc<RefCell<Vec<Attempt>>>,
}

impl<'a> Observed<'a> {
    pub fn new(http: &'a NativeHttp) -> Self {
        Self {
            http,
            attempts: Rc::default(),
        }
    }

    pub fn attempts(&self) -> Vec<Attempt> {
        self.attempts.take()
    }
}

impl HttpClient for Observed<'_> {
    fn send(&self, request: OutboundRequest) -> ResponseFuture<'_> {
        async move {
            let attempt = Attempt::of(&request.body);
            self.attempts.borrow_mut().push(attempt);
            let response = self.http.send(request).await?;
            let header = |name| Some(response.headers.get(name)?.to_str().ok()?.to_owned());
            note(&self.attempts, |attempt| {
                attempt.status = Some(response.status.as_u16());
                attempt.content_type = header(CONTENT_TYPE);
                attempt.location = header(LOCATION);
            });
            let attempts = Rc::clone(&self.attempts);
            let body = response.body.inspect(move |chunk| {
                let Ok(chunk) = chunk else { return };
                note(&attempts, |attempt| {
                    let missing = BEGINNING_BYTES.saturating_sub(attempt.beginning.len());
                    attempt.beginning.extend(chunk.iter().take(missing));
                    attempt
                        .first_byte_ms
                        .get_or_insert_with(|| NativeClock.now_ms());
                });
            });
            Ok(InboundResponse {
                status: response.status,
                headers: response.headers,
                body: Box::pin(body),
            })
        }
        .boxed_local()
    }
}

fn note(attempts: &RefCell<Vec<Attempt>>, note: impl FnOnce(&mut Attempt)) {
    if let Some(attempt) = attempts.borrow_mut().last_mut() {
        note(attempt);
    }
}
