//! A sentence in, a verified playlist out.

use reqwest::Method;
use serde_json::{Value, json};

use crate::generation::{self, FIVE, ask, reply};
use crate::stack::{Stack, taken};

#[tokio::test]
async fn a_stream_goes_through_its_stages_and_ends_with_done() {
    let (stack, user) = taken().await;
    stack.llm_script(reply(&FIVE)).await;
    let stream = generation::stream(&stack, &user, &ask("a cozy rainy evening")).await;
    let stages: Vec<_> = stream.all("stage").iter().map(|s| s["stage"].as_str().unwrap()).collect();
    assert_eq!(stages, ["reserved", "thinking", "resolving"]);
    let tracks = stream.all("track");
    let done = stream.last("done");
    assert_eq!(done["count"], 5);
    assert_eq!(done["target"], 5);
    assert_eq!(done["stop_reason"], "completed");
    assert_eq!(done["language"], "en");
    assert_eq!(done["name"], "Evening");
    assert_eq!(done["warning"], Value::Null);
    assert_eq!(done["playlist_id"], Value::Null);
    assert_eq!(done["tracks"].as_array().unwrap().iter().collect::<Vec<_>>(), tracks);
    for (index, track) in tracks.iter().enumerate() {
        assert_eq!(track["index"], index);
        assert!(track["score"].as_f64().unwrap() >= 0.8, "{track}");
        assert!(track["duration_ms"].as_u64().unwrap() > 30_000, "{track}");
    }
}

#[tokio::test]
async fn a_document_is_the_same_as_the_streams_end() {
    let (stack, user) = taken().await;
    stack.llm_script(reply(&FIVE)).await;
    let (status, done) = generation::json(&stack, &user, &ask("a cozy rainy evening")).await;
    assert_eq!(status, 200, "{done}");
    let mut titles: Vec<_> =
        done["tracks"].as_array().unwrap().iter().map(|t| t["title"].as_str().unwrap()).collect();
    titles.sort_unstable();
    assert_eq!(titles, ["Bohemian Rhapsody", "Come as You Are", "Karma Police", "Let It Be", "Whisky"]);
    let quota = &done["quota"];
    assert_eq!((&quota["plan"], &quota["used"], &quota["limit"]), (&json!("free"), &json!(1), &json!(3)));
    assert_eq!(stack.ai_usage(&user).await["remaining"], quota["remaining"]);
    assert_eq!(stack.ai_usage(&user).await["next_free_at"], quota["next_free_at"]);
}

#[tokio::test]
async fn tracks_arrive_while_the_model_still_writes() {
    let (stack, user) = taken().await;
    let mut script = reply(&FIVE);
    script["chunk_chars"] = json!(8);
    script["chunk_ms"] = json!(20);
    stack.llm_script(script).await;
    generation::stream(&stack, &user, &ask("a cozy rainy evening")).await;
    let completion = stack.log_of("llm", "/v1/chat/completions").await.remove(0);
    let first_search = stack.log_of("spotify", "/v1/search").await.remove(0);
    let (searched, finished) = (first_search["finished_ms"].as_f64(), completion["finished_ms"].as_f64());
    assert!(searched.unwrap() < finished.unwrap(), "{first_search} {completion}");
}

#[tokio::test]
async fn the_first_track_is_delivered_before_the_models_last_chunk() {
    let (stack, user) = taken().await;
    // The model pauses for good after its first song: the track must come all the same.
    let text = reply(&FIVE)["reply"].to_string();
    let first_song_ends = text.find("},").unwrap() + 2;
    stack
        .llm_script(
            json!({"text": text, "chunk_chars": first_song_ends, "chunk_ms": 8_000, "first_token_ms": 1}),
        )
        .await;
    let response = generation::request(&stack, &user, &ask("rain"))
        .header("accept", "text/event-stream")
        .send()
        .await
        .unwrap();
    let mut response = response;
    let mut seen = String::new();
    while !seen.contains("event: track") {
        let chunk = response.chunk().await.unwrap().expect("the stream ended without a track");
        seen.push_str(&String::from_utf8_lossy(&chunk));
    }
    let completion = stack.log_of("llm", "/v1/chat/completions").await.remove(0);
    assert_eq!(completion["finished_ms"], Value::Null, "the model had finished: {completion}");
}

#[tokio::test]
async fn a_saved_playlist_is_read_back_by_its_owner_alone() {
    let stack = Stack::take().await;
    let (user, other) = (stack.sign_up().await, stack.sign_up().await);
    stack.llm_script(reply(&FIVE)).await;
    let body = generation::saving("a cozy rainy evening");
    let (status, done) = generation::json(&stack, &user, &body).await;
    assert_eq!(status, 200, "{done}");
    let id = done["playlist_id"].as_str().unwrap();
    assert_eq!(done["session_id"], id);

    let path = format!("playlists?id=eq.{id}&select=name,description,owner_id,is_deleted");
    let mine = stack.rows(Some(&user), &path).await;
    let expected = json!([{
        "name": "Evening", "description": "For the evening.", "owner_id": user.id, "is_deleted": false,
    }]);
    assert_eq!(Value::Array(mine), expected);
    let tracks_path = format!("playlist_tracks?playlist_id=eq.{id}&order=position");
    let tracks = stack.rows(Some(&user), &tracks_path).await;
    assert_eq!(tracks.len(), 5);
    for (row, delivered) in tracks.iter().zip(done["tracks"].as_array().unwrap()) {
        assert_eq!(row["position"], delivered["index"].as_u64().unwrap() + 1);
        for column in ["track_uri", "title", "artist", "album", "duration_ms", "explicit"] {
            assert_eq!(row[column], delivered[column], "{column}");
        }
    }
    for path in [path, tracks_path] {
        assert_eq!(stack.rows(Some(&other), &path).await, Vec::<Value>::new(), "another user sees {path}");
        let (status, _) = stack.rest(Method::GET, &path, None, None).await;
        assert_eq!(status, 401, "anon may ask for {path}");
    }
}

#[tokio::test]
async fn the_history_tells_the_prompt_its_end_and_its_cost() {
    let (stack, user) = taken().await;
    let mut script = reply(&FIVE);
    script["usage"] = json!({"prompt_tokens": 1000, "completion_tokens": 1000, "total_tokens": 2000});
    stack.llm_script(script).await;
    let (_, done) = generation::json(&stack, &user, &ask("zażółć gęślą jaźń, 5 piosenek")).await;
    let rows = stack.rows(Some(&user), "ai_sessions?select=id,prompt,status,cost").await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["id"], done["session_id"]);
    assert_eq!(rows[0]["prompt"], "zażółć gęślą jaźń, 5 piosenek");
    assert_eq!(rows[0]["status"], "succeeded");
    assert!(rows[0]["cost"].as_f64().unwrap() > 0.0, "{rows:?}");
}

#[tokio::test]
async fn a_polish_prompt_gets_a_polish_playlist_from_an_unscripted_model() {
    let (stack, user) = taken().await;
    let body = json!({"prompt": "spokojny deszczowy wieczór, polskie piosenki, około 12 utworów", "target_count": 12});
    let (status, done) = generation::json(&stack, &user, &body).await;
    assert_eq!(status, 200, "{done}");
    assert_eq!(done["language"], "pl");
    assert!(done["count"].as_u64().unwrap() >= 8, "{done}");
}

#[tokio::test]
async fn the_conversation_never_holds_what_spotify_answered() {
    let (stack, user) = taken().await;
    // Forces a refill: one song exists, the other does not.
    let known = ("the beatles", "let it be", 1970);
    stack
        .llm_script(json!([reply(&[known, ("Nobody At All", "Nowhere To Be Found", 1999)]), reply(&FIVE)]))
        .await;
    let (status, done) = generation::json(&stack, &user, &ask("evening")).await;
    assert_eq!(status, 200, "{done}");
    let calls = stack.log_of("llm", "/v1/chat/completions").await;
    assert_eq!(calls.len(), 2);
    let refill = calls[1]["body"].to_string();
    assert!(refill.contains("Nowhere To Be Found"), "the refill does not say what was tried: {refill}");
    assert!(!refill.contains("Let It Be") && !refill.contains("spotify:"), "{refill}");
}
