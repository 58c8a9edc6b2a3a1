use std::fmt;

use http::StatusCode;

use crate::error::{Code, Error};
use crate::http_client::HttpError;

/// Why Stripe gave no usable answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StripeError {
    /// There is no answer.
    Unavailable(HttpError),
    /// It failed.
    Failed {
        /// 500 and above.
        status: StatusCode,
    },
    /// It does not like the request; where it names them, for what reason and because of which parameter.
    Refused {
        /// 400 and above.
        status: StatusCode,
        /// Such as `resource_missing`.
        code: Option<String>,
        /// Such as `customer`.
        param: Option<String>,
    },
    /// The customer has something open in another currency, and Stripe does not mix them.
    CurrencyConflict,
    /// We may send no more requests for now.
    RateLimited {
        /// Seconds until we may again.
        retry_after_seconds: u64,
    },
    /// A request with the same idempotency key is still running.
    KeyInUse,
    /// It does not accept our key, or not for this.
    InvalidCredentials,
    /// It answered something else than was asked for.
    InvalidAnswer,
}

impl StripeError {
    /// The parameter that names an object which does not exist (any more), where that is the reason.
    pub fn missing(&self) -> Option<&str> {
        match self {
            Self::Refused { code: Some(code), param, .. } if code == "resource_missing" => {
                Some(param.as_deref().unwrap_or_default())
            }
            _ => None,
        }
    }
}

impl fmt::Display for StripeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(error) => write!(f, "stripe: {error}"),
            Self::Failed { status } => write!(f, "stripe: status {}", status.as_u16()),
            Self::Refused { status, code, param } => {
                let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
                write!(f, "stripe refuses: {} {} {}", status.as_u16(), or_none(code), or_none(param))
            }
            Self::CurrencyConflict => f.write_str("stripe does not combine currencies on the customer"),
            Self::RateLimited { retry_after_seconds } => {
                write!(f, "stripe: rate limited for {retry_after_seconds} s")
            }
            Self::KeyInUse => f.write_str("stripe: the idempotency key is in use"),
            Self::InvalidCredentials => f.write_str("stripe refuses the secret key"),
            Self::InvalidAnswer => f.write_str("stripe: the answer was not understood"),
        }
    }
}

impl std::error::Error for StripeError {}

impl From<StripeError> for Error {
    fn from(error: StripeError) -> Self {
        let shown = match error {
            StripeError::RateLimited { retry_after_seconds } => {
                Self::new(Code::StripeRateLimited, "Stripe is busy right now. Please try again later.")
                    .retry_after(retry_after_seconds)
            }
            StripeError::Unavailable(HttpError::Timeout) => Self::of(Code::StripeTimeout),
            StripeError::CurrencyConflict => Self::new(
                Code::CurrencyConflict,
                "Something in another currency is still open in your account at Stripe. Please contact us.",
            ),
            // What is wrong with our requests is our configuration: the key, the price, the portal.
            StripeError::InvalidCredentials | StripeError::Refused { .. } => Self::misconfigured(),
            _ => Self::of(Code::StripeUnavailable),
        };
        shown.caused_by(error)
    }
}
