//! What every command shares: the checkout, child processes, progress, and what is installed once.

pub mod env_file;
pub mod files;
pub mod function_token;
pub mod process;
pub mod progress;
pub mod secrets;
pub mod setup;
pub mod workspace;
