//! How much of the protocol a server understands, learned by asking.

use std::cell::Cell;

use super::{JsonMode, LlmConfig, Problem};

/// The name of the parameter that limits the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenLimit {
    /// `max_completion_tokens`, as OpenAI has it.
    MaxCompletionTokens,
    /// `max_tokens`, as it was called before.
    MaxTokens,
    /// No limit is sent; the deadline remains.
    None,
}

/// The form in which the server is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// How the model is made to answer JSON.
    pub json_mode: JsonMode,
    /// Whether the answer is streamed.
    pub streams: bool,
    /// Whether the usage is asked for within the stream.
    pub asks_usage: bool,
    /// How the answer's length is limited.
    pub token_limit: TokenLimit,
    /// Whether no more tokens are reserved than the songs need, thoughts not included.
    pub is_tight: bool,
    /// Whether the configured reasoning effort and temperature are sent.
    pub sends_tuning: bool,
}

impl Dialect {
    /// The form that asks for the most.
    pub fn first(config: &LlmConfig) -> Self {
        Self {
            json_mode: config.json_mode,
            streams: true,
            asks_usage: true,
            token_limit: TokenLimit::MaxCompletionTokens,
            is_tight: false,
            sends_tuning: config.reasoning_effort.is_some() || config.temperature.is_some(),
        }
    }

    /// The next simpler form that may mend the problem; `None` where none does.
    ///
    /// What the problem names is given up first. Each step gives up something, so there is an end.
    pub(super) fn after(self, problem: &Problem) -> Option<Self> {
        if problem.is_context() {
            return (!self.is_tight).then_some(Self { is_tight: true, ..self });
        }
        if !problem.is_about_form() {
            return None;
        }
        let names_limit = problem.says(&["max_tokens", "max_completion_tokens"]);
        if names_limit
            && !self.is_tight
            && problem.says(&["less than", "too large", "at most", "exceed", "maximum"])
        {
            return Some(Self { is_tight: true, ..self });
        }
        if names_limit && self.token_limit == TokenLimit::MaxCompletionTokens {
            return Some(Self { token_limit: TokenLimit::MaxTokens, ..self });
        }
        if names_limit && self.token_limit == TokenLimit::MaxTokens {
            return Some(Self { token_limit: TokenLimit::None, ..self });
        }
        if self.asks_usage && problem.says(&["stream_options", "include_usage"]) {
            return Some(Self { asks_usage: false, ..self });
        }
        if self.sends_tuning && problem.says(&["reasoning", "temperature"]) {
            return Some(Self { sends_tuning: false, ..self });
        }
        // Both together are refused, not each: a stream is worth more to the user than an enforced schema.
        if self.json_mode != JsonMode::Prompt
            && problem.says(&["streaming", "\"stream\"", "`stream`", "'stream'", " stream "])
        {
            return Some(Self { json_mode: JsonMode::Prompt, ..self });
        }
        match self.json_mode {
            JsonMode::Strict => Some(Self { json_mode: JsonMode::Object, ..self }),
            JsonMode::Object => Some(Self { json_mode: JsonMode::Prompt, ..self }),
            JsonMode::Prompt => self.streams.then_some(Self {
                streams: false,
                asks_usage: false,
                token_limit: TokenLimit::None,
                sends_tuning: false,
                ..self
            }),
        }
    }
}

/// How long a form is remembered. A refusal may have been a single one, of one provider behind a router.
const REMEMBERED_MS: u64 = 30 * 60 * 1_000;

/// What an instance has learned about its model's server.
///
/// An instance has one configuration, so it speaks with one model.
#[derive(Debug, Default)]
pub struct LlmMemory {
    /// The form, and until when it holds.
    accepted: Cell<Option<(Dialect, u64)>>,
}

impl LlmMemory {
    /// The form to begin with.
    pub(super) fn dialect(&self, config: &LlmConfig, now_ms: u64) -> Dialect {
        let accepted = self.accepted.get().filter(|(_, until_ms)| now_ms < *until_ms);
        accepted.map_or_else(|| Dialect::first(config), |(dialect, _)| dialect)
    }

    /// Remembers a form that was accepted after another one was refused, so that the next request begins with it.
    pub(super) fn accepts(&self, dialect: Dialect, now_ms: u64) {
        self.accepted.set(Some((dialect, now_ms.saturating_add(REMEMBERED_MS))));
    }
}
