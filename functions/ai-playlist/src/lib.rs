//! `POST /functions/v1/ai-playlist`: generates a playlist of existing songs from a sentence.
//!
//! The body is a [`request::PlaylistRequest`] as JSON. With `Accept: text/event-stream` the response is a stream of
//! events (`stage`, `track`, `miss`, then one `done` or `error`), otherwise the object of `done`. Every track
//! was found in Spotify's catalogue. The quota is charged only for what was delivered.

#![warn(missing_docs, clippy::missing_errors_doc)]

mod budget;
mod completion;
mod deadline;
mod event;
mod generate;
pub mod handler;
mod job;
mod outbox;
mod playlist;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod properties;
mod quota;
mod recall;
mod recover;
mod refine;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod replay;
pub mod request;
mod resolve;
mod searches;
mod settle;
mod suggestions;
mod tracklist;

use shared::auth::AuthConfig;
use shared::catalogue::MemoryConfig;
use shared::config::{ConfigError, Problems, optional};
use shared::llm::LlmConfig;
use shared::runtime::endpoint::Endpoint;
use shared::spotify::SpotifyConfig;
use shared::supabase::SupabaseConfig;

/// The endpoint's contract with its clients: name, routes with their methods, and body limit.
pub const ENDPOINT: Endpoint = Endpoint {
    name: "ai-playlist",
    routes: &[("/", "POST")],
    // A prompt, seeds, exclusions and a hundred tracks to refine take at most about 50 KB.
    max_body_bytes: 128 * 1024,
    has_database: true,
    serves_pages: true,
};

/// Cloudflare's limit on all paid plans; Supabase has none.
const DEFAULT_SUBREQUEST_LIMIT: usize = 1_000;

/// With fewer requests not even a playlist of one track could be completed.
const MIN_SUBREQUEST_LIMIT: usize = 12;

/// The function's configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// How this function verifies users' tokens.
    pub auth: AuthConfig,
    /// The database.
    pub supabase: SupabaseConfig,
    /// The catalogue.
    pub spotify: SpotifyConfig,
    /// For how long songs are remembered.
    pub memory: MemoryConfig,
    /// The language model.
    pub llm: LlmConfig,
    /// The number of outbound requests that an invocation may send.
    pub subrequest_limit: usize,
}

impl Config {
    /// Reads the configuration from the environment.
    ///
    /// # Errors
    /// Returns a [`ConfigError`] that names the missing and invalid variables.
    pub fn from_env(env: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut problems = Problems::default();
        let auth = problems.take(AuthConfig::from_env(&env));
        let supabase = problems.take(SupabaseConfig::from_env(&env));
        let spotify = problems.take(SpotifyConfig::from_env(&env));
        let memory = problems.take(MemoryConfig::from_env(&env));
        let llm = problems.take(LlmConfig::from_env(&env));
        let subrequest_limit = problems.take(subrequest_limit(optional(&env, "SUBREQUEST_LIMIT")));
        problems.finish(|| {
            Some(Self {
                auth: auth?,
                supabase: supabase?,
                spotify: spotify?,
                memory: memory?,
                llm: llm?,
                subrequest_limit: subrequest_limit?,
            })
        })
    }
}

fn subrequest_limit(text: Option<String>) -> Result<usize, ConfigError> {
    let Some(text) = text else {
        return Ok(DEFAULT_SUBREQUEST_LIMIT);
    };
    text.parse()
        .ok()
        .filter(|limit| *limit >= MIN_SUBREQUEST_LIMIT)
        .ok_or_else(|| ConfigError::invalid("SUBREQUEST_LIMIT", "must be a number of 12 or more"))
}

shared::export!(ENDPOINT, Config, handler::Caches, handler::handle);
