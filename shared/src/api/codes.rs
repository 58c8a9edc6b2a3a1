//! The error codes. The HTTP contract, docs/errors.md and the page's list are generated from this table.

use http::StatusCode;
use serde::Serialize;
use uuid::Uuid;

/// The types of this module that docs/openapi.yaml describes, in its order.
#[cfg(feature = "openapi")]
#[derive(utoipa::OpenApi)]
#[openapi(components(schemas(ErrorBody, ErrorCode)))]
pub(super) struct Schemas;

macro_rules! codes {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident = $status:literal $code:literal on [$($on:literal),*], $($retry_after:ident,)?
        $message:literal, $advice:literal;
    )+) => {
        /// The closed list of codes. Clients may match on them, so a code never changes its meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[doc = $doc])+ $name,)+ }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Code] = &[$(Code::$name,)+];

            /// Returns the code as clients see it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$name => $code,)+ }
            }

            pub(crate) const fn status_number(self) -> u16 {
                match self { $(Code::$name => $status,)+ }
            }

            /// Returns the message for clients, unless the error has a more specific one.
            // Inlined, so that a function contains only the messages of its own codes.
            #[inline(always)]
            pub const fn message(self) -> &'static str {
                match self { $(Code::$name => $message,)+ }
            }

            /// Returns the meaning, for the documentation.
            pub const fn meaning(self) -> &'static str {
                match self { $(Code::$name => concat!($($doc,)+).trim_ascii(),)+ }
            }

            /// Returns what a client should do, for the documentation.
            pub const fn advice(self) -> &'static str {
                match self { $(Code::$name => $advice,)+ }
            }

            /// Returns the operations that fail with the code: each by its `operationId`, or by a word of its `x-fails`
            /// in xtask/contract/src/openapi.yaml.
            pub const fn operations(self) -> &'static [&'static str] {
                match self { $(Code::$name => &[$($on),*],)+ }
            }

            /// Returns whether `Retry-After` may accompany the code.
            pub const fn has_retry_after(self) -> bool {
                match self { $(Code::$name => !(stringify!($($retry_after)?).is_empty()),)+ }
            }
        }
    };
}

codes! {
    /// The body is not JSON, or not UTF-8.
    InvalidJson = 400 "invalid_json" on ["json", "receiveStripeEvent"],
        "The body is not valid JSON.", "Send valid JSON in UTF-8.";
    /// A header is malformed: the `Idempotency-Key` is not a UUID.
    InvalidHeader = 400 "invalid_header" on ["key"],
        "Idempotency-Key must be a UUID.", "Send any UUID but the nil one.";
    /// We did not sign the state, or it is older than ten minutes.
    InvalidState = 400 "invalid_state" on ["completeSpotifyLink"],
        "The link was not begun here, or more than ten minutes ago. Begin again.", "Begin the link again.";
    /// Spotify does not accept the code, or no longer accepts it.
    InvalidCode = 400 "invalid_code" on ["completeSpotifyLink"],
        "Spotify does not accept this code, or no longer. Begin again.", "Begin the link again.";
    /// Stripe did not sign the event, or not within the last five minutes.
    InvalidSignature = 400 "invalid_signature" on ["receiveStripeEvent"],
        "This is not signed by Stripe.", "Compare the endpoint's signing secret with `STRIPE_WEBHOOK_SECRETS`.";
    /// The signed body is not an event.
    InvalidEvent = 400 "invalid_event" on ["receiveStripeEvent"],
        "The body is not an event of Stripe.", "Send events of Stripe only.";
    /// The event is in Stripe's test mode and our key in live mode, or the reverse.
    LivemodeMismatch = 400 "livemode_mismatch" on ["receiveStripeEvent"],
        "This endpoint is for Stripe's other mode.", "Use an endpoint and a key of the same mode.";
    /// There is no bearer token.
    MissingToken = 401 "missing_token" on ["user"],
        "Sign in first.", "Send the user's access token as `Authorization: Bearer …`.";
    /// The token is not signed by the project's Auth, or is not a user's token.
    InvalidToken = 401 "invalid_token" on ["user"],
        "This token is not valid. Sign in again.", "Refresh the session; if that fails, have the user sign in.";
    /// The token has expired.
    TokenExpired = 401 "token_expired" on ["user"],
        "Your session has expired. Sign in again.", "Refresh the session; if that fails, have the user sign in.";
    /// The plan's AI playlists are used up. `Retry-After` says when the next one is free.
    QuotaExceeded = 402 "quota_exceeded" on ["generatePlaylist"], retry_after,
        "The plan's AI playlists are used up.", "Wait for the next free one, or offer the larger plan.";
    /// The account has been deleted, or is being deleted.
    ProfileNotFound = 403 "profile_not_found" on ["profile"],
        "This account has no profile.", "Sign the user out.";
    /// The user is anonymous: they have one generation, and neither link, export nor pay.
    AccountRequired = 403 "account_required"
        on ["generatePlaylist", "startSpotifyLink", "completeSpotifyLink", "exportPlaylist", "openCheckout", "openPortal"],
        "Create an account first.", "Have the user give an e-mail address, then refresh the session and repeat the request.";
    /// Another user started the link.
    StateOfAnotherUser = 403 "state_of_another_user" on ["completeSpotifyLink"],
        "Another account began this. Begin again.", "Begin the link again as this user.";
    /// The last sign-in is older than ten minutes.
    SignInAgain = 403 "sign_in_again" on ["startSpotifyLink", "deleteAccount"],
        "Sign in again, then repeat this within ten minutes.", "Have the user sign in again and repeat the request.";
    /// No Spotify account is linked.
    SpotifyNotLinked = 403 "spotify_not_linked" on ["exportPlaylist"],
        "Link your Spotify account first.", "Link a Spotify account, then repeat the request.";
    /// Spotify ended the link, which was removed.
    SpotifyLinkExpired = 403 "spotify_link_expired" on ["exportPlaylist"],
        "Spotify has ended the link. Link your account again.", "Link the Spotify account again, then repeat the request.";
    /// Spotify does not let the app act for this user.
    SpotifyAccessDenied = 403 "spotify_access_denied" on ["completeSpotifyLink", "exportPlaylist"],
        "Spotify does not let this app act for your account.", "Link the account again, or another one.";
    /// The path or the function does not exist.
    NotFound = 404 "not_found" on ["request"],
        "There is nothing at this path.", "Correct the path.";
    /// The user has no such playlist, or deleted it.
    PlaylistNotFound = 404 "playlist_not_found" on ["generatePlaylist", "exportPlaylist"],
        "You have no such playlist.", "Read the user's playlists again.";
    /// The path does not allow the method. If no path of the function allows it, `Allow` lists the methods of the whole
    /// function.
    MethodNotAllowed = 405 "method_not_allowed" on ["request", "health"],
        "Use another method here.", "Use a method that `Allow` lists.";
    /// The `Idempotency-Key` belongs to a generation that succeeded and whose playlist was deleted.
    AlreadyGenerated = 409 "already_generated" on ["generatePlaylist"],
        "A playlist was generated under this Idempotency-Key before. Use a new one for another.", "Use a new key.";
    /// The `Idempotency-Key` belongs to a generation that is still running, at most for the seconds in `Retry-After`.
    GenerationInProgress = 409 "generation_in_progress" on ["generatePlaylist"], retry_after,
        "A playlist is already being generated under this Idempotency-Key.", "Repeat the request later, under the same key.";
    /// The `Idempotency-Key` was used for another request.
    IdempotencyKeyReused = 409 "idempotency_key_reused" on ["key"],
        "This Idempotency-Key was used for another request. Use a new one.", "Use a new key.";
    /// The account has reached its limit of playlists.
    PlaylistLimitReached = 409 "playlist_limit_reached" on ["generatePlaylist", "stream"],
        "You have as many playlists as an account can hold. Delete one to save another.", "Have the user delete a playlist, or repeat the request without `save`.";
    /// The playlist has no tracks.
    PlaylistEmpty = 409 "playlist_empty" on ["exportPlaylist"],
        "This playlist has no tracks.", "Have the user add tracks.";
    /// The `Idempotency-Key` belongs to an export that is still running, at most for the seconds in `Retry-After`.
    ExportInProgress = 409 "export_in_progress" on ["exportPlaylist"], retry_after,
        "A playlist is already being exported under this Idempotency-Key.", "Repeat the request later, under the same key.";
    /// The user has never subscribed.
    NothingToManage = 409 "nothing_to_manage" on ["openPortal"],
        "There is no subscription to manage yet.", "Open a checkout instead.";
    /// The user still has an open item at Stripe, such as an invoice item, in another currency than the price's.
    CurrencyConflict = 409 "currency_conflict" on ["openCheckout"],
        "An earlier purchase is still open in another currency. Nothing was charged.", "The operator settles it at Stripe; then the same request succeeds.";
    /// The body is larger than the function allows.
    BodyTooLarge = 413 "body_too_large" on ["request"],
        "The body is too large.", "Send less.";
    /// The body is not declared as `application/json`.
    UnsupportedMediaType = 415 "unsupported_media_type" on ["json"],
        "Send the body as application/json.", "Send `Content-Type: application/json`.";
    /// The request is not valid. The message names the field.
    InvalidRequest = 422 "invalid_request" on ["checked"],
        "The request is not valid.", "Correct the field that the message names.";
    /// The confirmation is not the account's e-mail address, phone number or id. Nothing was deleted.
    NotConfirmed = 422 "not_confirmed" on ["deleteAccount"],
        "This does not confirm the deletion. Nothing was deleted.", "Ask for what the message names.";
    /// The prompt does not ask for music, or the model's provider blocks its words.
    NotAboutMusic = 422 "not_about_music" on ["generatePlaylist", "stream"],
        "That does not sound like a wish for music. Describe what you would like to listen to.", "Show the message and its `examples`.";
    /// None of the suggested songs was found in the catalogue. Nothing was charged.
    NoTracksFound = 422 "no_tracks_found" on ["generatePlaylist", "stream"],
        "None of the suggested songs was found. Try other words.", "Have the user change the wish.";
    /// The user has reached the limit of requests. `Retry-After` says when the next one is possible.
    TooManyAttempts = 429 "too_many_attempts" on ["counted"], retry_after,
        "That was too often. Please wait.", "Wait as long as `Retry-After` says.";
    /// The token is larger than 32 KB. A new sign-in does not make it smaller.
    TokenTooLarge = 431 "token_too_large" on ["user"],
        "Your account's profile data is too large to be recognised. Shorten it.", "Shorten the account's profile data (`user_metadata`).";
    /// The client disconnected; this code appears only in logs.
    ClientClosedRequest = 499 "client_closed_request" on [],
        "The client disconnected.", "Nothing.";
    /// A defect of the service. The log has the cause under the request's id.
    Internal = 500 "internal_error" on ["request", "stream"],
        "Something went wrong on our side. Please try again.", "Try again; report the `request_id` if it happens again.";
    /// The language model failed. Nothing was charged.
    LlmUnavailable = 502 "llm_unavailable" on ["generatePlaylist", "stream"],
        "The language model is not available. Please try again.", "Try again in a minute.";
    /// The language model returned no usable completion, although it was asked twice. Nothing was charged.
    LlmInvalidResponse = 502 "llm_invalid_answer" on ["generatePlaylist", "stream"],
        "The language model's answer could not be used. Please try again.", "Try again, perhaps with other words.";
    /// Spotify failed.
    SpotifyUnavailable = 502 "spotify_unavailable" on ["spotify"],
        "Spotify cannot be reached right now. Please try again.", "Try again in a few minutes.";
    /// Stripe failed.
    StripeUnavailable = 502 "stripe_unavailable" on ["stripe"],
        "Stripe cannot be reached right now. Please try again.", "Try again in a few minutes.";
    /// The function is not configured correctly, or an upstream refuses its credentials.
    Misconfigured = 503 "misconfigured" on ["request", "stream"],
        "This service is not set up correctly.", "Tell the operator.";
    /// The database does not respond, or the keys that verify tokens cannot be fetched.
    DatabaseUnavailable = 503 "database_unavailable" on ["database"], retry_after,
        "The database is not available. Please try again.", "Try again after `Retry-After`, or in a minute.";
    /// Spotify currently allows the app no more requests, which may last for hours.
    SpotifyRateLimited = 503 "spotify_rate_limited" on ["spotify"], retry_after,
        "Spotify is busy. Please try again later.", "Try again after `Retry-After`.";
    /// The language model currently allows no more requests.
    LlmRateLimited = 503 "llm_rate_limited" on ["generatePlaylist", "stream"], retry_after,
        "The language model is busy. Please try again later.", "Try again after `Retry-After`.";
    /// Stripe currently allows no more requests.
    StripeRateLimited = 503 "stripe_rate_limited" on ["stripe"], retry_after,
        "Stripe is busy. Please try again.", "Try again after `Retry-After`.";
    /// Too many events of one customer arrived at once.
    PlanContended = 503 "plan_contended" on ["receiveStripeEvent"], retry_after,
        "Too many requests write this plan at once. Please try again.", "Send the event again.";
    /// The language model did not respond in time. Nothing was charged.
    LlmTimeout = 504 "llm_timeout" on ["generatePlaylist", "stream"],
        "The language model did not respond in time. Please try again.", "Try again, perhaps with fewer tracks.";
    /// Spotify did not respond in time.
    SpotifyTimeout = 504 "spotify_timeout" on ["spotify"],
        "Spotify did not respond in time. Please try again.", "Try again in a minute.";
    /// Stripe did not respond in time.
    StripeTimeout = 504 "stripe_timeout" on ["stripe"],
        "Stripe did not respond in time. Please try again.", "Try again in a minute.";
    /// The generation did not finish in time. Nothing was charged.
    GenerationTimeout = 504 "generation_timeout" on ["generatePlaylist", "stream"],
        "The playlist was not finished in time. Nothing was charged.", "Try again, perhaps with fewer tracks.";
}

impl Code {
    /// Returns the HTTP status of the code.
    pub fn status(self) -> StatusCode {
        StatusCode::from_u16(self.status_number()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// An error as clients see it.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Error))]
pub struct ErrorBody<'a> {
    /// The stable code.
    #[cfg_attr(feature = "openapi", schema(value_type = ErrorCode))]
    pub code: &'static str,
    /// Examples of valid prompts, in the user's language; only with `not_about_music`.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[cfg_attr(feature = "openapi", schema(required = false, min_items = 1))]
    pub examples: &'a [String],
    /// A message for a person, in English; for `not_about_music` in the user's language.
    #[cfg_attr(feature = "openapi", schema(min_length = 1))]
    pub message: &'a str,
    /// The request's id, as in `X-Request-Id`.
    pub request_id: Uuid,
}

/// A closed list. Each code belongs to one status and never changes its meaning.
#[cfg(feature = "openapi")]
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it only describes a text")]
pub struct ErrorCode(String);
