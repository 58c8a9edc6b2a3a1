//! The function's configuration, read from the environment.

use shared::auth::AuthConfig;
use shared::catalogue::MemoryConfig;
use shared::config::{ConfigError, both, optional};
use shared::llm::LlmConfig;
use shared::spotify::SpotifyConfig;
use shared::supabase::SupabaseConfig;

/// Cloudflare's limit on all paid plans; Supabase has none.
const DEFAULT_SUBREQUEST_LIMIT: usize = 1_000;

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
        let ours = both(AuthConfig::from_env(&env), SupabaseConfig::from_env(&env));
        let theirs = both(SpotifyConfig::from_env(&env), LlmConfig::from_env(&env));
        let limits = both(MemoryConfig::from_env(&env), subrequest_limit(optional(&env, "SUBREQUEST_LIMIT")));
        let (((auth, supabase), (spotify, llm)), (memory, subrequest_limit)) =
            both(both(ours, theirs), limits)?;
        Ok(Self { auth, supabase, spotify, memory, llm, subrequest_limit })
    }
}

/// With fewer requests not even a playlist of one track could be completed.
const MIN_SUBREQUEST_LIMIT: usize = 12;

fn subrequest_limit(text: Option<String>) -> Result<usize, ConfigError> {
    let Some(text) = text else { return Ok(DEFAULT_SUBREQUEST_LIMIT) };
    text.parse()
        .ok()
        .filter(|limit| *limit >= MIN_SUBREQUEST_LIMIT)
        .ok_or_else(|| ConfigError::invalid("SUBREQUEST_LIMIT", "must be a number of 12 or more"))
}
