//! Requests completions.

use std::rc::Rc;

use futures_util::StreamExt;
use futures_util::future::{Either, select};
use http::Method;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};

use super::private::Private;
use super::stream::Meter;
use super::{ChatRequest, ChatStream, Dialect, DialectCache, LlmConfig, LlmError, Problem};
use crate::runtime::clock::Clock;
use crate::runtime::http_client::{
    BodyStream, HttpClient, HttpError, InboundResponse, Limits, OutboundRequest, Upstream,
};

/// The longest `Retry-After` that is waited for, in milliseconds.
const MAX_RETRY_AFTER_MS: u64 = 3_000;

/// The pause before the second attempt if the response names none.
const RETRY_PAUSE_MS: u64 = 500;

/// The most bytes read of an error's body.
const MAX_ERROR_BYTES: usize = 16 * 1024;

/// The longest wait for an error's body.
const ERROR_BODY_MS: u64 = 2_000;

/// The most simpler forms that are tried for one completion.
const MAX_STEPS: usize = 9;

/// A client of the configured model.
#[derive(Clone, Copy)]
pub struct LlmClient<'a> {
    /// The server, the model and the settings.
    pub config: &'a LlmConfig,
    /// The form of requests that the server accepts.
    pub dialects: &'a DialectCache,
    /// The HTTP client.
    pub http: &'a dyn HttpClient,
    /// The time.
    pub clock: &'a dyn Clock,
}

/// The reasons why an attempt has no completion.
enum Failure {
    /// There was no response.
    Http(HttpError),
    Refused(Refusal),
}

/// The server's refusal.
struct Refusal {
    problem: Problem,
    /// How long to wait before the second attempt; `None` for no second attempt.
    pause_ms: Option<u64>,
    retry_after_seconds: Option<u64>,
}

impl<'a> LlmClient<'a> {
    /// Requests a completion, and returns as soon as it begins.
    ///
    /// 1. If the server refuses the form of the request, a simpler one is tried: strict, object, prompt, without
    ///    streaming, or without the parameter that it names. `dialects` stores the accepted form.
    /// 2. A transient failure (429, 5xx, a broken connection) is repeated once, unless the server asks for a pause of
    ///    more than three seconds or the deadline does not allow it.
    ///
    /// `limits` bound all attempts together.
    ///
    /// # Errors
    /// Returns an [`LlmError`] if no completion begins. Nothing has been charged then. Only after the future was
    /// dropped, or timed out, [`ChatRequest::prompt_cost`] may be due.
    pub async fn stream(
        &self,
        request: &ChatRequest,
        limits: Limits,
    ) -> Result<ChatStream<'a>, LlmError> {
        let deadline_ms = self.clock.now_ms().saturating_add(limits.total_ms);
        let texts = request.private.iter().map(String::as_str);
        let private = Rc::new(Private::new(texts.chain([self.config.api_key.expose()])));
        let mut dialect = self.dialects.dialect(self.config, self.clock.now_ms());
        if request.is_second {
            dialect = dialect.with_less_json();
        }
        let (mut steps, mut is_named, mut may_retry) = (0, true, true);
        loop {
            let remaining = limits.within(deadline_ms.saturating_sub(self.clock.now_ms()));
            let mut attempted = self.attempt(dialect, request, remaining, &private).await;
            // Routers send the response's head before they ask a provider; the provider's refusal is then the first
            // payload.
            let problem = match &mut attempted {
                Ok(stream) => stream.first_problem().await,
                Err(Failure::Refused(refusal)) => Some(&refusal.problem),
                Err(Failure::Http(_)) => None,
            };
            if steps < MAX_STEPS
                && let Some((simpler, names_it)) =
                    problem.and_then(|problem| dialect.after(problem))
            {
                dialect = simpler;
                is_named &= names_it;
                steps += 1;
                continue;
            }
            let is_accepted = problem.is_none();
            let (error, pause_ms) = match attempted {
                Ok(stream) => {
                    if steps > 0 && is_accepted {
                        self.dialects
                            .accepts(dialect, is_named, self.clock.now_ms());
                    }
                    return Ok(stream);
                }
                Err(Failure::Http(error)) => {
                    let pause_ms = matches!(error, HttpError::Network).then_some(RETRY_PAUSE_MS);
                    (LlmError::from(error), pause_ms)
                }
                Err(Failure::Refused(refusal)) => {
                    let pause_ms = refusal.pause_ms.filter(|_| refusal.problem.is_passing());
                    let error = refusal
                        .problem
                        .into_error(refusal.retry_after_seconds, &private);
                    (error, pause_ms)
                }
            };
            let is_in_time =
                |pause_ms: &u64| self.clock.now_ms().saturating_add(*pause_ms) < deadline_ms;
            let Some(pause_ms) = pause_ms.filter(|pause_ms| may_retry && is_in_time(pause_ms))
            else {
                return Err(error);
            };
            may_retry = false;
            self.clock.sleep_ms(pause_ms).await;
        }
    }

    async fn attempt(
        &self,
        dialect: Dialect,
        request: &ChatRequest,
        limits: Limits,
        private: &Rc<Private>,
    ) -> Result<ChatStream<'a>, Failure> {
        let outbound = self
            .outbound(dialect, request, limits)
            .map_err(Failure::Http)?;
        let response = self.http.send(outbound).await.map_err(Failure::Http)?;
        if response.status.is_success() {
            let meter = Meter::new(self.config.prices, request.estimate());
            return Ok(ChatStream::new(
                response.body,
                self.clock,
                dialect,
                meter,
                private.clone(),
            ));
        }
        Err(Failure::Refused(refusal(response, self.clock).await))
    }

    fn outbound(
        &self,
        dialect: Dialect,
        request: &ChatRequest,
        limits: Limits,
    ) -> Result<OutboundRequest, HttpError> {
        let url = format!("{}/chat/completions", self.config.base_url);
        // Without streaming, no byte arrives before the completion has ended.
        let idle_timeout_ms = if dialect.streams {
            limits.idle_timeout_ms
        } else {
            limits.total_ms
        };
        let limits = Limits {
            idle_timeout_ms,
            ..limits
        };
        let outbound = OutboundRequest::new(Upstream::Model, Method::POST, url, limits)
            .header(
                AUTHORIZATION,
                &format!("Bearer {}", self.config.api_key.expose()),
            )?
            .header(CONTENT_TYPE, "application/json")?
            .header(ACCEPT, "text/event-stream, application/json")?;
        let body = request
            .to_body(self.config, dialect)
            .map_err(|_| HttpError::InvalidRequest)?;
        Ok(outbound.body(body))
    }
}

/// Reads a response that is not a success.
async fn refusal(response: InboundResponse, clock: &dyn Clock) -> Refusal {
    let status = response.status.as_u16();
    let retry_after_seconds = response.retry_after_seconds();
    let pause_ms = match response.retry_after_ms() {
        None if response.headers.contains_key(RETRY_AFTER) => None,
        None => Some(RETRY_PAUSE_MS),
        Some(pause_ms) => Some(pause_ms).filter(|pause_ms| *pause_ms <= MAX_RETRY_AFTER_MS),
    };
    let body = error_body(response.body, clock).await;
    Refusal {
        problem: Problem::from_body(status, &body),
        pause_ms,
        retry_after_seconds,
    }
}

/// Returns the beginning of an error's body, as far as it arrives in time.
async fn error_body(mut body: BodyStream, clock: &dyn Clock) -> Vec<u8> {
    let mut read = Vec::new();
    let mut deadline = std::pin::pin!(clock.sleep_ms(ERROR_BODY_MS));
    while read.len() < MAX_ERROR_BYTES
        && let Either::Left((Some(Ok(chunk)), _)) = select(body.next(), deadline.as_mut()).await
    {
        read.extend_from_slice(&chunk);
    }
    read.truncate(MAX_ERROR_BYTES);
    read
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
