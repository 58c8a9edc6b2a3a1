//! What is asked of the model.

use serde::Serialize;

use super::{Cost, JsonMode, LlmConfig, Prices, Schema};

/// Who says a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The rules.
    System,
    /// The person who asks.
    User,
    /// The model, in an earlier answer.
    Assistant,
}

/// One turn of the conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Who says it.
    pub role: Role,
    /// What is said.
    pub content: String,
}

/// A question whose answer is one JSON object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatRequest {
    /// The rules: our text alone.
    pub system: String,
    /// The turns that follow; what people typed stands here.
    pub messages: Vec<Message>,
    /// The schema's name: letters, digits, `_` and `-`.
    pub schema_name: &'static str,
    /// The shape of the answer.
    pub schema: Schema,
    /// The most tokens the answer may have, a reasoning model's thoughts included.
    pub max_completion_tokens: u32,
}

/// The request's body. Without `temperature`, which some reasoning models refuse.
#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    stream: bool,
    stream_options: StreamOptions,
    max_completion_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'a str>,
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
    /// An estimate of what asking costs, for a call that was given up before its answer began.
    pub fn cost_of_asking(&self, prices: Prices) -> Cost {
        prices.of_characters(self.characters(), 0)
    }

    /// The characters that are sent.
    pub(super) fn characters(&self) -> u64 {
        self.messages.iter().map(|message| characters(&message.content)).sum::<u64>()
            + characters(&self.system)
    }

    /// The request's body as JSON.
    pub(super) fn to_body(&self, config: &LlmConfig) -> serde_json::Result<Vec<u8>> {
        let rules = Message { role: Role::System, content: self.system_turn(config.json_mode)? };
        serde_json::to_vec(&Body {
            model: &config.model,
            stream: true,
            stream_options: StreamOptions { include_usage: true },
            max_completion_tokens: self.max_completion_tokens,
            reasoning_effort: config.reasoning_effort.as_deref(),
            response_format: self.response_format(config.json_mode),
            messages: std::iter::once(rules).chain(self.messages.iter().cloned()).collect(),
        })
    }

    fn response_format(&self, mode: JsonMode) -> Option<ResponseFormat> {
        match mode {
            JsonMode::Strict => Some(ResponseFormat::JsonSchema {
                json_schema: NamedSchema { name: self.schema_name, strict: true, schema: self.schema },
            }),
            JsonMode::Object => Some(ResponseFormat::JsonObject),
            JsonMode::Prompt => None,
        }
    }

    /// The rules; where the server does not enforce the schema, they describe it.
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

/// Characters of a text, not bytes.
pub(super) fn characters(text: &str) -> u64 {
    u64::try_from(text.chars().count()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::llm::config::tests::config;

    fn body(changes: &[(&str, &str)]) -> Value {
        serde_json::from_slice(&request().to_body(&config(changes)).unwrap()).unwrap()
    }

    fn request() -> ChatRequest {
        ChatRequest {
            system: "Rules.".to_owned(),
            messages: vec![Message { role: Role::User, content: "Cześć".to_owned() }],
            schema_name: "answer",
            schema: Schema::Text,
            max_completion_tokens: 99,
        }
    }

    #[test]
    fn a_strict_request_carries_the_schema_and_asks_for_a_stream_with_usage() {
        assert_eq!(
            body(&[]),
            json!({
                "model": "small-1",
                "stream": true,
                "stream_options": {"include_usage": true},
                "max_completion_tokens": 99,
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
    fn where_no_schema_is_enforced_the_rules_describe_it() {
        for (mode, format) in [("object", json!({"type": "json_object"})), ("prompt", Value::Null)] {
            let body = body(&[("LLM_JSON_MODE", mode)]);
            assert_eq!(body["response_format"], format);
            let system = body["messages"][0]["content"].as_str().unwrap();
            assert!(system.starts_with("Rules.") && system.ends_with(r#"{"type":"string"}"#), "{system}");
        }
    }

    #[test]
    fn the_reasoning_effort_is_sent_where_it_is_configured() {
        assert_eq!(body(&[("LLM_REASONING_EFFORT", "low")])["reasoning_effort"], "low");
    }

    #[test]
    fn characters_are_counted_not_bytes() {
        assert_eq!(request().characters(), 11);
        let prices = config(&[("LLM_PRICE_IN", "100"), ("LLM_PRICE_OUT", "1")]).prices;
        assert_eq!(request().cost_of_asking(prices).to_string(), "0.0003");
    }
}
