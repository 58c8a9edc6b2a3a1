//! Passes the result of Spotify's redirect on to the app, in the fragment.
//!
//! Any client can send any request, for example from an attacker's link. So nothing is stored, nothing in the request
//! decides where the browser goes, and the result is useless to any user but the one who started.

use shared::form::form_urlencoded;
use shared::spotify::{StateError, StateKeys};

use crate::request::{is_code, parse_query};

/// The reasons why the browser returns without a code; a closed list, part of the app's interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The user did not agree.
    AccessDenied,
    /// The state is not valid: the app did not start this.
    InvalidState,
    /// The user took longer than ten minutes.
    ExpiredState,
    /// Any other error or a missing parameter.
    SpotifyError,
}

impl Reason {
    /// Returns the reason's name in the fragment.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessDenied => "access_denied",
            Self::InvalidState => "invalid_state",
            Self::ExpiredState => "expired_state",
            Self::SpotifyError => "spotify_error",
        }
    }
}

/// Returns the app's URL to redirect to: `#spotify_code=…&spotify_state=…`, or `#spotify_error=…`.
pub fn location(app_origin: &str, query: &str, keys: &StateKeys, now_seconds: u64) -> String {
    let fragment = match outcome(query, keys, now_seconds) {
        Ok((code, state)) => form_urlencoded(&[("spotify_code", &code), ("spotify_state", &state)]),
        Err(reason) => form_urlencoded(&[("spotify_error", reason.as_str())]),
    };
    format!("{app_origin}/#{fragment}")
}

fn outcome(query: &str, keys: &StateKeys, now_seconds: u64) -> Result<(String, String), Reason> {
    let parameters = parse_query(query);
    let state = parameters.get("state").ok_or(Reason::InvalidState)?;
    keys.verify(state, now_seconds)
        .map_err(|error| match error {
            StateError::Invalid => Reason::InvalidState,
            StateError::Expired => Reason::ExpiredState,
        })?;
    match (
        parameters.get("error").map(String::as_str),
        parameters.get("code"),
    ) {
        (Some("access_denied"), _) => Err(Reason::AccessDenied),
        (None, Some(code)) if is_code(code) => Ok((code.clone(), state.clone())),
        _ => Err(Reason::SpotifyError),
    }
}

#[cfg(test)]
mod tests {
    use shared::fakes::FakeRandom;
    use uuid::Uuid;

    use super::*;

    const NOW: u64 = 1_790_000_000;
    const APP: &str = "https://app.example";

    fn keys() -> StateKeys {
        StateKeys::from_env(|_| Some("k".repeat(32))).unwrap()
    }

    fn state() -> String {
        keys()
            .sign(Uuid::from_u128(7), NOW, &FakeRandom::default())
            .text
    }

    fn came(query: &str) -> String {
        location(APP, query, &keys(), NOW)
    }

    #[test]
    fn code_and_state_are_passed_on_in_the_fragment() {
        let state = state();
        let url = came(&format!("code=AQ-d_1&state={state}"));
        assert_eq!(
            url,
            format!("https://app.example/#spotify_code=AQ-d_1&spotify_state={state}")
        );
    }

    #[test]
    fn maps_errors_to_the_closed_list() {
        let state = state();
        for (query, reason) in [
            (
                format!("error=access_denied&state={state}"),
                "access_denied",
            ),
            (
                format!("error=access_denied&code=x&state={state}"),
                "access_denied",
            ),
            (format!("error=server_error&state={state}"), "spotify_error"),
            (format!("error=<script>&state={state}"), "spotify_error"),
            (format!("state={state}"), "spotify_error"),
            (format!("code=&state={state}"), "spotify_error"),
            (
                format!("code={}&state={state}", "x".repeat(5_000)),
                "spotify_error",
            ),
            (format!("code=a%0d%0ab&state={state}"), "spotify_error"),
            (format!("code=a&code=b&state={state}"), "spotify_error"),
            (
                format!("code=a&state={state}&state={state}"),
                "invalid_state",
            ),
            ("code=a&state=forged".to_owned(), "invalid_state"),
            ("error=access_denied".to_owned(), "invalid_state"),
            (String::new(), "invalid_state"),
        ] {
            assert_eq!(
                came(&query),
                format!("https://app.example/#spotify_error={reason}"),
                "{query}"
            );
        }
        let late = location(APP, &format!("code=a&state={state}"), &keys(), NOW + 601);
        assert_eq!(late, "https://app.example/#spotify_error=expired_state");
    }

    #[test]
    fn request_does_not_choose_the_redirect() {
        let state = state();
        for query in [
            format!("code=a&state={state}&redirect_uri=https://evil.example&next=//evil.example"),
            format!("code=a%23%40evil.example&state={state}"),
            "state=https://evil.example".to_owned(),
        ] {
            let url = came(&query);
            assert!(url.starts_with("https://app.example/#spotify_"), "{url}");
            assert!(!url.contains("//evil.example"), "{url}");
        }
    }
}
