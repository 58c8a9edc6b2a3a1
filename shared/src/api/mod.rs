//! The HTTP contract: requests, responses, stream events and error codes.
//!
//! `cargo xtask generate` writes docs/openapi.yaml, docs/errors.md and the page's types from these types. What types cannot
//! express (prose, examples, conditions between members) is in xtask/contract/src/openapi.yaml. Limits are literals in
//! `schema(…)`, which accepts no constants; a test compares them with the limits of the functions.

mod billing;
mod codes;
mod playlist;
mod spotify;

pub use billing::*;
pub use codes::*;
pub use playlist::*;
pub use spotify::*;

pub use crate::track::TrackDetails;

/// Returns the schemas of all types, in the order of the document.
#[cfg(feature = "openapi")]
pub fn schemas() -> utoipa::openapi::OpenApi {
    use utoipa::OpenApi as _;
    let mut all = codes::Schemas::openapi();
    for schemas in [
        playlist::Schemas::openapi(),
        spotify::Schemas::openapi(),
        billing::Schemas::openapi(),
    ] {
        all.merge(schemas);
    }
    all
}
