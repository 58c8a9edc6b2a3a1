//! Parses a server's error and determines whether the user, the operator or the provider can correct it.

use serde_json::Value;

use super::LlmError;
use super::private::Private;
use crate::text::one_line;
use crate::words::{Words, words};

/// The longest message kept for the log, in characters.
const MAX_MESSAGE_CHARACTERS: usize = 200;
const MAX_NAME_CHARACTERS: usize = 64;

/// The most bytes of an error's texts that are searched.
const MAX_TEXT_BYTES: usize = 8 * 1024;

/// Members that repeat the request.
const ECHOES: [&str; 6] = ["input", "ctx", "body", "request", "prompt", "messages"];

// Words of the services' errors: "names" are in codes, types and statuses, "texts" anywhere.
words! {include_str!("errors.txt");
    FORM_TEXTS = "form-texts";
    POLICY_NAMES = "policy-names";
    POLICY_TEXTS = "policy-texts";
    RATE_TEXTS = "rate-texts";
    CONTEXT_NAMES = "context-names";
    CONTEXT_TEXTS = "context-texts";
    UNUSABLE_TEXTS = "unusable-texts";
    UNUSABLE_NAMES = "unusable-names";
    CREDIT_NAMES = "credit-names";
    CREDIT_TEXTS = "credit-texts";
    RATE_NAMES = "rate-names";
    CREDENTIAL_NAMES = "credential-names";
    CREDENTIAL_TEXTS = "credential-texts";
    ACCOUNT_TEXTS = "account-texts";
    BLOCKED_TEXTS = "blocked-texts";
    MODEL_NAMES = "model-names";
    MODEL_TEXTS = "model-texts";
}

/// A server's error, in its own words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Problem {
    /// The HTTP status; 502 for a completion that failed half way without a status.
    pub status: u16,
    /// `error.code`.
    pub code: String,
    /// `error.type`.
    pub kind: String,
    /// `error.param`.
    pub param: String,
    /// At most 200 characters of `error.message`.
    pub message: String,
    /// All codes, types and statuses, and all texts, in lower case; the error is classified by them.
    names: String,
    texts: String,
    /// Whether the error came in a response with status 200.
    is_within_completion: bool,
}

impl Problem {
    /// Creates an error with nothing but a status.
    pub fn of_status(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    /// Parses the body of an error response.
    pub fn from_body(status: u16, body: &[u8]) -> Self {
        let mut frames = super::FrameReader::default();
        let mut payloads = frames.push(body).unwrap_or_default();
        payloads.extend(frames.finish());
        let json = payloads.into_iter().find_map(|payload| match payload {
            super::Payload::Json(json) => Some(json),
            super::Payload::Done => None,
        });
        match json {
            Some(json) => Self::from_json(status, &json),
            None => {
                let text = String::from_utf8_lossy(body);
                let mut problem = Self::of_status(status);
                problem.message = one_line(&text, MAX_MESSAGE_CHARACTERS);
                add(&mut problem.texts, &text);
                problem
            }
        }
    }

    /// Parses the error in a payload at status 200, if there is one.
    pub(super) fn in_payload(payload: &Value) -> Option<Self> {
        if !holds_error(payload) {
            return None;
        }
        let mut problem = Self::from_json(502, payload);
        problem.is_within_completion = true;
        if let Ok(status @ 400..600) = problem.code.parse() {
            problem.status = status;
        }
        Some(problem)
    }

    fn from_json(status: u16, json: &Value) -> Self {
        // Google's proxies put the error into a list, Cloudflare into `errors`.
        let json = json.get(0).unwrap_or(json);
        let listed = json.get("errors").and_then(|errors| errors.get(0));
        let told = [
            json.get("error"),
            listed,
            json.get("detail"),
            json.get("base_resp"),
        ];
        let error = told
            .into_iter()
            .flatten()
            .find(|error| error.is_object() && is_told(error))
            .unwrap_or(json);
        let first = |names: &[&str], max| {
            let found = names
                .iter()
                .find_map(|name| error.get(*name).filter(|value| is_told(value)));
            found
                .map(|value| one_line(&shown(value), max))
                .unwrap_or_default()
        };
        let plain = [json, json.get("error").unwrap_or(&Value::Null)]
            .into_iter()
            .find_map(Value::as_str);
        let message = first(
            &[
                "message",
                "msg",
                "status_msg",
                "error_msg",
                "detail",
                "errors",
            ],
            MAX_MESSAGE_CHARACTERS,
        );
        let mut problem = Self {
            status,
            code: first(&["code", "status_code", "error_code"], MAX_NAME_CHARACTERS),
            kind: first(&["type", "status"], MAX_NAME_CHARACTERS),
            param: first(&["param"], MAX_NAME_CHARACTERS),
            message: plain.map_or(message, |plain| one_line(plain, MAX_MESSAGE_CHARACTERS)),
            ..Self::default()
        };
        problem.collect(json, 0);
        problem
    }

    /// Collects the texts at every depth: gateways wrap the error of the service that they ask.
    fn collect(&mut self, json: &Value, depth: usize) {
        if depth > 6 {
            return;
        }
        match json {
            Value::String(text) => {
                add(&mut self.texts, text);
                // Some wrap it as a string.
                if text.trim_start().starts_with('{')
                    && let Ok(inner) = serde_json::from_slice(text.as_bytes())
                {
                    self.collect(&inner, depth + 1);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.collect(item, depth + 1)),
            Value::Object(members) => {
                let is_echo = |name: &str| ECHOES.contains(&name);
                for (name, value) in members.iter().filter(|(name, _)| !is_echo(name)) {
                    if is_name(name, value) {
                        add(&mut self.names, &format!("{name} {}", shown(value)));
                    }
                    self.collect(value, depth + 1);
                }
            }
            _ => {}
        }
    }

    /// Classifies the error by the provider's code and type before the status, and removes quotations of the request.
    pub(super) fn into_error(
        mut self,
        retry_after_seconds: Option<u64>,
        private: &Private,
    ) -> LlmError {
        for told in [
            &mut self.code,
            &mut self.kind,
            &mut self.param,
            &mut self.message,
        ] {
            if private.is_quoted_in(told) {
                *told = "(not logged: it quotes the request)".to_owned();
            }
        }
        let problem = Box::new(self);
        if problem.is_credit() || problem.is_model() || problem.is_blocked() {
            LlmError::Misconfigured(problem)
        } else if problem.is_rate_limit() {
            LlmError::RateLimited {
                retry_after_seconds,
                problem,
            }
        } else if problem.is_policy() {
            LlmError::Declined(problem)
        } else if problem.is_context() {
            LlmError::TooLong(problem)
        } else if problem.is_unusable() {
            LlmError::Unusable(problem)
        } else if problem.is_credential() || problem.is_operators() {
            LlmError::Misconfigured(problem)
        } else {
            LlmError::Failed(problem)
        }
    }

    /// Returns whether the same request may succeed later.
    pub(super) fn is_passing(&self) -> bool {
        matches!(self.status, 408 | 409 | 425 | 429 | 500 | 502..=599)
            && !(self.is_credit() || self.is_model() || self.is_blocked())
    }

    /// Returns whether the server may accept the request in a simpler form.
    pub(super) fn is_about_form(&self) -> bool {
        let is_form = matches!(self.status, 400 | 404 | 415 | 422)
            || self.status >= 500 && self.says(FORM_TEXTS);
        let is_else = self.is_policy()
            || self.is_unusable()
            || self.is_credential()
            || self.is_model()
            || self.is_credit()
            || self.is_rate_limit()
            || self.is_blocked();
        is_form && !is_else
    }

    /// Returns whether the user's words were refused, and not the form of the request.
    fn is_policy(&self) -> bool {
        let may_be =
            matches!(self.status, 400 | 403 | 422 | 424 | 451) || self.is_within_completion;
        may_be && (self.names(POLICY_NAMES) || self.says(POLICY_TEXTS))
    }

    /// Returns whether the request exceeds the model's context.
    pub(super) fn is_context(&self) -> bool {
        if self.status == 429 || self.says(RATE_TEXTS) {
            return false;
        }
        self.status == 413 || self.names(CONTEXT_NAMES) || self.says(CONTEXT_TEXTS)
    }

    /// Returns whether the model's completion did not have the enforced form; a repeat may
    /// return another one.
    fn is_unusable(&self) -> bool {
        self.says(UNUSABLE_TEXTS) || self.names(UNUSABLE_NAMES)
    }

    fn is_credit(&self) -> bool {
        self.status == 402 || self.names(CREDIT_NAMES) || self.says(CREDIT_TEXTS)
    }

    fn is_rate_limit(&self) -> bool {
        self.status == 429
            || self.names(RATE_NAMES)
            || self.is_within_completion && self.says(RATE_TEXTS)
    }

    fn is_credential(&self) -> bool {
        matches!(self.status, 401 | 403)
            || self.names(CREDENTIAL_NAMES)
            || self.says(CREDENTIAL_TEXTS)
    }

    /// Returns whether the account is closed, for any reason.
    fn is_blocked(&self) -> bool {
        self.status < 500 && self.says(ACCOUNT_TEXTS) && self.says(BLOCKED_TEXTS)
    }

    fn is_model(&self) -> bool {
        self.names(MODEL_NAMES) || self.texts.contains("model") && self.says(MODEL_TEXTS)
    }

    /// Returns whether the URL or the form of the request is wrong. Within a completion, a single provider of a router may
    /// have failed.
    fn is_operators(&self) -> bool {
        !self.is_within_completion
            && matches!(self.status, 300..=407 | 410..=412 | 415 | 421 | 422 | 426 | 451 | 501)
    }

    /// Returns whether a code, type or status contains one of these names.
    fn names(&self, names: Words) -> bool {
        names.iter().any(|name| self.names.contains(name))
    }

    /// Returns whether the error contains one of these texts.
    pub(super) fn says(&self, texts: Words) -> bool {
        texts.iter().any(|text| self.texts.contains(text))
    }
}

/// Formats the error for the log.
impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "status {}", self.status)?;
        for (name, text) in [
            ("code", &self.code),
            ("type", &self.kind),
            ("param", &self.param),
        ] {
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

/// Returns whether a member names the error: a code, a type, a status, or a flag that is set.
fn is_name(name: &str, value: &Value) -> bool {
    matches!(name, "status" | "reason")
        || name.ends_with("code")
        || name.ends_with("type")
        || value.as_bool() == Some(true)
        || name == "contentFilter" && is_told(value)
}

/// Returns whether a payload is an error, in one of the forms that services send with status 200.
fn holds_error(payload: &Value) -> bool {
    let member = |name| payload.get(name);
    if member("error").is_some_and(is_told) {
        return true;
    }
    let is_number = |value: Option<&Value>| {
        value
            .and_then(Value::as_i64)
            .is_some_and(|number| number != 0 && number != 200)
    };
    let has_code =
        is_number(member("code")) || is_number(member("error_code")) || is_number(member("status"));
    let has_message = ["message", "msg", "detail", "error_msg"]
        .iter()
        .any(|name| member(name).is_some_and(Value::is_string));
    let is_alone = payload
        .as_object()
        .is_some_and(|members| members.len() == 1);
    ["object", "type", "status"]
        .iter()
        .any(|name| member(name).and_then(Value::as_str) == Some("error"))
        || member("success").and_then(Value::as_bool) == Some(false)
        || is_number(member("base_resp").and_then(|response| response.get("status_code")))
        || (has_code || is_alone) && has_message && member("choices").is_none()
}

/// Returns whether the value is an error: gateways write `null`, `""`, `0` and objects of these without one.
fn is_told(error: &Value) -> bool {
    match error {
        Value::Null | Value::Bool(false) => false,
        Value::Bool(true) => true,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !matches!(text.as_str(), "" | "null" | "None"),
        Value::Object(members) => members.values().any(is_told),
        Value::Array(items) => !items.is_empty(),
    }
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(
        || serde_json::to_string(value).unwrap_or_default(),
        str::to_owned,
    )
}

fn add(text: &mut String, more: &str) {
    let room = MAX_TEXT_BYTES.saturating_sub(text.len());
    let end = more.floor_char_boundary(room.min(more.len()));
    text.push_str(&more.get(..end).unwrap_or_default().to_lowercase());
    text.push(' ');
}
