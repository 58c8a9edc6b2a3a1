use std::fmt;

use http::StatusCode;
use serde_json::Value;

use crate::error::{Code, Error};
use crate::json::{at, from_slice_lenient};
use crate::runtime::http_client::HttpError;
use crate::text::one_line;

/// The reasons why the catalogue returned no usable response. Finding nothing is not an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpotifyError {
    /// There was no response.
    Unavailable(HttpError),
    /// It returned an error.
    Refused {
        /// The status.
        status: StatusCode,
    },
    /// The app has reached its rate limit.
    RateLimited {
        /// Seconds until the next request is allowed; values of hours occur.
        retry_after_seconds: u64,
    },
    /// It does not accept the app's id and secret.
    InvalidCredentials,
    /// It refuses the app, for example because its owner has no Premium subscription, or because it is blocked.
    AppForbidden(Said),
    /// It does not have the requested market.
    InvalidMarket,
    /// The response was not what was asked for.
    InvalidResponse,
}

impl SpotifyError {
    /// Whether another request for the same user would be refused as well.
    pub fn is_lasting(self) -> bool {
        matches!(
            self,
            Self::RateLimited { .. }
                | Self::InvalidCredentials
                | Self::AppForbidden(_)
                | Self::InvalidMarket
        )
    }
}

/// The beginning of Spotify's message, on one line, for the log.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Said {
    bytes: [u8; Self::MAX_BYTES],
    length: usize,
}

impl Said {
    const MAX_BYTES: usize = 96;

    /// Reads a refusal's body: `{"error":{"message":…}}`, `{"error_description":…}`, or plain text.
    pub(super) fn of(body: &[u8]) -> Self {
        let document: Value = from_slice_lenient(body).unwrap_or_default();
        let message = ["/error/message", "/error_description", "/error", ""]
            .iter()
            .find_map(|pointer| at(&document, pointer)?.as_str());
        let plain = String::from_utf8_lossy(body);
        let mut said = Self {
            bytes: [0; Self::MAX_BYTES],
            length: 0,
        };
        for c in one_line(message.unwrap_or(&plain), Self::MAX_BYTES).chars() {
            let Some(room) = said.bytes.get_mut(said.length..said.length + c.len_utf8()) else {
                break;
            };
            c.encode_utf8(room);
            said.length += c.len_utf8();
        }
        said
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.bytes
            .get(..self.length)
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .unwrap_or_default()
    }

    /// Whether the message is about the app and its owner, and not about the user for whom the app acts.
    pub(super) fn is_about_the_app(&self) -> bool {
        let said = self.as_str().to_ascii_lowercase();
        [
            "premium",
            "application",
            "owner of the app",
            "app is blocked",
        ]
        .iter()
        .any(|sign| said.contains(sign))
    }
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Display for SpotifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(error) => write!(f, "spotify: {error}"),
            Self::Refused { status } => write!(f, "spotify: status {}", status.as_u16()),
            Self::RateLimited {
                retry_after_seconds,
            } => {
                write!(f, "spotify: rate limited for {retry_after_seconds} s")
            }
            Self::InvalidCredentials => f.write_str("spotify refuses the app's id or secret"),
            Self::AppForbidden(said) => write!(f, "spotify refuses the app: {}", said.as_str()),
            Self::InvalidMarket => f.write_str("spotify does not have the market"),
            Self::InvalidResponse => f.write_str("spotify: the answer was not understood"),
        }
    }
}

impl std::error::Error for SpotifyError {}

impl From<SpotifyError> for Error {
    fn from(error: SpotifyError) -> Self {
        let shown = match error {
            SpotifyError::RateLimited {
                retry_after_seconds,
            } => Self::of(Code::SpotifyRateLimited).retry_after(retry_after_seconds),
            SpotifyError::Unavailable(HttpError::Timeout) => Self::of(Code::SpotifyTimeout),
            SpotifyError::InvalidCredentials | SpotifyError::AppForbidden(_) => {
                Self::misconfigured()
            }
            SpotifyError::InvalidMarket => Self::invalid(
                "market must be a country that Spotify is available in (ISO 3166-1), such as PL; the United Kingdom is GB.",
            ),
            _ => Self::of(Code::SpotifyUnavailable),
        };
        shown.caused_by(error)
    }
}
