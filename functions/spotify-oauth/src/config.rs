//! The function's configuration, read from the environment.

use shared::auth::AuthConfig;
use shared::config::{ConfigError, both, required};
use shared::runtime::cors::AllowedOrigins;
use shared::spotify::{SpotifyConfig, StateKeys, TokenSecrets};
use shared::supabase::SupabaseConfig;

/// The function's configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// How this function verifies users' tokens.
    pub auth: AuthConfig,
    /// The database.
    pub supabase: SupabaseConfig,
    /// The app at Spotify.
    pub spotify: SpotifyConfig,
    /// The keys that encrypt stored tokens.
    pub token_secrets: TokenSecrets,
    /// The keys that sign states.
    pub state_keys: StateKeys,
    /// The URL to which Spotify returns the browser, exactly as registered with Spotify.
    pub redirect_uri: String,
    /// The app's own origin, to which the callback redirects the browser: the first of `APP_ORIGINS`.
    pub app_origin: String,
}

impl Config {
    /// Reads the configuration from the environment.
    ///
    /// # Errors
    /// Returns a [`ConfigError`] that names the missing and invalid variables.
    pub fn from_env(env: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let ours = both(AuthConfig::from_env(&env), SupabaseConfig::from_env(&env));
        let theirs = both(SpotifyConfig::from_env(&env), TokenSecrets::from_env(&env));
        let linking = both(StateKeys::from_env(&env), redirect_uri(&env));
        let all = both(both(ours, theirs), both(linking, AllowedOrigins::from_env(&env)))?;
        let (((auth, supabase), (spotify, token_secrets)), ((state_keys, redirect_uri), origins)) = all;
        let app_origin = origins.first().to_owned();
        Ok(Self { auth, supabase, spotify, token_secrets, state_keys, redirect_uri, app_origin })
    }
}

/// Spotify accepts https, and http only for loopback addresses, which for Spotify do not include `localhost`.
fn redirect_uri(env: impl Fn(&str) -> Option<String>) -> Result<String, ConfigError> {
    const NAME: &str = "SPOTIFY_REDIRECT_URI";
    let uri = required(env, NAME)?;
    let allowed = ["https://", "http://127.0.0.1:", "http://[::1]:"];
    let is_plain = uri.bytes().all(|b| b.is_ascii_graphic() && b != b'#');
    if is_plain && allowed.iter().any(|start| uri.starts_with(start)) {
        return Ok(uri);
    }
    Err(ConfigError::invalid(NAME, "must be https://…, http://127.0.0.1:PORT/… or http://[::1]:PORT/…"))
}
