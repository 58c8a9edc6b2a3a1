//! What is refused before anything is spent.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::generation::{self, answer, ask, assert_error};
use crate::stack::{Stack, User};

async fn post(
    stack: &Stack,
    user: &User,
    content_type: &str,
    body: impl Into<reqwest::Body>,
) -> (StatusCode, Value) {
    let request = stack.http.post(stack.function("ai-playlist")).bearer_auth(&user.token);
    answer(request.header("content-type", content_type).body(body)).await
}

#[tokio::test]
async fn a_body_that_is_not_json_is_malformed() {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
    for body in [&b""[..], b"prompt=evening", b"{\"prompt\":\"evening\"", b"{\"prompt\":\"\xc3\x28\"}"] {
        let answer = post(&stack, &user, "application/json", body).await;
        assert_error(&answer, 400, "invalid_json");
    }
    stack.assert_untouched(&user, 0).await;
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
    let body = format!("{{\"prompt\":\"{}\"}}", "x".repeat(200 * 1024));
    assert_error(&post(&stack, &user, "application/json", body).await, 413, "body_too_large");
}

#[tokio::test]
async fn a_body_of_another_type_is_refused() {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        let answer = post(&stack, &user, content_type, ask("evening").to_string()).await;
        assert_error(&answer, 415, "unsupported_media_type");
    }
}

#[tokio::test]
async fn a_body_that_makes_no_sense_is_told_which_field() {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
    for (body, field) in [
        (json!({}), "prompt"),
        (json!({"prompt": ""}), "prompt"),
        (json!({"prompt": " \t\n "}), "prompt"),
        (json!({"prompt": "x".repeat(1001)}), "prompt"),
        (json!({"prompt": 5}), "prompt must be a text"),
        (json!({"prompt": "x", "volume": 11}), "volume"),
        (json!({"prompt": "x", "target_count": 51}), "target_count"),
        (json!({"prompt": "x", "target_count": 0}), "target_count"),
        (json!({"prompt": "x", "era": {"from": 2000, "to": 1990}}), "era"),
        (json!({"prompt": "x", "market": "Poland"}), "market"),
        (json!({"prompt": "x", "exclude_artists": vec!["a"; 21]}), "exclude_artists"),
    ] {
        let answer = generation::json(&stack, &user, &body).await;
        assert_error(&answer, 422, "invalid_request");
        assert!(answer.1["message"].as_str().unwrap().contains(field), "{field}: {}", answer.1);
    }
    stack.assert_untouched(&user, 0).await;
    assert!(stack.log("llm").await.is_empty());
}

#[tokio::test]
async fn what_can_be_refused_is_refused_before_the_stream_starts() {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
    let request =
        generation::request(&stack, &user, &json!({"prompt": ""})).header("accept", "text/event-stream");
    assert_error(&answer(request).await, 422, "invalid_request");
}

#[tokio::test]
async fn another_method_is_told_the_right_one() {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
        let request =
            stack.http.request(method.clone(), stack.function("ai-playlist")).bearer_auth(&user.token);
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["allow"], "POST", "{method}");
        assert_error(&(response.status(), response.json().await.unwrap()), 405, "method_not_allowed");
    }
}

#[tokio::test]
async fn a_path_below_the_function_and_an_unknown_function_are_not_found() {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
    for path in ["ai-playlist/more", "no-such-function", "AI_PLAYLIST"] {
        let request = stack.http.post(stack.function(path)).bearer_auth(&user.token).json(&ask("evening"));
        assert_error(&answer(request).await, 404, "not_found");
    }
}

#[tokio::test]
async fn what_is_not_about_music_gets_three_examples_in_its_language() {
    let stack = Stack::take().await;
    for (prompt, language, word) in [
        ("write me a Python function that sorts a list", "en", "music"),
        ("napisz mi kod w pythonie", "pl", "muzy"),
    ] {
        let user = stack.sign_up().await;
        let refusal = json!({"reply": {
            "kind": "refusal", "language": language, "name": "", "description": "", "summary": "IGNORED", "tracks": [],
        }});
        stack.llm_script(refusal).await;
        let answer = generation::json(&stack, &user, &ask(prompt)).await;
        assert_error(&answer, 422, "not_about_music");
        let examples = answer.1["examples"].as_array().unwrap();
        assert_eq!(examples.len(), 3, "{examples:?}");
        assert!(answer.1["message"].as_str().unwrap().contains(word), "{}", answer.1);
        assert!(!answer.1.to_string().contains("IGNORED"), "the model's own words came through");

        let stream = generation::stream(&stack, &user, &ask(prompt)).await;
        assert_eq!(stream.last("error")["code"], "not_about_music");
        assert_eq!(stream.last("error")["examples"], answer.1["examples"]);
        stack.assert_untouched(&user, 0).await;
    }
}
