//! One origin for the page and the functions on Cloudflare.
//!
//! `/functions/v1/<name>` goes, untouched, to the worker bound under that name; everything else is
//! a static asset. Methods, CORS and errors of a function stay with the function. `/health` is what all of them say of
//! theirs.

#[cfg(target_arch = "wasm32")]
mod entry;
mod health;
mod route;

pub use health::{Report, function_name};
pub use route::{Route, route};
