//! Whatever the model does: a clear answer, nothing charged, nothing half saved.

use serde_json::{Value, json};

use crate::generation::{self, FIVE, ask, assert_error, reply};
use crate::stack::{Stack, User};

const COMPLETIONS: &str = "/v1/chat/completions";

async fn taken() -> (Stack, User) {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
    (stack, user)
}

/// Asks to generate and save, as document and as stream; both must fail alike and cost nothing.
async fn fails(stack: &Stack, user: &User, status: u16, code: &str) {
    let mut body = ask("evening");
    body["save"] = json!(true);
    let answer = generation::json(stack, user, &body).await;
    assert_error(&answer, status, code);
    let stream = generation::stream(stack, user, &body).await;
    assert_eq!(stream.last("error")["code"], code);
    stack.assert_untouched(user, 0).await;
}

#[tokio::test]
async fn refused_credentials_and_credit_mean_that_we_are_misconfigured() {
    for status in [401, 402, 403] {
        let (stack, user) = taken().await;
        stack
            .faults("llm", json!([{"path_prefix": COMPLETIONS, "status": status, "body": {"error": {}}}]))
            .await;
        fails(&stack, &user, 503, "misconfigured").await;
        assert_eq!(stack.log_of("llm", COMPLETIONS).await.len(), 2, "{status} was tried again");
    }
}

#[tokio::test]
async fn a_short_rate_limit_is_waited_for() {
    let (stack, user) = taken().await;
    stack.llm_script(reply(&FIVE)).await;
    let fault =
        json!([{"path_prefix": COMPLETIONS, "status": 429, "headers": {"retry-after": "1"}, "times": 1}]);
    stack.faults("llm", fault).await;
    let (status, done) = generation::json(&stack, &user, &ask("evening")).await;
    assert_eq!((status.as_u16(), &done["count"]), (200, &json!(5)), "{done}");
}

#[tokio::test]
async fn a_long_rate_limit_is_passed_on() {
    let (stack, user) = taken().await;
    let fault = json!([{"path_prefix": COMPLETIONS, "status": 429, "headers": {"retry-after": "3600"}}]);
    stack.faults("llm", fault).await;
    let response = generation::request(&stack, &user, &ask("evening")).send().await.unwrap();
    assert_eq!(response.headers()["retry-after"], "3600");
    assert_error(&(response.status(), response.json().await.unwrap()), 503, "llm_rate_limited");
    assert_eq!(stack.log_of("llm", COMPLETIONS).await.len(), 1);
    stack.assert_untouched(&user, 0).await;
}

#[tokio::test]
async fn a_failing_model_is_an_upstream_failure() {
    for fault in [
        json!({"status": 500, "body": {"error": {"message": "boom"}}}),
        json!({"status": 503, "body": "<html>busy</html>"}),
        json!({"reset_connection": true}),
    ] {
        let (stack, user) = taken().await;
        let mut fault = fault;
        fault["path_prefix"] = json!(COMPLETIONS);
        stack.faults("llm", json!([fault])).await;
        fails(&stack, &user, 502, "llm_unavailable").await;
    }
}

#[tokio::test]
async fn a_passing_failure_is_tried_once_more() {
    let (stack, user) = taken().await;
    stack.llm_script(reply(&FIVE)).await;
    stack.faults("llm", json!([{"path_prefix": COMPLETIONS, "status": 503, "times": 1}])).await;
    assert_eq!(generation::json(&stack, &user, &ask("evening")).await.0, 200);
}

#[tokio::test]
async fn a_silent_model_is_a_timeout() {
    let (stack, user) = taken().await;
    stack.llm_script(json!({"text": "{}", "first_token_ms": 80_000})).await;
    let answer = generation::json(&stack, &user, &ask("evening")).await;
    assert_error(&answer, 504, "llm_timeout");
    stack.assert_untouched(&user, 0).await;
    let calls = stack.log_of("llm", COMPLETIONS).await;
    assert_eq!(calls[0]["aborted"], true, "the call was not aborted: {calls:?}");
}

#[tokio::test]
async fn an_answer_that_cannot_be_used_is_an_upstream_failure() {
    let half = reply(&FIVE)["reply"].to_string().split("\"artist\"").next().unwrap().to_owned();
    for script in [
        json!({"text": "Sure! Here are some lovely songs for your evening."}),
        json!({"text": ""}),
        json!({"text": half}),
        json!({"text": "{\"kind\":\"playlist\",", "finish_reason": "length"}),
    ] {
        let (stack, user) = taken().await;
        stack.llm_script(script.clone()).await;
        let answer = generation::json(&stack, &user, &ask("evening")).await;
        assert_error(&answer, 502, "llm_invalid_answer");
        stack.assert_untouched(&user, 0).await;
    }
}

#[tokio::test]
async fn an_error_in_the_middle_of_the_answer_is_an_upstream_failure() {
    let text = reply(&FIVE)["reply"].to_string();
    for script in [
        json!({"text": text, "error_after_chars": 40, "error": {"message": "overloaded", "code": 502}}),
        json!({"text": text, "cut_after_chars": 40}),
    ] {
        let (stack, user) = taken().await;
        stack.llm_script(script).await;
        fails(&stack, &user, 502, "llm_unavailable").await;
    }
}

#[tokio::test]
async fn the_models_own_refusal_is_told_with_examples() {
    let (stack, user) = taken().await;
    stack.llm_script(json!({"refusal": "I can't help with that."})).await;
    let answer = generation::json(&stack, &user, &ask("evening")).await;
    assert_error(&answer, 422, "not_about_music");
    assert_eq!(answer.1["examples"].as_array().unwrap().len(), 3);
    assert!(!answer.1.to_string().contains("can't help"), "{}", answer.1);
    stack.assert_untouched(&user, 0).await;
}

#[tokio::test]
async fn an_empty_list_is_not_a_playlist() {
    let (stack, user) = taken().await;
    stack.llm_script(reply(&[])).await;
    fails(&stack, &user, 422, "no_tracks_found").await;
}

#[tokio::test]
async fn what_came_before_the_answer_broke_off_is_used() {
    let (stack, user) = taken().await;
    let text = reply(&FIVE)["reply"].to_string();
    let cut = text.match_indices("},").nth(2).unwrap().0 + 2;
    stack.llm_script(json!([{"text": text[..cut]}, reply(&FIVE[3..])])).await;
    let (status, done) = generation::json(&stack, &user, &ask("evening")).await;
    assert_eq!((status.as_u16(), &done["count"]), (200, &json!(5)), "{done}");
    assert_eq!(stack.log_of("llm", COMPLETIONS).await.len(), 2);
}

#[tokio::test]
async fn five_hundred_suggestions_are_not_all_looked_up() {
    let (stack, user) = taken().await;
    let unknown: Vec<_> = (0..500).map(|n| format!("Song That Nobody Wrote {n}")).collect();
    let songs: Vec<_> = unknown.iter().map(|title| ("Nobody At All", title.as_str(), 1999)).collect();
    let songs: Vec<_> = FIVE[..2].iter().copied().chain(songs).collect();
    stack.llm_script(reply(&songs)).await;
    let (status, done) = generation::json(&stack, &user, &ask("evening")).await;
    assert_eq!(
        (status.as_u16(), &done["count"], &done["stop_reason"]),
        (200, &json!(2), &json!("no_progress")),
        "{done}"
    );
    let outbound = stack.log("spotify").await.len() + stack.log("llm").await.len();
    assert!(outbound <= 75, "{outbound} subrequests");
}

#[tokio::test]
async fn a_lying_model_cannot_change_limits_or_tracks() {
    let (stack, user) = taken().await;
    let mut script = reply(&FIVE);
    script["reply"]["tracks"][0]["track_uri"] = json!("spotify:track:0000000000000000000000");
    script["reply"]["target_count"] = json!(50);
    script["reply"]["quota"] = json!({"plan": "pro"});
    script["reply"]["name"] = json!(format!("<script>alert(1)</script>\u{0}\u{202e}{}", "x".repeat(500)));
    script["usage"] = json!({"prompt_tokens": -5, "completion_tokens": 1e18, "total_tokens": 0, "cost": -3});
    stack.llm_script(script).await;
    let (status, done) = generation::json(&stack, &user, &ask("evening")).await;
    assert_eq!(
        (status.as_u16(), &done["count"], &done["quota"]["plan"]),
        (200, &json!(5), &json!("free")),
        "{done}"
    );
    let name = done["name"].as_str().unwrap();
    assert!(name.chars().count() <= 100 && !name.contains(['\u{0}', '\u{202e}']), "{name}");
    let uris: Vec<&Value> = done["tracks"].as_array().unwrap().iter().map(|t| &t["track_uri"]).collect();
    assert!(!uris.contains(&&json!("spotify:track:0000000000000000000000")), "{uris:?}");
}
