use serde_json::Value;

use crate::config::{ConfigError, Problems, base_url, header_safe, optional, required};
use crate::json::members;
use crate::redacted::Secret;

/// The project's URL, its public key, and the function's own credential.
#[derive(Debug, Clone)]
pub struct SupabaseConfig {
    pub(super) url: String,
    pub(super) publishable_key: Secret,
    pub(super) service: ServiceCredential,
}

/// The function's own credential for the database, least privilege first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceCredential {
    /// A JWT of the function's own role, sent with the publishable key.
    FunctionToken(Secret),
    /// An opaque secret key, which is not a bearer token.
    SecretKey(Secret),
    /// A legacy `service_role` key: a JWT, sent both as the API key and as the bearer token.
    LegacyJwt(Secret),
}

impl SupabaseConfig {
    /// Reads the variables that Supabase injects, the newest names first, or their plain forms:
    ///
    /// - `SUPABASE_URL`;
    /// - `SUPABASE_PUBLISHABLE_KEYS` (`{"default":"sb_publishable_…"}`), `SUPABASE_PUBLISHABLE_KEY`
    ///   or the legacy `SUPABASE_ANON_KEY`, the first of them that holds a key;
    /// - `SUPABASE_FUNCTION_TOKEN`, a JWT of the function's own role, and without it
    ///   `SUPABASE_SECRET_KEYS`, `SUPABASE_SECRET_KEY` or the legacy `SUPABASE_SERVICE_ROLE_KEY`.
    ///
    /// # Errors
    /// Returns a [`ConfigError`] that names the missing and invalid variables.
    pub fn from_env(env: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut problems = Problems::default();
        let url = problems
            .take(required(&env, "SUPABASE_URL").and_then(|url| base_url("SUPABASE_URL", url)));
        let publishable_key = problems.take(PUBLISHABLE.read(&env));
        let service = problems.take(service_credential(&env));
        problems.finish(|| {
            Some(Self {
                url: url?,
                publishable_key: publishable_key?,
                service: service?,
            })
        })
    }
}

fn service_credential(
    env: impl Fn(&str) -> Option<String>,
) -> Result<ServiceCredential, ConfigError> {
    const FUNCTION_TOKEN: &str = "SUPABASE_FUNCTION_TOKEN";
    if let Some(token) = optional(&env, FUNCTION_TOKEN) {
        return Ok(ServiceCredential::FunctionToken(header_safe(
            FUNCTION_TOKEN,
            token,
        )?));
    }
    let key = SECRET.read(&env)?;
    // Legacy keys are JWTs in every variable.
    match key.expose().starts_with("eyJ") {
        true => Ok(ServiceCredential::LegacyJwt(key)),
        false => Ok(ServiceCredential::SecretKey(key)),
    }
}

/// The names of a key's variables, and the prefix of the opposite kind of key.
struct KeyNames {
    named: &'static str,
    plain: &'static str,
    legacy: &'static str,
    other_prefix: &'static str,
}

const PUBLISHABLE: KeyNames = KeyNames {
    named: "SUPABASE_PUBLISHABLE_KEYS",
    plain: "SUPABASE_PUBLISHABLE_KEY",
    legacy: "SUPABASE_ANON_KEY",
    other_prefix: "sb_secret_",
};
const SECRET: KeyNames = KeyNames {
    named: "SUPABASE_SECRET_KEYS",
    plain: "SUPABASE_SECRET_KEY",
    legacy: "SUPABASE_SERVICE_ROLE_KEY",
    other_prefix: "sb_publishable_",
};

impl KeyNames {
    fn read(&self, env: impl Fn(&str) -> Option<String>) -> Result<Secret, ConfigError> {
        let document = optional(&env, self.named);
        let (name, key) = if let Some(key) = document.as_deref().and_then(named_key) {
            (self.named, key)
        } else if let Some(key) = optional(&env, self.plain) {
            (self.plain, key)
        } else if let Some(key) = optional(&env, self.legacy) {
            (self.legacy, key)
        } else if document.is_some() {
            return Err(ConfigError::invalid(
                self.named,
                r#"must be JSON like {"default":"sb_…"}"#,
            ));
        } else {
            return Err(ConfigError::missing(self.plain));
        };
        if key.starts_with(self.other_prefix) {
            return Err(ConfigError::invalid(name, "is a key of another kind"));
        }
        header_safe(name, key)
    }
}

/// Returns the entry `default`, or the first one that holds a key. After the rotation of a leaked key a project has
/// no `default`.
fn named_key(document: &str) -> Option<String> {
    let (mut default, mut first) = (None, None);
    for (name, value) in members(document.as_bytes(), &|_| true).ok()? {
        match value {
            Value::String(key) if key.trim().is_empty() => {}
            Value::String(key) if name == "default" => default = Some(key),
            Value::String(key) => first = first.or(Some(key)),
            _ => {}
        }
    }
    default.or(first)
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
