//! One origin for the page and the functions on Cloudflare.
//!
//! The gateway passes `/functions/v1/<name>` unchanged to the worker bound under that name, which sets its own methods,
//! CORS, errors and headers. It adds headers to the page's files, serves the page's configuration as `/config.json`,
//! and combines the health of all functions in `/health`. A shared playlist (`/?p=<id>`) is the page with a title and a
//! description for previews of links.

#![warn(missing_docs, clippy::missing_errors_doc)]

#[cfg(target_arch = "wasm32")]
mod entry;
mod health;
mod page;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod properties;
mod route;
mod shared_page;

pub use health::{Report, function_name};
pub use page::{Page, cache_control, origin_of, page_headers};
pub use route::{Route, route};
pub use shared_page::{document as shared_document, is_share_id};
