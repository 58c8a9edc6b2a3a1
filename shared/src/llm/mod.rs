//! The language model, spoken to as chat completions.
//!
//! One dialect for every provider: `POST {base}/chat/completions` as OpenAI, OpenRouter,
//! Workers AI, vLLM, llama.cpp and Ollama understand it, streamed as server-sent events.
//! [`playlist`] holds what we ask and how the answer is read.

mod client;
mod config;
mod cost;
mod dialect;
mod error;
mod frame;
mod framing;
pub mod playlist;
mod private;
mod problem;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod properties;
mod request;
mod schema;
mod surrogates;

pub use client::{ChatStream, stream_chat};
pub use config::{JsonMode, LlmConfig};
pub use cost::{Cost, Estimate, Price, Prices};
pub use dialect::{Dialect, LlmMemory, TokenLimit, UserParameter};
pub use error::LlmError;
pub use frame::{ChatEvent, FinishReason, Usage};
pub use framing::{FrameReader, Payload, TooLong};
pub use problem::Problem;
pub use request::{ChatRequest, Message, Role};
pub use schema::Schema;
