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

/// The parameter that carries the hashed id of the user, so that the provider can tell who abuses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserParameter {
    /// `safety_identifier`, as OpenAI has it.
    SafetyIdentifier,
    /// `user`, as it was called before.
    User,
    /// The user is not named.
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
    /// How the user is named.
    pub user: UserParameter,
    /// Whether the configured reasoning effort and temperature are sent.
    pub sends_tuning: bool,
}

/// Others know the older parameter, if any.
const OPENAI: &str = "https://api.openai.com/";
/// The parameter `user` in an error: quoted, or as an entry of a path.
const QUOTED_USER: [&str; 5] = ["\"user\"", "'user'", "`user`", "body.user", " user "];

impl Dialect {
    /// The form that asks for the most.
    pub fn first(config: &LlmConfig) -> Self {
        Self {
            json_mode: config.json_mode,
            streams: true,
            asks_usage: true,
            token_limit: TokenLimit::MaxCompletionTokens,
            is_tight: false,
            user: if config.base_url.starts_with(OPENAI) {
                UserParameter::SafetyIdentifier
            } else {
                UserParameter::User
            },
            sends_tuning: config.reasoning_effort.is_some() || config.temperature.is_some(),
        }
    }

    /// The next simpler form that may mend the problem, and whether the problem names what it lacks; `None` where
    /// there is no such form.
    ///
    /// What the problem names is given up first. Each step gives up something, so there is an end.
    pub(super) fn after(self, problem: &Problem) -> Option<(Self, bool)> {
        let named = |dialect| Some((dialect, true));
        if problem.is_context() {
            return (!self.is_tight).then_some((Self { is_tight: true, ..self }, false));
        }
        if !problem.is_about_form() {
            return None;
        }
        let names_limit = problem.says(&["max_tokens", "max_completion_tokens"]);
        let is_too_large =
            problem.says(&["less than", "too large", "at most", "exceed", "maximum", "must be <="]);
        if names_limit && !self.is_tight && is_too_large {
            return named(Self { is_tight: true, ..self });
        }
        if names_limit && self.token_limit == TokenLimit::MaxCompletionTokens {
            return named(Self { token_limit: TokenLimit::MaxTokens, ..self });
        }
        if names_limit && self.token_limit == TokenLimit::MaxTokens {
            return named(Self { token_limit: TokenLimit::None, ..self });
        }
        if self.asks_usage && problem.says(&["stream_options", "include_usage"]) {
            return named(Self { asks_usage: false, ..self });
        }
        if self.user == UserParameter::SafetyIdentifier && problem.says(&["safety_identifier"]) {
            return named(Self { user: UserParameter::User, ..self });
        }
        if self.user == UserParameter::User && (problem.param == "user" || problem.says(&QUOTED_USER)) {
            return named(Self { user: UserParameter::None, ..self });
        }
        if self.sends_tuning && problem.says(&["reasoning", "temperature"]) {
            return named(Self { sends_tuning: false, ..self });
        }
        // Both together are refused, not each: a stream is worth more to the user than an enforced schema.
        let names_stream = problem.says(&["streaming", "\"stream\"", "`stream`", "'stream'", " stream "]);
        if self.json_mode != JsonMode::Prompt && names_stream {
            return named(Self { json_mode: JsonMode::Prompt, ..self });
        }
        let names_format =
            problem.says(&["response_format", "json_schema", "json_object", "schema", "grammar"]);
        match self.json_mode {
            JsonMode::Strict | JsonMode::Object => Some((self.with_less_json(), names_format)),
            JsonMode::Prompt if self.streams => Some((
                Self {
                    streams: false,
                    asks_usage: false,
                    token_limit: TokenLimit::None,
                    user: UserParameter::None,
                    sends_tuning: false,
                    ..self
                },
                names_stream,
            )),
            JsonMode::Prompt => None,
        }
    }

    /// The same form with the next weaker demand for JSON.
    pub(super) fn with_less_json(self) -> Self {
        let json_mode = match self.json_mode {
            JsonMode::Strict => JsonMode::Object,
            JsonMode::Object | JsonMode::Prompt => JsonMode::Prompt,
        };
        Self { json_mode, ..self }
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
    /// A form that was accepted once after a refusal that did not say why.
    suspected: Cell<Option<Dialect>>,
}

impl LlmMemory {
    /// The form to begin with.
    pub(super) fn dialect(&self, config: &LlmConfig, now_ms: u64) -> Dialect {
        let accepted = self.accepted.get().filter(|(_, until_ms)| now_ms < *until_ms);
        accepted.map_or_else(|| Dialect::first(config), |(dialect, _)| dialect)
    }

    /// Remembers a form that was accepted after another one was refused, so that the next request begins with it: at
    /// once, where the refusals named what they were about, else when it happens again.
    pub(super) fn accepts(&self, dialect: Dialect, is_named: bool, now_ms: u64) {
        if is_named || self.suspected.replace(Some(dialect)) == Some(dialect) {
            self.accepted.set(Some((dialect, now_ms.saturating_add(REMEMBERED_MS))));
        }
    }
}
