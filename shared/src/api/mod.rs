//! The HTTP contract: requests, responses, stream events and error codes.
//!
//! `cargo xtask generate` writes docs/openapi.yaml, docs/errors.md and the page's types from these types. What types cannot
//! express (prose, examples, conditions between members) is in tools/contract/src/openapi.yaml. Limits are literals in
//! `schema(…)`, which accepts no constants; a test compares them with the limits of the functions.

mod billing;
mod codes;
mod playlist;
mod spotify;

#[cfg(feature = "openapi")]
pub use billing::AppUrl;
pub use billing::{
    AccountDeletion, CheckoutRequest, EventOutcome, PortalRequest, StripePage, WebhookResponse,
};
#[cfg(feature = "openapi")]
pub use codes::ErrorCode;
pub use codes::{Code, ErrorBody, Operation};
#[cfg(feature = "openapi")]
pub use playlist::Market;
pub use playlist::{
    EraRequest, GeneratedPlaylist, MissData, PlaylistRequest, Quota, RefineRequest, Song, Stage, StageData,
    StopReason, Track,
};
pub use spotify::{
    ExportRequest, Exported, FoundTrack, Rejected, SearchResponse, SpotifyAuthorization, SpotifyLink,
    SpotifyLinkCompletion,
};
