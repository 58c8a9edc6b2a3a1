//! The request to the model.

use serde::Serialize;

use super::cost::Estimate;
use super::{Cost, Dialect, JsonMode, LlmConfig, Prices, Schema, TokenLimit, UserParameter};

/// The author of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The instructions.
    System,
    /// The user.
    User,
    /// The model, in an earlier completion.
    Assistant,
}

/// One turn of the conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// The author.
    pub role: Role,
    /// The text.
    pub content: String,
}

/// A prompt whose completion is one JSON object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatRequest {
    /// The instructions; they contain no user's text.
    pub system: String,
    /// The turns that follow; they contain what users typed.
    pub messages: Vec<Message>,
    /// The schema's name: letters, digits, `_` and `-`.
    pub schema_name: &'static str,
    /// The form of the completion.
    pub schema: Schema,
    /// The most tokens of the completion, including a reasoning model's thoughts.
    pub max_tokens: u32,
    /// The most tokens of the completion without thoughts, for servers that reserve them within a small context.
    pub min_tokens: u32,
    /// A hash of the user's id, with which the provider can identify abuse.
    pub user: Option<String>,
    /// The texts that users typed; no log may repeat them.
    pub private: Vec<String>,
    /// Whether the previous completion was unusable, so that a weaker JSON mode is used: constrained models may fail.
    pub is_second: bool,
}

/// The request's body.
#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    safety_identifier: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<ResponseFormat>,
    messages: Vec<Message>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ResponseFormat {
    JsonSchema { json_schema: NamedSchema },
    JsonObject,
}

#[derive(Serialize)]
struct NamedSchema {
    name: &'static str,
    strict: bool,
    schema: Schema,
}

impl ChatRequest {
    /// Estimates the cost of a call that ended before its completion began.
    pub fn prompt_cost(&self, prices: Prices) -> Cost {
        prices.estimate(self.estimate(), Estimate::default())
    }

    /// Estimates the length of the request.
    pub(super) fn estimate(&self) -> Estimate {
        let texts = self
            .messages
            .iter()
            .map(|message| &message.content)
            .chain([&self.system]);
        texts.map(|text| Estimate::of(text)).sum()
    }

    /// Serialises the request's body as JSON.
    pub(super) fn to_body(
        &self,
        config: &LlmConfig,
        dialect: Dialect,
    ) -> serde_json::Result<Vec<u8>> {
        let rules = Message {
            role: Role::System,
            content: self.system_turn(dialect.json_mode)?,
        };
        let max_tokens = if dialect.is_tight {
            self.min_tokens
        } else {
            self.max_tokens
        };
        let user = |name| self.user.as_deref().filter(|_| dialect.user == name);
        let limit = |name| (dialect.token_limit == name).then_some(max_tokens);
        serde_json::to_vec(&Body {
            model: &config.model,
            stream: dialect.streams,
            stream_options: dialect.asks_usage.then_some(StreamOptions {
                include_usage: true,
            }),
            max_completion_tokens: limit(TokenLimit::MaxCompletionTokens),
            max_tokens: limit(TokenLimit::MaxTokens),
            temperature: config.temperature.filter(|_| dialect.sends_tuning),
            reasoning_effort: config
                .reasoning_effort
                .as_deref()
                .filter(|_| dialect.sends_tuning),
            safety_identifier: user(UserParameter::SafetyIdentifier),
            user: user(UserParameter::User),
            response_format: self.response_format(dialect.json_mode),
            messages: std::iter::once(rules)
                .chain(self.messages.iter().cloned())
                .collect(),
        })
    }

    fn response_format(&self, mode: JsonMode) -> Option<ResponseFormat> {
        match mode {
            JsonMode::Strict => Some(ResponseFormat::JsonSchema {
                json_schema: NamedSchema {
                    name: self.schema_name,
                    strict: true,
                    schema: self.schema,
                },
            }),
            JsonMode::Object => Some(ResponseFormat::JsonObject),
            JsonMode::Prompt => None,
        }
    }

    /// Returns the instructions. If the server does not enforce the schema, they describe it.
    fn system_turn(&self, mode: JsonMode) -> serde_json::Result<String> {
        if mode == JsonMode::Strict {
            return Ok(self.system.clone());
        }
        Ok(format!(
            "{}\n\nAnswer with exactly one JSON object and nothing around it: no Markdown, no comment. \
             Write its members in the order of this JSON schema, every one of them:\n{}",
            self.system,
            serde_json::to_string(&self.schema)?
        ))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::llm::config::tests::config;

    fn body(changes: &[(&str, &str)]) -> Value {
        let config = config(changes);
        body_in(&config, Dialect::first(&config))
    }

    fn body_in(config: &LlmConfig, dialect: Dialect) -> Value {
        serde_json::from_slice(&request().to_body(config, dialect).unwrap()).unwrap()
    }

    fn request() -> ChatRequest {
        ChatRequest {
            system: "Rules.".to_owned(),
            messages: vec![Message {
                role: Role::User,
                content: "Cześć".to_owned(),
            }],
            schema_name: "answer",
            schema: Schema::Text,
            max_tokens: 99,
            min_tokens: 9,
            user: Some("9f86d081".to_owned()),
            private: Vec::new(),
            is_second: false,
        }
    }

    #[test]
    fn strict_request_contains_the_schema_and_asks_for_usage() {
        assert_eq!(
            body(&[]),
            json!({
                "model": "small-1",
                "stream": true,
                "stream_options": {"include_usage": true},
                "max_completion_tokens": 99,
                "user": "9f86d081",
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "answer", "strict": true, "schema": {"type": "string"}},
                },
                "messages": [
                    {"role": "system", "content": "Rules."},
                    {"role": "user", "content": "Cześć"},
                ],
            })
        );
    }

    #[test]
    fn instructions_describe_an_unenforced_schema() {
        for (mode, format) in [
            ("object", json!({"type": "json_object"})),
            ("prompt", Value::Null),
        ] {
            let body = body(&[("LLM_JSON_MODE", mode)]);
            assert_eq!(body["response_format"], format);
            let system = body["messages"][0]["content"].as_str().unwrap();
            assert!(
                system.starts_with("Rules.") && system.ends_with(r#"{"type":"string"}"#),
                "{system}"
            );
        }
    }

    #[test]
    fn openai_gets_the_user_as_safety_identifier() {
        let body = body(&[("LLM_BASE_URL", "https://api.openai.com/v1")]);
        assert_eq!(
            (&body["safety_identifier"], &body["user"]),
            (&json!("9f86d081"), &Value::Null)
        );
    }

    #[test]
    fn sends_a_configured_reasoning_effort() {
        assert_eq!(
            body(&[("LLM_REASONING_EFFORT", "low")])["reasoning_effort"],
            "low"
        );
    }

    #[test]
    fn omits_what_a_server_does_not_support() {
        let config = config(&[("LLM_TEMPERATURE", "0.5"), ("LLM_REASONING_EFFORT", "low")]);
        let first = Dialect::first(&config);
        assert_eq!(body_in(&config, first)["temperature"], 0.5);
        let plain = Dialect {
            json_mode: JsonMode::Prompt,
            streams: false,
            asks_usage: false,
            token_limit: TokenLimit::None,
            user: UserParameter::None,
            sends_tuning: false,
            ..first
        };
        let body = body_in(&config, plain);
        let names: Vec<_> = body.as_object().unwrap().keys().collect();
        assert_eq!(names, ["messages", "model", "stream"]);
        let tight = Dialect {
            is_tight: true,
            token_limit: TokenLimit::MaxTokens,
            ..first
        };
        assert_eq!(body_in(&config, tight)["max_tokens"], 9);
    }
}
