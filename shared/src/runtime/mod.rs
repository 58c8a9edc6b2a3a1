//! The runtime of every function: serving requests, and the platform's services behind traits.
//!
//! Everything compiles natively, except `wasm`, which implements the traits on workerd and Deno.

pub mod cache;
pub mod clock;
pub mod context;
pub mod cors;
pub mod endpoint;
pub mod headers;
pub mod health;
pub mod http_client;
pub mod log;
pub mod metrics;
pub mod random;
pub mod response;
pub mod serve;
#[cfg(target_arch = "wasm32")]
pub mod wasm;

pub use context::{Context, RequestContext};
