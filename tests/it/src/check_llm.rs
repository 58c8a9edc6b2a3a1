//! The operator's command that says what a language model supports, and what is wrong with its configuration.

use std::process::Output;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::generation::{FIVE, reply};
use crate::own_stack::xtask;
use crate::stack::Stack;

const COMPLETIONS: &str = "/v1/chat/completions";
const KEY: &str = "simulated-llm-key";

/// Runs the command with these variables in its env file; returns its exit code and what it prints.
pub async fn check(variables: &[(&str, &str)]) -> (i32, String) {
    let env: String = variables.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    let file = std::env::temp_dir().join(format!("sound-whiskers-{}", uuid::Uuid::new_v4()));
    std::fs::write(&file, env).unwrap();
    let mut command = Command::new(xtask());
    command.args(["check-llm", "--env-file"]).arg(&file).env_remove("CARGO_MANIFEST_DIR");
    // What the file lacks is otherwise taken from the environment.
    for name in ["LLM_BASE_URL", "LLM_API_KEY", "LLM_MODEL"] {
        command.env_remove(name);
    }
    let Output { status, stdout, stderr } = command.output().await.unwrap();
    std::fs::remove_file(&file).unwrap();
    let text = String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
    (status.code().unwrap(), text)
}

/// Checks a base URL.
async fn check_url(url: &str) -> (i32, String) {
    check(&[("LLM_BASE_URL", url), ("LLM_API_KEY", KEY), ("LLM_MODEL", "simulated")]).await
}

/// Asserts that the command fails and says this, and never the key.
fn says((code, text): &(i32, String), expected: &str) {
    assert_eq!(*code, 1, "{text}");
    assert!(text.contains(expected), "{expected:?} is not in {text}");
    assert!(!text.contains(KEY), "{text}");
}

#[tokio::test]
async fn a_model_that_gives_songs_is_told_with_what_it_supports() {
    let stack = Stack::take().await;
    let mut script = reply(&FIVE[..3]);
    script["reply"]["language"] = json!("pl");
    script["usage"] = json!({"prompt_tokens": 900, "completion_tokens": 120, "total_tokens": 1020});
    stack.llm_script(script).await;
    let url = format!("{}/v1", stack.url("/simulators/llm"));
    let variables = [("LLM_BASE_URL", url.as_str()), ("LLM_API_KEY", KEY), ("LLM_MODEL", "simulated")];
    let (code, text) =
        check(&[&variables[..], &[("LLM_PRICE_IN", "1"), ("LLM_PRICE_OUT", "10")]].concat()).await;
    assert_eq!(code, 0, "{text}");
    for line in [
        "a JSON schema (strict), as a stream",
        "accepted (200)",
        "900 tokens sent, 120 received",
        "0.0021 USD, at the configured prices",
        "Polish, as the wish",
        "3 of 4 asked for: Nirvana – Come as You Are; Radiohead – Karma Police; Dżem – Whisky",
    ] {
        assert!(text.contains(line), "{line:?} is not in {text}");
    }
    assert!(!text.contains("Note"), "{text}");
}

#[tokio::test]
async fn a_server_that_takes_no_schema_is_asked_in_a_simpler_form() {
    let stack = Stack::take().await;
    stack.llm_script(reply(&FIVE[..3])).await;
    let body = json!({"error": {"message": "This response_format type is unavailable now", "type": "invalid_request_error"}});
    stack.faults("llm", json!([{"path_prefix": COMPLETIONS, "status": 400, "body": body, "times": 1}])).await;
    let (code, text) = check_url(&format!("{}/v1", stack.url("/simulators/llm"))).await;
    assert_eq!(code, 0, "{text}");
    for line in ["refused (400)", "any JSON object (object), as a stream", "Set LLM_JSON_MODE=object"] {
        assert!(text.contains(line), "{line:?} is not in {text}");
    }
    assert!(text.contains("English to a Polish wish"), "{text}");
    assert!(text.contains("without LLM_PRICE_IN and LLM_PRICE_OUT"), "{text}");
}

#[tokio::test]
async fn what_is_wrong_with_key_credit_name_or_url_is_told_in_plain_words() {
    let stack = Stack::take().await;
    let simulator = stack.url("/simulators/llm").to_owned();
    let url = format!("{simulator}/v1");
    let wrong_key = [("LLM_BASE_URL", url.as_str()), ("LLM_API_KEY", "sk-wrong"), ("LLM_MODEL", "simulated")];
    says(&check(&wrong_key).await, "does not accept the key: check LLM_API_KEY");
    says(&check_url(&simulator).await, "There are no chat completions at");

    let told =
        |status: u16, body: Value| json!([{"path_prefix": COMPLETIONS, "status": status, "body": body}]);
    let error = |message: &str, code: &str| json!({"error": {"message": message, "code": code}});
    for (fault, expected) in [
        (told(404, error("The model `simulated` does not exist", "model_not_found")), "check LLM_MODEL"),
        (told(402, error("Insufficient Balance", "invalid_request_error")), "has no credit"),
        (told(400, error("the request exceeds the available context size", "400")), "context is too small"),
        (told(400, error("Unsupported parameter: 'messages'", "x")), "refuses the request in every form"),
        (
            json!([{"path_prefix": COMPLETIONS, "status": 308, "headers": {"location": "https://llm.example/v1"}}]),
            "redirects to https://llm.example/v1",
        ),
        (
            json!([{"path_prefix": COMPLETIONS, "status": 200, "body": "<!doctype html><html></html>",
                    "headers": {"content-type": "text/html"}}]),
            "returns a web page",
        ),
    ] {
        stack.faults("llm", fault).await;
        says(&check_url(&url).await, expected);
    }
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_told_by_its_reason() {
    let stack = Stack::take().await;
    says(&check_url("http://127.0.0.1:9/v1").await, "No server listens at http://127.0.0.1:9/v1");
    let tls = stack.url("/simulators/llm").replace("http://", "https://");
    says(&check_url(&format!("{tls}/v1")).await, "does not speak TLS");
}

#[tokio::test]
async fn an_answer_without_songs_is_told_with_its_beginning() {
    let stack = Stack::take().await;
    let url = format!("{}/v1", stack.url("/simulators/llm"));
    for (script, expected) in [
        (json!({"text": "I would rather talk about the weather."}), "I would rather talk about the weather."),
        (json!({"refusal": "I can't help with that."}), "The model refused: I can't help with that."),
        (
            json!({"text": "{\"kind\":\"playlist\",", "finish_reason": "length"}),
            "cut off before its first song",
        ),
    ] {
        stack.llm_script(script).await;
        says(&check_url(&url).await, expected);
    }
}

#[tokio::test]
async fn what_is_not_configured_is_named() {
    let (code, text) = check(&[("LLM_API_KEY", "k")]).await;
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("LLM_BASE_URL") && text.contains("LLM_MODEL"), "{text}");
}
