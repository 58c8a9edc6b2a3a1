//! One origin for the page and the functions on Cloudflare.
//!
//! `/functions/v1/<name>` goes, untouched, to the worker bound under that name; everything else is
//! a static asset. Methods, CORS and errors of a function stay with the function.

#[cfg(target_arch = "wasm32")]
mod entry;
mod route;

pub use route::{Route, route};
