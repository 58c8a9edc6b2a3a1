//! Asking, and reading the answer while it is written.

use std::collections::VecDeque;

use futures_util::StreamExt;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, Method};

use super::answer::Frame;
use super::request::characters;
use super::{ChatEvent, ChatRequest, Cost, LlmConfig, LlmError, Prices, SseEvent, SseParser, Usage};
use crate::clock::Clock;
use crate::http_client::{
    BodyStream, HttpClient, HttpError, InboundResponse, Limits, OutboundRequest, Upstream,
};

/// The longest `Retry-After` that is waited for.
const MAX_RETRY_AFTER_SECONDS: u64 = 3;

/// The pause before the second attempt where the upstream names none.
const RETRY_PAUSE_MS: u64 = 500;

/// Asks the model, and answers as soon as its answer begins.
///
/// An answer of 429, 502 or 503 is tried once more, unless the upstream wants a pause of more
/// than three seconds or the time does not allow it. `limits` bound both attempts together.
///
/// # Errors
/// [`LlmError`] where no answer begins. Nothing has been charged then; only where the future was
/// dropped, or timed out, may [`ChatRequest::cost_of_asking`] be due.
pub async fn stream_chat<H: HttpClient, C: Clock>(
    config: &LlmConfig,
    http: &H,
    clock: &C,
    request: &ChatRequest,
    limits: Limits,
) -> Result<ChatStream, LlmError> {
    let deadline_ms = clock.now_ms().saturating_add(limits.total_ms);
    let outbound = outbound(config, request, limits)?;
    let mut response = http.send(outbound.clone()).await?;
    if let Some(pause_ms) = retry_pause_ms(&response)
        && clock.now_ms().saturating_add(pause_ms) < deadline_ms
    {
        drop(response);
        clock.sleep_ms(pause_ms).await;
        let remaining_ms = deadline_ms.saturating_sub(clock.now_ms());
        response = http.send(OutboundRequest { limits: limits.within(remaining_ms), ..outbound }).await?;
    }
    if !response.status.is_success() {
        return Err(LlmError::from_status(response.status.as_u16(), response.retry_after_seconds()));
    }
    Ok(ChatStream::new(response, config.prices, request.characters()))
}

fn outbound(config: &LlmConfig, request: &ChatRequest, limits: Limits) -> Result<OutboundRequest, LlmError> {
    let url = format!("{}/chat/completions", config.base_url);
    let outbound = OutboundRequest::new(Upstream::Model, Method::POST, url, limits)
        .header(AUTHORIZATION, &format!("Bearer {}", config.api_key.expose()))?
        .header(CONTENT_TYPE, "application/json")?
        .header(ACCEPT, "text/event-stream, application/json")?;
    let body = request.to_body(config).map_err(|_| HttpError::InvalidRequest)?;
    Ok(outbound.body(body))
}

/// How long to wait before the second attempt; `None` where there is to be none.
fn retry_pause_ms(response: &InboundResponse) -> Option<u64> {
    if !matches!(response.status.as_u16(), 429 | 502 | 503) {
        return None;
    }
    if !response.headers.contains_key(RETRY_AFTER) {
        return Some(RETRY_PAUSE_MS);
    }
    // A date counts as too long: whoever means seconds writes seconds.
    let seconds = response.retry_after_seconds().filter(|seconds| *seconds <= MAX_RETRY_AFTER_SECONDS)?;
    Some(seconds * 1000)
}

enum Format {
    Stream(SseParser),
    /// Some servers answer one document, although a stream was asked for.
    Document(Vec<u8>),
}

/// The answer of the model. Dropping it aborts the call.
pub struct ChatStream {
    body: BodyStream,
    format: Format,
    events: VecDeque<ChatEvent>,
    /// Whether the model finished, or the stream said that nothing more comes.
    is_finished: bool,
    is_over: bool,
    failure: Option<LlmError>,
    prices: Prices,
    usage: Option<Usage>,
    sent_characters: u64,
    received_characters: u64,
}

impl ChatStream {
    fn new(response: InboundResponse, prices: Prices, sent_characters: u64) -> Self {
        let format = if is_json(&response.headers) {
            Format::Document(Vec::new())
        } else {
            Format::Stream(SseParser::default())
        };
        Self {
            body: response.body,
            format,
            events: VecDeque::new(),
            is_finished: false,
            is_over: false,
            failure: None,
            prices,
            usage: None,
            sent_characters,
            received_characters: 0,
        }
    }

    /// The next piece of the answer; `None` after the last one, or after an error.
    ///
    /// Dropping the future loses nothing, so it may stand in a `select!`.
    pub async fn next(&mut self) -> Option<Result<ChatEvent, LlmError>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(Ok(event));
            }
            if self.is_over {
                return self.failure.take().map(Err);
            }
            let read = match self.body.next().await {
                Some(Ok(chunk)) => self.read(&chunk),
                Some(Err(error)) => Err(error.into()),
                None => self.end().and(Err(LlmError::CutOff)),
            };
            if let Err(error) = read {
                self.is_over = true;
                // An answer that the model finished is not lost with what should have followed it.
                self.failure = Some(error).filter(|_| !self.is_finished);
            }
        }
    }

    /// What the answer has cost so far; read it to its end, as the usage comes after the content.
    ///
    /// What the upstream charged where it tells, else its tokens at the configured prices, else
    /// (as long as it has not told, or where it was cut off) an estimate from the characters.
    pub fn cost(&self) -> Cost {
        match self.usage {
            Some(Usage { cost: Some(cost), .. }) => cost,
            Some(usage) => self.prices.of_tokens(usage.prompt_tokens, usage.completion_tokens),
            None => self.prices.of_characters(self.sent_characters, self.received_characters),
        }
    }

    fn read(&mut self, chunk: &[u8]) -> Result<(), LlmError> {
        match &mut self.format {
            Format::Document(document) => document.extend_from_slice(chunk),
            Format::Stream(parser) => {
                for event in parser.push(chunk).map_err(|_| LlmError::InvalidAnswer)? {
                    self.read_event(&event)?;
                }
            }
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), LlmError> {
        match &mut self.format {
            Format::Document(document) => {
                let document = std::mem::take(document);
                self.read_frame(&document)?;
                if self.events.is_empty() {
                    return Err(LlmError::InvalidAnswer);
                }
                self.is_finished = true;
                Ok(())
            }
            Format::Stream(parser) => match parser.finish() {
                Some(event) => self.read_event(&event).map_err(|error| match error {
                    // Half a frame.
                    LlmError::InvalidAnswer => LlmError::CutOff,
                    other => other,
                }),
                None => Ok(()),
            },
        }
    }

    fn read_event(&mut self, event: &SseEvent) -> Result<(), LlmError> {
        match event {
            _ if self.is_over => {}
            SseEvent::Data(json) => self.read_frame(json.as_bytes())?,
            SseEvent::Done => {
                self.is_finished = true;
                self.is_over = true;
            }
        }
        Ok(())
    }

    fn read_frame(&mut self, json: &[u8]) -> Result<(), LlmError> {
        let frame = Frame::parse(json)?;
        self.received_characters += frame.reasoning_characters;
        for event in frame.events {
            match &event {
                ChatEvent::Content(text) | ChatEvent::Refusal(text) => {
                    self.received_characters += characters(text);
                }
                ChatEvent::Finished(_) => self.is_finished = true,
                ChatEvent::Usage(usage) => self.usage = Some(*usage),
            }
            self.events.push_back(event);
        }
        Ok(())
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("application/json")
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
