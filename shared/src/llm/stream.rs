//! Reads a completion as it arrives.

use std::collections::VecDeque;
use std::rc::Rc;

use bytes::Bytes;
use futures_util::future::{Either, LocalBoxFuture, select};
use futures_util::{FutureExt, StreamExt};

use super::frame::Frame;
use super::private::Private;
use super::surrogates::Joiner;
use super::{
    ChatEvent, Cost, Dialect, Estimate, FrameReader, LlmError, Payload, Prices, Problem, Usage,
};
use crate::runtime::clock::Clock;
use crate::runtime::http_client::{BodyStream, HttpError};

/// The most bytes kept of a model's thoughts.
const MAX_THOUGHTS_BYTES: usize = 64 * 1024;

/// A completion that is being read. Dropping it aborts the request.
pub struct ChatStream<'a> {
    body: BodyStream,
    clock: &'a dyn Clock,
    patience: Patience,
    frames: FrameReader,
    received: Received,
    meter: Meter,
    dialect: Dialect,
    private: Rc<Private>,
    has_frames: bool,
    /// Whether the server or the caller declared the completion finished. Proxies do so too early, so reading
    /// continues.
    is_finished: bool,
    is_over: bool,
    /// The first payload was a failure.
    problem: Option<Box<Problem>>,
    failure: Option<LlmError>,
}

impl<'a> ChatStream<'a> {
    pub(super) fn new(
        body: BodyStream,
        clock: &'a dyn Clock,
        dialect: Dialect,
        meter: Meter,
        private: Rc<Private>,
    ) -> Self {
        Self {
            body,
            clock,
            patience: Patience::default(),
            frames: FrameReader::default(),
            received: Received::default(),
            meter,
            dialect,
            private,
            has_frames: false,
            is_finished: false,
            is_over: false,
            problem: None,
            failure: None,
        }
    }

    /// Returns the form of the request that the server accepted.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Returns the usage, if the server has reported it.
    pub fn usage(&self) -> Option<Usage> {
        self.meter.usage
    }

    /// Returns the cost of the completion so far. Read it to its end first, as the usage comes after the content.
    ///
    /// It is the cost that the server reports, otherwise its tokens at the configured prices, otherwise (before the
    /// usage, or if the completion was cut off) an estimate from the characters.
    pub fn cost(&self) -> Cost {
        self.meter.cost()
    }

    /// Returns the next piece of the completion; `None` after the last one, or after an error.
    ///
    /// Cancel-safe: dropping the future loses nothing, so it may be used in `select!`.
    pub async fn next(&mut self) -> Option<Result<ChatEvent, LlmError>> {
        loop {
            if let Some(event) = self.received.events.pop_front() {
                return Some(Ok(event));
            }
            if self.is_over {
                if let Some(thoughts) = self.received.thoughts_in_place_of_content() {
                    return Some(Ok(thoughts));
                }
                return self.failure.take().map(Err);
            }
            self.advance().await;
        }
    }

    /// Ends the completion after `ms` at the latest. Errors from now on are ignored.
    pub fn end_within_ms(&mut self, ms: u64) {
        self.is_finished = true;
        self.patience.end_within_ms(ms, self.clock);
    }

    /// Ends the completion after a silence of `ms`; `None` leaves that to the limits of the request.
    pub fn allow_silence_ms(&mut self, ms: Option<u64>) {
        self.patience.max_silence_ms = ms;
    }

    /// Waits until the completion begins; returns the failure if it begins with one.
    pub(super) async fn first_problem(&mut self) -> Option<&Problem> {
        while !self.has_frames && !self.is_over {
            self.advance().await;
        }
        self.problem.as_deref()
    }

    /// Waits for one chunk and reads it.
    async fn advance(&mut self) {
        let read = match self.patience.next_chunk(&mut self.body, self.clock).await {
            Waited::Chunk(chunk) => self.read(&chunk),
            Waited::Failed(error) => {
                let payloads = self.frames.finish();
                self.take(payloads).and(Err(error.into()))
            }
            Waited::Ended => self.end(),
            Waited::TooLong => {
                self.is_over = true;
                Ok(())
            }
        };
        if let Err(error) = read {
            self.is_over = true;
            // If the model has finished its completion, an error afterwards does not lose it.
            self.failure = Some(error).filter(|_| !self.is_finished);
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
        if !self.is_finished && self.received.is_empty() {
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
        self.meter.count(&frame);
        self.is_finished |= frame
            .events
            .iter()
            .any(|event| matches!(event, ChatEvent::Finished(_)));
        self.received.take(frame);
    }
}

/// What was received and not yet returned.
#[derive(Default)]
struct Received {
    events: VecDeque<ChatEvent>,
    joiner: Joiner,
    /// The thoughts so far. They are the completion if there is no content.
    thoughts: String,
    has_content: bool,
}

impl Received {
    fn take(&mut self, frame: Frame) {
        if self.thoughts.len() < MAX_THOUGHTS_BYTES {
            self.thoughts.push_str(&frame.thoughts);
        }
        for event in frame.events {
            match event {
                ChatEvent::Content(text) => {
                    self.has_content |= !text.trim().is_empty();
                    let text = self.joiner.join(&text);
                    if !text.is_empty() {
                        self.events.push_back(ChatEvent::Content(text));
                    }
                }
                event => self.events.push_back(event),
            }
        }
    }

    /// Returns whether there was neither content nor a thought.
    fn is_empty(&self) -> bool {
        !self.has_content && self.thoughts.is_empty()
    }

    /// Returns the thoughts as content: servers that take a model for a reasoning model send its whole completion as
    /// thoughts.
    fn thoughts_in_place_of_content(&mut self) -> Option<ChatEvent> {
        let is_completion = !self.has_content && self.thoughts.contains('{');
        let thoughts = std::mem::take(&mut self.thoughts);
        is_completion.then_some(ChatEvent::Content(thoughts))
    }
}

/// Computes the cost.
pub(super) struct Meter {
    prices: Prices,
    sent: Estimate,
    received: Estimate,
    usage: Option<Usage>,
}

impl Meter {
    /// Creates the meter of a request of this length.
    pub(super) fn new(prices: Prices, sent: Estimate) -> Self {
        Self {
            prices,
            sent,
            received: Estimate::default(),
            usage: None,
        }
    }

    fn count(&mut self, frame: &Frame) {
        self.received += Estimate::of(&frame.thoughts);
        for event in &frame.events {
            match event {
                ChatEvent::Content(text) | ChatEvent::Refusal(text) => {
                    self.received += Estimate::of(text);
                }
                ChatEvent::Usage(usage) => self.usage = Some(*usage),
                ChatEvent::Finished(_) => {}
            }
        }
    }

    fn cost(&self) -> Cost {
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
}

/// How long to wait for the next chunk, besides the limits of the request.
#[derive(Default)]
struct Patience {
    /// A timer that ends the reading, and its duration in milliseconds.
    ends: Option<(u64, LocalBoxFuture<'static, ()>)>,
    /// The longest silence from now on, in milliseconds.
    max_silence_ms: Option<u64>,
}

/// The end of a wait for a chunk.
enum Waited {
    Chunk(Bytes),
    Failed(HttpError),
    /// The body has ended.
    Ended,
    TooLong,
}

impl Patience {
    /// Sets the timer, unless it ends earlier.
    fn end_within_ms(&mut self, ms: u64, clock: &dyn Clock) {
        if self.ends.as_ref().is_none_or(|(before, _)| ms < *before) {
            self.ends = Some((ms, clock.sleep_ms(ms)));
        }
    }

    async fn next_chunk(&mut self, body: &mut BodyStream, clock: &dyn Clock) -> Waited {
        let chunk = body.next().map(|chunk| match chunk {
            Some(Ok(chunk)) => Waited::Chunk(chunk),
            Some(Err(error)) => Waited::Failed(error),
            None => Waited::Ended,
        });
        let silence = self.max_silence_ms.map(|ms| clock.sleep_ms(ms));
        let ends = self.ends.as_mut().map(|(_, ends)| ends);
        let too_long = match (silence, ends) {
            (None, None) => return chunk.await,
            (Some(silence), None) => silence,
            (None, Some(ends)) => ends.boxed_local(),
            (Some(silence), Some(ends)) => select(silence, ends).map(drop).boxed_local(),
        };
        match select(chunk, too_long).await {
            Either::Left((waited, _)) => waited,
            Either::Right(_) => Waited::TooLong,
        }
    }
}
