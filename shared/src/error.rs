//! The errors that clients see: a status, a stable code and a message.

use std::borrow::Cow;
use std::fmt;

use http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

pub use crate::api::Code;
use crate::api::ErrorBody;

/// An error for a client, with its private cause for the log.
///
/// JSON: `{"code":"snake_case","message":"for a person","request_id":"uuid"}`, plus
/// `"examples":["…"]` where examples of better requests help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    code: Code,
    message: Cow<'static, str>,
    retry_after_seconds: Option<u64>,
    allow: Option<String>,
    examples: Vec<String>,
    cause: Option<String>,
}

impl Error {
    /// Creates an error with a specific message for a person.
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
            retry_after_seconds: None,
            allow: None,
            examples: Vec::new(),
            cause: None,
        }
    }

    /// Creates an error with the message of its code.
    // Inlined, so that a function contains only the messages of its own codes.
    #[inline(always)]
    pub fn of(code: Code) -> Self {
        Self::new(code, code.message())
    }

    /// Creates the error for valid JSON that is not a valid request.
    pub fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::InvalidRequest, message)
    }

    /// Creates the error for a path without a route.
    pub fn not_found() -> Self {
        Self::of(Code::NotFound)
    }

    /// Creates the error for a method that the route does not allow; `methods` is the value of `Allow`.
    pub fn method_not_allowed(methods: &str) -> Self {
        let message = format!("Use {} here.", methods.replace(", ", " or "));
        Self {
            allow: Some(methods.to_owned()),
            ..Self::new(Code::MethodNotAllowed, message)
        }
    }

    /// Sets the seconds after which a retry may succeed.
    #[must_use]
    pub fn retry_after(mut self, seconds: impl Into<Option<u64>>) -> Self {
        self.retry_after_seconds = seconds.into();
        self
    }

    /// Adds examples of valid requests.
    #[must_use]
    pub fn with_examples(mut self, examples: Vec<String>) -> Self {
        self.examples = examples;
        self
    }

    /// Adds the cause for the log; clients never see it.
    #[must_use]
    pub fn caused_by(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// Returns the code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// Returns the HTTP status.
    pub fn status(&self) -> StatusCode {
        self.code.status()
    }

    /// Returns the seconds after which a retry may succeed.
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.retry_after_seconds
    }

    /// Returns the value of `Allow`; only for `method_not_allowed`.
    pub fn allow(&self) -> Option<&str> {
        self.allow.as_deref()
    }

    /// Returns the cause for the log.
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// Returns the error as clients see it.
    pub fn body(&self, request_id: Uuid) -> ErrorBody<'_> {
        ErrorBody {
            code: self.code.as_str(),
            examples: &self.examples,
            message: &self.message,
            request_id,
        }
    }

    /// Returns the error as clients see it, as JSON.
    pub fn to_json(&self, request_id: Uuid) -> Value {
        json!(self.body(request_id))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_code_is_unique_snake_case_with_an_error_status() {
        let mut seen = HashSet::new();
        for code in Code::ALL {
            let name = code.as_str();
            assert!(seen.insert(name), "{name} twice");
            assert!(
                name.chars().all(|c| c.is_ascii_lowercase() || c == '_'),
                "{name}"
            );
            assert!(
                code.status().is_client_error() || code.status().is_server_error(),
                "{name}"
            );
            assert_eq!(code.status().as_u16(), code.status_number());
        }
    }

    #[test]
    fn clients_do_not_see_the_cause() {
        let error = Error::new(Code::Internal, "Something broke.").caused_by("password=x");
        let shown = format!("{error}{}", error.to_json(Uuid::nil()));
        assert!(!shown.contains("password"), "{shown}");
        assert_eq!(error.cause(), Some("password=x"));
    }

    #[test]
    fn omits_empty_examples() {
        let error = Error::new(Code::NotAboutMusic, "Ask for music.");
        assert_eq!(error.to_json(Uuid::nil()).get("examples"), None);
        let json = error
            .with_examples(vec!["calm piano".into()])
            .to_json(Uuid::nil());
        assert_eq!(json["examples"], json!(["calm piano"]));
    }
}
