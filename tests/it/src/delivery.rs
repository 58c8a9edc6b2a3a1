//! What was sent is charged, and whoever paid for it has it.

use futures_util::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::generation::{self, FIVE, ask, json_with_key, reply};
use crate::own_stack::{PATIENCE, eventually};
use crate::stack::{Stack, User};

/// A script of the model's that writes about so many songs and then takes its time.
pub fn slowly(songs: usize) -> Value {
    let mut script = reply(&FIVE[..songs]);
    let slow = json!({"first_token_ms": 1, "chunk_chars": 60, "chunk_ms": 700});
    script.as_object_mut().unwrap().extend(slow.as_object().unwrap().clone());
    script
}

/// A stream that is being read.
pub struct Reading {
    response: reqwest::Response,
    text: String,
}

impl Reading {
    pub async fn start(stack: &Stack, user: &User, body: &Value, key: &str) -> Self {
        let request = generation::request(stack, user, body).header("accept", "text/event-stream");
        let response = request.header("idempotency-key", key).send().await.unwrap();
        assert_eq!(response.status(), 200);
        Self { response, text: String::new() }
    }

    /// Reads until so many tracks have come, and returns their addresses.
    pub async fn until_tracks(&mut self, count: usize) -> Vec<String> {
        loop {
            let whole = self.text.rfind("\n\n").map_or("", |end| &self.text[..end + 2]);
            let events = generation::events(whole);
            let tracks = events.iter().filter(|event| event.name == "track");
            let uris: Vec<_> =
                tracks.map(|event| event.data["track_uri"].as_str().unwrap().to_owned()).collect();
            if uris.len() >= count {
                return uris;
            }
            let chunk = self.response.chunk().await.unwrap().expect("the stream ended early");
            self.text.push_str(&String::from_utf8_lossy(&chunk));
        }
    }
}

pub fn assert_holds(done: &Value, sent: &[String]) {
    let tracks: Vec<_> =
        done["tracks"].as_array().unwrap().iter().map(|track| track["track_uri"].as_str().unwrap()).collect();
    assert!(sent.iter().all(|uri| tracks.contains(&uri.as_str())), "{sent:?} {tracks:?}");
}

async fn completed(stack: &Stack, user: &User) {
    eventually("the session is complete", PATIENCE, async || {
        let rows = stack.rows(Some(user), "ai_sessions?select=delivered").await;
        rows.iter().all(|row| row["delivered"]["is_complete"] != json!(false))
    })
    .await;
}

#[tokio::test]
async fn a_listener_who_leaves_after_enough_was_sent_is_charged_once_and_has_it() {
    let stack = Stack::take().await;
    for save in [false, true] {
        let user = stack.sign_up().await;
        stack.llm_script(slowly(5)).await;
        let (mut body, key) = (ask("evening"), Uuid::new_v4().to_string());
        body["save"] = json!(save);
        let mut reading = Reading::start(&stack, &user, &body, &key).await;
        let sent = reading.until_tracks(2).await;
        assert_eq!(stack.ai_usage(&user).await["used"], 1);
        drop(reading);
        completed(&stack, &user).await;
        let (status, done) = json_with_key(&stack, &user, &body, &key).await;
        assert_eq!(status, 200, "{done}");
        assert_holds(&done, &sent);
        assert_eq!(done["playlist_id"].is_string(), save);
        assert_eq!(stack.rows(Some(&user), "playlists?select=id").await.len(), usize::from(save));
        assert_eq!(stack.ai_usage(&user).await["used"], 1);
        eventually("the model's answer is aborted", PATIENCE, async || {
            let calls = stack.log_of("llm", "/v1/chat/completions").await;
            let aborted = calls.iter().filter(|call| call["aborted"] == json!(true)).count();
            aborted == 1 + usize::from(save)
        })
        .await;
    }
}

#[tokio::test]
async fn five_that_leave_at_once_get_no_more_than_the_plan_has() {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
    stack.llm_script(slowly(5)).await;
    let leave = async || {
        let request =
            generation::request(&stack, &user, &ask("evening")).header("accept", "text/event-stream");
        let response = request.send().await.unwrap();
        if response.status() != 200 {
            return 0;
        }
        Reading { response, text: String::new() }.until_tracks(2).await.len()
    };
    let sent = join_all((0..5).map(|_| leave())).await;
    assert_eq!(sent.iter().filter(|tracks| **tracks > 0).count(), 3, "{sent:?}");
    completed(&stack, &user).await;
    assert_eq!(stack.ai_usage(&user).await["used"], 3);
    assert_eq!(leave().await, 0);
}
