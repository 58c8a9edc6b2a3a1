//! Tests of the classification of real errors.

use serde_json::json;

use super::super::private::Private;
use super::*;

fn error_of(status: u16, body: &serde_json::Value) -> LlmError {
    Problem::from_body(status, body.to_string().as_bytes()).into_error(None, &Private::default())
}

fn code_of(status: u16, body: &serde_json::Value) -> Code {
    Error::from(error_of(status, body)).code()
}

#[test]
fn statuses_without_a_body_have_their_code() {
    for (status, code) in [
        (301, Code::Misconfigured),
        (400, Code::Misconfigured),
        (401, Code::Misconfigured),
        (402, Code::Misconfigured),
        (403, Code::Misconfigured),
        (404, Code::Misconfigured),
        (405, Code::Misconfigured),
        (408, Code::LlmUnavailable),
        (413, Code::InvalidRequest),
        (422, Code::Misconfigured),
        (429, Code::LlmRateLimited),
        (500, Code::LlmUnavailable),
        (504, Code::LlmUnavailable),
        (529, Code::LlmUnavailable),
    ] {
        let error = Problem::of_status(status).into_error(None, &Private::default());
        let shown = Error::from(error.clone());
        assert_eq!(shown.code(), code, "{status}");
        assert_eq!(shown.cause(), Some(error.to_string().as_str()));
    }
    assert_eq!(
        Error::from(LlmError::Unavailable(HttpError::Timeout)).code(),
        Code::LlmTimeout
    );
    assert_eq!(
        Error::from(LlmError::Unavailable(HttpError::Network)).code(),
        Code::LlmUnavailable
    );
    for error in [LlmError::InvalidResponse, LlmError::Empty, LlmError::CutOff] {
        assert_eq!(Error::from(error).code(), Code::LlmInvalidResponse);
    }
}

#[test]
fn policy_refusal_is_not_misconfigured() {
    for (status, body) in [
        (
            400,
            json!({"error": {"code": "content_filter", "message": "The response was filtered", "param": "prompt"}}),
        ),
        (
            400,
            json!({"error": {"code": "invalid_prompt", "message": "Invalid prompt", "type": "invalid_request_error"}}),
        ),
        (
            400,
            json!({"error": {"message": "Your input was flagged by our moderation", "type": "x"}}),
        ),
        (
            403,
            json!({"error": {"code": 403, "message": "Input flagged", "metadata": {"reasons": ["violence"]}}}),
        ),
        (
            400,
            json!({"error": {"code": "data_inspection_failed", "message": "Input data may contain inappropriate content."}}),
        ),
        (
            400,
            json!({"error": {"code": "1301", "message": "x"}, "contentFilter": [{"level": 1}]}),
        ),
        (
            400,
            json!({"error": {"message": "Content Exists Risk", "type": "invalid_request_error"}}),
        ),
        (
            403,
            json!({"error": {"message": "Content violates usage guidelines."}}),
        ),
        (
            451,
            json!({"error": {"type": "censorship_blocked", "message": "x"}}),
        ),
        (
            400,
            json!({"error": {"type": "ContentPolicyViolationError", "message": "x"}}),
        ),
    ] {
        assert_eq!(code_of(status, &body), Code::NotAboutMusic, "{body}");
    }
}

#[test]
fn reports_an_exceeded_context() {
    for (status, body) in [
        (
            400,
            json!({"error": {"code": "context_length_exceeded", "message": "x", "type": "invalid_request_error"}}),
        ),
        (
            400,
            json!({"object": "error", "message": "This model's maximum context length is 4096 tokens.", "code": 400}),
        ),
        (
            400,
            json!({"error": {"type": "exceed_context_size_error", "message": "the request exceeds the available context size", "code": 400}}),
        ),
        (413, json!("Request too large")),
        (
            400,
            json!({"error": {"code": 400, "message": "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).", "status": "INVALID_ARGUMENT"}}),
        ),
        (
            400,
            json!({"error": {"code": "invalid_parameter_error", "message": "Range of input length should be [1, 30720]"}}),
        ),
        (
            400,
            json!({"error": {"code": "1261", "message": "Prompt exceeds max length"}}),
        ),
        (
            400,
            json!({"error": {"message": "Invalid request: Your request exceeded model token limit: 8192"}}),
        ),
    ] {
        assert_eq!(code_of(status, &body), Code::InvalidRequest, "{body}");
    }
}

#[test]
fn operators_errors_are_misconfigured() {
    for (status, body) in [
        (
            429,
            json!({"error": {"code": "insufficient_quota", "type": "insufficient_quota", "message": "You exceeded your current quota"}}),
        ),
        (
            400,
            json!([{"error": {"code": 400, "message": "API key not valid. Please pass a valid API key.", "status": "INVALID_ARGUMENT"}}]),
        ),
        (
            404,
            json!({"error": {"code": "model_not_found", "message": "The model `x` does not exist"}}),
        ),
        (
            400,
            json!({"error": {"message": "Your credit balance is too low", "type": "invalid_request_error"}}),
        ),
        (
            429,
            json!({"error": {"message": "You have exceeded your monthly included credits for Inference Providers."}}),
        ),
        (
            502,
            json!({"base_resp": {"status_code": 1004, "status_msg": "login fail: Please carry the API secret key"}}),
        ),
    ] {
        assert_eq!(code_of(status, &body), Code::Misconfigured, "{body}");
    }
}

#[test]
fn classifies_transient_failures_by_code() {
    for (status, body, code) in [
        (
            400,
            json!({"error": {"code": "rate_limit_exceeded", "message": "x"}}),
            Code::LlmRateLimited,
        ),
        (
            429,
            json!({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "You exceeded your current quota"}}),
            Code::LlmRateLimited,
        ),
        (
            400,
            json!({"error": {"code": "json_validate_failed", "message": "Failed to generate JSON"}}),
            Code::LlmInvalidResponse,
        ),
        (
            529,
            json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
            Code::LlmUnavailable,
        ),
        (
            400,
            json!({"__type": "ThrottlingException", "message": "Too many requests"}),
            Code::LlmRateLimited,
        ),
    ] {
        assert_eq!(code_of(status, &body), code, "{body}");
    }
}

#[test]
fn logs_code_type_parameter_and_start_of_the_message() {
    let message = format!("Unsupported value\n{}", "x".repeat(300));
    let body = json!({"error": {"code": "unsupported_value", "type": "invalid_request_error", "param": "temperature", "message": message}});
    let logged = error_of(400, &body).to_string();
    let expected = "language model: misconfigured: status 400, code unsupported_value, type invalid_request_error, \
                    param temperature: Unsupported value xxx";
    assert!(logged.starts_with(expected), "{logged}");
    assert!(logged.len() < 400, "{}", logged.len());
}

#[test]
fn does_not_log_quotations_of_user_or_key() {
    let private = Private::new([
        "my very private evening with Ann",
        "jazz",
        "sk-secret-key-of-ours",
    ]);
    for (body, is_declined) in [
        (
            json!({"error": {"message": "Invalid input: 'my very private evening with Ann'"}})
                .to_string(),
            false,
        ),
        (
            json!({"error": {"message": "flagged by moderation: my very private evening"}})
                .to_string(),
            true,
        ),
        (
            json!({"error": {"message": "content filter", "param": "jazz", "code": "jazz"}})
                .to_string(),
            true,
        ),
        (
            json!({"detail": [{"loc": ["body"], "input": "my very private evening with Ann"}]})
                .to_string(),
            false,
        ),
        ("no such key: sk-secret-key-of-ours".to_owned(), false),
    ] {
        let error = Problem::from_body(400, body.as_bytes()).into_error(None, &private);
        assert_eq!(
            matches!(error, LlmError::Declined(_)),
            is_declined,
            "{body}"
        );
        let logged = error.to_string();
        assert!(
            !["private", "jazz", "secret"]
                .iter()
                .any(|word| logged.contains(word)),
            "{logged}"
        );
        assert!(logged.contains("not logged"), "{logged}");
    }
}

#[test]
fn classifies_a_wrapped_error_by_its_cause() {
    for body in [
        json!({"error": {"message": "Provider returned error", "code": 400, "metadata": {"raw": "{\"error\":{\"code\":\"content_filter\"}}"}}}),
        json!({"detail": {"error": {"code": "content_filter", "message": "x"}}}),
        json!({"error": {"code": "x", "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {"jailbreak": {"filtered": true}}}, "message": "violates Responsible AI policy"}}),
    ] {
        assert_eq!(code_of(400, &body), Code::NotAboutMusic, "{body}");
    }
    let stream = "data: {\"error\":{\"code\":\"content_filter\"}}\n\n";
    let error = Problem::from_body(400, stream.as_bytes()).into_error(None, &Private::default());
    assert_eq!(Error::from(error).code(), Code::NotAboutMusic);
    // A repetition of the request in the server's error does not identify the failure.
    let echo = json!({"detail": [{"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "Extra inputs are not permitted", "input": "flagged by moderation"}]});
    assert_eq!(code_of(422, &echo), Code::Misconfigured);
}

#[test]
fn does_not_blame_the_user_for_other_faults() {
    for (status, body, code) in [
        (
            429,
            json!({"error": {"message": "Request rejected by fair usage policy"}}),
            Code::LlmRateLimited,
        ),
        (
            429,
            json!({"error": {"message": "Too many moderation checks"}}),
            Code::LlmRateLimited,
        ),
        (
            429,
            json!({"message": "Too many tokens, please wait before trying again."}),
            Code::LlmRateLimited,
        ),
        (
            403,
            json!({"error": {"message": "Your organization has been disabled for violating our usage policies"}}),
            Code::Misconfigured,
        ),
        (
            401,
            json!({"error": {"message": "Your account was flagged"}}),
            Code::Misconfigured,
        ),
        (
            500,
            json!({"error": {"code": "moderation_unavailable", "message": "flagged"}}),
            Code::LlmUnavailable,
        ),
        (
            429,
            json!({"error": {"code": "1113", "message": "余额不足"}}),
            Code::Misconfigured,
        ),
        (
            429,
            json!({"error": {"type": "exceeded_current_quota_error", "message": "x"}}),
            Code::Misconfigured,
        ),
        (
            503,
            json!({"error": {"code": "model_not_found", "message": "x"}}),
            Code::Misconfigured,
        ),
        (
            412,
            json!({"error": {"message": "Account example is suspended"}}),
            Code::Misconfigured,
        ),
        (
            501,
            json!({"error": {"message": "not supported"}}),
            Code::Misconfigured,
        ),
    ] {
        assert_eq!(code_of(status, &body), code, "{body}");
    }
}

#[test]
fn rate_limit_has_its_retry_after() {
    let error = Problem::of_status(429).into_error(Some(20), &Private::default());
    assert_eq!(Error::from(error).retry_after_seconds(), Some(20));
}
