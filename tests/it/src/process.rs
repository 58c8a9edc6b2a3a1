//! The stack as processes: after Ctrl-C, a crash or a lost database no process, port or charge is left over.

use std::net::TcpListener;

use serde_json::json;
use uuid::Uuid;

use crate::account::{assert_gone, delete, exists, pays, subscriber};
use crate::delivery;
use crate::generation::{self, FIVE, assert_error, json_with_key, reply, saving};
use crate::own_stack::{PATIENCE, Place, eventually, free_ports, functions_alone, is_alive, signal};
use crate::stack::{Stack, User};

/// How many of five tracks are charged.
const ENOUGH: usize = 2;

async fn slow_model(stack: &Stack, first_token_ms: u64) {
    let mut script = reply(&FIVE);
    script["first_token_ms"] = json!(first_token_ms);
    stack.llm_script(script).await;
}

/// Makes a user's reservations as old as the moment at which they expire.
async fn expire_reservations(stack: &Stack, user: &User) {
    let statement = "update public.ai_sessions set created_at = created_at - interval '90 seconds'
        where user_id = $1";
    stack.sql(statement, &[&user.id]).await;
}

#[tokio::test]
async fn ctrl_c_leaves_no_process_and_all_data_and_a_second_dev_on_it_is_refused() {
    let place = Place::take().await;
    let mut first = place.start().await;
    let user = first.stack.sign_up().await;
    slow_model(&first.stack, 1).await;
    let (status, done) = generation::json(&first.stack, &user, &saving("evening")).await;
    assert_eq!(status, 200, "{done}");

    let mut second = place.dev("second", free_ports());
    assert!(!second.ended().await.success());
    let expected = format!("process {} already runs a stack", first.dev.child.id());
    assert!(second.errors().contains(&expected), "{}", second.errors());
    assert_eq!(second.errors().lines().count(), 1, "{}", second.errors());

    assert!(first.pids.iter().all(|pid| is_alive(*pid)));
    assert_eq!(first.ctrl_c().await.code(), Some(0));
    place.assert_nothing_is_left(&first.pids).await;

    // The token of the first run is good for the second.
    let again = place.start().await;
    let path = "playlists?select=id,name,playlist_tracks(track_uri)";
    let rows = again.stack.rows(Some(&user), path).await;
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0]["id"], &rows[0]["name"]), (&done["playlist_id"], &done["name"]));
    assert_eq!(rows[0]["playlist_tracks"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn a_part_that_dies_takes_the_whole_stack_down() {
    let place = Place::take().await;
    let mut running = place.start().await;
    signal("KILL", running.pid_of("functions"));
    assert!(!running.dev.ended().await.success());
    assert!(running.dev.errors().contains("functions ended"), "{}", running.dev.errors());
    place.assert_nothing_is_left(&running.pids).await;
}

/// Only Linux tells a process that its parent has died.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn kill_9_of_xtask_leaves_no_process() {
    let place = Place::take().await;
    let mut running = place.start().await;
    signal("KILL", running.dev.child.id());
    running.dev.ended().await;
    eventually("all are gone", PATIENCE, async || !running.pids.iter().any(|pid| is_alive(*pid))).await;
    // The dead stack's ready file and ports are not in the way.
    let mut again = place.start().await;
    assert_ne!(again.pid_of("postgres"), running.pid_of("postgres"));
    assert_eq!(again.ctrl_c().await.code(), Some(0));
}

#[tokio::test]
async fn killing_workerd_after_enough_was_sent_charges_once_and_a_repeat_has_what_was_sent() {
    let place = Place::take().await;
    let mut first = place.start().await;
    let user = first.stack.sign_up().await;
    first.stack.llm_script(delivery::slowly(5)).await;
    let key = Uuid::new_v4().to_string();
    let mut reading = delivery::Reading::start(&first.stack, &user, &saving("evening"), &key).await;
    let sent = reading.until_tracks(2).await;
    signal("KILL", first.pid_of("functions"));
    assert!(!first.dev.ended().await.success());
    place.assert_nothing_is_left(&first.pids).await;

    let second = place.start().await;
    let stack = &second.stack;
    let body = saving("evening");
    let again = || json_with_key(stack, &user, &body, &key);
    assert_error(&again().await, 409, "generation_in_progress");
    expire_reservations(stack, &user).await;
    let (status, done) = again().await;
    assert_eq!((status.as_u16(), &done["stop_reason"]), (200, &json!("interrupted")), "{done}");
    delivery::assert_holds(&done, &sent);
    assert_eq!(stack.rows(Some(&user), "playlists?select=id").await, [json!({"id": done["playlist_id"]})]);
    assert_eq!(stack.ai_usage(&user).await["used"], 1);
    assert_eq!(again().await.1["playlist_id"], done["playlist_id"]);
}

#[tokio::test]
async fn what_the_ledger_did_not_confirm_is_not_delivered_and_a_repeat_has_a_playlist_that_is_charged_once() {
    let place = Place::take().await;
    let running = place.start().await;
    let stack = &running.stack;
    let user = stack.sign_up().await;
    slow_model(stack, 2_000).await;
    let (key, body) = (Uuid::new_v4().to_string(), saving("evening"));
    let request = generation::request(stack, &user, &body).header("idempotency-key", &key);
    let response = request.header("accept", "text/event-stream").send().await.unwrap();
    assert_eq!(stack.ai_usage(&user).await["used"], 1);
    running.pause_supabase();
    let stream = generation::read(response).await;
    running.resume_supabase().await;
    assert_eq!(stream.last("error")["code"], "database_unavailable");
    assert!(stream.all("track").len() < ENOUGH, "tracks left before the ledger had them");
    assert_eq!(stack.ai_usage(&user).await["used"], 1);

    // The database may carry out late what it had received: then a repeat returns that, else it generates.
    eventually("a repeat returns the playlist", PATIENCE, async || {
        let (status, answer) = json_with_key(stack, &user, &body, &key).await;
        if status == 200 {
            assert_eq!(answer["playlist_id"], key.as_str());
            assert!(answer["count"].as_u64().unwrap() >= ENOUGH as u64, "{answer}");
            return true;
        }
        assert_error(&(status, answer), 409, "generation_in_progress");
        expire_reservations(stack, &user).await;
        false
    })
    .await;
    assert_eq!(stack.ai_usage(&user).await["used"], 1);
    assert_eq!(stack.rows(Some(&user), "playlists?select=id").await, [json!({"id": key})]);
}

#[tokio::test]
async fn an_account_deletion_that_the_runtime_did_not_survive_is_completed_by_a_repeat() {
    let shared = Stack::take().await;
    let place = Place::take().await;
    let lines = functions_alone(&shared, shared.url("/supabase_url"));
    let mut running = place.start_with(&lines).await;
    let (user, email) = subscriber(&shared).await;
    let hold = json!([{"method": "DELETE", "path_prefix": "/v1/customers", "times": 1, "hold_ms": 30_000}]);
    shared.faults("stripe", hold).await;
    let request = running.stack.http.delete(running.stack.function("account"));
    let dying = tokio::spawn(request.bearer_auth(&user.token).json(&json!({ "confirm": email })).send());
    eventually("the subscription has ended", PATIENCE, async || !pays(&shared, &user).await).await;
    assert!(signal("KILL", running.pid_of("functions")));
    assert!(dying.await.unwrap().is_err());
    running.dev.ended().await;
    drop(running);
    assert!(exists(&shared, &user).await);
    let running = place.start_with(&lines).await;
    assert_eq!(delete(&running.stack, &user, &email).await.status, 204);
    assert_gone(&shared, &user).await;
}

#[tokio::test]
async fn a_port_in_use_is_one_clear_line() {
    let place = Place::take().await;
    let _taken = TcpListener::bind(("127.0.0.1", place.ports_from + 2)).unwrap();
    let mut dev = place.dev("dev", place.ports_from);
    assert!(!dev.ended().await.success());
    let errors = dev.errors();
    assert!(errors.contains(&format!("port {} is in use", place.ports_from + 2)), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
}
