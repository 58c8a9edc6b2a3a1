//! What a plan grants, exactly, whoever calls how often at once.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::generation::{self, FIVE, ask, reply};
use crate::stack::{Stack, User, taken};

async fn granted_of_100(stack: &Stack, user: &User) -> usize {
    let mut script = reply(&FIVE[..1]);
    script["first_token_ms"] = json!(1);
    stack.llm_script(script).await;
    let body = json!({"prompt": "one song", "target_count": 1});
    let answers = join_all((0..100).map(|_| generation::json(stack, user, &body))).await;
    for (status, answer) in &answers {
        let known = *status == 200 || (*status == 402 && answer["code"] == "quota_exceeded");
        assert!(known, "{status} {answer}");
    }
    answers.iter().filter(|(status, _)| *status == 200).count()
}

#[tokio::test]
async fn a_hundred_parallel_requests_of_a_free_user_grant_exactly_3_and_the_refusal_says_until_when() {
    let (stack, user) = taken().await;
    assert_eq!(granted_of_100(&stack, &user).await, 3);
    let usage = stack.ai_usage(&user).await;
    assert_eq!((&usage["used"], &usage["remaining"]), (&json!(3), &json!(0)));
    for format in ["application/json", "text/event-stream"] {
        let request = generation::request(&stack, &user, &ask("more")).header("accept", format);
        let response = request.send().await.unwrap();
        let retry_after: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        let thirty_days = 30 * 24 * 3600;
        assert!((thirty_days - 600..=thirty_days).contains(&retry_after), "{retry_after}");
        let status = response.status();
        generation::assert_error(&(status, response.json().await.unwrap()), 402, "quota_exceeded");
    }
}

#[tokio::test]
async fn of_a_hundred_parallel_requests_of_a_pro_user_three_run_and_all_together_are_50() {
    let stack = Stack::take().await;
    let user = stack.sign_up_pro().await;
    let mut script = reply(&FIVE[..1]);
    script["first_token_ms"] = json!(3_000);
    stack.llm_script(script).await;
    let body = json!({"prompt": "one song", "target_count": 1});
    let answers = join_all((0..100).map(|_| generation::json(&stack, &user, &body))).await;
    let (granted, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(status, _)| *status == 200);
    assert_eq!(granted.len(), 3);
    refused.iter().for_each(|answer| generation::assert_error(answer, 429, "too_many_attempts"));

    stack.llm_script(reply(&FIVE[..1])).await;
    let statement = "insert into public.ai_sessions (id, user_id, prompt, status, cost, created_at)
        select gen_random_uuid(), $1, 'earlier', 'succeeded', 0, now() - interval '1 day' from generate_series(1, 45)";
    stack.sql(statement, &[&user.id]).await;
    let answers = join_all((0..3).map(|_| generation::json(&stack, &user, &body))).await;
    assert_eq!(answers.iter().filter(|(status, _)| *status == 200).count(), 2, "{answers:?}");
    assert_eq!(stack.ai_usage(&user).await["used"], 50);
}

#[tokio::test]
async fn five_failures_within_a_minute_are_enough() {
    let (stack, user) = taken().await;
    stack.llm_script(json!({"text": "garbage"})).await;
    for _ in 0..5 {
        let answer = generation::json(&stack, &user, &ask("evening")).await;
        generation::assert_error(&answer, 502, "llm_invalid_answer");
    }
    let response = generation::request(&stack, &user, &ask("evening")).send().await.unwrap();
    let retry_after: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&retry_after), "{retry_after}");
    generation::assert_error(&(response.status(), response.json().await.unwrap()), 429, "too_many_attempts");
    stack.assert_untouched(&user, 0).await;
}

/// Reads a stream until an event of this kind, then goes away.
async fn leave_at(stack: &Stack, user: &User, event: &str) {
    let request = generation::request(stack, user, &ask("evening")).header("accept", "text/event-stream");
    let mut response = request.send().await.unwrap();
    let mut seen = String::new();
    while !seen.contains(event) {
        let chunk = response.chunk().await.unwrap().expect("the stream ended early");
        seen.push_str(&String::from_utf8_lossy(&chunk));
    }
}

/// Waits until the quota is as before; the reservation's own expiry (90 s) would come too late.
async fn freed(stack: &Stack, user: &User) -> bool {
    for _ in 0..150 {
        if stack.ai_usage(user).await["used"] == 0 {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    false
}

#[tokio::test]
async fn a_listener_who_leaves_a_stream_is_not_charged() {
    let (stack, user) = taken().await;
    for (event, script) in [
        ("event: stage", json!({"first_token_ms": 40_000})),
        ("event: track", json!({"chunk_chars": 60, "chunk_ms": 4_000, "first_token_ms": 1})),
    ] {
        let mut scripted = reply(&FIVE);
        scripted.as_object_mut().unwrap().extend(script.as_object().unwrap().clone());
        stack.llm_script(scripted).await;
        leave_at(&stack, &user, event).await;
        assert!(freed(&stack, &user).await, "left at {event}: the slot is still held");
    }
    let rows = stack.rows(Some(&user), "ai_sessions?select=status").await;
    assert_eq!(rows, vec![json!({"status": "failed"}); 2]);
    let calls = stack.log_of("llm", "/v1/chat/completions").await;
    assert!(calls.iter().all(|call| call["aborted"] == json!(true)), "the model was left writing: {calls:?}");
}

/// Asks for a document over a connection of its own, and resets it once the model was asked. A mere
/// close could not be told from a client that has nothing more to say and still listens.
async fn reset_while_waiting(stack: &Stack, user: &User) {
    let url = stack.function("ai-playlist");
    let (host, path) = url.trim_start_matches("http://").split_once('/').unwrap();
    let body = ask("evening").to_string();
    let head = format!(
        "POST /{path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        user.token,
        body.len()
    );
    let mut connection = TcpStream::connect(host).await.unwrap();
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.write_all(body.as_bytes()).await.unwrap();
    while stack.log_of("llm", "/v1/chat/completions").await.is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    connection.set_zero_linger().unwrap();
}

#[tokio::test]
async fn a_listener_who_leaves_before_the_document_is_not_charged() {
    let (stack, user) = taken().await;
    // Longer than the model may be silent: only leaving ends it before.
    let mut script = reply(&FIVE);
    script["first_token_ms"] = json!(40_000);
    stack.llm_script(script).await;
    reset_while_waiting(&stack, &user).await;
    assert!(freed(&stack, &user).await, "the slot is still held");
    let call = stack.log_of("llm", "/v1/chat/completions").await.remove(0);
    let asked_ms = call["finished_ms"].as_f64().unwrap() - call["received_ms"].as_f64().unwrap();
    assert!(asked_ms < 19_000.0, "the model was left alone only after its own timeout: {call}");
}
