use std::fmt;

use http::StatusCode;
use serde_json::Value;

use crate::error::{Code, Error};
use crate::runtime::http_client::HttpError;

const RETRY_AFTER_SECONDS: u64 = 5;
/// The length of a message in the log, in characters.
const MAX_MESSAGE_CHARS: usize = 300;
const MAX_OUTCOME_CHARS: usize = 40;

/// The reasons why the database returned no usable response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SupabaseError {
    /// There was no response.
    Unavailable(HttpError),
    /// It returned an error, possibly one raised by the migrations' SQL.
    Refused {
        /// The HTTP status.
        status: StatusCode,
        /// The SQLSTATE (`23505`, `PT409`) or PostgREST's own code (`PGRST116`), if there is one.
        code: Option<String>,
        /// The message, if there is one.
        message: String,
        /// The seconds after which a repetition may succeed, if the response has them.
        retry_after_seconds: Option<u64>,
    },
    /// It does not accept the function's own credential.
    CredentialRefused {
        /// The HTTP status.
        status: StatusCode,
        /// The message, if there is one.
        message: String,
    },
    /// The response does not have the expected form.
    InvalidAnswer,
    /// The RPC reports an outcome that this version does not know, or one without its members: the functions and the
    /// migrations are of different versions.
    UnexpectedOutcome(String),
}

impl SupabaseError {
    /// Returns the SQLSTATE or PostgREST's code of a refusal.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => code.as_deref(),
            _ => None,
        }
    }

    /// Returns whether the same call may succeed a moment later.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable(error) => is_outage(*error),
            Self::Refused { status, .. } => matches!(status.as_u16(), 502..=504),
            Self::CredentialRefused { .. } | Self::UnexpectedOutcome(_) => false,
            Self::InvalidAnswer => true,
        }
    }

    /// Returns the error for an outcome that lacks one of its members.
    pub fn incomplete(outcome: &str) -> Self {
        Self::UnexpectedOutcome(outcome.to_owned())
    }

    /// Returns the error for a successful response that does not have the expected form.
    pub(super) fn of_unread(body: &[u8]) -> Self {
        Self::of_outcome(&serde_json::from_slice(body).unwrap_or_default())
    }

    /// Returns the error for an unknown outcome.
    pub fn of_outcome(body: &Value) -> Self {
        match body.get("outcome").unwrap_or(body).as_str() {
            Some(outcome) => {
                Self::UnexpectedOutcome(outcome.chars().take(MAX_OUTCOME_CHARS).collect())
            }
            None => Self::InvalidAnswer,
        }
    }

    /// Reads PostgREST's error body. A gateway may have replaced it with anything.
    pub(super) fn from_answer(
        status: StatusCode,
        body: &[u8],
        retry_after_seconds: Option<u64>,
        as_service: bool,
    ) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name| body.get(name).and_then(Value::as_str);
        let message: String = text("message")
            .unwrap_or_default()
            .chars()
            .take(MAX_MESSAGE_CHARS)
            .collect();
        let code = text("code").map(str::to_owned);
        let is_auth_status = status == StatusCode::UNAUTHORIZED || status == StatusCode::FORBIDDEN;
        // `PT401` and `PT403` are raised by the migrations' SQL: they concern the caller, not the function's
        // credential.
        let is_raised = code.as_deref().is_some_and(|code| code.starts_with("PT"));
        if as_service && is_auth_status && !is_raised {
            return Self::CredentialRefused { status, message };
        }
        Self::Refused {
            status,
            code,
            message,
            retry_after_seconds,
        }
    }
}

/// Returns whether the database did not respond. Oversized or non-JSON error bodies come from a proxy, not from
/// PostgREST.
fn is_outage(error: HttpError) -> bool {
    matches!(
        error,
        HttpError::Network | HttpError::Timeout | HttpError::TooLarge
    )
}

/// Returns whether a gateway refuses: PostgREST has neither rate limits nor redirects.
fn is_gateways(status: StatusCode) -> bool {
    status.is_server_error() || status.is_redirection() || status == StatusCode::TOO_MANY_REQUESTS
}

impl fmt::Display for SupabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(error) => write!(f, "database: {error}"),
            Self::Refused {
                status,
                code,
                message,
                ..
            } => {
                write!(
                    f,
                    "database: {} {} {message}",
                    status.as_u16(),
                    code.as_deref().unwrap_or("-")
                )
            }
            Self::CredentialRefused { status, message } => {
                write!(
                    f,
                    "database refuses the function's credential: {} {message}",
                    status.as_u16()
                )
            }
            Self::InvalidAnswer => f.write_str("database: the answer was not understood"),
            Self::UnexpectedOutcome(outcome) => write!(f, "database: unexpected outcome {outcome}"),
        }
    }
}

impl std::error::Error for SupabaseError {}

impl From<SupabaseError> for Error {
    fn from(error: SupabaseError) -> Self {
        let unavailable = |retry_after_seconds: Option<u64>| {
            Self::of(Code::DatabaseUnavailable)
                .retry_after(retry_after_seconds.unwrap_or(RETRY_AFTER_SECONDS))
        };
        let shown = match &error {
            SupabaseError::Unavailable(error) if is_outage(*error) => unavailable(None),
            SupabaseError::InvalidAnswer => unavailable(None),
            SupabaseError::Refused {
                status,
                retry_after_seconds,
                ..
            } if is_gateways(*status) => unavailable(*retry_after_seconds),
            SupabaseError::Refused { status, .. } if *status == StatusCode::UNAUTHORIZED => {
                Self::of(Code::InvalidToken)
            }
            SupabaseError::CredentialRefused { .. } => Self::misconfigured(),
            _ => Self::of(Code::Internal),
        };
        shown.caused_by(error)
    }
}
