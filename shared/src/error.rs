//! What a client is told when something goes wrong: a status, a stable code and a sentence.

use std::borrow::Cow;
use std::fmt;

use http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal, $status:literal;)+) => {
        /// The closed list of codes: clients may match on them, so a code never changes its meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[doc = $doc])+ $name,)+ }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Code] = &[$(Code::$name,)+];

            /// The code as clients see it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$name => $code,)+ }
            }

            const fn status_number(self) -> u16 {
                match self { $(Code::$name => $status,)+ }
            }
        }
    };
}

codes! {
    /// The body is not JSON, or not UTF-8.
    InvalidJson = "invalid_json", 400;
    /// A header is malformed.
    InvalidHeader = "invalid_header", 400;
    /// The state of linking an account is not one of ours, or too old.
    InvalidState = "invalid_state", 400;
    /// Spotify does not accept the code of linking an account.
    InvalidCode = "invalid_code", 400;
    /// The event is not signed by Stripe, or not now.
    InvalidSignature = "invalid_signature", 400;
    /// What Stripe signed is not an event.
    InvalidEvent = "invalid_event", 400;
    /// The event is of Stripe's test mode and our key is not, or the other way round.
    LivemodeMismatch = "livemode_mismatch", 400;
    /// No bearer token.
    MissingToken = "missing_token", 401;
    /// The token is not one of ours, or not a user's.
    InvalidToken = "invalid_token", 401;
    /// The token was valid once.
    TokenExpired = "token_expired", 401;
    /// The plan's AI playlists are used up.
    QuotaExceeded = "quota_exceeded", 402;
    /// The caller has no profile.
    ProfileNotFound = "profile_not_found", 403;
    /// The account that began to link is another one.
    StateOfAnotherUser = "state_of_another_user", 403;
    /// What is asked for needs a sign-in of the last minutes.
    SignInAgain = "sign_in_again", 403;
    /// No Spotify account is linked.
    SpotifyNotLinked = "spotify_not_linked", 403;
    /// Spotify no longer accepts the link; it has to be made again.
    SpotifyLinkExpired = "spotify_link_expired", 403;
    /// Spotify does not let the app act for this listener.
    SpotifyAccessDenied = "spotify_access_denied", 403;
    /// No such route.
    NotFound = "not_found", 404;
    /// The caller has no such playlist.
    PlaylistNotFound = "playlist_not_found", 404;
    /// The route exists, the method does not.
    MethodNotAllowed = "method_not_allowed", 405;
    /// The idempotency key belongs to a generation that succeeded.
    AlreadyGenerated = "already_generated", 409;
    /// The idempotency key belongs to a generation that is still running.
    GenerationInProgress = "generation_in_progress", 409;
    /// The idempotency key was used for another request.
    IdempotencyKeyReused = "idempotency_key_reused", 409;
    /// The account holds as many playlists as it may.
    PlaylistLimitReached = "playlist_limit_reached", 409;
    /// The playlist has no tracks.
    PlaylistEmpty = "playlist_empty", 409;
    /// The idempotency key belongs to an export that is still running.
    ExportInProgress = "export_in_progress", 409;
    /// The caller has never subscribed to anything.
    NothingToManage = "nothing_to_manage", 409;
    /// At Stripe something of the caller's is still open in another currency.
    CurrencyConflict = "currency_conflict", 409;
    /// The body is larger than the endpoint reads.
    BodyTooLarge = "body_too_large", 413;
    /// The body's content type is not JSON.
    UnsupportedMediaType = "unsupported_media_type", 415;
    /// Valid JSON that makes no sense; the message names the field.
    InvalidRequest = "invalid_request", 422;
    /// What confirms a deletion is not the account's e-mail address, phone number or id.
    NotConfirmed = "not_confirmed", 422;
    /// The prompt does not ask for music.
    NotAboutMusic = "not_about_music", 422;
    /// None of the suggested songs was found in the catalogue.
    NoTracksFound = "no_tracks_found", 422;
    /// The user asks more often than one user may.
    TooManyAttempts = "too_many_attempts", 429;
    /// The token is larger than the functions read; signing in again does not make it smaller.
    TokenTooLarge = "token_too_large", 431;
    /// The client went away; only logs ever show it.
    ClientClosedRequest = "client_closed_request", 499;
    /// A defect of ours.
    Internal = "internal_error", 500;
    /// The language model failed.
    LlmUnavailable = "llm_unavailable", 502;
    /// The language model's answer could not be used.
    LlmInvalidAnswer = "llm_invalid_answer", 502;
    /// The music catalogue failed.
    SpotifyUnavailable = "spotify_unavailable", 502;
    /// Stripe failed.
    StripeUnavailable = "stripe_unavailable", 502;
    /// The function is not configured, or an upstream refuses its credentials.
    Misconfigured = "misconfigured", 503;
    /// The database is away.
    DatabaseUnavailable = "database_unavailable", 503;
    /// The music catalogue allows no more requests for now.
    SpotifyRateLimited = "spotify_rate_limited", 503;
    /// The language model allows no more requests for now.
    LlmRateLimited = "llm_rate_limited", 503;
    /// Stripe allows no more requests for now.
    StripeRateLimited = "stripe_rate_limited", 503;
    /// The plan is being written by too many at once.
    PlanContended = "plan_contended", 503;
    /// The language model did not answer in time.
    LlmTimeout = "llm_timeout", 504;
    /// The music catalogue did not answer in time.
    SpotifyTimeout = "spotify_timeout", 504;
    /// Stripe did not answer in time.
    StripeTimeout = "stripe_timeout", 504;
    /// The generation did not finish in time.
    GenerationTimeout = "generation_timeout", 504;
}

impl Code {
    /// The HTTP status that goes with the code.
    pub fn status(self) -> StatusCode {
        StatusCode::from_u16(self.status_number()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// An error as a client sees it, with its cause for the log.
///
/// JSON: `{"code":"snake_case","message":"for a person","request_id":"uuid"}`, plus
/// `"examples":["…"]` where examples of better requests help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    code: Code,
    message: Cow<'static, str>,
    retry_after_seconds: Option<u64>,
    allow: Option<&'static str>,
    examples: Vec<String>,
    cause: Option<String>,
}

impl Error {
    /// An error with a sentence for the person who sees it.
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
            retry_after_seconds: None,
            allow: None,
            examples: Vec::new(),
            cause: None,
        }
    }

    /// Valid JSON that makes no sense.
    pub fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::InvalidRequest, message)
    }

    /// The route knows other methods; `methods` as in `Allow`.
    pub fn method_not_allowed(methods: &'static str) -> Self {
        let message = format!("Use {} here.", methods.replace(", ", " or "));
        Self { allow: Some(methods), ..Self::new(Code::MethodNotAllowed, message) }
    }

    /// Says when trying again may help.
    #[must_use]
    pub fn retry_after(mut self, seconds: impl Into<Option<u64>>) -> Self {
        self.retry_after_seconds = seconds.into();
        self
    }

    /// Adds examples of requests that would work.
    #[must_use]
    pub fn with_examples(mut self, examples: Vec<String>) -> Self {
        self.examples = examples;
        self
    }

    /// Adds what the log should say; clients never see it.
    #[must_use]
    pub fn caused_by(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// The code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.code.status()
    }

    /// Seconds after which trying again may help.
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.retry_after_seconds
    }

    /// The methods that the route knows, where another one was used.
    pub fn allow(&self) -> Option<&'static str> {
        self.allow
    }

    /// The cause, for the log.
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// The error as clients see it.
    pub fn to_json(&self, request_id: Uuid) -> Value {
        let mut json = json!({
            "code": self.code.as_str(),
            "message": self.message,
            "request_id": request_id,
        });
        if let (Some(object), false) = (json.as_object_mut(), self.examples.is_empty()) {
            object.insert("examples".to_owned(), json!(self.examples));
        }
        json
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_code_is_unique_snake_case_with_an_error_status() {
        let mut seen = HashSet::new();
        for code in Code::ALL {
            let name = code.as_str();
            assert!(seen.insert(name), "{name} twice");
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{name}");
            assert!(code.status().is_client_error() || code.status().is_server_error(), "{name}");
            assert_eq!(code.status().as_u16(), code.status_number());
        }
    }

    #[test]
    fn the_cause_is_not_shown() {
        let error = Error::new(Code::Internal, "Something broke.").caused_by("password=x");
        let shown = format!("{error}{}", error.to_json(Uuid::nil()));
        assert!(!shown.contains("password"), "{shown}");
        assert_eq!(error.cause(), Some("password=x"));
    }

    #[test]
    fn examples_stand_only_where_there_are_some() {
        let error = Error::new(Code::NotAboutMusic, "Ask for music.");
        assert_eq!(error.to_json(Uuid::nil()).get("examples"), None);
        let json = error.with_examples(vec!["calm piano".into()]).to_json(Uuid::nil());
        assert_eq!(json["examples"], json!(["calm piano"]));
    }
}
