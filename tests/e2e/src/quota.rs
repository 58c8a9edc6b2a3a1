//! The quota of a plan under concurrent requests; delivered playlists are charged, and charged ones stay available.

use futures_util::future::join_all;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::generation::{
    FIVE, Reading, after_ms, ask, document, document_with_key, pausing_after, reply, saving, streaming, uris,
};
use crate::own_stack::eventually;
use crate::stack::{Stack, User, send, stack_and_user, with};

const MONTH: u64 = 30 * 24 * 60 * 60;

#[tokio::test]
async fn hundred_parallel_requests_of_a_free_user_are_granted_3() {
    let (stack, user) = stack_and_user().await;
    stack.llm_script(with(reply(&FIVE[..1]), &json!({"first_token_ms": 1}))).await;
    let body = json!({"prompt": "one song", "target_count": 1});
    let responses = join_all((0..100).map(|_| document(&stack, &user, &body))).await;
    let (granted, refused): (Vec<_>, Vec<_>) = responses.into_iter().partition(|it| it.status == 200);
    assert_eq!(granted.len(), 3);
    refused.iter().for_each(|refused| refused.assert_error(402, "quota_exceeded"));
    let usage = stack.ai_usage(&user).await;
    assert_eq!((&usage["used"], &usage["remaining"]), (&json!(3), &json!(0)));
    let refused = send(streaming(&stack, &user, &ask("more"))).await;
    refused.assert_error(402, "quota_exceeded");
    assert!((MONTH - 600..=MONTH).contains(&refused.retry_after().unwrap()), "{refused:?}");
}

/// Waits until the reservations are settled as failed, which those that only expired are not.
async fn until_released(stack: &Stack, user: &User) {
    eventually("the reservation is released", async || {
        let rows = stack.rows(user, "ai_sessions?select=status").await;
        !rows.is_empty() && rows.iter().all(|row| row["status"] == "failed")
    })
    .await;
}

async fn until_aborted(stack: &Stack, count: usize) {
    eventually("the questions to the model are aborted", async || {
        stack.completions().await.iter().filter(|call| call["aborted"] == true).count() == count
    })
    .await;
}

#[tokio::test]
async fn client_that_disconnects_before_enough_tracks_is_not_charged() {
    let (stack, user) = stack_and_user().await;
    for (event, script) in [("stage", after_ms(40_000)), ("track", pausing_after(1))] {
        stack.llm_script(script).await;
        Reading::start(streaming(&stack, &user, &ask("evening"))).await.until(event, 1).await;
        until_released(&stack, &user).await;
    }
    stack.assert_used(&user, 0, 0).await;
    until_aborted(&stack, 2).await;
}

#[tokio::test]
async fn client_that_disconnects_before_the_document_is_not_charged() {
    let (stack, user) = stack_and_user().await;
    // Longer than the model may be silent, so that only the disconnect can end it earlier.
    stack.llm_script(after_ms(40_000)).await;
    let url = stack.function("ai-playlist");
    let (host, path) = url.trim_start_matches("http://").split_once('/').unwrap();
    let (token, body) = (&user.token, ask("evening").to_string());
    let request = format!(
        "POST /{path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut connection = TcpStream::connect(host).await.unwrap();
    connection.write_all(request.as_bytes()).await.unwrap();
    eventually("the model is asked", async || !stack.completions().await.is_empty()).await;
    // A half-closed connection would be a client that still reads.
    connection.set_zero_linger().unwrap();
    drop(connection);
    until_released(&stack, &user).await;
    let call = stack.completions().await.remove(0);
    let took_ms = call["finished_ms"].as_f64().unwrap() - call["received_ms"].as_f64().unwrap();
    assert!(took_ms < 29_000.0, "only the model's own timeout ended it: {call}");
}

async fn until_complete(stack: &Stack, user: &User) {
    eventually("the sessions are complete", async || {
        let rows = stack.rows(user, "ai_sessions?select=delivered").await;
        rows.iter().all(|row| row["delivered"]["is_complete"] != json!(false))
    })
    .await;
}

#[tokio::test]
async fn client_that_disconnects_after_enough_tracks_is_charged_once_and_can_fetch_the_playlist() {
    let stack = Stack::take().await;
    stack.llm_script(pausing_after(2)).await;
    for (body, playlists) in [(ask("evening"), 0), (saving("evening"), 1)] {
        let (user, key) = (stack.sign_up().await, Uuid::new_v4().to_string());
        let request = streaming(&stack, &user, &body).header("idempotency-key", &key);
        let mut reading = Reading::start(request).await;
        let sent = json!({"tracks": reading.until("track", 2).await});
        assert_eq!(stack.ai_usage(&user).await["used"], 1);
        drop(reading);
        until_complete(&stack, &user).await;
        let done = document_with_key(&stack, &user, &body, &key).await.ok();
        assert!(uris(&sent).iter().all(|uri| uris(&done).contains(uri)), "{sent} {done}");
        assert_eq!(done["playlist_id"].is_string(), playlists > 0);
        stack.assert_used(&user, 1, playlists).await;
        until_aborted(&stack, 1 + playlists).await;
    }
}

#[tokio::test]
async fn five_clients_that_disconnect_at_once_get_no_more_than_the_plan_grants() {
    let (stack, user) = stack_and_user().await;
    stack.llm_script(pausing_after(2)).await;
    let is_served = async || {
        let response = streaming(&stack, &user, &ask("evening")).send().await.unwrap();
        let is_granted = response.status() == 200;
        if is_granted {
            Reading::of(response).until("track", 2).await;
        }
        is_granted
    };
    let served = join_all((0..5).map(|_| is_served())).await;
    assert_eq!(served.iter().filter(|is_served| **is_served).count(), 3);
    until_complete(&stack, &user).await;
    stack.assert_used(&user, 3, 0).await;
    assert!(!is_served().await);
}
