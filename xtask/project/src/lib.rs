//! The parts that all commands share: the checkout, child processes, progress, and tools that are installed once.

pub mod env_file;
pub mod files;
pub mod function_token;
pub mod process;
pub mod progress;
pub mod secrets;
pub mod setup;
pub mod workspace;
