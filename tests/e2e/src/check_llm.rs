//! The operator's command that reports a language model's features and configuration mistakes.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::generation::{FIVE, reply};
use crate::own_stack::run_xtask;
use crate::stack::{Stack, with};

const KEY: &str = "simulated-llm-key";

/// Runs the command with these variables in its env file; returns its exit code and what it prints.
async fn check(variables: &[(&str, &str)]) -> (i32, String) {
    let lines = variables.iter().map(|(name, value)| format!("{name}={value}\n"));
    let file = std::env::temp_dir().join(format!("sound-whiskers-{}", Uuid::new_v4()));
    std::fs::write(&file, lines.collect::<String>()).unwrap();
    let result = run_xtask(&["check-llm", "--env-file", file.to_str().unwrap()]).await;
    std::fs::remove_file(&file).unwrap();
    result
}

async fn check_url(url: &str, more: &[(&str, &str)]) -> (i32, String) {
    let variables = [("LLM_BASE_URL", url), ("LLM_API_KEY", KEY), ("LLM_MODEL", "simulated")];
    check(&[&variables[..], more].concat()).await
}

/// Asserts the exit code and that the output contains these lines, and never the key.
fn assert_says((code, text): &(i32, String), expected_code: i32, lines: &[&str]) {
    assert_eq!(*code, expected_code, "{text}");
    for line in lines {
        assert!(text.contains(line), "{line:?} is not in {text}");
    }
    assert!(!text.contains(KEY), "{text}");
}

#[tokio::test]
async fn reports_supported_features_language_songs_and_cost() {
    let stack = Stack::take().await;
    let url = format!("{}/v1", stack.url("/simulators/llm"));
    let usage = json!({"prompt_tokens": 900, "completion_tokens": 120, "total_tokens": 1020});
    let mut script = with(reply(&FIVE[..3]), &json!({"usage": usage}));
    script["reply"]["language"] = json!("pl");
    stack.llm_script(script).await;
    let checked = check_url(&url, &[("LLM_PRICE_IN", "1"), ("LLM_PRICE_OUT", "10")]).await;
    let lines = [
        "a JSON schema (strict), as a stream",
        "accepted (200)",
        "900 tokens sent, 120 received",
        "0.0021 USD, at the configured prices",
        "Polish, as the prompt",
        "3 of 4 wanted: Nirvana – Come as You Are; Radiohead – Karma Police; Dżem – Whisky",
    ];
    assert_says(&checked, 0, &lines);
    assert!(!checked.1.contains("Note"), "{}", checked.1);

    stack.llm_script(reply(&FIVE[..3])).await;
    let message = "This response_format type is unavailable now";
    let body = json!({"error": {"message": message, "type": "invalid_request_error"}});
    stack.faults("llm", json!([{"path_prefix": "/v1/chat", "status": 400, "body": body, "times": 1}])).await;
    let lines = [
        "refused (400)",
        "any JSON object (object), as a stream",
        "Set LLM_JSON_MODE=object",
        "English for a Polish prompt",
        "without LLM_PRICE_IN and LLM_PRICE_OUT",
    ];
    assert_says(&check_url(&url, &[]).await, 0, &lines);
}

#[tokio::test]
async fn names_each_configuration_mistake_and_each_unusable_completion() {
    let stack = Stack::take().await;
    let simulator = stack.url("/simulators/llm").to_owned();
    let url = format!("{simulator}/v1");
    let tls = url.replace("http://", "https://");
    let wrong_key = [("LLM_API_KEY", "sk-wrong")];
    for (url, more, expected) in [
        (&*url, &wrong_key[..], "does not accept the key: check LLM_API_KEY"),
        (&simulator, &[], "There are no chat completions at"),
        ("http://127.0.0.1:9/v1", &[], "No server listens at http://127.0.0.1:9/v1"),
        (&tls, &[], "does not speak TLS"),
    ] {
        assert_says(&check_url(url, more).await, 1, &[expected]);
    }
    assert_says(&check(&[("LLM_API_KEY", "k")]).await, 2, &["LLM_BASE_URL", "LLM_MODEL"]);
    let error = |message: &str, code: &str| json!({"error": {"message": message, "code": code}});
    let page = json!("<!doctype html><html></html>");
    for (status, body, headers, expected) in [
        (404, error("The model `simulated` does not exist", "model_not_found"), json!({}), "check LLM_MODEL"),
        (402, error("Insufficient Balance", "invalid_request_error"), json!({}), "has no credit"),
        (
            400,
            error("the request exceeds the available context size", "400"),
            json!({}),
            "context is too small",
        ),
        (
            400,
            error("Unsupported parameter: 'messages'", "x"),
            json!({}),
            "refuses the request in every form",
        ),
        (
            308,
            Value::Null,
            json!({"location": "https://llm.example/v1"}),
            "redirects to https://llm.example/v1",
        ),
        (200, page, json!({"content-type": "text/html"}), "returns a web page"),
    ] {
        let fault = json!([{"path_prefix": "/v1/chat", "status": status, "body": body, "headers": headers}]);
        stack.faults("llm", fault).await;
        assert_says(&check_url(&url, &[]).await, 1, &[expected]);
    }
    stack.faults("llm", json!([])).await;
    let cut_off = json!({"text": "{\"kind\":\"playlist\",", "finish_reason": "length"});
    for (script, expected) in [
        (json!({"text": "I would rather talk about the weather."}), "I would rather talk about the weather."),
        (json!({"refusal": "I can't help with that."}), "The model refused: I can't help with that."),
        (cut_off, "cut off before its first song"),
    ] {
        stack.llm_script(script).await;
        assert_says(&check_url(&url, &[]).await, 1, &[expected]);
    }
}
