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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fakes::FakeResponse;
    use crate::spotify::tests::{Instance, refused, token};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn each_failure_has_its_code() {
        for (error, code, retry_after_seconds) in [
            (
                SpotifyError::RateLimited {
                    retry_after_seconds: 9,
                },
                Code::SpotifyRateLimited,
                Some(9),
            ),
            (
                SpotifyError::Unavailable(HttpError::Timeout),
                Code::SpotifyTimeout,
                None,
            ),
            (
                SpotifyError::Unavailable(HttpError::Network),
                Code::SpotifyUnavailable,
                None,
            ),
            (
                SpotifyError::Unavailable(HttpError::BudgetExhausted),
                Code::SpotifyUnavailable,
                None,
            ),
            (SpotifyError::InvalidCredentials, Code::Misconfigured, None),
            (
                SpotifyError::InvalidResponse,
                Code::SpotifyUnavailable,
                None,
            ),
            (refused(403), Code::SpotifyUnavailable, None),
        ] {
            let shown = Error::from(error);
            assert_eq!(
                (shown.code(), shown.retry_after_seconds()),
                (code, retry_after_seconds)
            );
            assert_eq!(shown.cause(), Some(error.to_string().as_str()));
        }
    }

    #[test]
    fn refusal_of_the_app_is_misconfigured_with_spotifys_message() {
        let premium = "Active premium subscription required for the owner of the app.";
        for body in [
            premium.to_owned(),
            json!({ "error": { "status": 403, "message": premium } }).to_string(),
            json!({ "error": "forbidden", "error_description": premium }).to_string(),
        ] {
            for answers in [
                vec![token("t"), FakeResponse::text(403, "text/plain", &body)],
                vec![FakeResponse::text(403, "application/json", &body)],
            ] {
                let error = Instance::answered(answers).search().unwrap_err();
                let shown = Error::from(error);
                assert_eq!(shown.code(), Code::Misconfigured, "{body}");
                assert_eq!(
                    shown.cause().unwrap(),
                    format!("spotify refuses the app: {premium}")
                );
                assert!(!shown.to_string().contains("premium") && error.is_lasting());
            }
        }
        for odd in [
            &b""[..],
            b"\xff\0{",
            "ż".repeat(500).as_bytes(),
            b"[]",
            b"{\"error\":7}",
        ] {
            let said = Said::of(odd);
            assert!(
                said.as_str().len() <= 96 && !said.as_str().contains('\0'),
                "{said:?}"
            );
        }
    }

    #[test]
    fn distinguishes_a_refused_user_from_a_refused_app() {
        for (said, is_about_the_app) in [
            (
                "Active premium subscription required for the owner of the app.",
                true,
            ),
            (
                "Your application is blocked from accessing the Web API.",
                true,
            ),
            (
                "Check settings on developer.spotify.com/dashboard, the user may not be registered.",
                false,
            ),
            ("User not registered in the Developer Dashboard", false),
            ("Insufficient client scope", false),
            ("You cannot add tracks to a playlist you don't own.", false),
            ("", false),
        ] {
            assert_eq!(
                Said::of(said.as_bytes()).is_about_the_app(),
                is_about_the_app,
                "{said}"
            );
        }
    }

    #[test]
    fn unknown_market_is_an_invalid_request() {
        let body = json!({ "error": { "status": 400, "message": "Invalid market code" } });
        let error = Instance::warm([FakeResponse::json(400, &body)])
            .search()
            .unwrap_err();
        assert_eq!(
            (error, error.is_lasting()),
            (SpotifyError::InvalidMarket, true)
        );
        let shown = Error::from(error);
        assert!(
            shown.code() == Code::InvalidRequest && shown.to_string().starts_with("market "),
            "{shown}"
        );
        let other = json!({ "error": { "status": 400, "message": "Invalid limit" } });
        assert_eq!(
            Instance::warm([FakeResponse::json(400, &other)]).search(),
            Err(refused(400))
        );
    }
}
