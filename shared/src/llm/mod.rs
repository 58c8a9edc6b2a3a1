//! The language model, spoken to as chat completions.
//!
//! One dialect for every provider: `POST {base}/chat/completions` as OpenAI, OpenRouter,
//! Workers AI, vLLM, llama.cpp and Ollama understand it, streamed as server-sent events.
//! [`playlist`] holds what we ask and how the answer is read.

mod answer;
mod client;
mod config;
mod cost;
mod error;
pub mod playlist;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod properties;
mod request;
mod schema;
mod sse;

pub use answer::{ChatEvent, FinishReason, Usage};
pub use client::{ChatStream, stream_chat};
pub use config::{JsonMode, LlmConfig};
pub use cost::{Cost, Price, Prices};
pub use error::LlmError;
pub use request::{ChatRequest, Message, Role};
pub use schema::Schema;
pub use sse::{SseError, SseEvent, SseParser};
