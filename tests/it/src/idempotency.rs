//! One key, one generation.

use futures_util::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::generation::{self, FIVE, ask, assert_error, json_with_key, reply, saving};
use crate::stack::Stack;

async fn generations(stack: &Stack) -> usize {
    stack.log_of("llm", "/v1/chat/completions").await.len()
}

#[tokio::test]
async fn a_repeat_of_a_saved_generation_answers_the_saved_playlist() {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
    stack.llm_script(reply(&FIVE)).await;
    let key = Uuid::new_v4().to_string();
    let (status, first) = json_with_key(&stack, &user, &saving("evening"), &key).await;
    assert_eq!((status.as_u16(), &first["session_id"]), (200, &json!(key)), "{first}");
    let (status, again) = json_with_key(&stack, &user, &saving("evening"), &key).await;
    assert_eq!(status, 200, "{again}");
    for field in
        ["session_id", "playlist_id", "name", "description", "count", "target", "quota", "stop_reason"]
    {
        assert_eq!(again[field], first[field], "{field}");
    }
    let uris = |done: &Value| -> Vec<Value> {
        done["tracks"].as_array().unwrap().iter().map(|track| track["track_uri"].clone()).collect()
    };
    assert_eq!(uris(&again), uris(&first));
    assert_eq!(generations(&stack).await, 1);
    assert_eq!(stack.ai_usage(&user).await["used"], 1);

    let request = generation::request(&stack, &user, &saving("evening"));
    let request = request.header("idempotency-key", &key).header("accept", "text/event-stream");
    let stream = generation::read(request.send().await.unwrap()).await;
    assert_eq!(stream.last("done")["playlist_id"], first["playlist_id"]);
}

#[tokio::test]
async fn a_repeat_returns_what_was_not_saved_and_then_saves_it() {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
    stack.llm_script(reply(&FIVE)).await;
    let key = Uuid::new_v4().to_string();
    let (_, first) = json_with_key(&stack, &user, &ask("evening"), &key).await;
    let uris = |done: &Value| -> Vec<Value> {
        done["tracks"].as_array().unwrap().iter().map(|track| track["track_uri"].clone()).collect()
    };
    for (save, is_saved) in [(false, false), (true, true), (true, true), (false, true)] {
        let mut body = ask("evening");
        body["save"] = json!(save);
        let (status, done) = json_with_key(&stack, &user, &body, &key).await;
        assert_eq!((status.as_u16(), uris(&done), &done["name"]), (200, uris(&first), &first["name"]));
        assert_eq!(done["playlist_id"].is_string(), is_saved);
    }
    assert_eq!((generations(&stack).await, &stack.ai_usage(&user).await["used"]), (1, &json!(1)));
}

#[tokio::test]
async fn parallel_requests_under_one_key_generate_once() {
    let stack = Stack::take().await;
    let user = stack.sign_up_pro().await;
    let mut script = reply(&FIVE);
    script["first_token_ms"] = json!(1_500);
    stack.llm_script(script).await;
    let key = Uuid::new_v4().to_string();
    let body = saving("evening");
    let answers = join_all((0..10).map(|_| json_with_key(&stack, &user, &body, &key))).await;
    let (done, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(status, _)| *status == 200);
    assert!(!done.is_empty());
    for answer in &refused {
        assert_error(answer, 409, "generation_in_progress");
    }
    assert_eq!(generations(&stack).await, 1);
    assert_eq!(stack.ai_usage(&user).await["used"], 1);
    assert_eq!(stack.rows(Some(&user), "playlists?select=id").await.len(), 1);
}

#[tokio::test]
async fn a_key_of_another_request_or_another_user_is_refused() {
    let stack = Stack::take().await;
    let (user, other) = (stack.sign_up().await, stack.sign_up().await);
    stack.llm_script(reply(&FIVE)).await;
    let key = Uuid::new_v4().to_string();
    assert_eq!(json_with_key(&stack, &user, &saving("evening"), &key).await.0, 200);
    let reused = json_with_key(&stack, &user, &saving("morning"), &key).await;
    assert_error(&reused, 409, "idempotency_key_reused");
    let foreign = json_with_key(&stack, &other, &saving("evening"), &key).await;
    assert_error(&foreign, 409, "idempotency_key_reused");
    assert_eq!(stack.ai_usage(&other).await["used"], 0);
}
