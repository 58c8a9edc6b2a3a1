//! The stack as processes: after a crash or a lost database no process, port or charge is left.

use serde_json::json;
use uuid::Uuid;

use crate::account::{assert_gone, delete, exists, pays};
use crate::generation::{self, Reading, after_ms, document_with_key, pausing_after, saving, streaming, uris};
use crate::own_stack::{Place, eventually, functions_alone, is_alive, signal};
use crate::stack::Stack;
use crate::stripe::subscriber;

const ENOUGH: usize = 2;

/// Only Linux signals a process when its parent dies.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn kill_9_of_xtask_leaves_no_process() {
    let place = Place::take().await;
    let mut running = place.start().await;
    signal("KILL", running.dev.child.id());
    running.dev.ended().await;
    eventually("all are gone", async || !running.pids.iter().any(|pid| is_alive(*pid))).await;
    // The ready file and the ports of the dead stack do not prevent a start.
    let again = place.start().await;
    assert_ne!(again.pid_of("postgres"), running.pid_of("postgres"));
}

#[tokio::test]
async fn killed_workerd_ends_the_stack_and_a_repeat_returns_the_tracks_that_were_charged_once() {
    kill_in_the_middle("workerd").await;
}

/// Kills the runtime while a playlist streams: what was sent is charged once, and a repeat returns it.
pub async fn kill_in_the_middle(runtime: &str) {
    let place = Place::take().await;
    let start = || place.start_as(runtime, place.ports_from, runtime, "");
    let mut first = start().await;
    let user = first.stack.sign_up().await;
    first.stack.llm_script(pausing_after(2)).await;
    let (key, body) = (Uuid::new_v4().to_string(), saving("evening"));
    let request = streaming(&first.stack, &user, &body).header("idempotency-key", &key);
    let sent = json!({"tracks": Reading::start(request).await.until("track", 2).await});
    signal("KILL", first.pid_of("functions"));
    assert!(!first.dev.ended().await.success());
    assert!(first.dev.errors().contains("functions ended"), "{}", first.dev.errors());
    first.assert_nothing_is_left().await;

    let second = start().await;
    let stack = &second.stack;
    let again = async || document_with_key(stack, &user, &body, &key).await;
    again().await.assert_error(409, "generation_in_progress");
    stack.expire_reservations(&user).await;
    let done = again().await.ok();
    assert_eq!(done["stop_reason"], "interrupted");
    assert!(uris(&sent).iter().all(|uri| uris(&done).contains(uri)), "{sent} {done}");
    stack.assert_used(&user, 1, 1).await;
    assert_eq!(again().await.ok()["playlist_id"], done["playlist_id"]);
}

#[tokio::test]
async fn tracks_are_sent_only_after_the_database_charged_them_and_a_repeat_is_free() {
    let place = Place::take().await;
    let running = place.start().await;
    let stack = &running.stack;
    let user = stack.sign_up().await;
    stack.llm_script(after_ms(8_000)).await;
    let (key, body) = (Uuid::new_v4().to_string(), saving("evening"));
    let request = streaming(stack, &user, &body).header("idempotency-key", &key);
    let response = request.send().await.unwrap();
    assert_eq!(stack.ai_usage(&user).await["used"], 1);
    signal("STOP", running.pid_of("supabase"));
    let stream = generation::read(response).await;
    signal("CONT", running.pid_of("supabase"));
    // Its idle connections have been reset, which it notices first.
    let health = format!("{}/health", stack.url("/supabase_url"));
    eventually("Supabase responds again", async || {
        stack.http.get(&health).send().await.is_ok_and(|response| response.status() == 200)
    })
    .await;
    assert_eq!(stream.last("error")["code"], "database_unavailable");
    assert!(stream.all("track").len() < ENOUGH, "tracks were sent before they were charged");
    assert_eq!(stack.ai_usage(&user).await["used"], 1);

    // The database may still execute what it had received: then a repeat returns that, else it generates.
    eventually("a repeat returns the playlist", async || {
        let response = document_with_key(stack, &user, &body, &key).await;
        if response.status == 200 {
            assert_eq!(response.body["playlist_id"], key.as_str());
            assert!(uris(&response.body).len() >= ENOUGH, "{response:?}");
            return true;
        }
        response.assert_error(409, "generation_in_progress");
        stack.expire_reservations(&user).await;
        false
    })
    .await;
    stack.assert_used(&user, 1, 1).await;
}

#[tokio::test]
async fn repeat_completes_an_account_deletion_interrupted_by_a_crash() {
    let shared = Stack::take().await;
    let place = Place::take().await;
    let lines = functions_alone(&shared, shared.url("/supabase_url"));
    let mut running = place.start_with(&lines).await;
    let user = subscriber(&shared).await;
    let hold = json!([{"method": "DELETE", "path_prefix": "/v1/customers", "times": 1, "hold_ms": 30_000}]);
    shared.faults("stripe", hold).await;
    let request = running.stack.request(reqwest::Method::DELETE, "account", &user);
    let dying = tokio::spawn(request.json(&json!({"confirm": user.email})).send());
    eventually("the subscription has ended", async || !pays(&shared, &user).await).await;
    assert!(signal("KILL", running.pid_of("functions")));
    assert!(dying.await.unwrap().is_err());
    running.dev.ended().await;
    drop(running);
    assert!(exists(&shared, &user).await);
    let running = place.start_with(&lines).await;
    assert_eq!(delete(&running.stack, &user, &user.email).await.status, 204);
    assert_gone(&shared, &user).await;
}
