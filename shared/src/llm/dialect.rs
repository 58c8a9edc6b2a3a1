//! Learns which part of the protocol a server supports, by asking.

use std::cell::Cell;

use super::{JsonMode, LlmConfig, Problem};
use crate::words::words;

/// The name of the parameter that limits the completion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenLimit {
    /// `max_completion_tokens`, OpenAI's current name.
    MaxCompletionTokens,
    /// `max_tokens`, the former name.
    MaxTokens,
    /// No limit is sent; the deadline still applies.
    None,
}

/// The parameter that carries the user's hashed id, with which the provider can identify abuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserParameter {
    /// `safety_identifier`, OpenAI's current name.
    SafetyIdentifier,
    /// `user`, the former name.
    User,
    /// No user is sent.
    None,
}

/// The form in which the server is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// The way in which the model is made to write JSON.
    pub json_mode: JsonMode,
    /// Whether the completion is streamed.
    pub streams: bool,
    /// Whether the stream is asked to report the usage.
    pub asks_usage: bool,
    /// The parameter that limits the completion's length.
    pub token_limit: TokenLimit,
    /// Whether the limit is only as large as the songs need, without room for thoughts.
    pub is_tight: bool,
    /// The parameter that names the user.
    pub user: UserParameter,
    /// Whether the configured reasoning effort and temperature are sent.
    pub sends_tuning: bool,
}

words! {include_str!("errors.txt");
    /// The parameter `user` in an error: quoted, or as an entry of a path.
    USER_PARAMETER = "user-parameter";
    /// The names of the parameters that limit the completion.
    LIMIT_PARAMETERS = "limit-parameters";
    /// The words with which an error calls a limit too large.
    TOO_LARGE = "too-large";
    /// The words with which an error asks for a lower limit, because the credit does not cover it.
    FEWER_TOKENS = "fewer-tokens";
    /// The names of the parameters that ask for the usage.
    USAGE_PARAMETERS = "usage-parameters";
    /// The name of the parameter with the user's hashed id.
    SAFETY_PARAMETER = "safety-parameter";
    /// The names of the tuning parameters.
    TUNING_PARAMETERS = "tuning-parameters";
    /// The parameter `stream` in an error: quoted, or as a word.
    STREAM_PARAMETER = "stream-parameter";
    /// The names of the parameters that enforce JSON.
    FORMAT_PARAMETERS = "format-parameters";
}

/// Other services support the former parameter, or none.
const OPENAI: &str = "https://api.openai.com/";

impl Dialect {
    /// Returns the form with all features.
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

    /// Returns the next simpler form that may solve the problem, and whether the problem names the reason; `None` if
    /// there is no simpler form.
    ///
    /// The feature that the problem names is dropped first. Each step drops a feature, so the steps end.
    pub(super) fn after(self, problem: &Problem) -> Option<(Self, bool)> {
        let named = |dialect| Some((dialect, true));
        if problem.is_context() || problem.says(FEWER_TOKENS) {
            return (!self.is_tight).then_some((
                Self {
                    is_tight: true,
                    ..self
                },
                false,
            ));
        }
        if !problem.is_about_form() {
            return None;
        }
        let names_limit = problem.says(LIMIT_PARAMETERS);
        let is_too_large = problem.says(TOO_LARGE);
        if names_limit && !self.is_tight && is_too_large {
            return named(Self {
                is_tight: true,
                ..self
            });
        }
        if names_limit && self.token_limit == TokenLimit::MaxCompletionTokens {
            return named(Self {
                token_limit: TokenLimit::MaxTokens,
                ..self
            });
        }
        if names_limit && self.token_limit == TokenLimit::MaxTokens {
            return named(Self {
                token_limit: TokenLimit::None,
                ..self
            });
        }
        if self.asks_usage && problem.says(USAGE_PARAMETERS) {
            return named(Self {
                asks_usage: false,
                ..self
            });
        }
        if self.user == UserParameter::SafetyIdentifier && problem.says(SAFETY_PARAMETER) {
            return named(Self {
                user: UserParameter::User,
                ..self
            });
        }
        if self.user == UserParameter::User
            && (problem.param == "user" || problem.says(USER_PARAMETER))
        {
            return named(Self {
                user: UserParameter::None,
                ..self
            });
        }
        if self.sends_tuning && problem.says(TUNING_PARAMETERS) {
            return named(Self {
                sends_tuning: false,
                ..self
            });
        }
        // The server refuses the combination only: streaming is worth more to the user than an enforced schema.
        let names_stream = problem.says(STREAM_PARAMETER);
        if self.json_mode != JsonMode::Prompt && names_stream {
            return named(Self {
                json_mode: JsonMode::Prompt,
                ..self
            });
        }
        let names_format = problem.says(FORMAT_PARAMETERS);
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

    /// Returns the same form with the next weaker JSON mode.
    pub(super) fn with_less_json(self) -> Self {
        let json_mode = match self.json_mode {
            JsonMode::Strict => JsonMode::Object,
            JsonMode::Object | JsonMode::Prompt => JsonMode::Prompt,
        };
        Self { json_mode, ..self }
    }
}

/// How long a form is remembered. A refusal may have come from a single provider of a router.
const REMEMBERED_MS: u64 = 30 * 60 * 1_000;

/// The form that an instance's model server accepts.
///
/// An instance has one configuration, and so one model.
#[derive(Debug, Default)]
pub struct DialectCache {
    /// The form, and when it expires.
    accepted: Cell<Option<(Dialect, u64)>>,
    /// A form that was accepted once after a refusal without a reason.
    suspected: Cell<Option<Dialect>>,
}

impl DialectCache {
    /// Returns the form to begin with.
    pub(super) fn dialect(&self, config: &LlmConfig, now_ms: u64) -> Dialect {
        let accepted = self
            .accepted
            .get()
            .filter(|(_, until_ms)| now_ms < *until_ms);
        accepted.map_or_else(|| Dialect::first(config), |(dialect, _)| dialect)
    }

    /// Stores a form that was accepted after another one was refused, so that the next request begins with it: at
    /// once if the refusals named their reason, otherwise on its second occurrence.
    pub(super) fn accepts(&self, dialect: Dialect, is_named: bool, now_ms: u64) {
        if is_named || self.suspected.replace(Some(dialect)) == Some(dialect) {
            self.accepted
                .set(Some((dialect, now_ms.saturating_add(REMEMBERED_MS))));
        }
    }
}
