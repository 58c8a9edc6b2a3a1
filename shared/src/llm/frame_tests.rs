//! Tests of payloads in the forms of many services.

use serde_json::json;

use super::super::LlmError;
use super::super::private::Private;
use super::*;

fn events(frame: &Value) -> Vec<ChatEvent> {
    Frame::read(frame).unwrap().events
}

fn content(frame: &Value) -> String {
    let texts = events(frame).into_iter().map(|event| match event {
        ChatEvent::Content(text) => text,
        other => format!("{other:?}"),
    });
    texts.collect()
}

#[test]
fn frame_may_contain_several_events() {
    let frame = json!({
        "choices": [{"delta": {"role": "assistant", "content": "a", "refusal": null}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 7, "cost": 0.0002},
    });
    let usage = Usage {
        prompt_tokens: 5,
        completion_tokens: 7,
        cost: Cost::from_usd(0.0002),
    };
    assert_eq!(
        events(&frame),
        [
            ChatEvent::Content("a".to_owned()),
            ChatEvent::Finished(FinishReason::Stop),
            ChatEvent::Usage(usage),
        ]
    );
}

#[test]
fn reads_content_in_every_shape() {
    for frame in [
        json!({"choices": [{"delta": {"content": "{}"}}]}),
        json!({"choices": [{"message": {"content": "{}"}}]}),
        json!({"choices": [{"delta": {}, "message": {"content": "{}"}}]}),
        json!({"choices": [{"delta": {"content": ""}, "message": {"content": "{}"}}]}),
        json!({"choices": [{"text": "{}"}]}),
        json!({"choices": [{"text": null, "message": {"tool_calls": [{"function": {"arguments": "{}"}}]}}]}),
        json!({"choices": [{"delta": {"content": [{"text": "{}"}]}}]}),
        json!({"choices": [{"delta": {"content": {"type": "text", "text": "{}"}}}]}),
        json!({"choices": [{"message": {"content": {}}, "delta": null, "text": "{}"}]}),
        json!({"choices": [{"delta": {"content": [{"type": "thinking", "thinking": []}, {"type": "text", "text": "{}"}]}}]}),
        json!({"choices": [{"message": {"tool_calls": [{"function": {"arguments": "{}"}}]}}]}),
        json!({"choices": [{"message": {"content": null, "function_call": {"name": "f", "arguments": "{}"}}}]}),
        json!({"choices": [{"index": 1, "delta": {"content": "no"}}, {"index": 0, "delta": {"content": "{}"}}]}),
        json!({"choices": [{"message": {"content": ["{}"]}}]}),
        json!({"choices": [{"message": {"content": [{"type": "text", "text": {"value": "{}"}}]}}]}),
        json!({"choices": [{"index": 0, "delta": "{}"}]}),
        json!({"choices": [{"delta": {"content": "", "text": "{}"}}]}),
        json!({"choices": [{"message": {"content": null, "parsed": {}}, "text": "{}"}]}),
        json!({"code": 200, "msg": "ok", "data": {"choices": [{"message": {"content": "{}"}}]}}),
        json!({"output": {"choices": [{"message": {"content": "{}"}, "finish_reason": "null"}]}}),
        json!({"candidates": [{"content": {"parts": [{"text": "{}"}], "role": "model"}}]}),
        json!({"type": "content_block_delta", "delta": {"type": "text_delta", "text": "{}"}}),
        json!({"type": "response.output_text.delta", "delta": "{}"}),
        json!({"type": "content-delta", "delta": {"message": {"content": {"text": "{}"}}}}),
        json!({"generated_text": "{}"}),
        json!({"error": "None", "choices": [{"delta": {"content": "{}"}}]}),
        json!({"response": "{}"}),
        json!({"result": {"response": "{}"}, "success": true, "errors": []}),
        json!({"message": {"role": "assistant", "content": "{}"}, "done": false}),
    ] {
        assert_eq!(content(&frame), "{}", "{frame}");
    }
    assert_eq!(
        content(&json!({"choices": [{"message": {"content": {"kind": "x"}}}]})),
        r#"{"kind":"x"}"#
    );
    assert_eq!(
        content(&json!({"choices": [{"index": 1, "delta": {"content": "no"}}]})),
        ""
    );
}

#[test]
fn frames_without_content_have_no_events() {
    for frame in [
        json!({}),
        json!([]),
        json!({"type": "ping"}),
        json!({"type": "response.reasoning_text.delta", "delta": "hm"}),
        json!({"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": "hm"}}),
        json!({"choices": []}),
        json!({"choices": [{"delta": {}, "finish_reason": null}], "usage": null, "error": null}),
        json!({"choices": [{"delta": {"content": ""}, "finish_reason": ""}], "error": {}}),
        json!({"choices": [{"delta": null}], "error": ""}),
        json!({"choices": [{"delta": {}, "finish_reason": "null"}], "error": {"message": "", "code": 0, "type": null}}),
        json!({"choices": [{"delta": {}, "finish_reason": "FINISH_REASON_UNSPECIFIED"}]}),
        json!({"usage": {"prompt_tokens": 0, "completion_tokens": 0}}),
    ] {
        assert_eq!(events(&frame), [], "{frame}");
    }
}

#[test]
fn reads_all_parts_of_a_message_outside_of_choices() {
    let part = |text: &str| json!({"type": "text", "text": text});
    let frame = json!({"message": {"content": [part("{"), part("}")]}});
    assert_eq!(content(&frame), "{}");
    assert_eq!(content(&json!({"message": {"content": []}})), "");
}

#[test]
fn empty_part_is_no_thought() {
    let frame = json!({"choices": [{"delta": {"content": [{"type": "text", "text": ""}]}}]});
    assert_eq!(Frame::read(&frame).unwrap().thoughts, "");
}

#[test]
fn keeps_a_whole_completion_that_ends_with_a_failure() {
    for reason in ["abort", "timeout", "error"] {
        let frame = json!({"choices": [{"message": {"content": "{}"}, "finish_reason": reason}]});
        let expected = [
            ChatEvent::Content("{}".to_owned()),
            ChatEvent::Finished(FinishReason::Other),
        ];
        assert_eq!(events(&frame), expected, "{reason}");
    }
}

#[test]
fn distinguishes_refusal_length_and_filter() {
    let frame =
        |reason: &str| json!({"choices": [{"delta": {"refusal": "No."}, "finish_reason": reason}]});
    for (reason, expected) in [
        ("length", FinishReason::Length),
        ("MAX_TOKENS", FinishReason::Length),
        ("model_length", FinishReason::Length),
        ("model_context_window_exceeded", FinishReason::Length),
        ("ERROR_TOXIC", FinishReason::ContentFilter),
        ("content_filter", FinishReason::ContentFilter),
        ("SAFETY", FinishReason::ContentFilter),
        ("guardrail_intervened", FinishReason::ContentFilter),
        ("tool_calls", FinishReason::Other),
    ] {
        let expected = [
            ChatEvent::Refusal("No.".to_owned()),
            ChatEvent::Finished(expected),
        ];
        assert_eq!(events(&frame(reason)), expected);
    }
}

#[test]
fn classifies_an_error_within_the_stream() {
    let error = |frame: &Value| {
        Frame::read(frame)
            .unwrap_err()
            .into_error(None, &Private::default())
    };
    let kind = |frame: &Value| match error(frame) {
        LlmError::Failed(problem) => format!("failed {}", problem.status),
        LlmError::RateLimited { .. } => "rate limited".to_owned(),
        LlmError::Misconfigured(_) => "misconfigured".to_owned(),
        other => format!("{other:?}"),
    };
    for (frame, expected) in [
        (json!({"error": {"message": "x"}}), "failed 502"),
        (json!({"error": "model is loading"}), "failed 502"),
        (
            json!({"error": {"type": "overloaded_error", "message": "x"}}),
            "failed 502",
        ),
        (
            json!({"object": "error", "message": "CUDA out of memory", "code": 500}),
            "failed 500",
        ),
        (json!({"error": {"code": 503}}), "failed 503"),
        (json!({"error": {"code": 200}}), "failed 502"),
        (json!({"error": {"code": 402}}), "misconfigured"),
        (
            json!({"error": {"code": "rate_limit_exceeded"}}),
            "rate limited",
        ),
        (
            json!({"error": {"code": "429", "type": "x"}}),
            "rate limited",
        ),
        (
            json!({"choices": [], "error": {"code": 502, "message": "request limit reached"}}),
            "failed 502",
        ),
        (
            json!({"choices": [{"delta": {"content": "x"}, "finish_reason": "error"}]}),
            "failed 502",
        ),
        (
            json!({"choices": [{"delta": {}, "finish_reason": "network_error"}]}),
            "failed 502",
        ),
        (json!({"choices": [{"error": {"code": 502}}]}), "failed 502"),
        (
            json!({"error": {"code": 400, "message": "Provider returned error"}}),
            "failed 400",
        ),
        (
            json!({"base_resp": {"status_code": 1004, "status_msg": "authentication error"}}),
            "misconfigured",
        ),
        (
            json!({"base_resp": {"status_code": 1002, "status_msg": "rate limit"}}),
            "rate limited",
        ),
        (json!({"detail": "Internal Server Error"}), "failed 502"),
        (json!({"status": "error", "message": "x"}), "failed 502"),
        (
            json!({"choices": [{"delta": {}, "finish_reason": "abort"}]}),
            "failed 502",
        ),
        (
            json!({"error_code": 17, "error_msg": "Open api daily request limit reached"}),
            "failed 502",
        ),
        (
            json!({"code": 429, "message": "too many requests"}),
            "rate limited",
        ),
        (
            json!({"success": false, "errors": [{"code": 10000, "message": "Authentication error"}], "result": null}),
            "misconfigured",
        ),
    ] {
        assert_eq!(kind(&frame), expected, "{frame}");
    }
}

#[test]
fn ignores_implausible_usage() {
    for usage in [
        json!({"prompt_tokens": -1, "completion_tokens": 1}),
        json!({"prompt_tokens": 1, "completion_tokens": 1e300}),
        json!({"prompt_tokens": 1, "completion_tokens": "7"}),
        json!({"prompt_tokens": 1}),
    ] {
        assert_eq!(events(&json!({"usage": usage})), [], "{usage}");
    }
    let usage = json!({"prompt_tokens": 1, "completion_tokens": 1, "cost": -3});
    let believed = ChatEvent::Usage(Usage {
        prompt_tokens: 1,
        completion_tokens: 1,
        cost: None,
    });
    for told in [
        json!({"usage": usage}),
        json!({"x_groq": {"id": "r", "usage": usage}}),
        json!({"data": {"choices": [], "usage": usage}}),
    ] {
        assert_eq!(events(&told), std::slice::from_ref(&believed), "{told}");
    }
}

#[test]
fn thoughts_are_not_part_of_the_completion() {
    for delta in [
        json!({"reasoning": "hm, tak"}),
        json!({"content": null, "reasoning_content": "hm, tak"}),
    ] {
        let frame = Frame::read(&json!({"choices": [{"delta": delta}]})).unwrap();
        assert_eq!(
            (frame.events.len(), frame.thoughts.as_str()),
            (0, "hm, tak")
        );
    }
}
