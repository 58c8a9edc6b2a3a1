//! Copying a playlist to Spotify: complete, in order, and once.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::spotify::{copies, export, link, playlist, some_tracks, status};
use crate::stack::{Stack, User, stack_and_user};

/// Returns a user with a linked account and a playlist of `count` tracks.
async fn linked(count: usize) -> (Stack, User, String, Vec<String>) {
    let (stack, user) = stack_and_user().await;
    link(&stack, &user, "ania").await;
    let uris = some_tracks(&stack, count).await;
    let playlist = playlist(&stack, &user, "Wieczór", &uris).await;
    (stack, user, playlist, uris)
}

#[tokio::test]
async fn hundred_tracks_arrive_in_order() {
    let (stack, user, playlist, uris) = linked(100).await;
    let exported = export(&stack, &user, &playlist, None).await.ok();
    let copies = copies(&stack).await;
    let id = copies[0]["id"].as_str().unwrap();
    assert_eq!((copies.len(), &copies[0]["uris"]), (1, &json!(uris)));
    let url = format!("https://open.spotify.com/playlist/{id}");
    let description = "For the evening. · Made with Sound Whiskers";
    let copy = json!({"public": false, "owner": "ania", "name": "Wieczór", "description": description});
    let result =
        json!({"exported": 100, "total": 100, "rejected": [], "spotify_playlist_id": id, "url": url});
    for (value, expected) in [(&copies[0], copy), (&exported, result)] {
        for (name, expected) in expected.as_object().unwrap() {
            assert_eq!(&value[name], expected, "{name}");
        }
    }
}

#[tokio::test]
async fn playlist_that_is_not_the_users_or_is_deleted_is_not_exported() {
    let (stack, user, playlist, _) = linked(1).await;
    let (other, unlinked) = (stack.sign_up().await, stack.sign_up().await);
    link(&stack, &other, "bob").await;
    export(&stack, &other, &playlist, None).await.assert_error(404, "playlist_not_found");
    let theirs = crate::spotify::playlist(&stack, &unlinked, "Theirs", &some_tracks(&stack, 1).await).await;
    export(&stack, &unlinked, &theirs, None).await.assert_error(403, "spotify_not_linked");
    let path = format!("playlists?id=eq.{playlist}");
    stack.rest(Method::PATCH, &path, &user, json!({"is_deleted": true})).await.ok();
    export(&stack, &user, &playlist, None).await.assert_error(404, "playlist_not_found");
    assert_eq!(copies(&stack).await.len(), 0);
}

#[tokio::test]
async fn repeat_under_the_same_key_completes_the_copy_and_then_returns_its_result() {
    let (stack, user, playlist, uris) = linked(20).await;
    let another = crate::spotify::playlist(&stack, &user, "Another", &uris[..1]).await;
    let key = Uuid::new_v4().to_string();
    stack.faults("spotify", json!([{"path_prefix": "/v1/playlists/", "status": 500}])).await;
    export(&stack, &user, &playlist, Some(&key)).await.assert_error(502, "spotify_unavailable");
    assert_eq!(copies(&stack).await[0]["uris"], json!([]));
    stack.faults("spotify", json!([])).await;
    let first = export(&stack, &user, &playlist, Some(&key)).await.ok();
    assert_eq!(first["exported"], 20);
    export(&stack, &user, &another, Some(&key)).await.assert_error(409, "idempotency_key_reused");
    // The result is returned even after the account was unlinked.
    stack.call(Method::DELETE, "spotify-oauth/link", &user, Value::Null).await.ok();
    assert_eq!(export(&stack, &user, &playlist, Some(&key)).await.ok(), first);
    let copies = copies(&stack).await;
    assert_eq!((copies.len(), &copies[0]["uris"]), (1, &json!(uris)));
}

#[tokio::test]
async fn later_export_updates_the_copy_and_makes_another_where_it_is_gone() {
    let (stack, user, playlist, uris) = linked(3).await;
    let first = export(&stack, &user, &playlist, None).await.ok();
    let statement = "delete from public.playlist_tracks where playlist_id::text = $1 and position = 3";
    stack.sql(statement, &[&playlist]).await;
    let second = export(&stack, &user, &playlist, Some(&Uuid::new_v4().to_string())).await.ok();
    assert_eq!(second["spotify_playlist_id"], first["spotify_playlist_id"]);
    let made = copies(&stack).await;
    assert_eq!((made.len(), &made[0]["uris"]), (1, &json!(uris[..2])));
    let known = "spotify_copies?select=playlist_id,spotify_playlist_id";
    let expected = json!([{"playlist_id": playlist, "spotify_playlist_id": first["spotify_playlist_id"]}]);
    assert_eq!(json!(stack.rows(&user, known).await), expected);
    // Deleted on Spotify.
    stack.faults("spotify", json!([{"path_prefix": "/v1/playlists/", "status": 404, "times": 1}])).await;
    let third = export(&stack, &user, &playlist, None).await.ok();
    assert_ne!(third["spotify_playlist_id"], first["spotify_playlist_id"]);
    assert_eq!(stack.rows(&user, known).await[0]["spotify_playlist_id"], third["spotify_playlist_id"]);
    // Another account has no copy yet.
    link(&stack, &user, "bob").await;
    assert_eq!(json!(stack.rows(&user, known).await), json!([]));
    export(&stack, &user, &playlist, None).await.ok();
    assert_eq!(copies(&stack).await.last().unwrap()["owner"], "bob");
}

#[tokio::test]
async fn ten_of_fourteen_exports_at_once_are_made_and_renew_a_rotating_token_once() {
    let (stack, user, playlist, uris) = linked(5).await;
    let mut playlists = vec![playlist.clone()];
    for number in 1..14 {
        playlists.push(crate::spotify::playlist(&stack, &user, &format!("N{number}"), &uris).await);
    }
    stack.spotify(Method::PUT, "oauth", json!({"rotate_refresh_tokens": true})).await;
    stack.spotify(Method::POST, "expire_tokens", json!({})).await;
    let responses = join_all(playlists.iter().map(|playlist| export(&stack, &user, playlist, None))).await;
    let (made, refused): (Vec<_>, Vec<_>) = responses.into_iter().partition(|it| it.status == 200);
    assert_eq!((made.len(), copies(&stack).await.len()), (10, 10));
    refused.iter().for_each(|refused| refused.assert_error(429, "too_many_attempts"));
    assert_eq!(status(&stack, &user).await["linked"], true);
    let mut renewals = stack.log("spotify", "/api/token").await;
    renewals.retain(|entry| entry["body"].to_string().contains("grant_type=refresh_token"));
    assert_eq!(renewals.len(), 1);
    stack.refill(&user).await;
    export(&stack, &user, &playlist, None).await.ok();
}
