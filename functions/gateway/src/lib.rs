//! One origin for the page and the functions on Cloudflare.
//!
//! `/functions/v1/<name>` goes, untouched, to the worker bound under that name; everything else is
//! a static asset. Methods, CORS, errors and headers of a function stay with the function. The page's files
//! get their headers here, `/config.json` tells the page where everything is, and `/health` is what all functions say of theirs.

#[cfg(target_arch = "wasm32")]
mod entry;
mod health;
mod page;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod properties;
mod route;

pub use health::{Report, function_name};
pub use page::{Page, cache_control, origin_of, page_headers};
pub use route::{Route, route};
