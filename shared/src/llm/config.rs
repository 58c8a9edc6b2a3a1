//! Where the model is, and how it is to be asked.

use super::{Price, Prices};
use crate::config::{ConfigError, base_url, both, optional, required, required_secret};
use crate::redacted::Secret;

/// How the model is made to answer JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum JsonMode {
    /// The server enforces the schema.
    #[default]
    Strict,
    /// The server enforces JSON; the rules describe the schema.
    Object,
    /// The rules ask for JSON.
    Prompt,
}

/// Where the model is, and how it is to be asked.
#[derive(Debug, Clone)]
pub struct LlmConfig {
    /// The API's root, ending in `/v1`.
    pub base_url: String,
    /// The key.
    pub api_key: Secret,
    /// The model's name as the provider spells it.
    pub model: String,
    /// How the model is made to answer JSON.
    pub json_mode: JsonMode,
    /// How hard a reasoning model thinks, such as `low`.
    pub reasoning_effort: Option<String>,
    /// What a token costs where the upstream does not tell.
    pub prices: Prices,
}

impl LlmConfig {
    /// Reads the variables.
    ///
    /// `LLM_BASE_URL` (ends in `/v1`), `LLM_API_KEY`, `LLM_MODEL`; optional
    /// `LLM_JSON_MODE=strict|object|prompt`, `LLM_REASONING_EFFORT`, and `LLM_PRICE_IN` and
    /// `LLM_PRICE_OUT` in USD per million tokens.
    ///
    /// # Errors
    /// [`ConfigError`] names the variable that is missing or makes no sense.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let upstream = both(llm_base_url(&lookup), required_secret(&lookup, "LLM_API_KEY"));
        let model = both(required(&lookup, "LLM_MODEL"), json_mode(&lookup));
        let prices = both(price(&lookup, "LLM_PRICE_IN"), price(&lookup, "LLM_PRICE_OUT"));
        let ((upstream, model), (input, output)) = both(both(upstream, model), prices)?;
        Ok(Self {
            base_url: upstream.0,
            api_key: upstream.1,
            model: model.0,
            json_mode: model.1,
            reasoning_effort: optional(&lookup, "LLM_REASONING_EFFORT"),
            prices: Prices { input, output },
        })
    }
}

fn llm_base_url(lookup: impl Fn(&str) -> Option<String>) -> Result<String, ConfigError> {
    const NAME: &str = "LLM_BASE_URL";
    let url = base_url(NAME, required(lookup, NAME)?.trim_end_matches('/').to_owned())?;
    if url.ends_with("/v1") { Ok(url) } else { Err(ConfigError::invalid(NAME, "must end in /v1")) }
}

fn json_mode(lookup: impl Fn(&str) -> Option<String>) -> Result<JsonMode, ConfigError> {
    const NAME: &str = "LLM_JSON_MODE";
    match optional(lookup, NAME).as_deref() {
        None | Some("strict") => Ok(JsonMode::Strict),
        Some("object") => Ok(JsonMode::Object),
        Some("prompt") => Ok(JsonMode::Prompt),
        Some(_) => Err(ConfigError::invalid(NAME, "must be strict, object or prompt")),
    }
}

fn price(lookup: impl Fn(&str) -> Option<String>, name: &'static str) -> Result<Price, ConfigError> {
    let Some(text) = optional(lookup, name) else { return Ok(Price::default()) };
    Price::parse(&text).ok_or(ConfigError::invalid(name, "must be USD per million tokens, such as 0.15"))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const COMPLETE: [(&str, &str); 3] =
        [("LLM_BASE_URL", "https://llm.example/v1"), ("LLM_API_KEY", "sk-secret"), ("LLM_MODEL", "small-1")];

    fn read(changes: &[(&str, &str)]) -> Result<LlmConfig, ConfigError> {
        LlmConfig::from_lookup(|name| {
            let found = changes.iter().chain(&COMPLETE).find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    /// A complete configuration with changes.
    pub(in crate::llm) fn config(changes: &[(&str, &str)]) -> LlmConfig {
        read(changes).unwrap()
    }

    #[test]
    fn three_variables_are_enough() {
        let config = config(&[]);
        assert_eq!(config.base_url, "https://llm.example/v1");
        assert_eq!(config.json_mode, JsonMode::Strict);
        assert_eq!(config.reasoning_effort, None);
        assert_eq!(config.prices, Prices::default());
    }

    #[test]
    fn a_slash_at_the_end_of_the_base_url_does_no_harm() {
        assert_eq!(config(&[("LLM_BASE_URL", "http://127.0.0.1:9/v1/")]).base_url, "http://127.0.0.1:9/v1");
    }

    #[test]
    fn what_makes_no_sense_or_is_missing_is_named() {
        for (name, value) in [
            ("LLM_BASE_URL", ""),
            ("LLM_BASE_URL", "llm.example/v1"),
            ("LLM_BASE_URL", "https://llm.example"),
            ("LLM_BASE_URL", "https://llm.example/?/v1"),
            ("LLM_BASE_URL", "https://user:password@llm.example/v1"),
            ("LLM_API_KEY", ""),
            ("LLM_MODEL", ""),
            ("LLM_JSON_MODE", "yaml"),
            ("LLM_PRICE_IN", "-1"),
            ("LLM_PRICE_OUT", "cheap"),
        ] {
            let error = read(&[(name, value)]).unwrap_err().to_string();
            assert!(error.contains(name), "{name}={value}: {error}");
        }
    }

    #[test]
    fn everything_that_is_missing_is_named_at_once() {
        let error = LlmConfig::from_lookup(|_| None).unwrap_err();
        assert_eq!(error.names().collect::<Vec<_>>(), ["LLM_BASE_URL", "LLM_API_KEY", "LLM_MODEL"]);
    }

    #[test]
    fn the_key_is_not_printed() {
        assert!(!format!("{:?}", config(&[])).contains("sk-secret"));
    }
}
