//! `POST /functions/v1/stripe-webhook`: Stripe tells that something happened.
//!
//! Snapshot and thin events, signed by Stripe. An event is a signal to look and nothing more: what the customer pays for
//! is read from Stripe and written to their profile before the answer. Nothing of the event is stored, so it may come
//! twice, late or in any order. 200 with `{outcome: "written" | "foreign" | "ignored"}`, 400 and 413 for what is not
//! Stripe's, 5xx where Stripe has to send it again.

pub mod config;
#[cfg(all(target_arch = "wasm32", not(test)))]
mod entry;
pub mod handler;
