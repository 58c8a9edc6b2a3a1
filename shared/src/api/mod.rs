//! The HTTP contract: requests, responses, stream events and error codes.
//!
//! docs/openapi.yaml, docs/errors.md and the page's types are generated from these types by `cargo xtask generate`; what
//! types cannot say (prose, examples, conditions between members) is in tools/contract/src/openapi.yaml. Limits are repeated
//! as literals in `schema(…)`, which takes no constants; a test compares them with what the functions accept.

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
