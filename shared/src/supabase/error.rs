use std::fmt;

use http::StatusCode;
use serde_json::Value;

use crate::error::{Code, Error};
use crate::http_client::HttpError;

const RETRY_AFTER_SECONDS: u64 = 5;
/// Enough of a message for the log.
const MAX_MESSAGE_CHARS: usize = 300;

/// Why the database gave no usable answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SupabaseError {
    /// There is no answer.
    Unavailable(HttpError),
    /// It answered with an error, perhaps one that our SQL raised.
    Refused {
        /// The status.
        status: StatusCode,
        /// The SQLSTATE (`23505`, `PT409`) or PostgREST's own code (`PGRST116`), where there is one.
        code: Option<String>,
        /// The message, where there is one.
        message: String,
        /// When trying again may help, where it said so.
        retry_after_seconds: Option<u64>,
    },
    /// It does not accept this function's own credential.
    CredentialRefused {
        /// The status.
        status: StatusCode,
        /// The message, where there is one.
        message: String,
    },
    /// It answered something else than was asked for.
    InvalidAnswer,
}

impl SupabaseError {
    /// The SQLSTATE or PostgREST's code of a refusal.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => code.as_deref(),
            _ => None,
        }
    }

    /// Whether the same call may succeed a moment later.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable(error) => is_outage(*error),
            Self::Refused { status, .. } => matches!(status.as_u16(), 502..=504),
            Self::CredentialRefused { .. } => false,
            Self::InvalidAnswer => true,
        }
    }

    /// Reads PostgREST's error body, which gateways in between may have replaced with anything.
    pub(super) fn from_answer(
        status: StatusCode,
        body: &[u8],
        retry_after_seconds: Option<u64>,
        as_service: bool,
    ) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name| body.get(name).and_then(Value::as_str);
        let message: String = text("message").unwrap_or_default().chars().take(MAX_MESSAGE_CHARS).collect();
        let code = text("code").map(str::to_owned);
        let is_auth_status = status == StatusCode::UNAUTHORIZED || status == StatusCode::FORBIDDEN;
        // `PT401` and `PT403` are raised by our own SQL: they are about the caller, not about us.
        let is_raised = code.as_deref().is_some_and(|code| code.starts_with("PT"));
        if as_service && is_auth_status && !is_raised {
            return Self::CredentialRefused { status, message };
        }
        Self::Refused { status, code, message, retry_after_seconds }
    }
}

/// Whether it says that nobody, or somebody else than the database, has answered. PostgREST answers neither at length nor
/// in riddles: what is in between does.
fn is_outage(error: HttpError) -> bool {
    matches!(error, HttpError::Network | HttpError::Timeout | HttpError::TooLarge)
}

/// Whether a gateway refuses, for PostgREST knows neither limits of rates nor other places.
fn is_gateways(status: StatusCode) -> bool {
    status.is_server_error() || status.is_redirection() || status == StatusCode::TOO_MANY_REQUESTS
}

impl fmt::Display for SupabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(error) => write!(f, "database: {error}"),
            Self::Refused { status, code, message, .. } => {
                write!(f, "database: {} {} {message}", status.as_u16(), code.as_deref().unwrap_or("-"))
            }
            Self::CredentialRefused { status, message } => {
                write!(f, "database refuses the function's credential: {} {message}", status.as_u16())
            }
            Self::InvalidAnswer => f.write_str("database: the answer was not understood"),
        }
    }
}

impl std::error::Error for SupabaseError {}

impl From<SupabaseError> for Error {
    fn from(error: SupabaseError) -> Self {
        let unavailable = |retry_after_seconds: Option<u64>| {
            Self::new(
                Code::DatabaseUnavailable,
                "The database cannot be reached right now. Please try again.",
            )
            .retry_after(retry_after_seconds.unwrap_or(RETRY_AFTER_SECONDS))
        };
        let shown = match &error {
            SupabaseError::Unavailable(error) if is_outage(*error) => unavailable(None),
            SupabaseError::InvalidAnswer => unavailable(None),
            SupabaseError::Refused { status, retry_after_seconds, .. } if is_gateways(*status) => {
                unavailable(*retry_after_seconds)
            }
            SupabaseError::Refused { status, .. } if *status == StatusCode::UNAUTHORIZED => {
                Self::new(Code::InvalidToken, "Your sign-in is not valid. Sign in again.")
            }
            SupabaseError::CredentialRefused { .. } => Self::misconfigured(),
            _ => Self::of(Code::Internal),
        };
        shown.caused_by(error)
    }
}
