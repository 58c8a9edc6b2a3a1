//! Client for a language model that speaks OpenAI's chat completions.
//!
//! All providers are asked in the same way: `POST {base}/chat/completions` as OpenAI, OpenRouter, Workers AI, vLLM,
//! llama.cpp and Ollama accept it, streamed as server-sent events. [`playlist`] builds the prompt and reads the
//! completion.

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
mod stream;
mod surrogates;

pub use client::LlmClient;
pub use config::{JsonMode, LlmConfig};
pub use cost::{Cost, Estimate, Price, Prices};
pub use dialect::{Dialect, DialectCache, TokenLimit, UserParameter};
pub use error::LlmError;
pub use frame::{ChatEvent, FinishReason, Usage};
pub use framing::{FrameReader, Payload, TooLong};
pub use problem::Problem;
pub use request::{ChatRequest, Message, Role};
pub use schema::Schema;
pub use stream::ChatStream;
