//! `/functions/v1/billing`: the pages of Stripe's on which a listener pays and manages what they pay for.
//!
//! - `POST /checkout {success_url, cancel_url}` (the listener) → `{url}`: where they subscribe or, who has subscribed
//!   already, manage it. At any time one checkout of a listener is open, the newest.
//! - `POST /portal {return_url}` (the listener) → `{url}`.
//!
//! URLs have to be of one of the app's own origins. What is paid for is configured, not asked for.

pub mod config;
pub mod customer;
#[cfg(all(target_arch = "wasm32", not(test)))]
mod entry;
pub mod handler;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod properties;
pub mod request;
