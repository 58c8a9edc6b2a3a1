use std::fmt;

use http::StatusCode;

use crate::error::{Code, Error};
use crate::runtime::http_client::HttpError;

/// The reasons why Stripe returned no usable response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StripeError {
    /// There was no response.
    Unavailable(HttpError),
    /// Stripe failed.
    Failed {
        /// The status, 500 or above.
        status: StatusCode,
    },
    /// Stripe refused the request.
    Refused {
        /// The status, 400 to 499.
        status: StatusCode,
        /// Stripe's error code, such as `resource_missing`, if there is one.
        code: Option<String>,
        /// The parameter that caused it, such as `customer`, if there is one.
        param: Option<String>,
    },
    /// The customer has an open item in another currency, and Stripe does not mix currencies.
    CurrencyConflict,
    /// The rate limit is reached.
    RateLimited {
        /// Seconds until the next request is allowed.
        retry_after_seconds: u64,
    },
    /// A request with the same idempotency key is still running.
    KeyInUse,
    /// Stripe does not accept the key, or its permissions are not sufficient.
    InvalidCredentials,
    /// The response was not what was asked for.
    InvalidResponse,
}

impl StripeError {
    /// Returns the parameter that names an object which does not exist (any more), if that is the reason.
    pub fn missing(&self) -> Option<&str> {
        match self {
            Self::Refused {
                code: Some(code),
                param,
                ..
            } if code == "resource_missing" => Some(param.as_deref().unwrap_or_default()),
            _ => None,
        }
    }
}

impl fmt::Display for StripeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(error) => write!(f, "stripe: {error}"),
            Self::Failed { status } => write!(f, "stripe: status {}", status.as_u16()),
            Self::Refused {
                status,
                code,
                param,
            } => {
                let or_none =
                    |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
                write!(
                    f,
                    "stripe refuses: {} {} {}",
                    status.as_u16(),
                    or_none(code),
                    or_none(param)
                )
            }
            Self::CurrencyConflict => {
                f.write_str("stripe does not combine currencies on the customer")
            }
            Self::RateLimited {
                retry_after_seconds,
            } => {
                write!(f, "stripe: rate limited for {retry_after_seconds} s")
            }
            Self::KeyInUse => f.write_str("stripe: the idempotency key is in use"),
            Self::InvalidCredentials => f.write_str("stripe refuses the secret key"),
            Self::InvalidResponse => f.write_str("stripe: the response could not be parsed"),
        }
    }
}

impl std::error::Error for StripeError {}

impl From<StripeError> for Error {
    fn from(error: StripeError) -> Self {
        let shown = match error {
            StripeError::RateLimited {
                retry_after_seconds,
            } => Self::of(Code::StripeRateLimited).retry_after(retry_after_seconds),
            StripeError::Unavailable(HttpError::Timeout) => Self::of(Code::StripeTimeout),
            StripeError::CurrencyConflict => Self::of(Code::CurrencyConflict),
            // A request that Stripe refuses means a wrong configuration: the key, the price or the portal.
            StripeError::InvalidCredentials | StripeError::Refused { .. } => Self::misconfigured(),
            _ => Self::of(Code::StripeUnavailable),
        };
        shown.caused_by(error)
    }
}
