//! What the function is configured with.

use shared::auth::AuthConfig;
use shared::config::{ConfigError, both, optional};
use shared::llm::LlmConfig;
use shared::spotify::SpotifyConfig;
use shared::supabase::SupabaseConfig;

/// What every Cloudflare account with a paid plan allows; Supabase has no such limit.
const DEFAULT_SUBREQUEST_LIMIT: usize = 1_000;

/// The function's configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// How users' tokens are verified.
    pub auth: AuthConfig,
    /// The database.
    pub supabase: SupabaseConfig,
    /// The catalogue.
    pub spotify: SpotifyConfig,
    /// The language model.
    pub llm: LlmConfig,
    /// Outbound requests that an invocation may send.
    pub subrequest_limit: usize,
}

impl Config {
    /// Reads the configuration from the environment.
    ///
    /// # Errors
    /// [`ConfigError`] names what is missing or invalid.
    pub fn from_env(env: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let ours = both(AuthConfig::from_env(&env), SupabaseConfig::from_env(&env));
        let theirs = both(SpotifyConfig::from_env(&env), LlmConfig::from_env(&env));
        let limit = subrequest_limit(optional(&env, "SUBREQUEST_LIMIT"));
        let (((auth, supabase), (spotify, llm)), subrequest_limit) = both(both(ours, theirs), limit)?;
        Ok(Self { auth, supabase, spotify, llm, subrequest_limit })
    }
}

/// Below this not even a playlist of one track could be finished.
const MIN_SUBREQUEST_LIMIT: usize = 12;

fn subrequest_limit(text: Option<String>) -> Result<usize, ConfigError> {
    let Some(text) = text else { return Ok(DEFAULT_SUBREQUEST_LIMIT) };
    text.parse()
        .ok()
        .filter(|limit| *limit >= MIN_SUBREQUEST_LIMIT)
        .ok_or_else(|| ConfigError::invalid("SUBREQUEST_LIMIT", "must be a number of 12 or more"))
}
