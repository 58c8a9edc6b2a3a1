//! What the database refuses, through the door that users see.

use serde_json::json;

use crate::generation::{self, FIVE, answer, ask, assert_error, reply};
use crate::stack::Stack;

#[tokio::test]
async fn somebody_without_a_profile_is_told_so() {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
    stack.sql("delete from public.profiles where user_id = $1", &[&user.id]).await;
    assert_error(&generation::json(&stack, &user, &ask("evening")).await, 403, "profile_not_found");
    assert!(stack.log("llm").await.is_empty());
}

#[tokio::test]
async fn somebody_with_fifty_playlists_is_told_before_anything_is_generated() {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
    let statement = "insert into public.playlists (owner_id, name)
        select $1, 'playlist ' || n from generate_series(1, 50) n";
    stack.sql(statement, &[&user.id]).await;
    let mut body = ask("evening");
    body["save"] = json!(true);
    assert_error(&generation::json(&stack, &user, &body).await, 409, "playlist_limit_reached");
    assert!(stack.log("llm").await.is_empty());
    stack.llm_script(reply(&FIVE)).await;
    assert_eq!(generation::json(&stack, &user, &ask("evening")).await.0, 200, "without save there is room");
}

#[tokio::test]
async fn a_fiftieth_playlist_made_meanwhile_leaves_a_playlist_that_is_charged_and_delivered_unsaved() {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
    let fill = "insert into public.playlists (owner_id, name)
        select $1, 'playlist ' || n from generate_series(1, 49) n";
    stack.sql(fill, &[&user.id]).await;
    let mut script = reply(&FIVE);
    script["first_token_ms"] = json!(1_500);
    stack.llm_script(script).await;
    let mut body = ask("evening");
    body["save"] = json!(true);
    let request = generation::request(&stack, &user, &body).header("accept", "text/event-stream");
    let response = request.send().await.unwrap(); // The headers come when the slot is reserved.
    let last = json!({"owner_id": user.id, "name": "the fiftieth"});
    assert_eq!(stack.rest(reqwest::Method::POST, "playlists", Some(&user), Some(&last)).await.0, 201);
    let stream = generation::read(response).await;
    let done = stream.last("done");
    assert_eq!((&done["not_saved"], &done["count"]), (&json!("playlist_limit_reached"), &json!(5)));
    assert_eq!(stack.ai_usage(&user).await["used"], 1);
    assert_eq!(stack.rows(Some(&user), "playlists?select=id").await.len(), 50);
}

#[tokio::test]
async fn a_deleted_user_with_a_valid_token_gets_nothing() {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
    stack.sql("delete from auth.users where id = $1", &[&user.id]).await;
    let request = generation::request(&stack, &user, &ask("evening"));
    assert_error(&answer(request).await, 403, "profile_not_found");
}
