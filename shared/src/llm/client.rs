//! Asks the model and reads its answer as it arrives.

use std::collections::VecDeque;
use std::rc::Rc;

use futures_util::future::{Either, LocalBoxFuture, select};
use futures_util::{FutureExt, StreamExt};
use http::Method;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};

use super::frame::Frame;
use super::private::Private;
use super::surrogates::Joiner;
use super::{
    ChatEvent, ChatRequest, Cost, Dialect, Estimate, FrameReader, LlmConfig, LlmError, LlmMemory,
    Payload, Prices, Problem, Usage,
};
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

/// The most bytes kept of a model's thoughts.
const MAX_THOUGHTS_BYTES: usize = 64 * 1024;

/// The most simpler forms that one question tries.
const MAX_STEPS: usize = 9;

/// Asks the model, and returns as soon as its answer begins.
///
/// 1. If the server refuses the form of the request, a simpler one is tried: strict, object, prompt, without
///    streaming, or without the parameter that it names. `memory` stores the accepted form.
/// 2. A transient failure (429, 5xx, a broken connection) is repeated once, unless the server asks for a pause of
///    more than three seconds or the deadline does not allow it.
///
/// `limits` bound all attempts together.
///
/// # Errors
/// Returns an [`LlmError`] if no answer begins. Nothing has been charged then. Only after the future was dropped, or
/// timed out, [`ChatRequest::cost_of_asking`] may be due.
pub async fn stream_chat<'a>(
    config: &LlmConfig,
    memory: &LlmMemory,
    http: &dyn HttpClient,
    clock: &'a dyn Clock,
    request: &ChatRequest,
    limits: Limits,
) -> Result<ChatStream<'a>, LlmError> {
    let deadline_ms = clock.now_ms().saturating_add(limits.total_ms);
    let texts = request
        .private
        .iter()
        .map(String::as_str)
        .chain([config.api_key.expose()]);
    let private = Rc::new(Private::new(texts));
    let mut dialect = memory.dialect(config, clock.now_ms());
    if request.is_second {
        dialect = dialect.with_less_json();
    }
    let (mut steps, mut is_named, mut may_retry) = (0, true, true);
    loop {
        let remaining = limits.within(deadline_ms.saturating_sub(clock.now_ms()));
        let mut attempted =
            attempt(config, dialect, http, clock, request, remaining, &private).await;
        // Routers send the response's head before they ask a provider; the provider's refusal is then the first payload.
        let problem = match &mut attempted {
            Ok(stream) => stream.first_problem().await,
            Err(Attempt::Refused { problem, .. }) => Some(&*problem),
            Err(Attempt::Failed(_)) => None,
        };
        if steps < MAX_STEPS
            && let Some((simpler, names_it)) = problem.and_then(|problem| dialect.after(problem))
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
                    memory.accepts(dialect, is_named, clock.now_ms());
                }
                return Ok(stream);
            }
            Err(Attempt::Failed(error)) => {
                let pause_ms = matches!(error, HttpError::Network).then_some(RETRY_PAUSE_MS);
                (LlmError::from(error), pause_ms)
            }
            Err(Attempt::Refused {
                problem,
                pause_ms,
                retry_after_seconds,
            }) => {
                let pause_ms = pause_ms.filter(|_| problem.is_passing());
                (problem.into_error(retry_after_seconds, &private), pause_ms)
            }
        };
        let is_in_time = |pause_ms: &u64| clock.now_ms().saturating_add(*pause_ms) < deadline_ms;
        let Some(pause_ms) = pause_ms.filter(|pause_ms| may_retry && is_in_time(pause_ms)) else {
            return Err(error);
        };
        may_retry = false;
        clock.sleep_ms(pause_ms).await;
    }
}

enum Attempt {
    Failed(HttpError),
    Refused {
        problem: Problem,
        /// Returns how long to wait before the second attempt; `None` for no second attempt.
        pause_ms: Option<u64>,
        retry_after_seconds: Option<u64>,
    },
}

async fn attempt<'a>(
    config: &LlmConfig,
    dialect: Dialect,
    http: &dyn HttpClient,
    clock: &'a dyn Clock,
    request: &ChatRequest,
    limits: Limits,
    private: &Rc<Private>,
) -> Result<ChatStream<'a>, Attempt> {
    let outbound = outbound(config, dialect, request, limits).map_err(Attempt::Failed)?;
    let response = http.send(outbound).await.map_err(Attempt::Failed)?;
    if response.status.is_success() {
        let sent = request.estimate();
        return Ok(ChatStream::new(
            response,
            clock,
            dialect,
            config.prices,
            sent,
            private.clone(),
        ));
    }
    let status = response.status.as_u16();
    let retry_after_seconds = response.retry_after_seconds();
    let pause_ms = match response.retry_after_ms() {
        None if response.headers.contains_key(RETRY_AFTER) => None,
        None => Some(RETRY_PAUSE_MS),
        Some(pause_ms) => Some(pause_ms).filter(|pause_ms| *pause_ms <= MAX_RETRY_AFTER_MS),
    };
    let body = error_body(response.body, clock).await;
    Err(Attempt::Refused {
        problem: Problem::from_body(status, &body),
        pause_ms,
        retry_after_seconds,
    })
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

fn outbound(
    config: &LlmConfig,
    dialect: Dialect,
    request: &ChatRequest,
    limits: Limits,
) -> Result<OutboundRequest, HttpError> {
    let url = format!("{}/chat/completions", config.base_url);
    // Without streaming, no byte arrives before the answer is complete.
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
            &format!("Bearer {}", config.api_key.expose()),
        )?
        .header(CONTENT_TYPE, "application/json")?
        .header(ACCEPT, "text/event-stream, application/json")?;
    let body = request
        .to_body(config, dialect)
        .map_err(|_| HttpError::InvalidRequest)?;
    Ok(outbound.body(body))
}

/// The model's answer. Dropping it aborts the call.
pub struct ChatStream<'a> {
    body: BodyStream,
    frames: FrameReader,
    joiner: Joiner,
    events: VecDeque<ChatEvent>,
    dialect: Dialect,
    clock: &'a dyn Clock,
    /// A timer that ends the reading, and its duration in milliseconds.
    ends: Option<(u64, LocalBoxFuture<'static, ()>)>,
    /// The longest allowed silence from now on, in milliseconds.
    max_silence_ms: Option<u64>,
    /// Whether the server or the caller declared the answer finished. Proxies do so too early, so reading continues.
    is_finished: bool,
    is_over: bool,
    has_content: bool,
    has_frames: bool,
    /// The thoughts so far. They are the answer if there is no content.
    thoughts: String,
    /// The first payload was a failure.
    problem: Option<Box<Problem>>,
    failure: Option<LlmError>,
    private: Rc<Private>,
    prices: Prices,
    usage: Option<Usage>,
    sent: Estimate,
    received: Estimate,
}

impl<'a> ChatStream<'a> {
    fn new(
        response: InboundResponse,
        clock: &'a dyn Clock,
        dialect: Dialect,
        prices: Prices,
        sent: Estimate,
        private: Rc<Private>,
    ) -> Self {
        Self {
            body: response.body,
            frames: FrameReader::default(),
            joiner: Joiner::default(),
            events: VecDeque::new(),
            dialect,
            clock,
            ends: None,
            max_silence_ms: None,
            is_finished: false,
            is_over: false,
            has_content: false,
            has_frames: false,
            thoughts: String::new(),
            problem: None,
            failure: None,
            private,
            prices,
            usage: None,
            sent,
            received: Estimate::default(),
        }
    }

    /// Returns the form in which the server was asked.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Returns the usage, if the server has reported it.
    pub fn usage(&self) -> Option<Usage> {
        self.usage
    }

    /// Returns the next piece of the answer; `None` after the last one, or after an error.
    ///
    /// Cancel-safe: dropping the future loses nothing, so it may be used in `select!`.
    pub async fn next(&mut self) -> Option<Result<ChatEvent, LlmError>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(Ok(event));
            }
            if self.is_over {
                if let Some(thoughts) = self.thoughts_in_place_of_content() {
                    return Some(Ok(thoughts));
                }
                return self.failure.take().map(Err);
            }
            self.advance().await;
        }
    }

    /// Waits for one chunk and reads it.
    async fn advance(&mut self) {
        let read = match self.wait().await {
            Some(Some(Ok(chunk))) => self.read(&chunk),
            Some(Some(Err(error))) => {
                let payloads = self.frames.finish();
                self.take(payloads).and(Err(error.into()))
            }
            Some(None) => self.end(),
            None => {
                self.is_over = true;
                Ok(())
            }
        };
        if let Err(error) = read {
            self.is_over = true;
            // If the model has finished its answer, an error afterwards does not lose it.
            self.failure = Some(error).filter(|_| !self.is_finished);
        }
    }

    /// Ends the answer after `ms` at the latest. Errors from now on are ignored.
    pub fn end_within_ms(&mut self, ms: u64) {
        self.is_finished = true;
        if self.ends.as_ref().is_none_or(|(before, _)| ms < *before) {
            self.ends = Some((ms, self.clock.sleep_ms(ms)));
        }
    }

    /// Ends the answer after a silence of `ms`; `None` leaves that to the call's limits.
    pub fn allow_silence_ms(&mut self, ms: Option<u64>) {
        self.max_silence_ms = ms;
    }

    /// Waits until the answer begins; returns the failure if it begins with one.
    async fn first_problem(&mut self) -> Option<&Problem> {
        while !self.has_frames && !self.is_over {
            self.advance().await;
        }
        self.problem.as_deref()
    }

    /// Returns the cost of the answer so far. Read the answer to its end first, as the usage comes after the
    /// content.
    ///
    /// It is the cost that the server reports, otherwise its tokens at the configured prices, otherwise (before the
    /// usage, or if the answer was cut off) an estimate from the characters.
    pub fn cost(&self) -> Cost {
        match self.usage {
            Some(Usage {
                cost: Some(cost), ..
            }) => cost,
            Some(usage) => self
                .prices
                .of_tokens(usage.prompt_tokens, usage.completion_tokens),
            None => self.prices.estimate(self.sent, self.received),
        }
    }

    /// Returns the thoughts as content: servers that take a model for a reasoning model send its whole answer as
    /// thoughts.
    fn thoughts_in_place_of_content(&mut self) -> Option<ChatEvent> {
        let is_answer = !self.has_content && self.thoughts.contains('{');
        let thoughts = std::mem::take(&mut self.thoughts);
        is_answer.then_some(ChatEvent::Content(thoughts))
    }

    /// Returns the next chunk; the outer `None` if the wait has ended.
    async fn wait(&mut self) -> Option<Option<Result<bytes::Bytes, HttpError>>> {
        let chunk = self.body.next();
        let silence = self.max_silence_ms.map(|ms| self.clock.sleep_ms(ms));
        let ends = self.ends.as_mut().map(|(_, ends)| ends);
        let given_up = match (silence, ends) {
            (None, None) => return Some(chunk.await),
            (Some(silence), None) => silence,
            (None, Some(ends)) => ends.boxed_local(),
            (Some(silence), Some(ends)) => select(silence, ends).map(drop).boxed_local(),
        };
        match select(chunk, given_up).await {
            Either::Left((chunk, _)) => Some(chunk),
            Either::Right(_) => None,
        }
    }

    fn read(&mut self, chunk: &[u8]) -> Result<(), LlmError> {
        let payloads = self
            .frames
            .push(chunk)
            .map_err(|_| LlmError::InvalidResponse)?;
        self.take(payloads)
    }

    fn end(&mut self) -> Result<(), LlmError> {
        self.is_over = true;
        let payloads = self.frames.finish();
        self.take(payloads)?;
        if !self.has_frames {
            return Err(LlmError::InvalidResponse);
        }
        if !self.is_finished && !self.has_content && self.thoughts.is_empty() {
            return Err(LlmError::Empty);
        }
        Ok(())
    }

    fn take(&mut self, payloads: Vec<Payload>) -> Result<(), LlmError> {
        for payload in payloads {
            match payload {
                Payload::Json(json) => match Frame::read(&json) {
                    Ok(frame) => self.take_frame(frame),
                    Err(problem) => {
                        self.problem = Some(problem.clone()).filter(|_| !self.has_frames);
                        return Err(problem.into_error(None, &self.private));
                    }
                },
                Payload::Done => {
                    self.is_finished = true;
                    self.is_over = true;
                    break;
                }
            }
        }
        Ok(())
    }

    fn take_frame(&mut self, frame: Frame) {
        self.has_frames = true;
        self.received += Estimate::of(&frame.thoughts);
        if self.thoughts.len() < MAX_THOUGHTS_BYTES {
            self.thoughts.push_str(&frame.thoughts);
        }
        for event in frame.events {
            match &event {
                ChatEvent::Content(text) => {
                    self.received += Estimate::of(text);
                    self.has_content |= !text.trim().is_empty();
                    let text = self.joiner.join(text);
                    if !text.is_empty() {
                        self.events.push_back(ChatEvent::Content(text));
                    }
                    continue;
                }
                ChatEvent::Refusal(text) => self.received += Estimate::of(text),
                ChatEvent::Finished(_) => self.is_finished = true,
                ChatEvent::Usage(usage) => self.usage = Some(*usage),
            }
            self.events.push_back(event);
        }
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
