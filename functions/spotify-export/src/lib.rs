//! `POST /functions/v1/spotify-export`: one of the listener's playlists, copied to their Spotify account.
//!
//! The body is a [`request::ExportRequest`] as JSON, the answer an [`export::Exported`]: a new playlist, not shown on
//! the profile, with all tracks in order. A track that Spotify does not take is reported by its position while the rest
//! is exported. Under an `Idempotency-Key` a repeat within a day makes no second copy: it answers the first result, or
//! completes the copy that was begun.

pub mod config;
#[cfg(all(target_arch = "wasm32", not(test)))]
mod entry;
pub mod export;
pub mod handler;
pub mod job;
pub mod ledger;
pub mod playlist;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod properties;
pub mod request;
