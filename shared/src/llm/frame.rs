//! Parses one payload of a completion.

use serde_json::Value;

use super::{Cost, Problem};

/// More tokens than any model reads or writes at once; larger counts are ignored.
const MAX_TOKENS: u64 = 10_000_000;

/// A piece of the completion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChatEvent {
    /// The next piece of the content.
    Content(String),
    /// The next piece of a refusal, which replaces content.
    Refusal(String),
    /// The content has ended, complete or not.
    Finished(FinishReason),
    /// The usage. If it is reported more than once, the last report counts.
    Usage(Usage),
}

/// The reasons why a completion ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinishReason {
    /// The model is done.
    Stop,
    /// The token limit is reached: the JSON is cut off.
    Length,
    /// The provider's filter stopped it.
    ContentFilter,
    /// Any other reason.
    Other,
}

/// The tokens that a completion used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Tokens sent.
    pub prompt_tokens: u64,
    /// Tokens received.
    pub completion_tokens: u64,
    /// The cost in USD, if the server reports it.
    pub cost: Option<Cost>,
}

/// The content of one payload.
#[derive(Debug, Default)]
pub(super) struct Frame {
    pub(super) events: Vec<ChatEvent>,
    /// The model's thoughts, which are charged but do not belong to the completion.
    pub(super) thoughts: String,
}

impl Frame {
    /// Parses a chunk of a stream or a whole completion, in OpenAI's form and its variants.
    ///
    /// # Errors
    /// Returns the failure that the payload reports.
    pub(super) fn read(payload: &Value) -> Result<Self, Box<Problem>> {
        if let Some(problem) = Problem::in_payload(payload) {
            return Err(Box::new(problem));
        }
        let mut frame = Self::default();
        let choice = choice(payload);
        match choice {
            Choice::First(choice) => frame.read_choice(choice)?,
            Choice::Other => {}
            // Workers AI, Ollama and others in their own forms.
            Choice::None => {
                let own = payload.get("result").unwrap_or(payload);
                let message = own.get("message");
                let document = message
                    .and_then(|message| message.get("content"))
                    .filter(|content| !is_blank(content));
                let are_parts =
                    |parts: &&Value| parts.as_array().is_some_and(|it| it.iter().any(is_part));
                let parts = document.filter(are_parts);
                let said = parts.or_else(|| said(payload)).or(document);
                frame.content(said.or_else(|| own.get("response")));
            }
        }
        let of_choice = if let Choice::First(choice) = choice {
            choice.get("usage")
        } else {
            None
        };
        let of_groq = payload.get("x_groq").and_then(|groq| groq.get("usage"));
        let told = [payload.get("usage"), of_choice, of_groq];
        let wrapped = wrappers(payload).map(|place| place.get("usage"));
        frame.events.extend(
            told.into_iter()
                .chain(wrapped)
                .flatten()
                .find_map(usage)
                .map(ChatEvent::Usage),
        );
        Ok(frame)
    }

    fn read_choice(&mut self, choice: &Value) -> Result<(), Box<Problem>> {
        if let Some(problem) = Problem::in_payload(choice) {
            return Err(Box::new(problem));
        }
        let (delta, message) = (choice.get("delta"), choice.get("message"));
        let part = |name| {
            let mut places = [delta, message].into_iter().flatten();
            places.find_map(|place| place.get(name).filter(|value| !is_blank(value)))
        };
        let called = || {
            let call =
                part("function_call").or_else(|| part("tool_calls")?.get(0)?.get("function"));
            call.and_then(|call| call.get("arguments"))
        };
        let text = choice.get("text").filter(|text| !is_blank(text));
        let said = || part("parsed").or_else(|| said(choice));
        self.content(part("content").or(text).or_else(called).or_else(said));
        let refusal = part("refusal").and_then(Value::as_str);
        self.events
            .extend(refusal.map(|text| ChatEvent::Refusal(text.to_owned())));
        let thought = part("reasoning")
            .or_else(|| part("reasoning_content"))
            .and_then(Value::as_str);
        self.thoughts.push_str(thought.unwrap_or_default());
        let reason = choice
            .get("finish_reason")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let is_content = |event: &ChatEvent| matches!(event, ChatEvent::Content(_));
        let finished = match finish_reason(reason) {
            // A completion that was not streamed may contain songs before the failure.
            Err(_) if message.is_some() && self.events.iter().any(is_content) => {
                Some(FinishReason::Other)
            }
            reason => reason?,
        };
        self.events.extend(finished.map(ChatEvent::Finished));
        Ok(())
    }

    /// Adds the content: a string, a list of parts, a part, or the JSON object itself.
    fn content(&mut self, content: Option<&Value>) {
        match content {
            Some(Value::String(text)) => self.text(text),
            Some(Value::Array(parts)) if matches!(parts[..], [Value::String(_)]) => {
                self.content(parts.first())
            }
            Some(Value::Number(number)) => self.text(&number.to_string()),
            Some(Value::Array(parts)) if parts.iter().any(is_part) => {
                parts.iter().for_each(|part| self.part(part));
            }
            Some(part @ Value::Object(_)) if is_part(part) => self.part(part),
            Some(document @ (Value::Object(_) | Value::Array(_))) => {
                self.text(&serde_json::to_string(document).unwrap_or_default())
            }
            _ => {}
        }
    }

    fn part(&mut self, part: &Value) {
        let is_empty = part.get("text").and_then(Value::as_str) == Some("");
        match said(part).and_then(Value::as_str) {
            Some(text) => self.text(text),
            None if is_empty => {}
            None => self.thoughts.push_str(&part.to_string()),
        }
    }

    fn text(&mut self, text: &str) {
        if !text.is_empty() {
            self.events.push(ChatEvent::Content(text.to_owned()));
        }
    }
}

/// Returns whether a value is a part: it has a type, or a text and none of our members.
fn is_part(value: &Value) -> bool {
    let is_typed = value
        .get("type")
        .and_then(Value::as_str)
        .is_some_and(|kind| kind != "playlist" && kind != "refusal");
    (is_typed || value.get("text").is_some_and(Value::is_string)) && value.get("tracks").is_none()
}

/// Returns why the content ended; `None` if it continues.
fn finish_reason(reason: &str) -> Result<Option<FinishReason>, Box<Problem>> {
    let reason = reason.to_ascii_lowercase();
    let contains = |names: &[&str]| names.iter().any(|name| reason.contains(name));
    Ok(match reason.as_str() {
        "" | "null" | "none" => None,
        _ if contains(&["unspecified"]) => None,
        "stop" => Some(FinishReason::Stop),
        _ if contains(&["length", "tokens", "token_limit", "context_window"]) => {
            Some(FinishReason::Length)
        }
        _ if contains(&[
            "toxic",
            "filter",
            "safety",
            "prohibited",
            "sensitive",
            "refusal",
            "guardrail",
            "blocklist",
            "recitation",
            "spii",
        ]) =>
        {
            Some(FinishReason::ContentFilter)
        }
        _ if contains(&["error", "insufficient", "abort", "cancel", "timeout"]) => {
            return Err(Box::new(Problem::of_status(502)));
        }
        _ => Some(FinishReason::Other),
    })
}

#[derive(Clone, Copy)]
enum Choice<'a> {
    First(&'a Value),
    /// A gateway asked for several completions; this is not the first one.
    Other,
    None,
}

/// The members in which services nest the text.
const NESTED: &str = "delta message messages candidates output result response data content parts text value \
                      generated_text token reply partial_json";

/// Returns the first text of a value in any service's form, except thoughts.
fn said(value: &Value) -> Option<&Value> {
    match value {
        Value::String(text) => Some(value).filter(|_| !text.is_empty()),
        Value::Array(items) => items.iter().find_map(said),
        Value::Object(members) => {
            let kind = members.get("type").and_then(Value::as_str);
            let names = NESTED
                .split_whitespace()
                .filter(|_| kind.is_none_or(|kind| !kind.contains("reasoning")));
            names.filter_map(|name| members.get(name)).find_map(said)
        }
        _ => None,
    }
}

/// Returns the members in which gateways wrap a completion.
fn wrappers(payload: &Value) -> impl Iterator<Item = &Value> {
    let names = ["data", "result", "response", "output"];
    names.into_iter().filter_map(|name| payload.get(name))
}

fn choice(payload: &Value) -> Choice<'_> {
    let places = std::iter::once(payload).chain(wrappers(payload));
    let choices = places
        .filter_map(|place| place.get("choices")?.as_array())
        .next();
    let Some(choices) = choices else {
        return Choice::None;
    };
    let is_first = |choice: &&Value| {
        choice
            .get("index")
            .and_then(Value::as_u64)
            .unwrap_or_default()
            == 0
    };
    choices
        .iter()
        .find(is_first)
        .map_or(Choice::Other, Choice::First)
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// Returns the usage, unless it is implausible. Some servers send zeros with every chunk.
fn usage(json: &Value) -> Option<Usage> {
    let tokens = |key| {
        let told = json.get(key)?;
        let tokens = told.as_u64().or_else(|| {
            told.as_f64()
                .filter(|it| it.fract() == 0.0 && *it >= 0.0)
                .map(|it| it as u64)
        });
        tokens.filter(|tokens| *tokens <= MAX_TOKENS)
    };
    let prompt_tokens = tokens("prompt_tokens").or_else(|| tokens("input_tokens"))?;
    let completion_tokens = tokens("completion_tokens").or_else(|| tokens("output_tokens"))?;
    let cost = json
        .get("cost")
        .and_then(Value::as_f64)
        .and_then(Cost::from_usd);
    (prompt_tokens + completion_tokens > 0).then_some(Usage {
        prompt_tokens,
        completion_tokens,
        cost,
    })
}

#[cfg(test)]
#[path = "frame_tests.rs"]
mod tests;
