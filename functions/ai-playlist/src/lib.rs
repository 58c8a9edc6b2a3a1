//! `POST /functions/v1/ai-playlist`: a sentence in, a playlist of songs that exist out.
//!
//! The body is a [`request::PlaylistRequest`] as JSON. With `Accept: text/event-stream` the answer is
//! a stream of [`event::Event`]s (`stage`, `track`, `miss`, then one `done` or `error`), else `done`'s
//! object. Every track was found in Spotify's catalogue; the quota is charged only for what was
//! delivered.

pub mod answer;
mod budget;
pub mod config;
#[cfg(all(target_arch = "wasm32", not(test)))]
mod entry;
pub mod event;
pub mod generate;
pub mod handler;
pub mod job;
pub mod outbox;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod properties;
pub mod quota;
pub mod recover;
pub mod request;
pub mod resolve;
