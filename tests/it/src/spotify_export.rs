//! Copying a playlist to Spotify: complete, in order, and not twice.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::spotify::{call, call_with, copies, export, link, playlist, renewals, some_tracks, status};
use crate::stack::{Stack, User};

/// Somebody who has linked an account, and a playlist of so many tracks.
async fn taken(count: usize) -> (Stack, User, String, Vec<String>) {
    let (stack, user) = crate::stack::taken().await;
    link(&stack, &user, "ania").await;
    let uris = some_tracks(&stack, count).await;
    let playlist = playlist(&stack, &user, "Wieczór", &uris).await;
    (stack, user, playlist, uris)
}

fn uris_of(copy: &Value) -> Vec<String> {
    copy["uris"].as_array().unwrap().iter().map(|uri| uri.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_hundred_tracks_arrive_in_order() {
    let (stack, user, playlist, uris) = taken(100).await;
    let exported = export(&stack, &user, &playlist, None).await.ok();
    assert_eq!(
        (&exported["exported"], &exported["total"], &exported["rejected"]),
        (&json!(100), &json!(100), &json!([]))
    );
    let copies = copies(&stack).await;
    assert_eq!(copies.len(), 1);
    assert_eq!(uris_of(&copies[0]), uris);
    assert_eq!(
        (&copies[0]["public"], &copies[0]["owner"], &copies[0]["name"]),
        (&json!(false), &json!("ania"), &json!("Wieczór"))
    );
    assert_eq!(copies[0]["description"], "For the evening. · Made with Sound Whiskers");
    assert_eq!(exported["spotify_playlist_id"], copies[0]["id"]);
    assert_eq!(
        exported["url"],
        format!("https://open.spotify.com/playlist/{}", copies[0]["id"].as_str().unwrap())
    );
}

#[tokio::test]
async fn what_cannot_be_exported_is_refused() {
    let (stack, user, playlist_id, _) = taken(1).await;
    let empty = playlist(&stack, &user, "Empty", &[]).await;
    export(&stack, &user, &empty, None).await.assert_error(409, "playlist_empty");
    export(&stack, &user, &Uuid::new_v4().to_string(), None).await.assert_error(404, "playlist_not_found");
    let other = stack.sign_up().await;
    link(&stack, &other, "bob").await;
    export(&stack, &other, &playlist_id, None).await.assert_error(404, "playlist_not_found");
    let unlinked = stack.sign_up().await;
    let uris = some_tracks(&stack, 1).await;
    let theirs = playlist(&stack, &unlinked, "Theirs", &uris).await;
    export(&stack, &unlinked, &theirs, None).await.assert_error(403, "spotify_not_linked");
    let change = json!({"is_deleted": true});
    let path = format!("playlists?id=eq.{playlist_id}");
    stack.rest(Method::PATCH, &path, Some(&user), Some(&change)).await;
    export(&stack, &user, &playlist_id, None).await.assert_error(404, "playlist_not_found");
    export(&stack, &user, "not-a-uuid", None).await.assert_error(422, "invalid_request");
    call(&stack, Method::POST, "spotify-export", None, Some(&json!({})))
        .await
        .assert_error(401, "missing_token");
    assert_eq!(copies(&stack).await.len(), 0);
}

#[tokio::test]
async fn a_repeat_under_the_same_key_answers_the_first_result() {
    let (stack, user, playlist_id, _) = taken(3).await;
    let key = Uuid::new_v4().to_string();
    let first = export(&stack, &user, &playlist_id, Some(&key)).await.ok();
    let uris = some_tracks(&stack, 5).await;
    let another = playlist(&stack, &user, "Another", &uris).await;
    assert_eq!(export(&stack, &user, &playlist_id, Some(&key)).await.ok(), first);
    export(&stack, &user, &another, Some(&key)).await.assert_error(409, "idempotency_key_reused");
    // Even when the link is gone meanwhile.
    call(&stack, Method::DELETE, "spotify-oauth/link", Some(&user), None).await;
    assert_eq!(export(&stack, &user, &playlist_id, Some(&key)).await.ok(), first);
    assert_eq!(copies(&stack).await.len(), 1);
    let headers = [("idempotency-key", "1")];
    let body = json!({"playlist_id": playlist_id});
    call_with(&stack, Method::POST, "spotify-export", Some(&user), Some(&body), &headers)
        .await
        .assert_error(400, "invalid_header");
}

#[tokio::test]
async fn a_copy_that_was_begun_is_completed_and_not_made_again() {
    let (stack, user, playlist, uris) = taken(20).await;
    let key = Uuid::new_v4().to_string();
    stack
        .faults("spotify", json!([{"path_prefix": "/v1/playlists/", "status": 500, "body": "<h1>Oops</h1>"}]))
        .await;
    export(&stack, &user, &playlist, Some(&key)).await.assert_error(502, "spotify_unavailable");
    assert_eq!(uris_of(&copies(&stack).await[0]), Vec::<String>::new());
    stack.faults("spotify", json!([])).await;
    let exported = export(&stack, &user, &playlist, Some(&key)).await.ok();
    assert_eq!(exported["exported"], 20);
    let copies = copies(&stack).await;
    assert_eq!(copies.len(), 1);
    assert_eq!(uris_of(&copies[0]), uris);
}

#[tokio::test]
async fn of_many_at_once_under_one_key_one_exports() {
    let (stack, user, playlist, _) = taken(5).await;
    let key = Uuid::new_v4().to_string();
    stack.spotify_latency(json!({"search_ms": 300})).await;
    let answers = join_all((0..8).map(|_| export(&stack, &user, &playlist, Some(&key)))).await;
    let done = answers.iter().filter(|answer| answer.status == 200).count();
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        answer.assert_error(409, "export_in_progress");
        assert!(answer.header("retry-after").is_some());
    }
    assert!(done >= 1);
    assert_eq!(copies(&stack).await.len(), 1);
}

#[tokio::test]
async fn a_track_that_spotify_rejects_is_named_and_the_rest_exported() {
    let (stack, user, playlist, uris) = taken(100).await;
    stack.spotify(Method::PUT, "rejected_uris", &json!([uris[0], uris[49], uris[99]])).await;
    let exported = export(&stack, &user, &playlist, None).await.ok();
    assert_eq!((&exported["exported"], &exported["total"]), (&json!(97), &json!(100)));
    let rejected = exported["rejected"].as_array().unwrap();
    let positions: Vec<_> = rejected.iter().map(|track| track["position"].as_u64().unwrap()).collect();
    assert_eq!(positions, [1, 50, 100]);
    assert_eq!(rejected[1]["track_uri"], uris[49].as_str());
    let expected: Vec<_> = uris
        .iter()
        .enumerate()
        .filter(|(index, _)| ![0, 49, 99].contains(index))
        .map(|(_, uri)| uri.clone())
        .collect();
    assert_eq!(uris_of(&copies(&stack).await[0]), expected);
}

#[tokio::test]
async fn a_link_that_spotify_no_longer_accepts_ends_and_says_so() {
    let (stack, user, playlist, _) = taken(1).await;
    stack.spotify(Method::POST, "revoke", &json!({"user": "ania"})).await;
    stack.sql("update public.spotify_tokens set expires_at = now() where user_id = $1", &[&user.id]).await;
    export(&stack, &user, &playlist, None).await.assert_error(403, "spotify_link_expired");
    assert_eq!(status(&stack, &user).await, json!({"linked": false}));
    export(&stack, &user, &playlist, None).await.assert_error(403, "spotify_not_linked");
}

/// A copy that was begun under a key and not filled.
async fn begun(stack: &Stack, user: &User, playlist: &str) -> String {
    let key = Uuid::new_v4().to_string();
    stack.faults("spotify", json!([{"path_prefix": "/v1/playlists/", "status": 500}])).await;
    export(stack, user, playlist, Some(&key)).await.assert_error(502, "spotify_unavailable");
    stack.faults("spotify", json!([])).await;
    key
}

#[tokio::test]
async fn a_copy_that_another_account_began_is_made_anew_in_the_linked_one() {
    let (stack, user, playlist, uris) = taken(3).await;
    let key = begun(&stack, &user, &playlist).await;
    link(&stack, &user, "bob").await;
    let exported = export(&stack, &user, &playlist, Some(&key)).await.ok();
    assert_eq!(export(&stack, &user, &playlist, Some(&key)).await.ok(), exported);
    let theirs: Vec<Value> = copies(&stack).await.into_iter().filter(|copy| copy["owner"] == "bob").collect();
    assert_eq!((theirs.len(), uris_of(&theirs[0])), (1, uris));
    assert_eq!(exported["spotify_playlist_id"], theirs[0]["id"]);
    assert_eq!(stack.log_of("spotify", "/v1/me/playlists").await.len(), 2, "one copy for each account");
}

#[tokio::test]
async fn of_fifty_exports_at_once_ten_are_made_and_a_token_that_spotify_rotates_and_forgets_is_renewed_once()
{
    let (stack, user, playlist, _) = taken(5).await;
    stack.spotify(Method::PUT, "oauth", &json!({"rotate_refresh_tokens": true})).await;
    stack.expire_spotify_tokens().await;
    let answers = join_all((0..50).map(|_| export(&stack, &user, &playlist, None))).await;
    let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!((made.len(), copies(&stack).await.len()), (10, 10));
    refused.into_iter().for_each(|answer| answer.assert_error(429, "too_many_attempts"));
    assert_eq!(status(&stack, &user).await["linked"], true);
    assert_eq!(renewals(&stack).await, 1);
    stack.refill(&user).await;
    export(&stack, &user, &playlist, None).await.ok();
}
