use std::fmt;

use http::StatusCode;

use crate::error::{Code, Error};
use crate::http_client::HttpError;

/// Why the catalogue gave no usable answer. Finding nothing is not an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpotifyError {
    /// There is no answer.
    Unavailable(HttpError),
    /// It answered with an error.
    Refused {
        /// The status.
        status: StatusCode,
    },
    /// The app may send no more requests for now.
    RateLimited {
        /// Seconds until it may again; hours have been seen.
        retry_after_seconds: u64,
    },
    /// It does not accept the app's id and secret.
    InvalidCredentials,
    /// It answered something else than was asked for.
    InvalidAnswer,
}

impl fmt::Display for SpotifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(error) => write!(f, "spotify: {error}"),
            Self::Refused { status } => write!(f, "spotify: status {}", status.as_u16()),
            Self::RateLimited { retry_after_seconds } => {
                write!(f, "spotify: rate limited for {retry_after_seconds} s")
            }
            Self::InvalidCredentials => f.write_str("spotify refuses the app's id or secret"),
            Self::InvalidAnswer => f.write_str("spotify: the answer was not understood"),
        }
    }
}

impl std::error::Error for SpotifyError {}

impl From<SpotifyError> for Error {
    fn from(error: SpotifyError) -> Self {
        let shown = match error {
            SpotifyError::RateLimited { retry_after_seconds } => {
                Self::new(Code::SpotifyRateLimited, "Spotify is busy right now. Please try again later.")
                    .retry_after(retry_after_seconds)
            }
            SpotifyError::Unavailable(HttpError::Timeout) => {
                Self::new(Code::SpotifyTimeout, "Spotify did not answer in time. Please try again.")
            }
            SpotifyError::InvalidCredentials => Self::misconfigured(),
            _ => {
                Self::new(Code::SpotifyUnavailable, "Spotify cannot be reached right now. Please try again.")
            }
        };
        shown.caused_by(error)
    }
}
