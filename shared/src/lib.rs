//! The code that all functions share: the HTTP contract, the runtime, clients of upstreams, and matching.
//!
//! Everything here compiles natively, except `runtime::wasm`, which implements the traits on workerd and Deno.

#![warn(missing_docs, clippy::missing_errors_doc)]

pub mod api;
pub mod auth;
pub mod catalogue;
pub mod config;
pub mod error;
pub mod form;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod growth_tests;
pub mod json;
pub mod llm;
pub mod matching;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod properties;
pub mod redacted;
pub mod request;
pub mod runtime;
pub mod spotify;
pub mod stripe;
pub mod supabase;
pub mod text;
pub mod track;
pub mod unicode;
mod words;

#[cfg(any(test, feature = "fakes"))]
#[expect(clippy::unwrap_used, reason = "only tests use it")]
pub mod fakes;

pub use api::Code;
pub use error::Error;
