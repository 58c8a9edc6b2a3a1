//! End-to-end tests over the running stack, through its public interfaces only.
//!
//! `cargo xtask test` starts the stack and names its ready file in `SOUND_WHISKERS_READY_FILE`. The simulators are shared,
//! so a test locks the stack while it runs (`Stack::take`).

#![cfg(test)]

mod fault_proxy;
mod faults;
mod generation;
mod invariants;
mod own_stack;
mod runs;
mod spotify;
mod stack;
mod stripe;
mod token;
mod virtual_user;
mod wire;

mod account;
mod ai_playlist;
mod anonymous;
mod billing;
mod catalogue;
mod check_llm;
mod convergence;
mod crashes;
mod deno;
mod function_roles;
mod headers;
mod health;
mod load;
mod logs;
mod matrix;
mod models;
mod process;
mod quota;
mod reconcile;
mod refine;
mod spotify_export;
mod spotify_link;
mod stripe_webhook;
mod tokens;
