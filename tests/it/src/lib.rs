//! End-to-end tests over the running stack, through its public doors only.
//!
//! `cargo xtask test` starts the stack and names its ready file in `SOUND_WHISKERS_READY_FILE`. The
//! simulators are shared, so every test takes the stack for itself (`Stack::take`).

#![cfg(test)]

mod fault_proxy;
mod faults;
mod generation;
mod own_stack;
mod spotify;
mod stack;
mod stripe;
mod token;
mod wire;

mod account;
mod billing;
mod catalogue;
mod check_llm;
mod contract;
mod convergence;
mod crashes;
mod delivery;
mod failures;
mod foreign_texts;
mod function_roles;
mod headers;
mod health;
mod idempotency;
mod listener;
mod load;
mod logs;
mod main_job;
mod matrix;
mod models;
mod process;
mod promises;
mod quota;
mod reconcile;
mod runs;
mod spotify_export;
mod spotify_link;
mod spotify_search;
mod stripe_webhook;
mod stripe_webhook_refusals;
mod tokens;
