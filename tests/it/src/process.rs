//! The stack as processes: what Ctrl-C, a crash and a silent database leave behind, which is nothing.

use std::net::TcpListener;

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::delivery;
use crate::generation::{self, FIVE, ask, assert_error, json_with_key, reply};
use crate::own_stack::{PATIENCE, Place, eventually, free_ports, is_alive, signal};
use crate::stack::{Stack, User};

fn saving(prompt: &str) -> Value {
    let mut body = ask(prompt);
    body["save"] = json!(true);
    body
}

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
async fn ctrl_c_leaves_no_process() {
    let place = Place::take().await;
    let mut running = place.start().await;
    assert!(running.pids.iter().all(|pid| is_alive(*pid)));
    assert_eq!(running.ctrl_c().await.code(), Some(0));
    place.assert_nothing_is_left(&running.pids).await;
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
    // The ready file of the dead is not taken for that of the living, and nothing else is in the way.
    let mut again = place.start().await;
    assert_ne!(again.pid_of("postgres"), running.pid_of("postgres"));
    assert_eq!(again.ctrl_c().await.code(), Some(0));
}

#[tokio::test]
async fn killing_workerd_in_the_middle_charges_nothing_after_90_seconds() {
    let place = Place::take().await;
    let mut first = place.start().await;
    let user = first.stack.sign_up().await;
    slow_model(&first.stack, 40_000).await;
    let body = saving("evening");
    let request = generation::request(&first.stack, &user, &body).header("accept", "text/event-stream");
    let stream = request.send().await.unwrap();
    assert_eq!(first.stack.ai_usage(&user).await["used"], 1);

    signal("KILL", first.pid_of("functions"));
    assert!(stream.bytes().await.is_err(), "a stream that broke off passes for a whole one");
    assert!(!first.dev.ended().await.success());
    place.assert_nothing_is_left(&first.pids).await;

    let second = place.start().await;
    let stack = &second.stack;
    assert_eq!(stack.ai_usage(&user).await["used"], 1, "the reservation is to live for 90 seconds");
    expire_reservations(stack, &user).await;
    stack.assert_untouched(&user, 0).await;
    let rows = stack.rows(Some(&user), "ai_sessions?select=status").await;
    assert_eq!(rows, [json!({"status": "timeout"})]);
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
async fn data_persists() {
    let place = Place::take().await;
    let mut first = place.start().await;
    let user = first.stack.sign_up().await;
    slow_model(&first.stack, 1).await;
    let (status, done) = generation::json(&first.stack, &user, &saving("evening")).await;
    assert_eq!(status, 200, "{done}");
    assert_eq!(first.ctrl_c().await.code(), Some(0));

    // The token of the first run is good for the second.
    let second = place.start().await;
    let path = "playlists?select=id,name,playlist_tracks(track_uri)";
    let rows = second.stack.rows(Some(&user), path).await;
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0]["id"], &rows[0]["name"]), (&done["playlist_id"], &done["name"]));
    assert_eq!(rows[0]["playlist_tracks"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn the_database_away_is_a_503() {
    let place = Place::take().await;
    let running = place.start().await;
    let stack = &running.stack;
    let user = stack.sign_up().await;
    slow_model(stack, 1).await;
    // At first the function has not fetched the keys yet, then it gets as far as to the quota.
    for used in 1..=2 {
        running.pause_supabase();
        let answer = generation::json(stack, &user, &ask("evening")).await;
        running.resume_supabase().await;
        assert_error(&answer, 503, "database_unavailable");
        let (status, done) = generation::json(stack, &user, &ask("evening")).await;
        assert_eq!(status, 200, "{done}");
        // The database may have reserved for the request that was told of no success.
        expire_reservations(stack, &user).await;
        assert_eq!(stack.ai_usage(&user).await["used"], used);
    }
}

#[tokio::test]
async fn a_playlist_that_the_database_did_not_confirm_is_not_delivered_and_not_lost() {
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
    assert_eq!(stream.all("track").len(), 5, "it was not the settling that failed");
    assert_eq!(stack.ai_usage(&user).await["used"], 1);

    // Its fate is open: what the database had received it may carry out late. A repeat finds out.
    eventually("a repeat answers the playlist", PATIENCE, async || {
        let (status, answer) = json_with_key(stack, &user, &body, &key).await;
        if status == 200 {
            assert_eq!((&answer["playlist_id"], &answer["count"]), (&json!(key), &json!(5)));
            return true;
        }
        assert_error(&(status, answer), 409, "generation_in_progress");
        expire_reservations(stack, &user).await;
        false
    })
    .await;
    assert_eq!(stack.ai_usage(&user).await["used"], 1);
    let (_, playlists) = stack.rest(Method::GET, "playlists?select=id", Some(&user), None).await;
    assert_eq!(playlists, json!([{"id": key}]));
}

#[tokio::test]
async fn a_success_that_the_database_learns_of_too_late_is_not_charged() {
    let place = Place::take().await;
    let running = place.start().await;
    let stack = &running.stack;
    let user = stack.sign_up().await;
    slow_model(stack, 2_000).await;
    let body = ask("evening");
    let request = generation::request(stack, &user, &body).header("accept", "text/event-stream");
    let response = request.send().await.unwrap();
    assert_eq!(stack.ai_usage(&user).await["used"], 1);
    running.pause_supabase();
    let stream = generation::read(response).await;
    running.resume_supabase().await;
    assert_eq!(stream.last("error")["code"], "database_unavailable");
    // Whether what the database had received is carried out late or never: it is no success.
    expire_reservations(stack, &user).await;
    assert_eq!(stack.ai_usage(&user).await["used"], 0);
    let rows = stack.rows(Some(&user), "ai_sessions?select=status").await;
    assert!(rows.len() == 1 && rows[0]["status"] != "succeeded", "{rows:?}");
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

#[tokio::test]
async fn a_second_dev_on_the_same_data_is_refused() {
    let place = Place::take().await;
    let mut running = place.start().await;
    let mut second = place.dev("second", free_ports());
    assert!(!second.ended().await.success());
    let expected = format!("process {} already runs a stack", running.dev.child.id());
    assert!(second.errors().contains(&expected), "{}", second.errors());
    assert_eq!(second.errors().lines().count(), 1, "{}", second.errors());
    running.stack.sign_up().await;
    assert_eq!(running.dev.child.try_wait().unwrap(), None);
}
