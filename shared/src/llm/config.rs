//! The model's address, and how requests are written.

use super::{Price, Prices};
use crate::config::{ConfigError, Problems, base_url, optional, required, required_secret};
use crate::json::read;
use crate::redacted::Secret;

/// The way in which the model is made to write JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum JsonMode {
    /// The server enforces the schema.
    #[default]
    Strict,
    /// The server enforces JSON; the instructions describe the schema.
    Object,
    /// The instructions ask for JSON; nothing enforces it.
    Prompt,
}

/// The model's address, and how requests are written.
#[derive(Debug, Clone)]
pub struct LlmConfig {
    /// The API's root, without `/chat/completions`.
    pub base_url: String,
    /// The key.
    pub api_key: Secret,
    /// The model's name as the provider spells it.
    pub model: String,
    /// The way in which the model is made to write JSON. A server that refuses this mode is asked in a simpler one.
    pub json_mode: JsonMode,
    /// The reasoning effort of a reasoning model, such as `low`.
    pub reasoning_effort: Option<String>,
    /// The sampling temperature, 0 to 2.
    pub temperature: Option<f64>,
    /// The prices of tokens, used if the server does not report a cost.
    pub prices: Prices,
}

impl LlmConfig {
    /// Reads the configuration.
    ///
    /// `LLM_BASE_URL` (the part before `/chat/completions`), `LLM_API_KEY`, `LLM_MODEL`; optional
    /// `LLM_JSON_MODE=strict|object|prompt`, `LLM_REASONING_EFFORT`, `LLM_TEMPERATURE`, and `LLM_PRICE_IN` and
    /// `LLM_PRICE_OUT` in USD per million tokens.
    ///
    /// # Errors
    /// Returns a [`ConfigError`] that names the missing and invalid variables.
    pub fn from_env(env: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut problems = Problems::default();
        let base_url = problems.take(llm_base_url(&env));
        let api_key = problems.take(required_secret(&env, "LLM_API_KEY"));
        let model = problems.take(required(&env, "LLM_MODEL"));
        let json_mode = problems.take(json_mode(&env));
        let input = problems.take(price(&env, "LLM_PRICE_IN"));
        let output = problems.take(price(&env, "LLM_PRICE_OUT"));
        let temperature = problems.take(temperature(&env));
        problems.finish(|| {
            Some(Self {
                base_url: base_url?,
                api_key: api_key?,
                model: model?,
                json_mode: json_mode?,
                reasoning_effort: optional(&env, "LLM_REASONING_EFFORT"),
                temperature: temperature?,
                prices: Prices {
                    input: input?,
                    output: output?,
                },
            })
        })
    }
}

/// Reads the base URL. Some services document the URL of their API's root, others that of the route, so both are
/// accepted.
fn llm_base_url(env: impl Fn(&str) -> Option<String>) -> Result<String, ConfigError> {
    const NAME: &str = "LLM_BASE_URL";
    let url = required(env, NAME)?;
    let url = url.trim_end_matches('/');
    base_url(
        NAME,
        url.strip_suffix("/chat/completions")
            .unwrap_or(url)
            .trim_end_matches('/')
            .to_owned(),
    )
}

fn temperature(env: impl Fn(&str) -> Option<String>) -> Result<Option<f64>, ConfigError> {
    const NAME: &str = "LLM_TEMPERATURE";
    let Some(text) = optional(env, NAME) else {
        return Ok(None);
    };
    // Uses the JSON parser, which is linked anyway.
    let temperature = read(text.as_bytes()).filter(|temperature| (0.0..=2.0).contains(temperature));
    temperature.map(Some).ok_or(ConfigError::invalid(
        NAME,
        "must be a number from 0 to 2, such as 0.7",
    ))
}

fn json_mode(env: impl Fn(&str) -> Option<String>) -> Result<JsonMode, ConfigError> {
    const NAME: &str = "LLM_JSON_MODE";
    match optional(env, NAME).as_deref() {
        None | Some("strict") => Ok(JsonMode::Strict),
        Some("object") => Ok(JsonMode::Object),
        Some("prompt") => Ok(JsonMode::Prompt),
        Some(_) => Err(ConfigError::invalid(
            NAME,
            "must be strict, object or prompt",
        )),
    }
}

fn price(env: impl Fn(&str) -> Option<String>, name: &'static str) -> Result<Price, ConfigError> {
    let Some(text) = optional(env, name) else {
        return Ok(Price::default());
    };
    Price::parse(&text).ok_or(ConfigError::invalid(
        name,
        "must be USD per million tokens, such as 0.15",
    ))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const COMPLETE: [(&str, &str); 3] = [
        ("LLM_BASE_URL", "https://llm.example/v1"),
        ("LLM_API_KEY", "sk-secret"),
        ("LLM_MODEL", "small-1"),
    ];

    fn read(changes: &[(&str, &str)]) -> Result<LlmConfig, ConfigError> {
        LlmConfig::from_env(|name| {
            let found = changes
                .iter()
                .chain(&COMPLETE)
                .find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    /// Returns a complete configuration with changes.
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
    fn accepts_base_urls_with_any_path() {
        for (url, expected) in [
            ("http://127.0.0.1:9/v1/", "http://127.0.0.1:9/v1"),
            ("https://llm.example", "https://llm.example"),
            (
                "https://llm.example/v1beta/openai/",
                "https://llm.example/v1beta/openai",
            ),
            (
                "https://llm.example/v1/chat/completions",
                "https://llm.example/v1",
            ),
        ] {
            assert_eq!(config(&[("LLM_BASE_URL", url)]).base_url, expected, "{url}");
        }
    }

    #[test]
    fn temperature_is_between_0_and_2() {
        assert_eq!(config(&[("LLM_TEMPERATURE", "0.7")]).temperature, Some(0.7));
        assert_eq!(config(&[]).temperature, None);
    }

    #[test]
    fn names_missing_and_invalid_variables() {
        for (name, value) in [
            ("LLM_BASE_URL", ""),
            ("LLM_BASE_URL", "llm.example/v1"),
            ("LLM_BASE_URL", "https://llm.example/?/v1"),
            ("LLM_BASE_URL", "https://user:password@llm.example/v1"),
            ("LLM_API_KEY", ""),
            ("LLM_MODEL", ""),
            ("LLM_JSON_MODE", "yaml"),
            ("LLM_TEMPERATURE", "2.1"),
            ("LLM_TEMPERATURE", "NaN"),
            ("LLM_PRICE_IN", "-1"),
            ("LLM_PRICE_OUT", "cheap"),
        ] {
            let error = read(&[(name, value)]).unwrap_err().to_string();
            assert!(error.contains(name), "{name}={value}: {error}");
        }
    }

    #[test]
    fn names_all_problems_at_once() {
        let error = LlmConfig::from_env(|_| None).unwrap_err();
        assert_eq!(
            error.names().collect::<Vec<_>>(),
            ["LLM_BASE_URL", "LLM_API_KEY", "LLM_MODEL"]
        );
    }

    #[test]
    fn debug_output_omits_the_key() {
        assert!(!format!("{:?}", config(&[])).contains("sk-secret"));
    }
}
