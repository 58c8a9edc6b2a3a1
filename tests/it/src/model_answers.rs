//! What real services and models answer: every usable shape gives its songs, and every failure the right blame.

use serde_json::{Value, json};

use crate::generation::{self, FIVE, ask, assert_error, reply};
use crate::stack::Stack;

const COMPLETIONS: &str = "/v1/chat/completions";

fn content() -> String {
    reply(&FIVE)["reply"].to_string()
}

fn frame(delta: &Value) -> String {
    format!("data: {}\n\n", json!({"choices": [{"index": 0, "delta": delta, "finish_reason": null}]}))
}

/// The content in frames of a few characters.
fn frames(content: &str) -> String {
    let characters: Vec<char> = content.chars().collect();
    characters.chunks(24).map(|piece| frame(&json!({"content": piece.iter().collect::<String>()}))).collect()
}

const STOP: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const DONE: &str = "data: [DONE]\n\n";
const EVENTS: &str = "text/event-stream";

fn answer(content_type: &str, body: &str) -> Value {
    json!([{"path_prefix": COMPLETIONS, "status": 200, "body": body, "headers": {"content-type": content_type}}])
}

fn document(message: &Value) -> String {
    json!({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}).to_string()
}

#[tokio::test]
async fn a_usable_answer_is_read_in_every_framing() {
    let stack = Stack::take().await;
    let stream = format!("{}{STOP}{DONE}", frames(&content()));
    let whole = document(&json!({"role": "assistant", "content": content()}));
    let parts = json!([{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": content()}]);
    let text = content();
    let (left, right) = text.split_at(text.floor_char_boundary(text.len() / 2));
    let cases = [
        ("an ordinary stream", EVENTS, stream.clone()),
        ("a stream that ends without a reason or [DONE]", EVENTS, frames(&content())),
        ("carriage returns and line feeds", EVENTS, stream.replace('\n', "\r\n")),
        ("no blank lines", EVENTS, stream.replace("\n\n", "\n")),
        ("no space after the colon", EVENTS, stream.replace("data: ", "data:")),
        (
            "heartbeats of all kinds",
            EVENTS,
            stream.replace(
                "\n\n",
                "\n\n: ping\n\ndata:\n\ndata: [HEARTBEAT]\n\nevent: ping\ndata: {\"type\":\"ping\"}\n\n",
            ),
        ),
        (
            "lines of JSON",
            "application/x-ndjson",
            stream.replace(DONE, "").replace("data: ", "").replace("\n\n", "\n"),
        ),
        ("a stream that says it is JSON", "application/json", stream.clone()),
        ("a stream that says it is text", "text/plain", stream.clone()),
        ("a document", "application/json", whole.clone()),
        ("a document that says it is a stream", EVENTS, whole.clone()),
        ("a document after blank lines", "application/json", format!("{}{whole}", "\n".repeat(50))),
        ("a footer after the end", EVENTS, format!("{stream}data: {{\"oops\n\ndata: <html>\n\n")),
        ("content in parts", EVENTS, format!("{}{STOP}{DONE}", frame(&json!({"content": parts})))),
        ("content as an object", "application/json", document(&json!({"content": reply(&FIVE)["reply"]}))),
        (
            "a called function",
            "application/json",
            document(
                &json!({"content": null, "tool_calls": [{"type": "function", "function": {"name": "playlist", "arguments": content()}}]}),
            ),
        ),
        (
            "thoughts before",
            EVENTS,
            format!("{}{stream}", frame(&json!({"reasoning_content": "{\"kind\":\"refusal\"}"}))),
        ),
        (
            "thoughts within",
            EVENTS,
            format!("{}{stream}", frames("<think>{\"kind\":\"refusal\",\"tracks\":[</think>")),
        ),
        (
            "a second choice",
            EVENTS,
            stream.replace(
                STOP,
                &format!(
                    "data: {}\n\n{STOP}",
                    json!({"choices": [{"index": 1, "delta": {"content": "noise\""}}]})
                ),
            ),
        ),
        (
            "half a character a frame",
            EVENTS,
            format!(
                "{}data: {{\"choices\":[{{\"delta\":{{\"content\":\"\\ud83c\"}}}}]}}\n\ndata: {{\"choices\":[{{\"delta\":{{\"content\":\"\\udfb5\"}}}}]}}\n\n{}{STOP}",
                frames(left),
                frames(right)
            ),
        ),
        ("frames of Workers AI", EVENTS, format!("data: {}\n\n{DONE}", json!({"response": content()}))),
        (
            "Markdown around it",
            EVENTS,
            format!("{}{STOP}{DONE}", frames(&format!("Here:\n```json\n{}\n```\nEnjoy!", content()))),
        ),
    ];
    for (name, content_type, body) in cases {
        stack.faults("llm", answer(content_type, &body)).await;
        let user = stack.sign_up().await;
        let (status, done) = generation::json(&stack, &user, &ask("evening")).await;
        assert_eq!((status.as_u16(), &done["count"]), (200, &json!(5)), "{name}: {done}");
    }
    let asked = stack.log_of("llm", COMPLETIONS).await;
    assert_eq!(asked.len(), 22, "an answer was asked for twice");
}

#[tokio::test]
async fn a_failure_is_blamed_on_whom_it_concerns() {
    let stack = Stack::take().await;
    let cases = [
        (
            "a wrong key",
            401,
            json!({"error": {"code": "invalid_api_key", "message": "Incorrect API key provided"}}),
            503,
            "misconfigured",
        ),
        (
            "a wrong key at 400",
            400,
            json!({"error": {"type": "no_db_connection", "code": "400", "message": "No connected db."}}),
            503,
            "misconfigured",
        ),
        (
            "an unknown model",
            404,
            json!({"error": {"code": "model_not_found", "message": "The model does not exist"}}),
            503,
            "misconfigured",
        ),
        ("a wrong URL", 404, json!("<html>not found</html>"), 503, "misconfigured"),
        ("a moved host", 307, json!(""), 503, "misconfigured"),
        ("a wrong method", 405, json!({"detail": "Method Not Allowed"}), 503, "misconfigured"),
        (
            "an exhausted credit",
            429,
            json!({"error": {"code": "insufficient_quota", "message": "You exceeded your current quota"}}),
            503,
            "misconfigured",
        ),
        (
            "a content filter",
            400,
            json!({"error": {"code": "content_filter", "message": "filtered", "param": "prompt"}}),
            422,
            "not_about_music",
        ),
        (
            "moderation",
            403,
            json!({"error": {"code": 403, "message": "Your input was flagged", "metadata": {"reasons": ["x"]}}}),
            422,
            "not_about_music",
        ),
        (
            "an invalid prompt",
            400,
            json!({"error": {"code": "invalid_prompt", "message": "x", "type": "invalid_request_error"}}),
            422,
            "not_about_music",
        ),
        (
            "a small context",
            400,
            json!({"error": {"code": "context_length_exceeded", "message": "x"}}),
            422,
            "invalid_request",
        ),
        (
            "JSON that failed",
            400,
            json!({"error": {"code": "json_validate_failed", "message": "Failed to generate JSON"}}),
            502,
            "llm_invalid_answer",
        ),
        (
            "a rate limit",
            400,
            json!({"error": {"code": "rate_limit_exceeded", "message": "x"}}),
            503,
            "llm_rate_limited",
        ),
        (
            "an overload",
            529,
            json!({"error": {"type": "overloaded_error", "message": "x"}}),
            502,
            "llm_unavailable",
        ),
        ("a page of a proxy", 524, json!("<html>A timeout occurred</html>"), 502, "llm_unavailable"),
        (
            "an error at 200",
            200,
            json!({"error": {"message": "upstream overloaded"}}),
            502,
            "llm_unavailable",
        ),
        (
            "a rate limit at 200",
            200,
            json!({"error": {"code": "429", "type": "rate_limit_error"}}),
            503,
            "llm_rate_limited",
        ),
        ("a page to sign in", 200, json!("<!doctype html><title>Sign in</title>"), 502, "llm_invalid_answer"),
        ("nothing", 200, json!(""), 502, "llm_invalid_answer"),
    ];
    for (name, upstream, body, status, code) in cases {
        stack.faults("llm", json!([{"path_prefix": COMPLETIONS, "status": upstream, "body": body}])).await;
        // Each has a user: several failures in a minute are too many.
        let user = stack.sign_up().await;
        let answer = generation::json(&stack, &user, &ask("a very private evening")).await;
        assert_eq!(
            (answer.0.as_u16(), answer.1["code"].as_str()),
            (status, Some(code)),
            "{name}: {}",
            answer.1
        );
        assert_error(&answer, status, code);
        stack.assert_untouched(&user, 0).await;
    }
}

#[tokio::test]
async fn a_failure_that_passes_is_asked_about_again() {
    for fault in [
        json!({"status": 500}),
        json!({"status": 504, "body": "upstream timed out"}),
        json!({"status": 529}),
        json!({"status": 429, "headers": {"retry-after-ms": "20"}}),
        json!({"status": 429, "headers": {"retry-after": "0.2"}}),
        json!({"reset_connection": true}),
        json!({"status": 200, "body": "", "headers": {"content-type": EVENTS}}),
        json!({"status": 200, "body": format!("{}{STOP}{DONE}", frames("   ")), "headers": {"content-type": EVENTS}}),
        json!({"status": 200, "body": {"error": {"message": "model is loading"}}}),
    ] {
        let stack = Stack::take().await;
        let user = stack.sign_up().await;
        stack.llm_script(reply(&FIVE)).await;
        let mut once = fault.clone();
        (once["path_prefix"], once["times"]) = (json!(COMPLETIONS), json!(1));
        stack.faults("llm", json!([once])).await;
        let (status, done) = generation::json(&stack, &user, &ask("evening")).await;
        assert_eq!((status.as_u16(), &done["count"]), (200, &json!(5)), "{fault}: {done}");
        assert_eq!(stack.log_of("llm", COMPLETIONS).await.len(), 2, "{fault}");
    }
}

#[tokio::test]
async fn songs_are_read_out_of_every_shape() {
    let stack = Stack::take().await;
    let tracks = reply(&FIVE)["reply"]["tracks"].clone();
    let lines: Vec<String> =
        FIVE.iter().map(|(artist, title, year)| format!("{artist} - {title} ({year})")).collect();
    let list: Vec<String> = lines.iter().enumerate().map(|(n, line)| format!("{}. {line}", n + 1)).collect();
    for text in [
        json!({"songs": tracks}).to_string(),
        tracks.to_string(),
        json!({"playlist": {"tracks": {"items": tracks}}}).to_string(),
        json!([{"tracks": tracks}]).to_string(),
        json!({"tracks": lines}).to_string(),
        json!({"tracks": tracks}).to_string().replace('"', "'").replace("1991", "None"),
        json!(json!({"tracks": tracks}).to_string()).to_string(),
        json!({"tracks": tracks}).to_string().replace("},{", "},\n// next\n{").replace("]}", ",]}"),
        tracks.as_array().unwrap().iter().map(Value::to_string).collect::<Vec<_>>().join("\n"),
        list.join("\n"),
    ] {
        stack.llm_script(json!({"text": text})).await;
        let user = stack.sign_up().await;
        let (status, done) = generation::json(&stack, &user, &ask("evening")).await;
        assert_eq!((status.as_u16(), &done["count"]), (200, &json!(5)), "{text}: {done}");
        assert_eq!(done["tracks"][0]["title"], "Come as You Are", "{text}");
    }
}
