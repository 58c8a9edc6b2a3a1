//! What the function is configured with.

use shared::auth::AuthConfig;
use shared::config::{ConfigError, both, required};
use shared::runtime::cors::AllowedOrigins;
use shared::spotify::{SpotifyConfig, StateKeys, TokenSecrets};
use shared::supabase::SupabaseConfig;

/// The function's configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// How users' tokens are verified.
    pub auth: AuthConfig,
    /// The database.
    pub supabase: SupabaseConfig,
    /// The app at Spotify.
    pub spotify: SpotifyConfig,
    /// What stored tokens are encrypted with.
    pub token_secrets: TokenSecrets,
    /// What states are signed with.
    pub state_keys: StateKeys,
    /// Where Spotify sends the browser back to, exactly as registered there.
    pub redirect_uri: String,
    /// The app, where the browser is sent on to: the first of its origins.
    pub app_origin: String,
}

impl Config {
    /// Reads the configuration from the environment.
    ///
    /// # Errors
    /// [`ConfigError`] names what is missing or invalid.
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

/// Spotify accepts https, and http only for a loopback address; `localhost` is none for it.
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
