//! Why the model gave no usable answer.

use std::fmt;

use crate::error::{Code, Error};
use crate::http_client::HttpError;

/// Why the model gave no usable answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LlmError {
    /// No answer, or it broke off.
    Unavailable(HttpError),
    /// The upstream refused, or failed with this status. An answer that fails half way without
    /// saying how counts as a 502.
    Refused {
        /// The HTTP status.
        status: u16,
    },
    /// The upstream allows no more requests for now (429).
    RateLimited {
        /// When it allows them again, where it says so.
        retry_after_seconds: Option<u64>,
    },
    /// The upstream does not accept our key (401, 403).
    InvalidCredentials,
    /// The upstream wants money first (402).
    PaymentRequired,
    /// The answer is not what the protocol says.
    InvalidAnswer,
    /// The answer ended before it was complete.
    CutOff,
}

impl LlmError {
    /// The error that an upstream's HTTP status stands for.
    pub(super) fn from_status(status: u16, retry_after_seconds: Option<u64>) -> Self {
        match status {
            401 | 403 => Self::InvalidCredentials,
            402 => Self::PaymentRequired,
            429 => Self::RateLimited { retry_after_seconds },
            _ => Self::Refused { status },
        }
    }
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
            Self::Refused { status } => write!(f, "language model: status {status}"),
            Self::RateLimited { .. } => f.write_str("language model: rate limited"),
            Self::InvalidCredentials => f.write_str("language model: the key is not accepted"),
            Self::PaymentRequired => f.write_str("language model: the account has no credit"),
            Self::InvalidAnswer => f.write_str("language model: the answer was not understood"),
            Self::CutOff => f.write_str("language model: the answer ended too early"),
        }
    }
}

impl std::error::Error for LlmError {}

impl From<LlmError> for Error {
    fn from(error: LlmError) -> Self {
        let shown = match error {
            LlmError::Unavailable(HttpError::Timeout) => {
                Self::new(Code::LlmTimeout, "The language model did not answer in time. Please try again.")
            }
            LlmError::RateLimited { retry_after_seconds } => {
                Self::new(Code::LlmRateLimited, "The language model is busy. Please try again in a moment.")
                    .retry_after(retry_after_seconds)
            }
            LlmError::InvalidCredentials
            | LlmError::PaymentRequired
            | LlmError::Refused { status: 400 | 404 } => Self::misconfigured(),
            LlmError::InvalidAnswer | LlmError::CutOff => Self::new(
                Code::LlmInvalidAnswer,
                "The language model's answer could not be used. Please try again.",
            ),
            LlmError::Unavailable(_) | LlmError::Refused { .. } => {
                Self::new(Code::LlmUnavailable, "The language model is not available. Please try again.")
            }
        };
        shown.caused_by(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_has_its_status_and_code() {
        for (error, code) in [
            (LlmError::Unavailable(HttpError::Timeout), Code::LlmTimeout),
            (LlmError::Unavailable(HttpError::Network), Code::LlmUnavailable),
            (LlmError::from_status(500, None), Code::LlmUnavailable),
            (LlmError::from_status(400, None), Code::Misconfigured),
            (LlmError::from_status(401, None), Code::Misconfigured),
            (LlmError::from_status(402, None), Code::Misconfigured),
            (LlmError::from_status(403, None), Code::Misconfigured),
            (LlmError::from_status(404, None), Code::Misconfigured),
            (LlmError::from_status(429, None), Code::LlmRateLimited),
            (LlmError::InvalidAnswer, Code::LlmInvalidAnswer),
            (LlmError::CutOff, Code::LlmInvalidAnswer),
        ] {
            let shown = Error::from(error);
            assert_eq!(shown.code(), code, "{error}");
            assert_eq!(shown.cause(), Some(error.to_string().as_str()));
        }
    }

    #[test]
    fn a_rate_limit_says_when_it_ends() {
        assert_eq!(Error::from(LlmError::from_status(429, Some(20))).retry_after_seconds(), Some(20));
    }
}
