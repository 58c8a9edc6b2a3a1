//! Generating a playlist of existing songs from a sentence.

use reqwest::Method;
use serde_json::{Value, json};

use crate::generation::{self, FIVE, Reading, ask, document, pausing_after, reply, saving, streaming};
use crate::stack::{stack_and_user, with};

#[tokio::test]
async fn stream_reports_its_stages_and_ends_with_the_playlist() {
    let (stack, user) = stack_and_user().await;
    let stream = generation::stream(&stack, &user, &ask("a cozy rainy evening")).await;
    let stages: Vec<_> = stream.all("stage").iter().map(|stage| stage["stage"].as_str().unwrap()).collect();
    assert_eq!(stages, ["reserved", "thinking", "resolving"]);
    let (tracks, done) = (stream.all("track"), stream.last("done"));
    assert_eq!(done["tracks"].as_array().unwrap().iter().collect::<Vec<_>>(), tracks);
    for (name, value) in [
        ("count", json!(5)),
        ("target", json!(5)),
        ("stop_reason", json!("completed")),
        ("language", json!("en")),
        ("name", json!("Evening")),
        ("warning", Value::Null),
        ("playlist_id", Value::Null),
    ] {
        assert_eq!(done[name], value, "{name}");
    }
    for (index, track) in tracks.iter().enumerate() {
        assert_eq!(track["index"], index);
        assert!(
            track["score"].as_f64() >= Some(0.8) && track["duration_ms"].as_u64() > Some(30_000),
            "{track}"
        );
    }
    let quota = &done["quota"];
    assert_eq!((&quota["plan"], &quota["used"], &quota["limit"]), (&json!("free"), &json!(1), &json!(3)));
    let usage = stack.ai_usage(&user).await;
    assert_eq!((&usage["remaining"], &usage["next_free_at"]), (&quota["remaining"], &quota["next_free_at"]));
}

#[tokio::test]
async fn first_track_arrives_while_the_model_still_writes() {
    let (stack, user) = stack_and_user().await;
    stack.llm_script(pausing_after(1)).await;
    Reading::start(streaming(&stack, &user, &ask("rain"))).await.until("track", 1).await;
    let completion = stack.completions().await.remove(0);
    assert_eq!(completion["finished_ms"], Value::Null, "the model had finished: {completion}");
}

#[tokio::test]
async fn saved_playlist_and_its_history_are_read_by_their_owner_alone() {
    let (stack, user) = stack_and_user().await;
    let other = stack.sign_up().await;
    let usage = json!({"prompt_tokens": 1000, "completion_tokens": 1000, "total_tokens": 2000});
    stack.llm_script(with(reply(&FIVE), &json!({"usage": usage}))).await;
    let prompt = "zażółć gęślą jaźń, 5 piosenek";
    let done = document(&stack, &user, &saving(prompt)).await.ok();
    let id = done["playlist_id"].as_str().unwrap();
    let playlists = format!("playlists?id=eq.{id}&select=name,description,owner_id,is_deleted");
    let tracks = format!("playlist_tracks?playlist_id=eq.{id}&order=position");
    let sessions = "ai_sessions?select=id,prompt,status,cost".to_owned();
    let expected = json!({
        "name": "Evening", "description": "For the evening.", "owner_id": user.id, "is_deleted": false,
    });
    assert_eq!(stack.rows(&user, &playlists).await, [expected]);
    let rows = stack.rows(&user, &tracks).await;
    assert_eq!(rows.len(), 5);
    for (row, delivered) in rows.iter().zip(done["tracks"].as_array().unwrap()) {
        assert_eq!(row["position"], delivered["index"].as_u64().unwrap() + 1);
        for member in ["track_uri", "title", "artist", "album", "duration_ms", "explicit", "image_url"] {
            assert!(!delivered[member].is_null(), "{member}");
        }
        for (member, value) in delivered.as_object().unwrap() {
            assert!(["index", "score"].contains(&member.as_str()) || row[member] == *value, "{member}");
        }
    }
    let [session] = &stack.rows(&user, &sessions).await[..] else { panic!("not one session") };
    assert_eq!((&session["id"], &session["prompt"]), (&json!(id), &json!(prompt)));
    assert!(session["status"] == "succeeded" && session["cost"].as_f64() > Some(0.0), "{session}");
    for path in [playlists, tracks, sessions] {
        assert_eq!(stack.rows(&other, &path).await, Vec::<Value>::new(), "another user reads {path}");
        assert_eq!(stack.rest(Method::GET, &path, None, Value::Null).await.status, 401, "anon reads {path}");
    }
}

/// Spotify's terms forbid sending its content to a model.
#[tokio::test]
async fn model_gets_its_own_suggestions_and_no_content_of_spotify() {
    let (stack, user) = stack_and_user().await;
    let first = [("the beatles", "let it be", 1970), ("Nobody At All", "Nowhere To Be Found", 1999)];
    stack.llm_script(json!([reply(&first), reply(&FIVE)])).await;
    document(&stack, &user, &ask("evening")).await.ok();
    let [_, refill] = &stack.completions().await[..] else { panic!("not two questions") };
    let refill = refill["body"].to_string();
    assert!(refill.contains("Nowhere To Be Found"), "the refill does not say what was tried: {refill}");
    assert!(!refill.contains("Let It Be") && !refill.contains("spotify:"), "{refill}");
}
