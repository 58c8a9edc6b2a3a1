//! What the frames of an answer say.

use serde_json::Value;

use super::request::characters;
use super::{Cost, LlmError};

/// More tokens than any model reads or writes at once.
const MAX_TOKENS: u64 = 10_000_000;

/// A piece of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChatEvent {
    /// The next piece of the content.
    Content(String),
    /// The next piece of a refusal, which stands instead of content.
    Refusal(String),
    /// The content is complete, or goes no further.
    Finished(FinishReason),
    /// What the answer used. Where it is told more than once, the last one counts.
    Usage(Usage),
}

/// Why an answer goes no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinishReason {
    /// The model is done.
    Stop,
    /// `max_completion_tokens` are used up: the JSON is cut off.
    Length,
    /// The upstream's filter stepped in.
    ContentFilter,
    /// Anything else.
    Other,
}

/// What an answer used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Tokens sent.
    pub prompt_tokens: u64,
    /// Tokens received.
    pub completion_tokens: u64,
    /// What it cost, where the upstream tells.
    pub cost: Option<Cost>,
}

/// What one frame says.
#[derive(Debug, Default)]
pub(super) struct Frame {
    pub(super) events: Vec<ChatEvent>,
    /// Characters of thoughts, which are paid for but not part of the answer.
    pub(super) reasoning_characters: u64,
}

impl Frame {
    /// Reads a chunk of a stream, or a whole completion: they differ in `delta` and `message`.
    pub(super) fn parse(json: &[u8]) -> Result<Self, LlmError> {
        let frame: Value = serde_json::from_slice(json).map_err(|_| LlmError::InvalidAnswer)?;
        if let Some(error) = frame.get("error").filter(|error| !error.is_null()) {
            return Err(upstream_error(error));
        }
        let mut read = Self::default();
        let choices = frame.get("choices").and_then(Value::as_array);
        if let Some(choice) = choices.and_then(|choices| choices.first()) {
            read.read_choice(choice)?;
        }
        read.events.extend(frame.get("usage").and_then(usage).map(ChatEvent::Usage));
        Ok(read)
    }

    fn read_choice(&mut self, choice: &Value) -> Result<(), LlmError> {
        if let Some(error) = choice.get("error").filter(|error| !error.is_null()) {
            return Err(upstream_error(error));
        }
        let said = choice.get("delta").or_else(|| choice.get("message"));
        let text =
            |key| said.and_then(|said| said.get(key)).and_then(Value::as_str).filter(|s| !s.is_empty());
        self.events.extend(text("content").map(|text| ChatEvent::Content(text.to_owned())));
        self.events.extend(text("refusal").map(|text| ChatEvent::Refusal(text.to_owned())));
        let thought = text("reasoning").or_else(|| text("reasoning_content")).unwrap_or_default();
        self.reasoning_characters = characters(thought);
        match choice.get("finish_reason").and_then(Value::as_str) {
            None => {}
            Some("error") => return Err(LlmError::Refused { status: 502 }),
            Some(reason) => self.events.push(ChatEvent::Finished(match reason {
                "stop" => FinishReason::Stop,
                "length" => FinishReason::Length,
                "content_filter" => FinishReason::ContentFilter,
                _ => FinishReason::Other,
            })),
        }
        Ok(())
    }
}

/// An error at HTTP 200. Its message may quote the prompt, so it goes no further.
fn upstream_error(error: &Value) -> LlmError {
    let code = error.get("code");
    if code.and_then(Value::as_str) == Some("rate_limit_exceeded") {
        return LlmError::RateLimited { retry_after_seconds: None };
    }
    let status = code.and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
    LlmError::from_status(status.filter(|status| (400..600).contains(status)).unwrap_or(502), None)
}

/// The usage, unless it cannot be true.
fn usage(json: &Value) -> Option<Usage> {
    let tokens = |key| json.get(key).and_then(Value::as_u64).filter(|tokens| *tokens <= MAX_TOKENS);
    Some(Usage {
        prompt_tokens: tokens("prompt_tokens")?,
        completion_tokens: tokens("completion_tokens")?,
        cost: json.get("cost").and_then(Value::as_f64).and_then(Cost::from_usd),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn events(frame: &Value) -> Vec<ChatEvent> {
        Frame::parse(frame.to_string().as_bytes()).unwrap().events
    }

    fn error(frame: &Value) -> LlmError {
        Frame::parse(frame.to_string().as_bytes()).unwrap_err()
    }

    #[test]
    fn a_frame_may_say_several_things() {
        let frame = json!({
            "choices": [{"delta": {"role": "assistant", "content": "a", "refusal": null}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 5, "completion_tokens": 7, "cost": 0.0002},
        });
        let usage = Usage { prompt_tokens: 5, completion_tokens: 7, cost: Cost::from_usd(0.0002) };
        assert_eq!(
            events(&frame),
            [
                ChatEvent::Content("a".to_owned()),
                ChatEvent::Finished(FinishReason::Stop),
                ChatEvent::Usage(usage),
            ]
        );
    }

    #[test]
    fn frames_without_content_say_nothing() {
        for frame in [
            json!({}),
            json!({"choices": []}),
            json!({"choices": [{"delta": {}, "finish_reason": null}], "usage": null, "error": null}),
            json!({"choices": [{"delta": {"content": ""}}]}),
        ] {
            assert_eq!(events(&frame), [], "{frame}");
        }
    }

    #[test]
    fn refusal_length_and_filter_are_told_apart() {
        let frame =
            |reason: &str| json!({"choices": [{"delta": {"refusal": "No."}, "finish_reason": reason}]});
        for (reason, expected) in [
            ("length", FinishReason::Length),
            ("content_filter", FinishReason::ContentFilter),
            ("tool_calls", FinishReason::Other),
        ] {
            let expected = [ChatEvent::Refusal("No.".to_owned()), ChatEvent::Finished(expected)];
            assert_eq!(events(&frame(reason)), expected);
        }
    }

    #[test]
    fn an_error_within_the_stream_is_an_error() {
        let refused = LlmError::Refused { status: 502 };
        for (frame, expected) in [
            (json!({"error": {"message": "x"}}), refused),
            (json!({"error": "x"}), refused),
            (json!({"error": {"code": 503}}), LlmError::Refused { status: 503 }),
            (json!({"error": {"code": 402}}), LlmError::PaymentRequired),
            (json!({"error": {"code": 200}}), refused),
            (
                json!({"error": {"code": "rate_limit_exceeded"}}),
                LlmError::RateLimited { retry_after_seconds: None },
            ),
            (json!({"choices": [{"delta": {"content": "x"}, "finish_reason": "error"}]}), refused),
            (json!({"choices": [{"error": {"code": 502}}]}), refused),
        ] {
            assert_eq!(error(&frame), expected, "{frame}");
        }
        assert_eq!(Frame::parse(b"<html>").unwrap_err(), LlmError::InvalidAnswer);
    }

    #[test]
    fn usage_that_cannot_be_true_is_not_believed() {
        for usage in [
            json!({"prompt_tokens": -1, "completion_tokens": 1}),
            json!({"prompt_tokens": 1, "completion_tokens": 1e300}),
            json!({"prompt_tokens": 1, "completion_tokens": "7"}),
            json!({"prompt_tokens": 1}),
        ] {
            assert_eq!(events(&json!({"usage": usage})), [], "{usage}");
        }
        let usage = json!({"prompt_tokens": 1, "completion_tokens": 1, "cost": -3});
        let believed = Usage { prompt_tokens: 1, completion_tokens: 1, cost: None };
        assert_eq!(events(&json!({"usage": usage})), [ChatEvent::Usage(believed)]);
    }

    #[test]
    fn thoughts_are_counted_but_not_part_of_the_answer() {
        let frame = json!({"choices": [{"delta": {"reasoning": "hm, tak"}}]});
        let frame = Frame::parse(frame.to_string().as_bytes()).unwrap();
        assert_eq!((frame.events.len(), frame.reasoning_characters), (0, 7));
    }
}
