//! What an upstream says of its failure, and who can mend it.

use serde_json::Value;

use super::LlmError;
use crate::text::one_line;

/// The longest message that is kept.
const MAX_MESSAGE_CHARACTERS: usize = 200;
const MAX_NAME_CHARACTERS: usize = 64;

/// A message that repeats as much of a private text, or a whole shorter one, quotes it.
const QUOTE_CHARACTERS: usize = 16;
const MIN_QUOTE_BYTES: usize = 6;

/// An upstream's failure, in its own words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Problem {
    /// The HTTP status; 502 where an answer failed half way without saying how.
    pub status: u16,
    /// `error.code`.
    pub code: String,
    /// `error.type`.
    pub kind: String,
    /// `error.param`.
    pub param: String,
    /// At most 200 characters of `error.message`.
    pub message: String,
}

impl Problem {
    /// A failure of which nothing is known but the status.
    pub fn of_status(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// Reads the body of an error. `private` are texts that must not be logged: a message that quotes one is dropped.
    pub fn from_body(status: u16, body: &[u8], private: &[&str]) -> Self {
        let parsed: Option<Value> = serde_json::from_slice(body).ok();
        let mut problem = match parsed {
            Some(json) => Self::from_json(status, &json),
            None => {
                let message = one_line(&String::from_utf8_lossy(body), MAX_MESSAGE_CHARACTERS);
                Self { message, ..Self::of_status(status) }
            }
        };
        problem.redact(private);
        problem
    }

    /// The error that a payload at status 200 holds.
    pub(super) fn in_payload(payload: &Value) -> Option<Self> {
        let error = payload.get("error").filter(|error| is_told(error));
        // vLLM before 0.10, and Cloudflare's API.
        let is_object = payload.get("object").and_then(Value::as_str) == Some("error");
        let is_unsuccessful = payload.get("success").and_then(Value::as_bool) == Some(false);
        if error.is_none() && !is_object && !is_unsuccessful {
            return None;
        }
        let payload = payload.get("errors").filter(|_| is_unsuccessful).unwrap_or(payload);
        let mut problem = Self::from_json(502, payload);
        if let Ok(status @ 400..600) = problem.code.parse() {
            problem.status = status;
        }
        Some(problem)
    }

    fn from_json(status: u16, json: &Value) -> Self {
        // Google's proxies put the error into a list.
        let json = json.get(0).unwrap_or(json);
        let error = json.get("error").filter(|error| is_told(error)).unwrap_or(json);
        let text = |name, max| match error.get(name) {
            Some(Value::String(text)) => one_line(text, max),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        let message = match error {
            Value::String(message) => one_line(message, MAX_MESSAGE_CHARACTERS),
            _ => ["message", "detail", "errors"]
                .iter()
                .find_map(|name| error.get(*name).or_else(|| json.get(*name)).filter(|value| is_told(value)))
                .map(|told| told.as_str().map_or_else(|| told.to_string(), str::to_owned))
                .map(|told| one_line(&told, MAX_MESSAGE_CHARACTERS))
                .unwrap_or_default(),
        };
        let kind = match text("type", MAX_NAME_CHARACTERS) {
            kind if kind.is_empty() => text("status", MAX_NAME_CHARACTERS),
            kind => kind,
        };
        let (code, param) = (text("code", MAX_NAME_CHARACTERS), text("param", MAX_NAME_CHARACTERS));
        Self { status, code, kind, param, message }
    }

    pub(super) fn redact(&mut self, private: &[&str]) {
        let message: Vec<char> = self.message.chars().collect();
        let quotes_part = message.windows(QUOTE_CHARACTERS).any(|window| {
            let window: String = window.iter().collect();
            private.iter().any(|text| text.contains(&window))
        });
        let quotes_whole =
            private.iter().any(|text| text.len() >= MIN_QUOTE_BYTES && self.message.contains(text));
        if quotes_part || quotes_whole {
            self.message = "(not logged: it quotes the request)".to_owned();
        }
    }

    /// Whom the failure concerns, by the provider's code and type before the status.
    pub(super) fn into_error(self, retry_after_seconds: Option<u64>) -> LlmError {
        let problem = Box::new(self);
        if problem.is_policy() {
            LlmError::Declined(problem)
        } else if problem.is_context() {
            LlmError::TooLong(problem)
        } else if problem.says(&[
            "json_validate_failed",
            "failed to generate json",
            "failed to validate json",
        ]) {
            LlmError::Unusable(problem)
        } else if problem.is_credit() {
            LlmError::Misconfigured(problem)
        } else if problem.is_rate_limit() {
            LlmError::RateLimited { retry_after_seconds, problem }
        } else if problem.is_credential()
            || matches!(problem.status, 300..=407 | 410 | 411 | 415 | 421 | 422 | 426 | 451)
        {
            LlmError::Misconfigured(problem)
        } else {
            LlmError::Failed(problem)
        }
    }

    /// Whether asking the same again may help.
    pub(super) fn is_passing(&self) -> bool {
        matches!(self.status, 408 | 409 | 425 | 429 | 500..=599) && !self.is_credit()
    }

    /// Whether the server may take the request in a simpler form.
    pub(super) fn is_about_form(&self) -> bool {
        let is_form = matches!(self.status, 400 | 404 | 415 | 422)
            || self.status >= 500 && self.says(&["response_format", "json_schema", "grammar", "schema"]);
        let is_else = self.is_policy() || self.is_credential() || self.is_model() || self.is_credit();
        is_form && !is_else
    }

    /// The listener's words, not our request, were refused.
    fn is_policy(&self) -> bool {
        self.names(&[
            "content_filter",
            "contentfilter",
            "content_policy",
            "content_blocked",
            "moderation",
            "invalid_prompt",
            "data_inspection",
            "prohibited_content",
            "safety",
            "sensitive",
        ]) || self.status < 500
            && self.says(&[
                "content management policy",
                "content policy",
                "usage polic",
                "flagged",
                "moderation",
                "inappropriate content",
                "safety system",
            ])
    }

    /// The request is longer than the model reads.
    pub(super) fn is_context(&self) -> bool {
        self.status == 413
            || self.names(&["context_length", "context_size", "string_above_max_length"])
            || self.says(&[
                "context length",
                "context window",
                "context size",
                "maximum context",
                "prompt is too long",
                "input is too long",
                "too many tokens",
                "reduce the length",
                "tokens exceed",
            ])
    }

    fn is_credit(&self) -> bool {
        self.status == 402
            || self.names(&["insufficient_quota", "insufficient_balance", "billing", "credit"])
            || self.says(&["insufficient balance", "insufficient credit", "credit balance"])
    }

    fn is_rate_limit(&self) -> bool {
        self.status == 429 || self.names(&["rate_limit", "ratelimit", "throttl", "resource_exhausted"])
    }

    fn is_credential(&self) -> bool {
        matches!(self.status, 401 | 403)
            || self.names(&["api_key", "authentication", "permission_denied", "unauthorized"])
            || self.says(&["api key", "api-key", "authentication error"])
    }

    fn is_model(&self) -> bool {
        self.names(&["model_not_found", "model_not_available", "model_decommissioned"])
            || self.says(&["model"])
                && self.says(&["not found", "does not exist", "not exist", "decommissioned"])
    }

    /// Whether the code or the type contains one of these names.
    fn names(&self, names: &[&str]) -> bool {
        [&self.code, &self.kind].into_iter().any(|text| {
            let text = text.to_ascii_lowercase().replace([' ', '-'], "_");
            names.iter().any(|name| text.contains(name))
        })
    }

    /// Whether the code, the parameter or the message contains one of these texts.
    pub(super) fn says(&self, texts: &[&str]) -> bool {
        [&self.code, &self.param, &self.message].into_iter().any(|told| {
            let told = told.to_lowercase();
            texts.iter().any(|text| told.contains(text))
        })
    }
}

/// For the log.
impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "status {}", self.status)?;
        for (name, text) in [("code", &self.code), ("type", &self.kind), ("param", &self.param)] {
            if !text.is_empty() {
                write!(f, ", {name} {text}")?;
            }
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        Ok(())
    }
}

/// Gateways write `null`, `""` and `{}` where there is no error.
fn is_told(error: &Value) -> bool {
    match error {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => true,
    }
}
