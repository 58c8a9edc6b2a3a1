//! What the functions have in common.
//!
//! Everything here is pure and compiles natively, except `platform`, which holds the
//! implementations of the traits on workerd and Deno.

pub mod api;
pub mod auth;
pub mod cache;
pub mod clock;
pub mod config;
pub mod cors;
pub mod endpoint;
pub mod error;
pub mod form;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod growth_tests;
pub mod headers;
pub mod health;
pub mod http_client;
pub mod json;
pub mod llm;
pub mod log;
pub mod matching;
#[cfg(target_arch = "wasm32")]
pub mod platform;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod properties;
pub mod random;
pub mod record;
pub mod redacted;
pub mod request;
pub mod spotify;
pub mod stripe;
pub mod supabase;
pub mod text;
pub mod track;
pub mod unicode;

#[cfg(any(test, feature = "fakes"))]
#[allow(clippy::unwrap_used, reason = "only tests use it")]
pub mod fakes;

pub use api::Code;
pub use error::Error;
