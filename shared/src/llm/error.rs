//! The reasons why the model returned no usable completion.

use std::fmt;

use super::Problem;
use crate::error::{Code, Error};
use crate::runtime::http_client::HttpError;

/// The reasons why the model returned no usable completion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LlmError {
    /// There was no response, or it was cut off.
    Unavailable(HttpError),
    /// The server failed.
    Failed(Box<Problem>),
    /// The rate limit is reached.
    RateLimited {
        /// Seconds until the next request is allowed, if the server says so.
        retry_after_seconds: Option<u64>,
        /// The server's error.
        problem: Box<Problem>,
    },
    /// The key, the credit, the model's name, the URL or the form of the request is wrong: the operator has to
    /// correct it.
    Misconfigured(Box<Problem>),
    /// The provider's policy refuses the user's words.
    Declined(Box<Problem>),
    /// The request exceeds the model's context.
    TooLong(Box<Problem>),
    /// The server reports that the model's completion does not have the enforced form.
    Unusable(Box<Problem>),
    /// The response does not follow the protocol.
    InvalidResponse,
    /// The completion has no content.
    Empty,
    /// The completion ended before it was complete.
    CutOff,
}

impl From<HttpError> for LlmError {
    fn from(error: HttpError) -> Self {
        Self::Unavailable(error)
    }
}

impl fmt::Display for LlmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(error) => write!(f, "language model: {error}"),
            Self::Failed(problem) => write!(f, "language model: failed: {problem}"),
            Self::RateLimited { problem, .. } => {
                write!(f, "language model: rate limited: {problem}")
            }
            Self::Misconfigured(problem) => write!(f, "language model: misconfigured: {problem}"),
            Self::Declined(problem) => write!(f, "language model: declined: {problem}"),
            Self::TooLong(problem) => {
                write!(f, "language model: the request is too long: {problem}")
            }
            Self::Unusable(problem) => {
                write!(f, "language model: the completion is unusable: {problem}")
            }
            Self::InvalidResponse => {
                f.write_str("language model: the response could not be parsed")
            }
            Self::Empty => f.write_str("language model: the completion is empty"),
            Self::CutOff => f.write_str("language model: the completion ended too early"),
        }
    }
}

impl std::error::Error for LlmError {}

impl From<LlmError> for Error {
    fn from(error: LlmError) -> Self {
        let shown = match &error {
            LlmError::Unavailable(HttpError::Timeout) => Self::of(Code::LlmTimeout),
            LlmError::RateLimited {
                retry_after_seconds,
                ..
            } => Self::of(Code::LlmRateLimited).retry_after(*retry_after_seconds),
            LlmError::Misconfigured(_) => Self::misconfigured(),
            LlmError::Declined(_) => Self::new(
                Code::NotAboutMusic,
                "The language model refuses these words. Please use others.",
            ),
            LlmError::TooLong(_) => Self::new(
                Code::InvalidRequest,
                "This is too long for the language model. Use fewer words or fewer songs.",
            ),
            LlmError::InvalidResponse
            | LlmError::Empty
            | LlmError::CutOff
            | LlmError::Unusable(_) => Self::of(Code::LlmInvalidResponse),
            LlmError::Unavailable(_) | LlmError::Failed(_) => Self::of(Code::LlmUnavailable),
        };
        shown.caused_by(error)
    }
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
