//! What users can do with their playlists directly, and what nobody can.

use reqwest::Method;
use serde_json::{Value, json};

use crate::generation::{self, FIVE, ask, reply};
use crate::stack::{Stack, User};

async fn saved(stack: &Stack, user: &User) -> String {
    stack.llm_script(reply(&FIVE)).await;
    let mut body = ask("evening");
    body["save"] = json!(true);
    let (status, done) = generation::json(stack, user, &body).await;
    assert_eq!(status, 200, "{done}");
    done["playlist_id"].as_str().unwrap().to_owned()
}

async fn rpc(stack: &Stack, user: &User, name: &str, args: Value) -> (u16, Value) {
    stack.rest(Method::POST, &format!("rpc/{name}"), Some(user), Some(&args)).await
}

fn titles(rows: &Value) -> Vec<&str> {
    rows.as_array()
        .unwrap_or_else(|| panic!("{rows}"))
        .iter()
        .map(|row| row["title"].as_str().unwrap_or(""))
        .collect()
}

#[tokio::test]
async fn a_generated_playlist_can_be_edited_track_by_track() {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
    let id = saved(&stack, &user).await;
    let (_, before) =
        rpc(&stack, &user, "move_track", json!({"playlist_id": id, "from_position": 1, "to_position": 1}))
            .await;
    let order = titles(&before).iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();

    let moved = json!({"playlist_id": id, "from_position": 1, "to_position": 5});
    let (status, after) = rpc(&stack, &user, "move_track", moved).await;
    assert_eq!(status, 200, "{after}");
    assert_eq!(titles(&after).last(), Some(&order[0].as_str()));

    let (status, after) = rpc(&stack, &user, "remove_track", json!({"playlist_id": id, "position": 5})).await;
    assert_eq!((status, after.as_array().unwrap().len()), (200, 4));
    let positions: Vec<_> =
        after.as_array().unwrap().iter().map(|row| row["position"].as_u64().unwrap()).collect();
    assert_eq!(positions, [1, 2, 3, 4]);

    let track = json!({"track_uri": "spotify:track:4iV5W9uYEdYUVa79Axb7Rh", "title": "Added"});
    let add = json!({"playlist_id": id, "tracks": [track], "after_position": 0});
    let (status, after) = rpc(&stack, &user, "add_tracks", add.clone()).await;
    assert_eq!((status, titles(&after)[0]), (200, "Added"));
    assert_eq!(rpc(&stack, &user, "add_tracks", add).await.0, 409, "a duplicate");
}

#[tokio::test]
async fn nobody_else_can_edit_or_see_it() {
    let stack = Stack::take().await;
    let (user, other) = (stack.sign_up().await, stack.sign_up().await);
    let id = saved(&stack, &user).await;
    for (name, args) in [
        ("remove_track", json!({"playlist_id": id, "position": 1})),
        ("move_track", json!({"playlist_id": id, "from_position": 1, "to_position": 2})),
        ("replace_tracks", json!({"playlist_id": id, "tracks": []})),
        ("add_tracks", json!({"playlist_id": id, "tracks": []})),
    ] {
        assert_eq!(rpc(&stack, &other, name, args).await.0, 404, "{name}");
    }
    let rename = json!({"name": "Mine now"});
    let path = format!("playlists?id=eq.{id}");
    stack.rest(Method::PATCH, &path, Some(&other), Some(&rename)).await;
    assert_eq!(stack.rows(Some(&user), &path).await[0]["name"], "Evening");
}

#[tokio::test]
async fn a_user_reaches_neither_the_servers_functions_nor_the_quota() {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
    let session = uuid::Uuid::new_v4();
    for (name, args) in [
        (
            "ai_reserve",
            json!({"p_session_id": session, "p_user_id": user.id, "p_prompt": "x", "p_save": false}),
        ),
        (
            "ai_settle",
            json!({"p_session_id": session, "p_user_id": user.id, "p_status": "failed", "p_cost": 0}),
        ),
    ] {
        assert_eq!(rpc(&stack, &user, name, args).await.0, 403, "{name}");
    }
    let profile = format!("profiles?user_id=eq.{}", user.id);
    let (status, _) = stack.rest(Method::PATCH, &profile, Some(&user), Some(&json!({"plan": "pro"}))).await;
    assert_eq!(status, 403);
    for (method, body) in [(Method::DELETE, None), (Method::PATCH, Some(json!({"status": "failed"})))] {
        let path = format!("ai_sessions?user_id=eq.{}", user.id);
        assert_eq!(stack.rest(method, &path, Some(&user), body.as_ref()).await.0, 403);
    }
}

#[tokio::test]
async fn a_deleted_playlist_comes_back_with_its_tracks() {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
    let id = saved(&stack, &user).await;
    let path = format!("playlists?id=eq.{id}");
    for is_deleted in [true, false] {
        let change = json!({"is_deleted": is_deleted});
        assert_eq!(stack.rest(Method::PATCH, &path, Some(&user), Some(&change)).await.0, 204);
    }
    let live = format!("playlist_tracks?playlist_id=eq.{id}&is_deleted=is.false");
    assert_eq!(stack.rows(Some(&user), &live).await.len(), 5);
}
